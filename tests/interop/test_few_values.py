"""Columns of which few rows have a value, of every type: what Parquet says to those who read it is what CSV says, however the rows are asked for."""
import datetime
import json
import os

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

ROWS = 300_000
RATES = {"EIGHTH": (7, 1), "FEW": (99, 1), "RARE": (2999, 1), "HARDLY": (199_999, 1), "DENSE": (69, 10)}  # null, filled
SIZES = {"ONE": 1, "SMALL": 40, "LARGE": 6000}  # of more than 4,096 values a row group has its own
KINDS = {
    "TEXT": ("string", "CATEGORICAL", pa.string(), lambda i: f'c,"{i:05}'),
    "NUMBER": ("integer", "DISCRETE", pa.int32(), lambda i: i - 50),
    "FAR": ("long", "DISCRETE", pa.int64(), lambda i: (i - 3000) * 10**9),
    "REAL": ("double", "CATEGORICAL", pa.float64(), lambda i: repr(i / 7 - 3)),
    "MONEY": ("decimal(9,2)", "CATEGORICAL", pa.decimal128(9, 2), lambda i: f"{i}.{i % 100:02}"),
    "DAY": ("date", "DATE", pa.date32(), lambda i: str(datetime.date(1960, 1, 1) + datetime.timedelta(i))),
    "MOMENT": ("timestamp", "CATEGORICAL", pa.timestamp("us"), lambda i: str(datetime.datetime(1969, 12, 31) + datetime.timedelta(hours=i, seconds=i))),
    "YES": ("boolean", "CATEGORICAL", pa.bool_(), lambda i: str(i == 1).lower()),
}
SQL = {pa.string(): "varchar", pa.int32(): "integer", pa.int64(): "bigint", pa.float64(): "double", pa.decimal128(9, 2): "decimal(9,2)",
       pa.date32(): "date", pa.timestamp("us"): "timestamp", pa.bool_(): "boolean"}
COLUMNS = {f"{kind}_{rate}_{size}": (kind, rate, size) for kind in KINDS for rate in RATES for size in SIZES if (kind, size) != ("YES", "LARGE")}


@pytest.fixture(scope="module")
def base(tmp_path_factory, adg):
    """Arguments for a table of these columns, and two that are no dictionaries."""
    folder = tmp_path_factory.mktemp("few")
    fields = ["{name: K, type: long, pattern: '\\d{9}'}", "{name: P, type: string, pattern: 'P[0-9a-f]{12}'}",
              "{name: LENGTH, type: double, values: CONTINUOUS}", "{name: WIDE, type: long, values: CONTINUOUS}",
              "{name: JOINED, type: string, derive: 'join(TEXT_RARE_LARGE, TEXT_HARDLY_LARGE)'}"]
    lines = [{"field": "K", "type": "RELATIONSHIP", "key": "P", "values": [1, 5], "weights": [1, 1]},
             {"field": "LENGTH", "type": "CONTINUOUS", "percentiles": list(range(101)), "completeness": [2999, 1]},
             {"field": "WIDE", "type": "CONTINUOUS", "percentiles": [i * 10**6 for i in range(101)], "completeness": [2999, 1]}]
    for name, (kind, rate, size) in COLUMNS.items():
        type_, values, _, make = KINDS[kind]
        count = min(SIZES[size], 2) if kind == "YES" else SIZES[size]
        fields.append(f"{{name: {name}, type: '{type_}', values: {values}}}")
        lines.append({"field": name, "type": values, "values": [make(i) for i in range(count)], "weights": [1 + i % 3 for i in range(count)],
                      "completeness": RATES[rate]})
    head = "dataset: few\nid: 77\nprimary_key: K\npatient_key: P\ntables: [t]\nfields:\n"
    (folder / "few.yaml").write_text(head + "".join(f"  - {f}\n" for f in fields))
    (folder / "few.jsonl").write_text("".join(json.dumps({"table": "t", **line}) + "\n" for line in lines))
    adg("compose", folder / "few.jsonl", "--dataset", folder / "few.yaml", "--meta", folder / "m", check=0)
    return ["generate", "--dataset", folder / "few.yaml", "--meta", folder / "m", "--allow-unreleased"]


def columns_of(table):
    return {n: table[n].combine_chunks() for n in table.column_names}


def read_csv(path, schema):
    listed = ", ".join(f"'{field.name}': '{SQL[field.type]}'" for field in schema)
    return duckdb.sql(f"""from read_csv('{path}', columns = {{{listed}}}, header = true, auto_detect = false, delim = ',', quote = '"')""").to_arrow_table()


def assert_same(table, other):
    for name, cells in columns_of(table).items():
        assert other[name].combine_chunks().cast(cells.type).equals(cells), name


