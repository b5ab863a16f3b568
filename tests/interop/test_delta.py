"""Delta tables in local folders, written by delta-rs: they scrape the same as Parquet of the same rows, or are refused by name."""
import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake


def rows(first, count):
    numbers = range(first, first + count)
    return pa.table({"VISIT": pa.array(numbers, pa.int64()), "PERSON": [f"P{i % 700}" for i in numbers], "CODE": [f"C{i % 7}" for i in numbers],
                     "AGE": pa.array([i % 4 + 20 for i in numbers], pa.int32()), "SEEN": pa.array([18700 + i % 9 for i in numbers], pa.int32()).cast(pa.date32()),
                     "WAIT": pa.array([None if i % 3 == 0 else i % 50 for i in numbers], pa.int32()), "SEX": [str(i % 2 + 1) for i in numbers],
                     "MOB": ["011960"] * count})


@pytest.fixture
def table(clinic):
    """A table with eleven versions: appended to, rewritten by a delete, with names that are encoded in the log."""
    path = clinic.source / "visits"
    write_deltalake(path, rows(0, 500))
    for i in range(1, 8):
        write_deltalake(path, rows(500 * i, 500), mode="append")
    DeltaTable(path).delete("\"CODE\" = 'C3'")
    write_deltalake(path, rows(9000, 300), mode="append")
    return path


def same_as_parquet(clinic, adg, path):
    (clinic.folder / "plain").mkdir(exist_ok=True)
    pq.write_table(DeltaTable(path).to_pyarrow_table(), clinic.folder / "plain" / "visits.parquet")
    adg("scrape", "--dataset", clinic.definition, "--source", clinic.folder / "plain", "--meta", clinic.folder / "expected", check=0)
    said = adg(*clinic.scrape, check=0)
    assert said.stdout == "visits\n" and said.stderr == "adg: warning: not in the source: more_visits\n"
    assert (clinic.meta / "metadata.parquet").read_bytes() == (clinic.folder / "expected" / "metadata.parquet").read_bytes()


def test_appended_and_deleted(table, clinic, adg):
    assert len(list(table.glob("*.parquet"))) > len(DeltaTable(table).file_uris())  # files that are no longer rows
    same_as_parquet(clinic, adg, table)


def test_with_a_checkpoint(table, clinic, adg):
    """Commits before it may be gone."""
    DeltaTable(table).create_checkpoint()
    for entry in (table / "_delta_log").glob("*.json"):
        if int(entry.name.split(".")[0]) < 9:
            entry.unlink()
    same_as_parquet(clinic, adg, table)
    write_deltalake(table, rows(20_000, 200), mode="append")
    DeltaTable(table).delete("\"CODE\" = 'C1'")
    same_as_parquet(clinic, adg, table)


def test_overwritten(table, clinic, adg):
    write_deltalake(table, rows(100, 900), mode="overwrite")
    same_as_parquet(clinic, adg, table)


def test_by_path(table, clinic, adg):
    """Files whose names hold what the log encodes."""
    moved = clinic.folder / "else where"
    shutil.copytree(table, moved)
    file = next(moved.glob("*.parquet"))
    for entry in sorted((moved / "_delta_log").glob("*.json")):
        entry.write_text(entry.read_text().replace(file.name, "a%20b%25.parquet"))
    file.rename(moved / "a b%.parquet")
    adg(*clinic.scrape, check=0)
    expected = (clinic.meta / "metadata.parquet").read_bytes()
    adg(*clinic.scrape, "--table", f"visits={moved}", check=0)
    assert (clinic.meta / "metadata.parquet").read_bytes() == expected


def test_points_in_a_name(table, clinic, adg):
    """Two points are no way out of the folder unless they are all of a folder's name."""
    file = table / DeltaTable(table).file_uris()[0].rsplit("/", 1)[1]
    for entry in (table / "_delta_log").glob("*.json"):
        entry.write_text(entry.read_text().replace(file.name, "a..b..parquet"))
    adg(*clinic.scrape, check=4)
    file.rename(table / "a..b..parquet")
    same_as_parquet(clinic, adg, table)


def change_log(path, change):
    """change(action) of every line of the log."""
    for entry in sorted((path / "_delta_log").glob("*.json")):
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
        for action in actions:
            change(action)
        entry.write_text("".join(json.dumps(a) + "\n" for a in actions))


def set_in(kind, **values):
    def change(action):
        if action.get(kind) is not None:
            action[kind].update(values)
    return change


@pytest.mark.parametrize("change, what", [
    (set_in("add", deletionVector={"storageType": "u", "pathOrInlineDv": "x", "sizeInBytes": 1, "cardinality": 1}), "deletion vectors"),
    (set_in("metaData", configuration={"delta.columnMapping.mode": "name"}), "column mapping"),
    (set_in("metaData", partitionColumns=["SEX"]), "partition columns"),
    (set_in("protocol", minReaderVersion=3, readerFeatures=["typeWidening"]), "the feature typeWidening"),
    (set_in("protocol", minReaderVersion=4), "a newer protocol"),
    (set_in("add", path="../other.parquet"), "files outside its folder"),
    (set_in("add", path="a/../../other.parquet"), "files outside its folder"),
    (set_in("add", path="a/.."), "files outside its folder"),
    (set_in("add", path="/etc/passwd"), "files outside its folder"),
    (set_in("add", path="s3://bucket/x.parquet"), "files outside its folder"),
])
def test_what_is_not_read(change, what, table, clinic, adg):
    change_log(table, change)
    said = adg(*clinic.scrape, check=4)
    assert f"has {what}, which is not read here: Spark reads it" in said.stderr
    assert not clinic.meta.exists()


def test_features_that_are_there_but_not_used(table, clinic, adg):
    change_log(table, set_in("protocol", minReaderVersion=3, readerFeatures=["deletionVectors", "columnMapping", "timestampNtz", "v2Checkpoint"]))
    adg(*clinic.scrape, check=0)


def break_line(log):
    log.write_text(log.read_text()[:-20])


@pytest.mark.parametrize("damage, words", [
    (lambda log: log.with_name(f"{3:020}.json").unlink(), "the log of the Delta table is incomplete, it has no 00000000000000000003.json"),
    (lambda log: log.with_name(f"{0:020}.json").unlink(), "the log of the Delta table is incomplete"),
    (lambda log: break_line(log.with_name(f"{2:020}.json")), "00000000000000000002.json: expected actions of a Delta log"),
    (lambda log: log.with_name(f"{2:020}.json").write_text('{"add": {"size": 1}}\n'), "expected actions of a Delta log"),
    (lambda log: [f.unlink() for f in log.parent.glob("*")], "its log has no version"),
    (lambda log: [f.unlink() for f in log.parent.parent.glob("*.parquet")], "names a file that is not there"),
    (lambda log: log.with_name(f"{20:020}.checkpoint.parquet").write_bytes(b"PAR1 not PAR1"), "_delta_log"),
    (lambda log: [f.unlink() for f in log.parent.glob("*")] + [log.with_name(f"{7:020}.checkpoint.00000000-0000.parquet").write_bytes(b"") or
                                                               log.with_name(f"{8:020}.json").write_text("")], "checkpoints of version 2"),
])
def test_a_damaged_log(damage, words, table, clinic, adg):
    damage(table / "_delta_log" / f"{0:020}.json")
    said = adg(*clinic.scrape)
    assert said.returncode in (1, 4) and words in said.stderr, said.stderr
    assert not clinic.meta.exists()
