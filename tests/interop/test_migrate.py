"""What older versions of the reference left behind: its first metadata format, written here from its description."""
import datetime
import math
import random
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ADG, EXTRACTS, run, run_and_kill

WEIGHTED = [("VALUE", pa.string()), ("WEIGHT", pa.float64())]
INNER = pa.list_(pa.struct(WEIGHTED))
METADATA = pa.struct([
    ("VALUE_TYPE", pa.string()), ("FIELD_TYPE", pa.string()),
    ("SUMMARY", pa.struct([
        ("VALUE_TYPE", pa.string()),
        ("CATEGORICAL", pa.struct([
            ("VALUE_TYPE", pa.string()), ("FLAT", pa.struct(WEIGHTED)),
            ("NESTED", pa.struct([("VALUE", INNER), ("WEIGHT", pa.float64())]))])),
        ("DISCRETE", pa.struct([("VALUE", pa.float64()), ("WEIGHT", pa.float64())])),
        ("CONTINUOUS", pa.struct([("PERCENTILE", pa.float64()), ("VALUE", pa.float64())])),
        ("DATE", pa.struct([("VALUE", pa.string()), ("WEIGHT", pa.float64()), ("FORMAT", pa.string()),
                            ("NOISE", pa.list_(pa.struct([("REPLACEMENT", pa.string()), ("WEIGHT", pa.float64())])))])),
        ("ID", pa.string())])),
    ("RELATIONSHIP", pa.struct([("LINKED_TABLE_NAME", pa.string()), ("LINKED_FIELD_NAME", pa.string()),
                                ("MAPPING", pa.float64()), ("FREQUENCY", pa.float64())]))])
SCHEMA = pa.schema([("TABLE_NAME", pa.string()), ("FIELD_NAME", pa.string()), ("METADATA", METADATA)])


def summary(kind, name, content):
    return {"VALUE_TYPE": "SUMMARY", "SUMMARY": {"VALUE_TYPE": kind, name: content}}


def flat(value, weight):
    return summary("CATEGORICAL", "CATEGORICAL", {"VALUE_TYPE": "FLAT", "FLAT": {"VALUE": value, "WEIGHT": weight}})


def nested(values, weights, weight):
    inner = [{"VALUE": v, "WEIGHT": w} for v, w in zip(values, weights)]
    return summary("CATEGORICAL", "CATEGORICAL", {"VALUE_TYPE": "NESTED", "NESTED": {"VALUE": inner, "WEIGHT": weight}})


def day(value, weight, form="yyyy-MM-dd", noise=None):
    content = {"VALUE": value, "WEIGHT": weight, "FORMAT": form,
               "NOISE": noise and [{"REPLACEMENT": r, "WEIGHT": w} for r, w in noise]}
    return summary("DATE", "DATE", content)


def relationship(key, cardinality, patients):
    return {"VALUE_TYPE": "RELATIONSHIP", "FIELD_TYPE": key,
            "RELATIONSHIP": {"MAPPING": cardinality, "FREQUENCY": patients}}


def first_format(row):
    """The rows of the first format that a row of the present one came from."""
    kind = row["VALUE_TYPE"]
    if kind == "CATEGORICAL":
        return [flat(row["VALUE_STRING"], row["WEIGHT"])]
    if kind == "DISCRETE":
        return [summary(kind, kind, {"VALUE": row["VALUE_NUMERIC"], "WEIGHT": row["WEIGHT"]})]
    if kind == "DATE":
        return [day(row["VALUE_DATE"] and row["VALUE_DATE"].isoformat(), row["WEIGHT"])]
    if kind == "CONTINUOUS":  # the highest first: the order is the converter's work
        numbered = list(enumerate(row["VALUE_NUMERIC_ARRAY"], 2))
        return [summary(kind, kind, {"PERCENTILE": p, "VALUE": v}) for p, v in reversed(numbered)]
    if kind == "DEMOGRAPHIC_CATEGORICAL":
        return [nested(row["VALUE_STRING_ARRAY"], row["WEIGHT_ARRAY"], row["WEIGHT"])]
    if kind == "DEMOGRAPHIC_DATE":
        rest = round(1 - row["VALUE_NUMERIC"], 2)
        return [day(row["VALUE_STRING"], row["WEIGHT"], "MMyyyy", [("elsewhere", rest)] if rest > 0 else None)]
    return [relationship(row["VALUE_STRING"], row["VALUE_NUMERIC"], row["WEIGHT"])]


