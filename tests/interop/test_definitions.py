"""The built-in definitions against the specification's lists of fields and tables: as YAML, and as the program understands them."""
import csv
import re

import pytest
from recompute import load_dataset

DATASETS = ["hes_apc", "hes_op", "hes_ae"]


def listed(shared, file, dataset):
    with open(shared / "spec" / file, newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["dataset"] == dataset]


@pytest.mark.parametrize("dataset", DATASETS)
def test_yaml_is_the_specification(dataset, shared):
    definition = load_dataset(dataset)
    rows = listed(shared, "hes_fields.csv", dataset)
    assert [f["name"] for f in definition["fields"]] == [r["field"] for r in rows]
    for field, row in zip(definition["fields"], rows):
        assert field["type"] == row["type"]
        expected = {"sampled": ("values", row["value_type"]), "id": ("pattern", row["id_pattern"]), "derived": ("derive", row["derivation"])}
        key, value = expected[row["role"]]
        assert field[key] == value and len(field) == 3, row["field"]
    tables = listed(shared, "hes_tables.csv", dataset)
    assert sorted(definition["tables"]) == sorted(r["table"] for r in tables)
    assert {(definition["primary_key"], definition["patient_key"])} == {(r["primary_key"], r["patient_key"]) for r in tables}


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_program_understands_the_same(dataset, shared, adg):
    lines = [line.split("\t") for line in adg("dataset", "show", dataset, check=0).stdout.splitlines()]
    fields = [line[1:] for line in lines if line[0] == "field"]
    for (name, kind, role, detail), row in zip(fields, listed(shared, "hes_fields.csv", dataset), strict=True):
        assert (name, kind, role) == (row["field"], row["type"], row["role"])
        expected = row["value_type"] or row["id_pattern"]
        if role == "derived":
            expected = re.sub(r"(\w+_)(\d\d)\.\.(\d\d)",
                              lambda m: ", ".join(f"{m[1]}{i:02}" for i in range(int(m[2]), int(m[3]) + 1)), row["derivation"])
        assert detail == expected
    assert {line[1] for line in lines if line[0] == "table"} == {r["table"] for r in listed(shared, "hes_tables.csv", dataset)}


def test_515_fields_and_52_tables(adg):
    assert "hes\t52 tables\t515 fields" in adg("dataset", "list", check=0).stdout
