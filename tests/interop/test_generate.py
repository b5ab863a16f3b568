"""Generated tables of profile reference, read with software that is not ours. Profile coherent: test_coherence.py."""
import csv
import hashlib
import math
import os
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import TABLES
from make_source import age
from recompute import category_text, load_dataset

PATIENTS = int(os.environ.get("ADG_TEST_PATIENTS", "100000"))
TYPES = {"string": "string", "integer": "int32", "long": "int64", "double": "double", "date": "date32[day]"}


@pytest.fixture(scope="module", params=list(TABLES))
def made(request, scraped, adg, tmp_path_factory):
    """dataset, table, definition, metadata rows by field, path of the generated Parquet file"""
    dataset = request.param
    table = TABLES[dataset]
    out = tmp_path_factory.mktemp("out")
    meta = scraped(dataset)
    adg("generate", "--dataset", dataset, "--meta", meta, "--allow-unreleased", "--profile", "reference", "--patients", PATIENTS, "--table", table, "--out", out, check=0)
    rows = {}
    for row in pq.read_table(meta / "metadata.parquet").to_pylist():
        rows.setdefault(row["FIELD_NAME"], []).append(row)
    return dataset, table, load_dataset(dataset), rows, out / f"artificial_{table}.parquet"


def test_schema_and_checksums(made):
    _, _, definition, _, path = made
    file = pq.ParquetFile(path, page_checksum_verification=True)
    expected = []
    for field in definition["fields"]:
        kind = field["type"]
        expected.append((field["name"], f"decimal128{kind[7:]}".replace(",", ", ") if kind.startswith("decimal") else TYPES[kind]))
    assert [(f.name, str(f.type)) for f in file.schema_arrow] == expected
    assert sum(batch.num_rows for batch in file.iter_batches()) == file.metadata.num_rows
    described = duckdb.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
    assert [d[0] for d in described] == [f["name"] for f in definition["fields"]]


def test_statistics_and_page_index(made):
    _, _, definition, _, path = made
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        for i in range(metadata.num_columns):
            column = metadata.row_group(group).column(i)
            assert column.has_offset_index and column.has_column_index
    names = [f["name"] for f in definition["fields"]]
    query = ", ".join(f'min("{n}"), max("{n}"), count(*) - count("{n}")' for n in names)
    found = duckdb.execute(f"select {query} from read_parquet(?)", [str(path)]).fetchone()
    for i, name in enumerate(names):
        stats = [metadata.row_group(g).column(i).statistics for g in range(metadata.num_row_groups)]
        assert sum(s.null_count for s in stats) == found[3 * i + 2], name
        with_bounds = [s for s in stats if s.has_min_max]
        if with_bounds and definition["fields"][i]["type"] in ("string", "integer", "long", "double", "date"):
            assert min(s.min for s in with_bounds) == found[3 * i], name
            assert max(s.max for s in with_bounds) == found[3 * i + 1], name


def test_keys(made):
    _, _, definition, _, path = made
    primary, patient = definition["primary_key"], definition["patient_key"]
    rows, keys, patients, bad = duckdb.execute(
        f"select count(*), count(distinct {primary}), count(distinct {patient}), "
        f"count(*) filter (not regexp_full_match({patient}, 'TEST[0-9a-zA-Z]{{28}}')) from read_parquet(?)", [str(path)]).fetchone()
    assert rows == keys and bad == 0 and patients <= PATIENTS