def write(path, rows):
    """Rows as (table, field, METADATA)."""
    named = [{"TABLE_NAME": t, "FIELD_NAME": f, "METADATA": m} for t, f, m in rows]
    pq.write_table(pa.Table.from_pylist(named, SCHEMA), path)
    return path


@pytest.mark.parametrize("dataset", EXTRACTS)
def test_first_format_becomes_the_metadata_that_the_present_one_gives(dataset, shared, tmp_path):
    """The original's own table, turned back into its first format: the converted folder is the imported one, byte for byte."""
    table, _ = EXTRACTS[dataset]
    present = shared / "data" / "reference_run" / f"{table}_metadata.parquet"
    rows = [(r["TABLE_NAME"], r["FIELD_NAME"], m) for r in pq.read_table(present).to_pylist() for m in first_format(r)]
    assert len({r[2]["SUMMARY"]["VALUE_TYPE"] if "SUMMARY" in r[2] else "RELATIONSHIP" for r in rows}) >= 4
    first = write(tmp_path / "first.parquet", rows)
    before = first.read_bytes()
    run("migrate", "metadata", first, "--dataset", dataset, "--meta", tmp_path / "migrated", check=0)
    run("import-metadata", present, "--dataset", dataset, "--meta", tmp_path / "imported", check=0)
    assert first.read_bytes() == before
    for name in ["metadata.parquet", "manifest.json"]:
        assert (tmp_path / "migrated" / name).read_bytes() == (tmp_path / "imported" / name).read_bytes()
    again = (tmp_path / "migrated" / "metadata.parquet").read_bytes()
    run("migrate", "metadata", first, "--dataset", dataset, "--meta", tmp_path / "migrated", check=0)
    assert (tmp_path / "migrated" / "metadata.parquet").read_bytes() == again


DEFINITION = """dataset: ward
id: 77
primary_key: KEY
patient_key: PERSON
tables: [stays]
fields:
  - {name: KEY, type: string, pattern: '[0-9]{8}'}
  - {name: PERSON, type: string, pattern: '[0-9]{8}'}
  - {name: KIND, type: string, values: CATEGORICAL}
  - {name: BEDS, type: integer, values: DISCRETE}
  - {name: COST, type: double, values: CONTINUOUS}
  - {name: START, type: date, values: DATE}
  - {name: GROUP, type: string, values: DEMOGRAPHIC_CATEGORICAL}
  - {name: BORN, type: string, values: DEMOGRAPHIC_DATE}
"""
WARD = [
    ("stays", "KEY", relationship("PERSON", 1, 60)), ("stays", "KEY", relationship("PERSON", 2, 20)),
    ("stays", "PERSON", summary("ID", "ID", "[0-9]{8}")),
    ("stays", "KIND", flat("a", 30)), ("stays", "KIND", flat("b", 65)), ("stays", "KIND", flat(None, 5)),
    ("stays", "BEDS", summary("DISCRETE", "DISCRETE", {"VALUE": 4, "WEIGHT": 100})),
    *[("stays", "COST", summary("CONTINUOUS", "CONTINUOUS", {"PERCENTILE": p, "VALUE": v})) for p, v in [(3, 7.5), (2, 1), (4, 9)]],
    ("stays", "START", day("2020-02-29", 40)), ("stays", "START", day("31/12/2019", 60, "dd/MM/yyyy")),
    ("stays", "GROUP", nested([None, "x"], [0.2, 0.8], 80)),
    ("stays", "BORN", day("1950-03-01", 10, "MMyyyy")),                                           # no replacement: always shown
    ("stays", "BORN", day("041951", 20, "MMyyyy", [("051951", 0.1), ("061951", 0.05)])),          # 1 - 0.15
    ("stays", "BORN", day("071952", 50, "MMyyyy", [("071952", 3), ("081952", 1)])),               # 3 / (3 + 1)
]