@pytest.fixture(scope="module")
def whole(base, adg, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    adg(*base, "--rows", ROWS, "--out", folder, check=0)
    return folder / "artificial_t.parquet"


@pytest.mark.parametrize("rows", [1, 10, 1000, 16_385, ROWS])
def test_readers_agree(base, whole, adg, tmp_path, rows):
    """A small table has columns without any value, whose dictionaries are cut to nothing; so has a large one, in a row group."""
    path = whole if rows == ROWS else tmp_path / "artificial_t.parquet"
    if rows < ROWS:
        adg(*base, "--rows", rows, "--out", tmp_path, check=0)
    adg(*base, "--rows", rows, "--format", "csv", "--out", tmp_path, check=0)
    table = pq.read_table(path)
    assert table.num_rows == rows
    assert {n: table.schema.field(n).type for n in COLUMNS} == {n: KINDS[kind][2] for n, (kind, _, _) in COLUMNS.items()}
    empty = [n for n in COLUMNS if n.endswith("LARGE") and any(
        group.column(n).null_count == group.num_rows for group in map(pq.ParquetFile(path).read_row_group, range(pq.ParquetFile(path).num_row_groups)))]
    assert empty
    assert_same(table, read_csv(tmp_path / "artificial_t.csv", table.schema))
    assert_same(table, duckdb.execute("from read_parquet(?)", [str(path)]).to_arrow_table())
    assert_same(table, polars.read_parquet(path).to_arrow())


def test_bounds_and_null_counts(whole):
    """Of every row group, as its rows are."""
    file = pq.ParquetFile(whole)
    for g in range(file.num_row_groups):
        rows = file.read_row_group(g)
        for i, name in enumerate(rows.column_names):
            said = file.metadata.row_group(g).column(i).statistics
            cells = rows[name].combine_chunks()
            assert said.null_count == cells.null_count, name
            assert said.has_min_max == (cells.null_count < len(cells)), name
            if said.has_min_max and not pa.types.is_decimal(cells.type):  # pyarrow shows those as bytes
                assert {"min": said.min, "max": said.max} == pc.min_max(cells).as_py(), name


def test_spark_skips_pages(whole, tmp_path):
    """Spark leaves out pages by their own bounds, and reads into one batch what lies in pages without a dictionary and with one that grows."""
    session = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
               .config("spark.driver.host", "127.0.0.1").config("spark.sql.warehouse.dir", str(tmp_path)).getOrCreate())
    try:
        table, frame = pq.read_table(whole), session.read.parquet(str(whole))
        for name in [n for n, (kind, rate, size) in COLUMNS.items() if size == "LARGE" and kind in ("TEXT", "NUMBER", "FAR", "DAY")]:
            column = frame.select("K", name)
            cells = table[name].combine_chunks()
            asked = [cells.drop_null()[i].as_py() for i in (0, len(cells.drop_null()) // 2, -1)]
            for value in asked:
                found = sorted(row.K for row in column.where(column[name] == value).collect())
                assert found == sorted(table["K"].filter(pc.fill_null(pc.equal(cells, pa.scalar(value, cells.type)), False)).to_pylist()), (name, value)
            assert column.where(column[name].isNotNull()).count() == len(cells) - cells.null_count, name
        names = ["K"] + [n for n in COLUMNS if not n.startswith("MOMENT")]  # Spark's own zone goes into those
        frame.select(names).write.parquet(str(tmp_path / "again"))
        assert_same(table.select(names).sort_by("K"), pq.read_table(tmp_path / "again").sort_by("K"))
    finally:
        session.stop()


def test_rates_and_weights(whole):
    """Within six standard deviations, as the 115 columns are looked at together with their values."""
    table = pq.read_table(whole)
    for name, (kind, rate, size) in COLUMNS.items():
        null, filled = RATES[rate]
        share = filled / (null + filled)
        valid = ROWS - table[name].null_count
        assert abs(valid - ROWS * share) <= 6 * (ROWS * share * (1 - share)) ** 0.5 + 1, name
        if size == "SMALL" and kind != "YES" and valid > 1000:
            counts = dict(zip(*(c.to_pylist() for c in table[name].drop_null().value_counts().flatten())))
            texts = {str(k).replace("T", " "): v for k, v in counts.items()}
            total = sum(1 + i % 3 for i in range(40))
            for i in range(40):
                expected = valid * (1 + i % 3) / total
                assert abs(texts[str(KINDS[kind][3](i))] - expected) < 6 * expected ** 0.5, (name, i)


def test_columns_are_independent(whole):
    """Two columns have a value in the same row as often as chance has it, and of two neighbouring rows, too."""
    table = pq.read_table(whole)
    names = [n for n, (_, rate, size) in COLUMNS.items() if rate == "EIGHTH" and size != "LARGE"]
    filled = {n: table[n].is_valid().to_numpy() for n in names}
    expected = ROWS / 64
    for i, one in enumerate(names):
        assert abs((filled[one][1:] & filled[one][:-1]).sum() - expected) < 6 * expected ** 0.5, one
        for other in names[:i]:
            assert abs((filled[one] & filled[other]).sum() - expected) < 6 * expected ** 0.5, (one, other)


def test_parts_threads_and_kernels(base, whole, adg, tmp_path):
    table = pq.read_table(whole)
    for shard in range(5):  # their first rows lie within blocks
        adg(*base, "--rows", ROWS, "--shard", f"{shard}/5", "--threads", 1 + shard % 3, "--out", tmp_path / "parts", check=0)
    parts = [pq.read_table(p) for p in sorted((tmp_path / "parts" / "artificial_t").glob("part-*"))]
    assert len(parts) == 5 and any(sum(p.num_rows for p in parts[:i]) % 16_384 for i in range(1, 5))
    assert pa.concat_tables(parts).equals(table)
    for kernels in ("scalar", "avx2", "avx512"):
        adg(*base, "--rows", ROWS, "--out", tmp_path / kernels, check=0, env={**os.environ, "ADG_CPU": kernels})
        assert (tmp_path / kernels / "artificial_t.parquet").read_bytes() == whole.read_bytes(), kernels