def test_shares_of_categories(made):
    dataset, _, definition, metadata, path = made
    connection = duckdb.connect()
    n = connection.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone()[0]
    sorted_dates = definition.get("sorted_dates", [])
    for field in definition["fields"]:
        name = field["name"]
        if field.get("values") not in ("CATEGORICAL", "DATE") or name in sorted_dates:
            continue
        null, filled = next(r["WEIGHT_ARRAY"] for r in metadata[name] if r["VALUE_TYPE"] == "COMPLETENESS")
        weights = {}
        for r in metadata[name]:
            value = r["VALUE_STRING"] if field["values"] == "CATEGORICAL" else r["VALUE_DATE"]
            if r["WEIGHT"] is not None and value is not None:
                weights[value] = r["WEIGHT"]
        null_share = null / (null + filled) if null + filled else 0
        total = sum(weights.values())
        expected = {v: (1 - null_share) * w / total for v, w in weights.items()}
        expected[None] = null_share if weights else 1
        counted = connection.execute(f'select "{name}", count(*) from read_parquet(?) group by 1', [str(path)]).fetchall()
        found = Counter()
        for value, count in counted:
            found[category_text(value) if value is not None and field["values"] == "CATEGORICAL" else value] = count / n
        distance = sum(abs(found[v] - expected.get(v, 0)) for v in found.keys() | expected.keys()) / 2
        assert distance < math.sqrt((len(expected) + 2) / n), name


def test_continuous_fields(made):
    """Kolmogorov-Smirnov distance from the percentiles' distribution, within the Dvoretzky-Kiefer-Wolfowitz bound for one in a million."""
    _, _, definition, metadata, path = made
    tried = 0
    for field in definition["fields"]:
        name = field["name"]
        if field.get("values") != "CONTINUOUS":
            continue
        null, filled = next(r["WEIGHT_ARRAY"] for r in metadata[name] if r["VALUE_TYPE"] == "COMPLETENESS")
        column = pq.read_table(path, columns=[name])[name]
        rows = len(column)
        percentiles = [r["VALUE_NUMERIC_ARRAY"] for r in metadata[name] if r["VALUE_TYPE"] == "CONTINUOUS"]
        if not percentiles:
            assert column.null_count == rows, name
            continue
        assert abs(column.null_count / rows - null / (null + filled)) < math.sqrt(math.log(2e6) / (2 * rows)), name
        knots = np.asarray(percentiles[0])
        values = np.sort(column.drop_null().to_numpy().astype(float))
        whole = field["type"] in ("integer", "long")
        points = np.unique(values)
        at = points + 0.5 if whole else points  # a whole number stands for all that is rounded to it
        expected = np.zeros(len(points))
        for low, high in zip(knots, knots[1:]):
            expected += (at > low if whole else at >= low) if low == high else np.clip((at - low) / (high - low), 0, 1)
        expected /= max(len(knots) - 1, 1)
        if len(knots) == 1:
            expected = (points >= knots[0]).astype(float)
        found = np.searchsorted(values, points, side="right") / len(values)
        assert np.abs(found - expected).max() < math.sqrt(math.log(2e6) / (2 * len(values))), name
        tried += 1
    assert tried > 0


def test_derived_fields_in_every_row(made):
    _, _, definition, _, path = made
    table = pq.read_table(path)
    fields = {f["name"]: f for f in definition["fields"]}
    columns = {}

    def column(name):
        if name not in columns:
            columns[name] = table[name].to_pylist()
        return columns[name]

    placeholders = definition.get("placeholders", [])
    months = {}
    for name, field in fields.items():
        if "derive" not in field:
            continue
        operation, arguments = field["derive"].rstrip(")").split("(")
        inputs = []
        for word in arguments.split(", "):
            if ".." in word:
                stem, last = word.rsplit("_", 1)[0], int(word.rsplit("..", 1)[1])
                inputs += [f"{stem}_{i:02}" for i in range(1, last + 1)]
            elif word in fields:
                inputs.append(word)
        data = [column(i) for i in inputs]
        if operation == "prefix":
            length = int(arguments.split(", ")[1])
            expected = [None if v is None else v[:length] for v in data[0]]
        elif operation == "join":
            expected = [",".join(v or "" for v in row).rstrip(",") or None for row in zip(*data)]
        elif operation == "count_codes":
            expected = [min(sum(v is not None and v.strip(" \t\r\n") not in placeholders for v in row), 24) or None for row in zip(*data)]
        elif operation == "age_fraction_of_category":
            codes = {7001: 0.002, 7002: 0.01, 7003: 0.048, 7004: 0.167, 7005: 0.375, 7006: 0.625, 7007: 0.875}
            expected = [None if v is None else codes.get(v, float(v)) for v in data[0]]
        else:
            expected = []
            for date, month in zip(*data):
                if date is None or month is None:
                    expected.append(None)
                    continue
                if month not in months:
                    months[month] = date.replace(int(month[2:]), int(month[:2]), 1)
                expected.append(age((date - months[month]).days)[operation == "age_fraction"])
        assert column(name) == expected, name
    sorted_dates = [column(n) for n in definition.get("sorted_dates", [])]
    for row in zip(*sorted_dates):
        present = [d for d in row if d is not None]
        assert present == sorted(present) and row[: len(present)] == tuple(present)