@pytest.fixture
def ward(tmp_path):
    definition = tmp_path / "ward.yaml"
    definition.write_text(DEFINITION)

    def migrate(rows, check):
        return run("migrate", "metadata", write(tmp_path / "first.parquet", rows), "--dataset", definition, "--meta", tmp_path / "meta",
                   check=check)
    migrate.definition, migrate.meta = definition, tmp_path / "meta"
    return migrate


def test_every_kind_of_row(ward):
    ward(WARD, 0)
    found = {}
    for row in pq.read_table(ward.meta / "metadata.parquet").to_pylist():
        values = tuple(str(v) if isinstance(v, list) else v for k, v in row.items() if k not in ("TABLE_NAME", "FIELD_NAME") and v is not None)
        found.setdefault(row["FIELD_NAME"], set()).add(values)
    assert found == {
        "KEY": {("RELATIONSHIP", "PERSON", 1.0, 60.0), ("RELATIONSHIP", "PERSON", 2.0, 20.0)},
        "KIND": {("CATEGORICAL", "a", 30.0), ("CATEGORICAL", "b", 65.0), ("CATEGORICAL", 5.0)},
        "BEDS": {("DISCRETE", 4.0, 100.0)},
        "COST": {("CONTINUOUS", "[1.0, 7.5, 9.0]")},
        "START": {("DATE", datetime.date(2020, 2, 29), 40.0), ("DATE", datetime.date(2019, 12, 31), 60.0)},
        "GROUP": {("DEMOGRAPHIC_CATEGORICAL", "[None, 'x']", 80.0, "[0.2, 0.8]")},
        "BORN": {("DEMOGRAPHIC_DATE", "031950", 1.0, 10.0), ("DEMOGRAPHIC_DATE", "041951", 0.85, 20.0),
                 ("DEMOGRAPHIC_DATE", "071952", 0.75, 50.0)},
    }


def test_the_same_distributions_are_generated(ward, tmp_path):
    """20,000 rows: the share of b among KIND is 65 of 100, of December 2019 among START 60; five standard deviations."""
    ward(WARD, 0)
    run("generate", "--dataset", ward.definition, "--meta", ward.meta, "--allow-unreleased", "--rows", 20000, "--out", tmp_path / "out",
        check=0)
    made = pq.read_table(tmp_path / "out" / "artificial_stays.parquet", columns=["KIND", "START"]).to_pydict()
    for share, hits in [(0.65, made["KIND"].count("b")), (0.6, made["START"].count(datetime.date(2019, 12, 31)))]:
        assert abs(hits - 20000 * share) < 5 * math.sqrt(20000 * share * (1 - share))


def test_it_still_needs_review_and_release(ward, tmp_path):
    ward(WARD, 0)
    done = run("generate", "--dataset", ward.definition, "--meta", ward.meta, "--rows", 1, "--out", tmp_path / "out", check=3)
    assert "--allow-unreleased" in done.stderr
    assert run("review", "--meta", ward.meta, check=3).returncode == 3  # as of every imported table: `control`


