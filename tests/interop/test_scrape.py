"""Scraped metadata, row for row: against an independent recomputation, and against the original's own run."""
import pyarrow.parquet as pq
import pytest
from conftest import EXTRACTS
from recompute import COLUMNS, Control, load_dataset, recompute, sort_key


def rows_of(path):
    table = pq.read_table(path)
    assert table.column_names == COLUMNS
    return table.to_pylist()


@pytest.mark.parametrize("control", ["full", "reference"])
@pytest.mark.parametrize("dataset", EXTRACTS)
def test_equals_independent_recomputation(dataset, control, scraped, shared):
    table, file = EXTRACTS[dataset]
    expected = recompute(shared / "data" / "hes_extract" / file, dataset, table, Control(reference=control == "reference"))
    found = rows_of(scraped(dataset, control) / "metadata.parquet")
    assert len(found) == len(expected)
    for f, e in zip(found, expected):
        assert f == e


@pytest.mark.parametrize("dataset", EXTRACTS)
def test_released_rows_are_controlled(dataset, scraped):
    fields = {f["name"]: f for f in load_dataset(dataset)["fields"]}
    for row in rows_of(scraped(dataset) / "metadata.parquet"):
        if row["WEIGHT"] is not None:
            assert row["WEIGHT"] >= 5 and row["WEIGHT"] % 5 == 0
        if row["VALUE_TYPE"] != "RELATIONSHIP":
            assert "values" in fields[row["FIELD_NAME"]]


# ---- the original's run -----------------------------------------------------------------------------------------------

def differs(dataset, row):
    """The rule of the specification by which a row of the original's is expected to differ from ours; None: it is the same."""
    fields = {f["name"]: f for f in dataset["fields"]}
    field = fields.get(row["FIELD_NAME"])
    if field is None:
        return "a stray CATEGORICAL field named TABLE_NAME for every table"
    if row["VALUE_TYPE"] == "RELATIONSHIP":
        return "cardinalities are counted approximately there"
    if field.get("values") == "CATEGORICAL" and field["type"] != "string":
        return "a CATEGORICAL field stored as a number is nothing but nulls there"
    if row["VALUE_TYPE"] == "CONTINUOUS" and all(v is None for v in row["VALUE_NUMERIC_ARRAY"]):
        return "a CONTINUOUS field without a value has percentiles of nulls there, no row in ours"
    if field.get("values") == "DEMOGRAPHIC_DATE":
        return "ties of modes, and the rounding of mean incidences"
    if field.get("values") == "CATEGORICAL" and row["VALUE_TYPE"] != "CATEGORICAL":
        return "a CONTINUOUS or DATE field stored as text is nothing but nulls there"
    return None


def comparable(rows, dataset):
    return sorted((r for r in rows if differs(dataset, r) is None), key=sort_key)


@pytest.mark.parametrize("dataset_name", EXTRACTS)
def test_equals_the_originals_run(dataset_name, scraped, shared):
    table, _ = EXTRACTS[dataset_name]
    dataset = load_dataset(dataset_name)
    original = rows_of(shared / "data" / "reference_run" / f"{table}_metadata.parquet")
    ours = rows_of(scraped(dataset_name, "reference") / "metadata.parquet")
    text_typed = {"CONTINUOUS", "DATE"}
    originals_text = {r["FIELD_NAME"] for r in original if r["VALUE_TYPE"] in text_typed} & \
                     {f["name"] for f in dataset["fields"] if f["type"] == "string"}
    assert originals_text <= {"SUSLDDATE_HIS"}
    theirs = comparable(original, dataset)
    assert theirs == comparable([r for r in ours if r["FIELD_NAME"] not in originals_text], dataset)
    assert len(theirs) > 1000


def test_import_of_the_originals_table(shared, adg, tmp_path):
    for dataset_name, (table, _) in EXTRACTS.items():
        meta = tmp_path / dataset_name
        file = shared / "data" / "reference_run" / f"{table}_metadata.parquet"
        done = adg("import-metadata", file, "--dataset", dataset_name, "--meta", meta, check=0)
        assert "TABLE_NAME" in done.stderr
        names = {f["name"] for f in load_dataset(dataset_name)["fields"]}
        expected = sorted((r for r in rows_of(file) if r["FIELD_NAME"] in names and set(r["VALUE_NUMERIC_ARRAY"] or [0]) != {None}),
                          key=sort_key)
        assert rows_of(meta / "metadata.parquet") == expected
        out = tmp_path / f"{dataset_name}_out"
        adg("generate", "--dataset", dataset_name, "--meta", meta, "--allow-unreleased", "--rows", 1000, "--table", table, "--out", out,
            check=0)
        assert pq.read_metadata(out / f"artificial_{table}.parquet").num_rows == 1000