def test_people(made):
    """SEX, ETHNOS: one pattern per patient, values by its weights; MYDOB: every value is one of the metadata's."""
    _, _, definition, metadata, path = made
    for field in definition["fields"]:
        name = field["name"]
        if field.get("values") not in ("DEMOGRAPHIC_CATEGORICAL", "DEMOGRAPHIC_DATE"):
            continue
        rows = [r for r in metadata[name] if r["WEIGHT"] is not None]
        per_patient = duckdb.execute(
            f"select list_sort(list(distinct coalesce({name}, chr(0)))) from read_parquet(?) group by {definition['patient_key']}",
            [str(path)]).fetchall()
        if field["values"] == "DEMOGRAPHIC_DATE":
            allowed = {r["VALUE_STRING"] for r in rows}
            assert {None if v == "\0" else v for (values,) in per_patient for v in values} <= allowed
        else:
            allowed = [set("\0" if v is None else v for v in r["VALUE_STRING_ARRAY"]) for r in rows]
            shown = {frozenset(values) for (values,) in per_patient}
            assert all(any(values <= pattern for pattern in allowed) for values in shown), name


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_threads_shards_and_csv(made, scraped, adg, tmp_path):
    dataset, table, definition, _, _ = made
    base = ["generate", "--dataset", dataset, "--meta", scraped(dataset), "--allow-unreleased", "--profile", "reference", "--patients", 30000, "--table", table]
    for threads in (1, 2, 5):
        adg(*base, "--threads", threads, "--out", tmp_path / str(threads), check=0)
    name = f"artificial_{table}.parquet"
    assert len({digest(tmp_path / t / name) for t in "125"}) == 1
    for shard in range(3):
        adg(*base, "--shard", f"{shard}/3", "--out", tmp_path / "shards", check=0)
    adg(*base, "--format", "csv", "--out", tmp_path / "csv", check=0)
    adg(*base, "--seed", 2, "--out", tmp_path / "seed", check=0)
    whole = pq.read_table(tmp_path / "1" / name)
    parts = sorted((tmp_path / "shards" / f"artificial_{table}").glob("*.parquet"))
    assert len(parts) == 3
    assert pa.concat_tables([pq.read_table(p) for p in parts]).equals(whole)
    assert pq.read_table(tmp_path / "shards" / f"artificial_{table}").num_rows == whole.num_rows
    assert duckdb.execute("select count(*) from read_parquet(?)", [f"{tmp_path}/shards/*/*.parquet"]).fetchone()[0] == whole.num_rows
    adg(*base, "--seed", 2, "--shard", "1/3", "--out", tmp_path / "shards", check=1)
    assert not pq.read_table(tmp_path / "seed" / name).equals(whole)
    with open(tmp_path / "csv" / f"artificial_{table}.csv", newline="") as file:
        reader = csv.reader(file)
        assert next(reader) == whole.column_names
        texts = list(zip(*reader))
    for i, field in enumerate(definition["fields"]):
        expected = tuple("" if v is None else category_text(v) for v in whole.column(i).to_pylist())
        assert texts[i] == expected, field["name"]


