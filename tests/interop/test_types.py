"""Every type, codec and size of dictionary, from the source to what other software reads."""
import datetime
import json
import os
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from delta import check_statistics

ROWS = 30_000
CODES = 6_000  # more than a dictionary page shows at first: five people each

DEFINITION = """dataset: types
id: 9
primary_key: K
patient_key: P
tables: [t]
fields:
  - {name: K, type: long, pattern: '\\d{12}'}
  - {name: P, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: NUMBER, type: integer, pattern: '\\d{9}'}
  - {name: CODE, type: string, values: CATEGORICAL}
  - {name: WHOLE, type: integer, values: CATEGORICAL}
  - {name: FAR, type: long, values: CATEGORICAL}
  - {name: REAL, type: double, values: CATEGORICAL}
  - {name: EXACT, type: 'decimal(16,15)', values: CATEGORICAL}
  - {name: MONEY, type: 'decimal(9,2)', values: CATEGORICAL}
  - {name: DAY, type: date, values: DATE}
  - {name: MOMENT, type: timestamp, values: CATEGORICAL}
  - {name: YES, type: boolean, values: CATEGORICAL}
  - {name: COUNTED, type: long, values: DISCRETE}
  - {name: LENGTH, type: double, values: CONTINUOUS}
  - {name: PRICE, type: 'decimal(9,2)', values: CONTINUOUS}
  - {name: WIDE, type: long, values: CONTINUOUS}
  - {name: NOTHING, type: timestamp, values: CATEGORICAL}
"""

ARROW = {"K": pa.int64(), "P": pa.string(), "NUMBER": pa.int32(), "CODE": pa.string(), "WHOLE": pa.int32(), "FAR": pa.int64(),
         "REAL": pa.float64(), "EXACT": pa.decimal128(16, 15), "MONEY": pa.decimal128(9, 2), "DAY": pa.date32(),
         "MOMENT": pa.timestamp("us"), "YES": pa.bool_(), "COUNTED": pa.int64(), "LENGTH": pa.float64(),
         "PRICE": pa.decimal128(9, 2), "WIDE": pa.int64(), "NOTHING": pa.timestamp("us")}
CATEGORIES = ["CODE", "WHOLE", "FAR", "REAL", "EXACT", "MONEY", "DAY", "MOMENT", "YES", "COUNTED"]


def source_table():
    start = datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)
    rows = range(ROWS)
    columns = {
        "K": list(rows),
        "P": [f"P{i}" for i in rows],
        "NUMBER": list(rows),
        "CODE": [f"C{i % CODES:04} " for i in rows],
        "WHOLE": [None if i % 7 == 0 else -2**31 + i % 3 for i in rows],
        "FAR": [2**62 + i % 3 for i in rows],
        "REAL": [[-0.5, 0.1, 1e300][i % 3] for i in rows],
        "EXACT": [[Decimal("0.123456789012345"), Decimal("-1.5"), None][i % 3] for i in rows],
        "MONEY": [[Decimal("-1234567.89"), Decimal("0.05"), None][i % 3] for i in rows],
        "DAY": [datetime.date(1800, 1, 1) + datetime.timedelta(days=i % 5) for i in rows],
        "MOMENT": [start + datetime.timedelta(microseconds=i % 4) for i in rows],
        "YES": [[True, False, None][i % 3] for i in rows],
        "COUNTED": [i % 11 for i in rows],
        "LENGTH": [i / 7 for i in rows],
        "PRICE": [Decimal(i) / 100 for i in rows],
        "WIDE": [i * 10**12 for i in rows],
        "NOTHING": [None for i in rows],
    }
    return pa.table([pa.array(columns[name], kind) for name, kind in ARROW.items()], names=list(ARROW))


