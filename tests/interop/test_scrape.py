"""Scraped metadata, row for row: against an independent recomputation, and against the original's own run."""
import os
import re
import subprocess
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ADG, EXTRACTS
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


FORMATS = ["csv", "csv.gz", "parquet", "parts"]


@pytest.mark.parametrize("dataset", ["hes_apc", "hes_ae"])
def test_every_format_of_a_source_gives_the_same_metadata(dataset, made_source, adg, tmp_path):
    """Of made-up tables with what the extracts lack: busy patients, records that disagree, padded codes, many values."""
    found = {}
    for form in FORMATS:
        adg("scrape", "--dataset", dataset, "--source", made_source(dataset, form, scale=0.05), "--meta", tmp_path / form, check=0)
        found[form] = (tmp_path / form / "metadata.parquet").read_bytes()
    assert len(set(found.values())) == 1
    table = f"{dataset}_2021"
    expected = recompute(made_source(dataset, "csv", scale=0.05) / f"{table}.csv", dataset, table, Control())
    assert rows_of(tmp_path / "csv" / "metadata.parquet") == expected


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_larger_than_memory(form, made_source, tmp_path):
    """100,000 rows of 190 columns with little memory: it spills, gives the same metadata, and leaves nothing of what was spilled."""
    spilled = {}
    for name, options in {"plenty": [], "little": ["--memory-mb", "8"]}.items():
        command = [ADG, "scrape", "--dataset", "hes_apc", "--source", made_source("hes_apc", form), "--meta", tmp_path / name, *options]
        process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        spilled[name] = 0
        while process.poll() is None:
            open_files = 0
            for link in Path(f"/proc/{process.pid}/fd").glob("*"):
                try:
                    open_files += re.search(r"\.adg-spill[^/]*/.", os.readlink(link)) is not None  # the folder itself is opened when it is removed
                except OSError:
                    pass  # closed meanwhile
            spilled[name] = max(spilled[name], open_files)
            time.sleep(0.01)
        assert process.returncode == 0
    assert spilled["plenty"] == 0 and spilled["little"] > 0
    assert (tmp_path / "little" / "metadata.parquet").read_bytes() == (tmp_path / "plenty" / "metadata.parquet").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["little", "plenty"]


def test_tables_at_the_same_time(made_source, adg, tmp_path):
    """Tables of different sizes and formats on several threads: the same bytes as one after the other, in the same order."""
    source = tmp_path / "source"
    source.mkdir()
    for i, (form, scale) in enumerate([("parquet", 0.05), ("csv", 0.02), ("parquet", 0.02), ("csv", 0.01), ("csv", 0.05)]):
        name = f"hes_apc_{16 + i}{17 + i}"
        made = made_source("hes_apc", form, scale=scale)
        (source / f"{name}.{form}").symlink_to(made / f"hes_apc_2021.{form}")
    said = {}
    for threads in [1, 4]:
        said[threads] = adg("scrape", "--dataset", "hes_apc", "--source", source, "--meta", tmp_path / f"{threads}", "--threads", threads, check=0).stdout
    assert said[1] == said[4] and len(said[1].splitlines()) == 5
    for file in ["metadata.parquet", "manifest.json"]:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "4" / file).read_bytes()


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


def test_import_names_every_field_that_it_leaves_out(shared, adg, tmp_path):
    """Once each, also where one name is part of another."""
    table, _ = EXTRACTS["hes_apc"]
    original = pq.read_table(shared / "data" / "reference_run" / f"{table}_metadata.parquet")
    rows = [{**next(r for r in original.to_pylist() if r["VALUE_TYPE"] == "CATEGORICAL"), "FIELD_NAME": name}
            for name in ["EXTRA_CODE", "EXTRA", "EXTRA_CODE", "XTRA"]]
    pq.write_table(pa.concat_tables([original, pa.Table.from_pylist(rows, original.schema)]), tmp_path / "more.parquet")
    said = adg("import-metadata", tmp_path / "more.parquet", "--dataset", "hes_apc", "--meta", tmp_path / "meta", check=0).stderr
    names = re.search("does not sample them: (.*)", said)[1].split(", ")
    assert [n for n in names if "XTRA" in n] == ["EXTRA_CODE", "EXTRA", "XTRA"]