def test_columns_with_few_values(adg, tmp_path):
    """Two out of five columns of this table have a value in fewer than one row of 64, many of them of thousands of codes: what Parquet says is what CSV says, in
    one piece and in parts, and the rates are those of the metadata."""
    base = ["generate", "--dataset", "hes_op", "--meta", "open", "--profile", "reference", "--table", "hes_op_2021", "--rows", 300_000]
    name = "artificial_hes_op_2021"
    adg(*base, "--out", tmp_path, check=0)
    adg(*base, "--format", "csv", "--out", tmp_path, check=0)
    for shard in range(3):
        adg(*base, "--shard", f"{shard}/3", "--out", tmp_path / "parts", check=0)
    whole = pq.read_table(tmp_path / f"{name}.parquet")
    duckdb.sql(f"""create or replace temp table c as from read_csv('{tmp_path}/{name}.csv', all_varchar=true, nullstr='', delim=',', quote='"', header=true)""")
    expected = duckdb.sql("from c").to_arrow_table()
    few = [n for n in whole.column_names if 0 < whole.num_rows - whole[n].null_count < whole.num_rows / 64]
    assert len(few) > 50
    texts = [n for n in whole.column_names if whole.schema.field(n).type == pa.string()]
    assert set(few) & set(texts)
    for column in texts:
        assert whole[column].combine_chunks().equals(expected[column].combine_chunks().cast(pa.string())), column
    for column in set(few) - set(texts):
        assert whole[column].is_valid().combine_chunks().equals(expected[column].is_valid().combine_chunks()), column
    assert pa.concat_tables([pq.read_table(p) for p in sorted((tmp_path / "parts" / name).glob("part-*"))]).equals(whole)
    assert duckdb.execute("select * from read_parquet(?)", [f"{tmp_path}/{name}.parquet"]).to_arrow_table().select(few).equals(whole.select(few))


def test_rows_are_exact(made, scraped, adg, tmp_path):
    dataset, table, _, _, _ = made
    for rows in (1, 16384, 20001):
        adg("generate", "--dataset", dataset, "--meta", scraped(dataset), "--allow-unreleased", "--profile", "reference", "--rows", rows, "--table", table, "--out",
            tmp_path, check=0)
        assert pq.read_metadata(tmp_path / f"artificial_{table}.parquet").num_rows == rows


# ---- the same rows as before ------------------------------------------------------------------------------------------

# SHA-256 of 50,000 rows as CSV, made from the metadata of the extracts (hes_ae: of the made-up table) with seed 1. Whoever changes one on purpose
# says here why: these rows are what seed, metadata and version promise. Last: of columns with a value in an eighth of the rows or fewer, rows are drawn instead
# of every row's value.
STORED = {
    "hes_apc": "c7a2e99345ef98509c0998b16b716e1215d32f7b7f97390aa28a841a3be2c2a2",
    "hes_op": "64b3bb85539633de7a00f4e311c70dd1a65066eee8cae2278559d2408bc539db",
    "hes_ae": "d17d89b320fbd14bb2670e1deef398cd661167d02e33f39184455622c4b92861",
}


@pytest.mark.parametrize("dataset", STORED)
def test_the_same_rows_as_before(dataset, scraped, adg, instruction_sets, tmp_path):
    """Whatever the kernels, the number of threads, and the cut into parts."""
    base = ["generate", "--dataset", dataset, "--meta", scraped(dataset), "--allow-unreleased", "--profile", "reference", "--table", TABLES[dataset], "--rows", 50_000, "--format", "csv"]
    name = f"artificial_{TABLES[dataset]}"
    found = {}
    for cpu in instruction_sets:
        for threads in (1, 3):
            out = tmp_path / f"{cpu}{threads}"
            adg(*base, "--threads", threads, "--out", out, check=0, env={**os.environ, "ADG_CPU": cpu})
            found[cpu, threads] = hashlib.sha256((out / f"{name}.csv").read_bytes()).hexdigest()
    for shard in range(3):
        adg(*base, "--shard", f"{shard}/3", "--out", tmp_path / "parts", check=0)
    parts = [p.read_bytes().split(b"\n", 1) for p in sorted((tmp_path / "parts" / name).glob("part-*"))]
    found["parts"] = hashlib.sha256(parts[0][0] + b"\n" + b"".join(rows for _, rows in parts)).hexdigest()
    assert set(found.values()) == {STORED[dataset]}, found