@pytest.fixture(scope="module")
def folder(adg, tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    (folder / "types.yaml").write_text(DEFINITION)
    (folder / "source").mkdir()
    pq.write_table(source_table(), folder / "source" / "t.parquet")
    adg("scrape", "--dataset", folder / "types.yaml", "--source", folder / "source", "--meta", folder / "m", check=0)
    for compression in ("auto", "zstd", "none"):
        adg("generate", "--dataset", folder / "types.yaml", "--meta", folder / "m", "--allow-unreleased", "--rows", 200_000, "--compression",
            compression, "--out", folder / compression, check=0)
    return folder


@pytest.mark.parametrize("compression", ["auto", "zstd", "none"])
def test_read_by_others(folder, compression):
    path = folder / compression / "artificial_t.parquet"
    metadata = pq.read_metadata(path)
    codecs = {metadata.row_group(0).column(i).compression for i in range(metadata.num_columns)}
    assert codecs == {"UNCOMPRESSED"} if compression == "none" else "ZSTD" in codecs
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    assert table.schema.names == list(ARROW)
    assert list(table.schema.types) == list(ARROW.values())
    assert table.num_rows == 200_000
    seen = duckdb.connect()
    seen.execute("set timezone = 'Asia/Kathmandu'")  # which must not matter: there is no zone in the file
    others = seen.execute("select * from read_parquet(?)", [str(path)]).to_arrow_table()
    for name in ARROW:
        ours, theirs = table[name].combine_chunks(), others[name].combine_chunks()
        assert theirs.cast(ours.type).equals(ours), name
    assert table["NOTHING"].null_count == table.num_rows


def test_values_are_the_sources(folder):
    table, source = pq.read_table(folder / "auto" / "artificial_t.parquet"), source_table()
    for name in CATEGORIES:
        assert set(table[name].unique().to_pylist()) == set(source[name].unique().to_pylist()), name
    for name in ("LENGTH", "PRICE", "WIDE"):
        assert min(source[name].to_pylist()) < min(table[name].to_pylist()) and max(table[name].to_pylist()) < max(source[name].to_pylist())
        assert len(table[name].unique()) > 0.1 * len(source), name


def test_codecs_hold_the_same_rows(folder):
    tables = [pq.read_table(folder / c / "artificial_t.parquet") for c in ("auto", "zstd", "none")]
    assert tables[0].equals(tables[1]) and tables[0].equals(tables[2])


def test_statistics_and_page_index_prune_rightly(folder):
    """DuckDB and PyArrow skip by statistics: a filter must find what a scan of the values finds."""
    path = folder / "auto" / "artificial_t.parquet"
    table = pq.read_table(path)
    for name in CATEGORIES:
        for value in table[name].unique().drop_null().to_pylist()[:3]:
            expected = sum(v == value for v in table[name].to_pylist())
            assert pq.read_table(path, filters=[(name, "==", value)]).num_rows == expected, name
            assert duckdb.execute(f'select count(*) from read_parquet(?) where "{name}" = ?', [str(path), value]).fetchone()[0] == expected, name


def test_delta_holds_the_same_values(folder, adg):
    """But for timestamps: they have no zone, which plain Delta does not know."""
    refused = adg("generate", "--dataset", folder / "types.yaml", "--meta", folder / "m", "--allow-unreleased", "--rows", 100, "--format", "delta", "--out",
                  folder / "delta", check=4)
    assert "column MOMENT is a timestamp without a zone, for which Delta needs a feature that is not written here" in refused.stderr
    assert not (folder / "delta").exists()
    definition, source = folder / "plain.yaml", folder / "plain"
    definition.write_text("".join(line + "\n" for line in DEFINITION.splitlines() if "timestamp" not in line))
    source.mkdir()
    pq.write_table(source_table().drop_columns(["MOMENT", "NOTHING"]), source / "t.parquet")
    adg("scrape", "--dataset", definition, "--source", source, "--meta", folder / "pm", check=0)
    arguments = ["generate", "--dataset", definition, "--meta", folder / "pm", "--allow-unreleased", "--rows", 200_000, "--out"]
    adg(*arguments, folder / "delta", "--format", "delta", check=0)
    adg(*arguments, folder / "parquet", check=0)
    path = folder / "delta" / "artificial_t"
    rows = DeltaTable(path).to_pyarrow_table()
    assert rows.equals(pq.read_table(folder / "parquet" / "artificial_t.parquet").replace_schema_metadata())
    assert check_statistics(path) == 14  # not the boolean
    day = min(rows["DAY"].to_pylist())
    found = DeltaTable(path).to_pyarrow_table(filters=[("DAY", ">", day)])
    assert found.num_rows == sum(d > day for d in rows["DAY"].to_pylist())
    assert DeltaTable(path).to_pyarrow_table(filters=[("MONEY", ">", Decimal("10"))]).num_rows == 0


def test_csv_holds_the_same_values(folder, adg):
    adg("generate", "--dataset", folder / "types.yaml", "--meta", folder / "m", "--allow-unreleased", "--rows", 20_000, "--format", "csv", "--out",
        folder / "csv", check=0)
    types = {"K": "bigint", "P": "varchar", "NUMBER": "integer", "CODE": "varchar", "WHOLE": "integer", "FAR": "bigint", "REAL": "double",
             "EXACT": "decimal(16,15)", "MONEY": "decimal(9,2)", "DAY": "date", "MOMENT": "timestamp", "YES": "boolean",
             "COUNTED": "bigint", "LENGTH": "double", "PRICE": "decimal(9,2)", "WIDE": "bigint", "NOTHING": "timestamp"}
    read = duckdb.connect()
    listed = ", ".join(f"'{n}': '{t}'" for n, t in types.items())
    texts = read.execute(f"select * from read_csv(?, columns = {{{listed}}}, header = true, auto_detect = false, delim = ',', quote = '\"')",
                         [str(folder / "csv" / "artificial_t.csv")]).to_arrow_table()
    adg("generate", "--dataset", folder / "types.yaml", "--meta", folder / "m", "--allow-unreleased", "--rows", 20_000, "--out", folder / "rows",
        check=0)
    table = pq.read_table(folder / "rows" / "artificial_t.parquet")
    for name, kind in ARROW.items():
        assert texts[name].combine_chunks().cast(kind).equals(table[name].combine_chunks()), name


def test_generated_tables_are_sources(folder, adg):
    """What is generated is scraped again: every category of the source comes back as it was."""
    (folder / "back").mkdir()
    (folder / "back" / "t.parquet").symlink_to(folder / "auto" / "artificial_t.parquet")
    adg("scrape", "--dataset", folder / "types.yaml", "--source", folder / "back", "--meta", folder / "m2", check=0)
    found = []
    for name in ("m", "m2"):
        rows = pq.read_table(folder / name / "metadata.parquet").to_pylist()
        found.append({(r["FIELD_NAME"], r["VALUE_STRING"], r["VALUE_NUMERIC"], r["VALUE_DATE"])
                      for r in rows if r["FIELD_NAME"] in CATEGORIES and r["VALUE_TYPE"] != "COMPLETENESS"})
    assert found[0] == found[1]
    assert len([f for f in found[0] if f[0] == "MOMENT"]) == 4


@pytest.mark.parametrize("form", ["auto", "csv"])
def test_quality_of_every_type(folder, adg, tmp_path, form):
    """Values of every type are found again as the metadata write them, from Parquet and from CSV, whatever the zone of the machine."""
    adg("generate", "--dataset", folder / "types.yaml", "--meta", folder / "m", "--allow-unreleased", "--rows", 20_000, "--out", tmp_path,
        *(["--format", "csv"] if form == "csv" else []), check=0)
    adg("qa", "--dataset", folder / "types.yaml", "--meta", folder / "m", "--data", tmp_path, "--json", tmp_path / "qa.json", check=0,
        env={**os.environ, "TZ": "Asia/Kathmandu"})
    fields = {f["field"]: f for f in json.loads((tmp_path / "qa.json").read_text())["fields"]}
    assert set(ARROW) == set(fields) and all(f["passed"] for f in fields.values())