BAD = {
    "date that is none": ([("stays", "START", day("2020-02-30", 5))], ""),
    "date not in its format": ([("stays", "START", day("5th May", 5, "dd/MM/yyyy"))], ""),
    "replacements above 1": ([("stays", "BORN", day("041951", 20, "MMyyyy", [("051951", 0.7), ("061951", 0.6)]))], "VALUE_NUMERIC is no share"),
    "unknown kind": ([("stays", "KIND", summary("ODD", "ID", None))], "known VALUE_TYPE"),
    "no kind": ([("stays", "KIND", {"VALUE_TYPE": None})], "known VALUE_TYPE"),
    "unknown table": ([("beds", "KIND", flat("a", 30))], "no such table"),
    "weight of nothing": ([("stays", "KIND", flat("a", None))], "column is null"),
    "value twice": ([("stays", "KIND", flat("a", 30)), ("stays", "KIND", flat("a", 20))], "stands twice"),
    "another kind than the definition's": ([("stays", "KIND", day("2020-01-01", 5))], "not the one of the definition"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_replace_nothing_and_show_no_value(name, ward, tmp_path):
    rows, message = BAD[name]
    ward(WARD, 0)
    before = {p.name: p.read_bytes() for p in ward.meta.iterdir()}
    done = ward([*[r for r in WARD if r[1] != rows[0][1]], *rows], 4)
    assert message in done.stderr and not any(v in done.stderr for v in ["02-30", "5th", "041951"])
    assert {p.name: p.read_bytes() for p in ward.meta.iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first.parquet", "meta", "ward.yaml"]


def test_a_table_of_the_present_format_is_no_first_one(ward, tmp_path):
    ward(WARD, 0)
    copy = tmp_path / "present.parquet"
    copy.write_bytes((ward.meta / "metadata.parquet").read_bytes())
    done = run("migrate", "metadata", copy, "--dataset", ward.definition, "--meta", tmp_path / "other")
    assert done.returncode != 0 and "first format" in done.stderr and not (tmp_path / "other").exists()


@pytest.mark.parametrize("command", [["migrate", "metadata"], ["import-metadata"]])
def test_a_file_in_the_folder_that_is_replaced_is_refused(command, ward):
    ward.meta.mkdir()
    inside = write(ward.meta / "old.parquet", WARD)
    done = run(*command, inside, "--dataset", ward.definition, "--meta", ward.meta, check=2)
    assert "outside the metadata folder" in done.stderr and inside.exists()


def test_killed_at_50_random_points_loses_nothing(ward, tmp_path):
    """The folder is the old one or the new one, the file is what it was, and a rerun completes."""
    def contents():
        return {p.name: p.read_bytes() for p in ward.meta.iterdir()}
    ward(WARD, 0)
    new = contents()
    ward(WARD[:-1], 0)
    old = contents()
    assert new != old
    first = write(tmp_path / "first.parquet", WARD)
    file = first.read_bytes()
    command = ["migrate", "metadata", first, "--dataset", ward.definition, "--meta", ward.meta]
    chance, killed = random.Random(1), 0
    for _ in range(50):
        killed += run_and_kill(command, chance.uniform(0, 0.12))
        assert contents() in (old, new) and first.read_bytes() == file
    assert killed >= 10
    run(*command, check=0)
    assert contents() == new


def test_no_space_is_1_and_replaces_nothing(ward, tmp_path):
    """A limit on the size of files (RLIMIT_FSIZE) stands for the full disk."""
    ward(WARD, 0)
    before = {p.name: p.read_bytes() for p in ward.meta.iterdir()}
    line = 'trap "" XFSZ; ulimit -f 1; exec "$@"'
    many = [("stays", "KIND", flat(f"{n:05}" * 20, 30)) for n in range(5000)]
    first = write(tmp_path / "first.parquet", [*[r for r in WARD if r[1] != "KIND"], *many])
    done = subprocess.run(["bash", "-c", line, "-", ADG, "migrate", "metadata", first, "--dataset", ward.definition, "--meta", ward.meta],
                          capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert {p.name: p.read_bytes() for p in ward.meta.iterdir()} == before
