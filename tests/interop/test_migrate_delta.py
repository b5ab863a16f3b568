"""Delta tables of an older version, written here by delta-rs: one version more has the definition's columns, or there is none."""
import datetime
import json
import math
import os
import random
import shutil
import signal
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ADG, run, run_and_kill
from delta import check_statistics, commits
from deltalake import DeltaTable, QueryBuilder, convert_to_deltalake, write_deltalake
from test_delta import change_log, set_in
from test_migrate_tables import DEFINITION, NEW, OLD, SHIM, TYPES, command, contents_of_all


@pytest.fixture
def data(tmp_path):
    (tmp_path / "ward.yaml").write_text(DEFINITION)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def table(data):
    """Names, order and types of before, a column too many and one too few, in three files. The dates are moments without a zone, a feature."""
    path = data / "artificial_stays"
    for i in range(3):
        write_deltalake(path, pa.table(OLD).slice(100 * i, 100), mode="append")
    return path


def rows_of(path, version=None):
    return DeltaTable(path, version=version).to_pyarrow_table().sort_by("KEY")


def is_converted(path):
    rows = rows_of(path)
    return rows.to_pydict() == NEW and rows.schema.types == TYPES and rows.schema.names == list(NEW)


def is_old(path, version=None):
    old = pa.table(OLD).sort_by("KEY")
    return rows_of(path, version).equals(old)


def names_of_new_files(path):
    return sorted(p.name for p in path.glob("part-*-migration-*.parquet"))


def without(folder, *gone):
    return {p: text for p, text in contents_of_all(folder).items() if p.name not in gone}


# ---- what becomes of it ----------------------------------------------------------------------------------------------------

def test_one_version_more(table, data):
    before, identity = contents_of_all(table), DeltaTable(table).metadata().id
    said = run(*command(data), check=0)
    assert said.stdout == "stays\n"
    assert said.stderr == f"adg: warning: {table}: left out, since the definition does not know them: EXTRA\n"
    assert is_converted(table)
    assert DeltaTable(table).version() == 3 and DeltaTable(table).metadata().id == identity
    assert is_old(table, version=2) and rows_of(table, version=0).num_rows == 100
    after = contents_of_all(table)
    assert all(after[p] == text for p, text in before.items())
    assert len(after) == len(before) + 4 and len(names_of_new_files(table)) == 3  # three files and a commit
    assert {p.name for p in data.iterdir()} == {"artificial_stays"}
    history = DeltaTable(table).history(1)[0]
    assert (history["operation"], history["operationParameters"]["mode"], history["isBlindAppend"]) == ("WRITE", "Overwrite", False)
    assert history["operationMetrics"]["numOutputRows"] == "300" and history["readVersion"] == 2
    assert history["adg"] == {"migrated": {"dataset": "ward", "tool": history["engineInfo"]}, "runs": []}
    assert run(*command(data), check=0).stdout == "" and contents_of_all(table) == after  # a second run changes nothing
    write_deltalake(table, pa.table(rows_of(table)), mode="append")  # and others go on
    assert rows_of(table).num_rows == 600


@pytest.mark.parametrize("options", [[], ["--keep-backup"]])
def test_the_version_before_is_the_backup(options, table, data):
    run(*command(data, *options), check=0)
    assert not list(data.rglob("*.backup"))
    DeltaTable(table).restore(2)
    assert is_old(table)
    run(*command(data, *options), check=0)
    assert is_converted(table) and DeltaTable(table).version() == 5
    assert len(list(table.glob("*.parquet"))) == 9
    DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert len(list(table.glob("*.parquet"))) == 3 and is_converted(table)


def test_hes(data, adg):
    """The schema is generate's, byte for byte; values and statistics those of the rows that were stored as text, in another order."""
    name = "hes_ae_2021"
    out = data / "generated"
    adg("generate", "--dataset", "hes", "--meta", "open", "--table", name, "--patients", 5000, "--out", out, "--format", "delta", check=0)
    made, old = out / f"artificial_{name}", data / f"artificial_{name}"
    rows = DeltaTable(made).to_pyarrow_table()
    write_deltalake(old, pa.table({column: rows[column].cast(pa.string()) for column in reversed(rows.column_names)}))
    assert run("migrate", "tables", "--data", data, "--dataset", "hes", check=0).stdout == f"{name}\n"
    assert DeltaTable(old).to_pyarrow_table().equals(rows)
    schema = [a["metaData"]["schemaString"] for path in (made, old) for a in commits(path)[-1] if "metaData" in a]
    assert len(schema) == 2 and schema[0] == schema[1]
    assert check_statistics(old, version=1) == check_statistics(made) > 50


BOUNDS = [  # values of a file each
    {"KEY": [-2**63, 2**63 - 1], "CODE": ["é" * 128, "y" * 256]}, {"KEY": [1, 2], "CODE": ["a" * 257, "b"]}, {"KEY": [3, 4], "CODE": ["", "\x01\"\\"], "COST": [math.nan, 1.0]},
    {"KEY": [5, 6], "COST": [math.nan, float("inf")], "PRICE": ["-0.05", "-9999999.99"]}, {"KEY": [7, 8], "COST": [1.5, 0.0], "PRICE": ["0.05", "9999999.99"]},
    {"KEY": [9, 10], "START": ["0001-01-01", "9999-12-31"], "SIZE": [-2**31, 2**31 - 1], "COST": [1e-300, 5e-324]}, {"KEY": [11, 12], "CODE": [None, "A"], "COST": [0.25, None]}]


def test_readers_that_skip_files_by_bounds(data, tmp_path):
    """delta-rs finds the same rows with the statistics and without them: longest texts, signs, numbers that JSON has not, dates at the ends."""
    path = data / "artificial_stays"
    types = {"KEY": pa.int64(), "CODE": pa.string(), "PRICE": pa.string(), "START": pa.string(), "SIZE": pa.int64(), "COST": pa.float64()}
    for values in BOUNDS:
        write_deltalake(path, pa.table({n: pa.array(values.get(n, [None] * 2), t) for n, t in types.items()}), mode="append")
    run(*command(data), check=0)
    bounds = [json.loads(a["add"]["stats"]) for a in commits(path)[-1] if "add" in a]
    assert sorted(len(b["minValues"]) + len(b["maxValues"]) for b in bounds) == [2, 4, 4, 5, 6, 6, 8]
    plain = tmp_path / "plain"
    shutil.copytree(path, plain)
    change_log(plain, lambda action: action.get("add", {}).pop("stats", None))
    queries = QueryBuilder().register("told", DeltaTable(path)).register("plain", DeltaTable(plain))
    found = 0
    for name, sql in (("KEY", "bigint"), ("CODE", "varchar"), ("PRICE", "decimal(9,2)"), ("START", "date"), ("SIZE", "int"), ("COST", "double")):
        for value in {v for values in BOUNDS for v in values.get(name, []) if v is not None}:
            for comparison in ("=", "<=", ">="):
                rows = [sorted(pa.table(queries.execute(f"select \"KEY\" from {t} where \"{name}\" {comparison} cast('{value}' as {sql})").read_all())["KEY"].to_pylist())
                        for t in ("told", "plain")]
                assert rows[0] == rows[1] != [], (name, value, comparison)
                found += 1
    assert found == 3 * (14 + 7 + 4 + 2 + 2 + 8)


def test_appends_of_different_schemas(data):
    """What a file has no column for is null, whether the table got it later or not at all."""
    path = data / "artificial_stays"
    write_deltalake(path, pa.table({"SIZE": ["1", "2"], "KEY": ["11", "12"]}))
    write_deltalake(path, pa.table({"KEY": ["13"], "PRICE": [1.5], "SIZE": ["3"]}), mode="append", schema_mode="merge")
    write_deltalake(path, pa.table({"KEY": ["14"], "OTHER": ["x"]}), mode="append", schema_mode="merge")
    said = run(*command(data), check=0)
    assert said.stdout == "stays\n" and said.stderr.count("left out") == 1 and said.stderr.endswith(": OTHER\n")
    found = rows_of(path).select(["KEY", "SIZE", "PRICE", "LATER"]).to_pydict()
    assert {n: [str(v) for v in c] for n, c in found.items()} == {"KEY": ["11", "12", "13", "14"], "SIZE": ["1", "2", "3", "None"],
                                                                "PRICE": ["None", "None", "1.50", "None"], "LATER": ["None"] * 4}


def test_moments_are_those_of_utc(data):
    """Wherever the machine is."""
    path = data / "artificial_stays"
    moments = [datetime.datetime(2020, 7, 1, tzinfo=datetime.timezone.utc), datetime.datetime(2020, 7, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)]
    environment = {**os.environ, "TZ": "Europe/London"}
    write_deltalake(path, pa.table({"KEY": ["1", "2"], "START": pa.array(moments, pa.timestamp("us", "UTC"))}))
    assert "START (1 as date)" in run(*command(data), check=4, env=environment).stderr
    write_deltalake(path, pa.table({"KEY": ["1", "2"], "START": pa.array(moments[:1] * 2, pa.timestamp("us", "UTC"))}), mode="overwrite")
    run(*command(data), check=0, env=environment)
    assert rows_of(path)["START"].to_pylist() == [datetime.date(2020, 7, 1)] * 2


def test_columns_that_only_a_file_has(table, data):
    """The table's columns are those of its log."""
    schema = json.loads(commits(table)[0][2]["metaData"]["schemaString"])
    schema["fields"] = [f for f in schema["fields"] if f["name"] != "SIZE"]
    change_log(table, set_in("metaData", schemaString=json.dumps(schema)))
    run(*command(data), check=0)
    assert rows_of(table)["SIZE"].null_count == 300 and rows_of(table)["PRICE"].null_count == 100


def test_with_a_checkpoint(table, data):
    """Commits before it are gone, others follow; the next checkpoint holds the new version."""
    DeltaTable(table).create_checkpoint()
    for version in range(2):
        (table / "_delta_log" / f"{version:020}.json").unlink()
    write_deltalake(table, pa.table(OLD).slice(0, 1), mode="append")
    DeltaTable(table).delete("\"EXTRA\" = 'x' and \"KEY\" = '100000000000'")  # twice, with all of their files
    write_deltalake(table, pa.table(OLD).slice(0, 1), mode="append")
    last = DeltaTable(table).version()
    assert is_old(table)
    assert run(*command(data), check=0).stdout == "stays\n"
    assert is_converted(table) and DeltaTable(table).version() == last + 1 and is_old(table, version=last)
    DeltaTable(table).create_checkpoint()
    assert is_converted(table) and run(*command(data), check=0).stdout == ""


def test_paths_that_are_encoded(table, data):
    """The log's form of a path is that of what is removed."""
    file = next(table.glob("*.parquet"))
    change_log(table, lambda action: action.get("add", {}).get("path") == file.name and action["add"].update(path="a%20b%25.parquet"))
    file.rename(table / "a b%.parquet")
    run(*command(data), check=0)
    assert is_converted(table)


def test_files_beside_it(table, data):
    """Files of the same table are converted as well."""
    pq.write_table(pa.table(OLD), data / "artificial_stays.parquet")
    pq.write_table(pa.table(OLD), data / "artificial_beds.parquet")
    assert run(*command(data), check=0).stdout == "stays\nbeds\n"
    assert is_converted(table) and pq.read_table(data / "artificial_stays.parquet").to_pydict() == NEW


def test_a_table_in_order_is_left_alone(data):
    path = data / "artificial_stays"
    rows = pa.table(NEW, pa.schema(list(zip(NEW, TYPES))))
    write_deltalake(path, rows)
    before = contents_of_all(path)
    assert run(*command(data), check=0).stdout == "" and contents_of_all(path) == before


def test_qa_after_it(small_meta, adg):
    """What was planned, and from which metadata, is still in the log."""
    clinic = small_meta
    path = clinic.folder / "out" / "artificial_visits"
    for seed in (1, 2):
        adg("generate", "--dataset", clinic.definition, "--meta", clinic.meta, "--allow-unreleased", "--quiet", "--out", clinic.folder / "out", "--format", "delta",
            "--table", "visits", "--rows", 1000 * seed, "--seed", seed, "--if-exists", "append", check=0)
    kept = [a["commitInfo"]["adg"] for c in commits(path) for a in c if "commitInfo" in a]

    def make_old(action):
        if "metaData" in action:
            action["metaData"]["schemaString"] = action["metaData"]["schemaString"].replace('"AGE","type":"integer"', '"AGE","type":"string"')
        if "add" in action:
            file = path / action["add"]["path"]
            rows = pq.read_table(file).replace_schema_metadata()
            pq.write_table(rows.set_column(rows.column_names.index("AGE"), "AGE", rows["AGE"].cast(pa.string())), file)
            action["add"]["size"] = file.stat().st_size
    change_log(path, make_old)
    migrate = ["migrate", "tables", "--dataset", clinic.definition, "--data", clinic.folder / "out"]
    assert adg(*migrate, check=0).stdout == "visits\n"
    assert DeltaTable(path).history(1)[0]["adg"]["runs"] == kept
    qa = ["qa", "--dataset", clinic.definition, "--meta", clinic.meta, "--data", clinic.folder / "out"]
    assert adg(*qa, check=0).stdout == "visits\tpass\t3000\n"
    log = path / "_delta_log" / f"{2:020}.json"
    log.write_text(log.read_text().replace('"rows":2000', '"rows":2001'))
    assert "3001 were planned" in adg(*qa, check=4).stderr


# ---- what is refused -------------------------------------------------------------------------------------------------------

def test_values_that_do_not_fit(table, data):
    """Counted in all files; other tables are converted."""
    bad = {**OLD, "SIZE": pa.array(["7", "54.5", "x"] * 100), "PRICE": pa.array([1.255, 1.0, None] * 100)}
    write_deltalake(table, pa.table(bad).slice(0, 100), mode="append")
    write_deltalake(table, pa.table(bad).slice(100, 100), mode="append")
    pq.write_table(pa.table(OLD), data / "artificial_beds.parquet")
    before = contents_of_all(table)
    said = run(*command(data), check=4)
    assert f"{table}: values that do not fit: SIZE (133 as integer), PRICE (67 as decimal(9,2))\n" in said.stderr and "54.5" not in said.stderr
    assert said.stdout == "beds\n" and contents_of_all(table) == before


@pytest.mark.parametrize("change, what", [
    (set_in("add", deletionVector={"storageType": "u", "pathOrInlineDv": "x", "sizeInBytes": 1, "cardinality": 1}), "deletion vectors, which is not read here: "),
    (set_in("metaData", configuration={"delta.columnMapping.mode": "name"}), "column mapping, which is not read here: "),
    (set_in("metaData", partitionColumns=["SIZE"]), "partition columns, which is not read here: "),
    (set_in("protocol", minReaderVersion=3, readerFeatures=["typeWidening"]), "the feature typeWidening, which is not read here: "),
    (set_in("add", path="../other.parquet"), "files outside its folder, which is not read here: "),
    (set_in("protocol", minReaderVersion=1, minWriterVersion=4, readerFeatures=[], writerFeatures=[]), "a newer protocol, and is not converted here: "),
    (set_in("protocol", minReaderVersion=3, minWriterVersion=7, readerFeatures=["deletionVectors"], writerFeatures=["deletionVectors"]),
     "the feature deletionVectors, and is not converted here: "),
    (set_in("protocol", minReaderVersion=1, minWriterVersion=7, writerFeatures=["appendOnly", "rowTracking"]), "the feature rowTracking, and is not converted here: "),
])
def test_what_is_not_converted(change, what, table, data):
    change_log(table, change)
    before = contents_of_all(table)
    assert f"{table}: the Delta table has {what}" in run(*command(data), check=4).stderr
    assert contents_of_all(table) == before


def has_rule(action):
    if "metaData" in action:
        schema = json.loads(action["metaData"]["schemaString"])
        schema["fields"][0]["metadata"] = {"delta.invariants": '{"expression": {"expression": "code > 0"}}'}
        action["metaData"]["schemaString"] = json.dumps(schema)


@pytest.mark.parametrize("change, words", [
    (set_in("metaData", configuration={"delta.appendOnly": "true"}), "the Delta table is for appending only"),
    (set_in("metaData", configuration={"delta.appendOnly": "True"}), "the Delta table is for appending only"),
    (set_in("metaData", configuration={"delta.constraints.x": "SIZE > 0"}), "check constraints, and is not converted here"),
    (has_rule, "columns with rules, and is not converted here"),
    (lambda action: action.pop("add", None), "the Delta table has no file"),
])
def test_what_is_not_converted_either(change, words, table, data):
    change_log(table, change)
    before = contents_of_all(table)
    assert words in run(*command(data), check=4).stderr
    assert contents_of_all(table) == before


def test_for_appending_only_by_a_checkpoint(data):
    """Where the properties are no JSON but a map."""
    path = data / "artificial_stays"
    write_deltalake(path, pa.table({"KEY": ["1"]}), configuration={"delta.appendOnly": "true"})
    DeltaTable(path).create_checkpoint()
    (path / "_delta_log" / f"{0:020}.json").unlink()
    before = contents_of_all(path)
    assert "the Delta table is for appending only" in run(*command(data), check=4).stderr and contents_of_all(path) == before


def test_constraints_by_delta_rs(table, data):
    DeltaTable(table).alter.add_constraint({"x": "\"KEY\" <> ''"})
    before = contents_of_all(table)
    assert f"{table}: the Delta table has " in run(*command(data), check=4).stderr and contents_of_all(table) == before


def test_partitioned_by_delta_rs(data):
    path = data / "artificial_stays"
    write_deltalake(path, pa.table(OLD), partition_by=["SIZE"])
    before = contents_of_all(path)
    assert "partition columns" in run(*command(data), check=4).stderr and contents_of_all(path) == before


def test_a_table_of_something_else(data):
    path = data / "artificial_stays"
    write_deltalake(path, pa.table({"A": ["1"]}))
    before = contents_of_all(path)
    assert f"{path}: it has no column KEY, the primary key" in run(*command(data), check=4).stderr and contents_of_all(path) == before


def test_a_log_without_a_version(data):
    (data / "artificial_stays" / "_delta_log").mkdir(parents=True)
    assert run(*command(data), check=0).stdout == ""
    assert "there is no such file, nor a CSV or Arrow one, nor parts or a Delta table" in run(*command(data, "--table", "stays"), check=4).stderr


# ---- others, and what goes wrong -------------------------------------------------------------------------------------------

STOP = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* Stops the process: when the first new file is to be synced, or the second, or when the commit is to get its name. */
static int stopped, syncs;
static void stop(const char *point)
{
    const char *wanted = getenv("STOP_AT");
    if (wanted != NULL && strcmp(wanted, point) == 0 && !stopped++) {
        raise(SIGSTOP);
    }
}
int fsync(int fd)
{
    stop(syncs++ == 0 ? "fsync" : "second fsync");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int link(const char *from, const char *to)
{
    stop("link");
    return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link"))(from, to);
}
"""


def with_shim(tmp_path, text, **environment):
    (tmp_path / "shim.c").write_text(text)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "shim.so", tmp_path / "shim.c", "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(tmp_path / "shim.so"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0", **environment}


@pytest.fixture
def stopped(tmp_path):
    """stopped(point, arguments): a run that has stopped there."""
    running = []

    def begin(point, arguments):
        process = subprocess.Popen([ADG, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=with_shim(tmp_path, STOP, STOP_AT=point))
        running.append(process)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)  # else there is nothing to find out
        return process
    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("point, cleaned", [("fsync", False), ("link", False), ("fsync", True)])
def test_a_table_that_moves_on(point, cleaned, table, data, stopped):
    """It looked at version 2; when it commits there is a version 3, maybe as a checkpoint only."""
    ours = stopped(point, command(data))
    assert len(names_of_new_files(table)) == (1 if point == "fsync" else 3)
    write_deltalake(table, pa.table(OLD).slice(0, 10), mode="append")
    if cleaned:
        DeltaTable(table).create_checkpoint()
        for version in range(4):
            (table / "_delta_log" / f"{version:020}.json").unlink()
    before = contents_of_all(table)
    ours.send_signal(signal.SIGCONT)
    said = ours.communicate()
    assert ours.returncode == 1 and "another writer has committed to the table meanwhile; nothing was committed, run again" in said[1] and said[0] == ""
    assert contents_of_all(table) == {p: text for p, text in before.items() if "-migration-" not in p.name and not p.name.endswith(".tmp")}
    assert rows_of(table).num_rows == 310
    run(*command(data), check=0)
    assert rows_of(table).num_rows == 310 and rows_of(table).schema.types == TYPES


def test_a_checkpoint_that_is_made_meanwhile(table, data, stopped):
    """Of the version that it looked at."""
    ours = stopped("fsync", command(data))
    DeltaTable(table).create_checkpoint()
    ours.send_signal(signal.SIGCONT)
    assert ours.communicate()[0] == "stays\n" and is_converted(table) and DeltaTable(table).version() == 3


@pytest.mark.parametrize("spared", [0, 1])
def test_a_vacuum_that_waits_for_nobody(spared, table, data, stopped):
    """What is not committed yet is a file that no version names; the last one may come after it has listed the folder."""
    ours = stopped("second fsync", command(data))
    last = next(name for name in names_of_new_files(table) if name.startswith("part-00001-"))
    (table / last).rename(data / last)
    DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    assert names_of_new_files(table) == []
    before = contents_of_all(table)
    if spared:
        (data / last).rename(table / last)
    ours.send_signal(signal.SIGCONT)
    said = ours.communicate()
    assert ours.returncode == 1 and said[0] == "" and ("another program has removed new files of the table; nothing was committed, run again" in said[1]) == spared
    assert contents_of_all(table) == before and is_old(table)


def test_told_to_stop(table, data, stopped):
    before = contents_of_all(table)
    ours = stopped("fsync", command(data))
    ours.terminate()
    ours.send_signal(signal.SIGCONT)
    assert "stopped by a signal" in ours.communicate()[1] and ours.returncode == 1
    assert contents_of_all(table) == before


def test_two_that_convert_one_table(table, data, stopped, tmp_path):
    """By two ways to its folder."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "artificial_stays").symlink_to(table)
    first = stopped("fsync", command(data))
    before = contents_of_all(table)
    said = run("migrate", "tables", "--data", other, "--dataset", tmp_path / "ward.yaml", "--sandbox", "off", check=1)
    assert "another adg run is converting" in said.stderr and contents_of_all(table) == before
    first.send_signal(signal.SIGCONT)
    assert first.communicate()[0] == "stays\n" and is_converted(table)


def test_what_was_written_wrongly_is_not_committed(data, tmp_path):
    """The disk gives back another digit than was written to it."""
    path = data / "artificial_stays"
    write_deltalake(path, pa.table({"KEY": [str(i) for i in range(300)], "CODE": [f"7{i:09}" for i in range(300)]}))
    before = contents_of_all(path)
    done = subprocess.run([ADG, *command(data)], capture_output=True, text=True, env=with_shim(tmp_path, SHIM.replace(".new", "-migration-")))
    assert done.returncode == 1 and "nothing is replaced" in done.stderr and done.stdout == "", done.stderr
    assert contents_of_all(path) == before


def test_no_space_commits_nothing(data):
    path = data / "artificial_stays"
    write_deltalake(path, pa.table({**OLD, "code": pa.array([random.Random(i).random() for i in range(300)])}))
    before = contents_of_all(path)
    done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "-", ADG, *command(data)], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert contents_of_all(path) == before


KILLS = 24


def test_killed_at_random_points(table, data, tmp_path):
    """The table is at the version before or at the one after, both whole; a rerun completes, and leaves no file that no version names."""
    chance, killed, tried, longest = random.Random(3), 0, 0, 0.1
    foreign = table / f"part-00000-{'0' * 32}.parquet"
    foreign.write_bytes(b"of another writer that has not committed yet")
    while killed < KILLS and tried < 1000:
        tried += 1
        version = DeltaTable(table).version()
        was_running = run_and_kill(command(data), chance.uniform(0, longest))
        killed += was_running
        longest *= 1.05 if was_running else 0.9  # a run takes about so long, however fast the machine is
        now = DeltaTable(table).version()
        assert now in (version, version + 1) and (is_converted(table) if now > version else is_old(table))
        assert is_old(table, version)
        run(*command(data), check=0)
        assert is_converted(table) and DeltaTable(table).version() == version + 1
        named = {a["add"]["path"] for c in commits(table) for a in c if "add" in a}
        assert set(names_of_new_files(table)) == {name for name in named if "-migration-" in name}
        DeltaTable(table).restore(2)
    assert killed == KILLS and foreign.exists()


def test_only_what_is_surely_left_over_is_removed(table, data):
    """A name tells for which version a file was made, and that version whether it names it."""
    run(*command(data), check=0)
    unique = "0123456789abcdef" * 2
    left = [f"part-00000-migration-{version}-{unique}.parquet" for version in (1, 3, 4, 90071992547409)]
    others = [f"part-00000-migration-4-{unique}.csv", f"part-00000-migration-04-{unique}.parquet", f"part-00000-migration-0-{unique}.parquet", f"part-0-migration-4-{unique}.parquet",
              f"part-00000-migration-4-{unique}0.parquet", f"part-00000-migration-4-{unique[:31]}.parquet", f"part-00000-migration-4-{unique[:31]}g.parquet",
              f"part-00000-{unique}.parquet", f"xpart-00000-migration-4-{unique}.parquet", f"part-00000-migration--4-{unique}.parquet", ".notes.parquet"]
    before = contents_of_all(table)
    for name in left + others:
        (table / name).write_bytes(b"")
    assert run(*command(data), check=0).stdout == ""
    assert contents_of_all(table) == {**before, **{table / name: b"" for name in others}}

    DeltaTable(table).create_checkpoint()  # a commit that is not there any more cannot tell
    (table / "_delta_log" / f"{1:020}.json").unlink()
    (table / "_delta_log" / f"{3:020}.json").unlink()
    for name in left:
        (table / name).write_bytes(b"")
    run(*command(data), check=0)
    assert [(table / name).exists() for name in left] == [True, True, False, False] and is_converted(table)


def test_files_that_another_table_was_made_of(table, data):
    """A log begins anew over files of ours: their names speak of versions that are not, or are of something else."""
    run(*command(data), check=0)
    new = names_of_new_files(table)
    for path in {*table.glob("*.parquet"), *(table / "_delta_log").iterdir()}:
        if path.name not in new:
            path.unlink()
    (table / "_delta_log").rmdir()
    convert_to_deltalake(table)
    before = contents_of_all(table)
    assert run(*command(data), check=0).stdout == "" and contents_of_all(table) == before  # versions to come
    for _ in range(3):
        write_deltalake(table, rows_of(table, version=0), mode="overwrite")
    before = contents_of_all(table)
    assert run(*command(data), check=0).stdout == "" and contents_of_all(table) == before  # a version without them; version 0 has them
    assert rows_of(table, version=0).to_pydict() == NEW
    (table / "_delta_log" / f"{0:020}.json").unlink()
    run(*command(data), check=4)  # a log that is incomplete
    assert contents_of_all(table) == {p: text for p, text in before.items() if p.name != f"{0:020}.json"}


def test_a_commit_that_cannot_be_read_may_name_any(table, data):
    """One before the last checkpoint, which is not needed for the rows."""
    DeltaTable(table).create_checkpoint()
    (table / "_delta_log" / f"{1:020}.json").write_text("no JSON")
    left = table / f"part-00000-migration-4-{'0' * 32}.parquet"
    left.write_bytes(b"")
    assert run(*command(data), check=0).stdout == "stays\n"
    assert is_converted(table) and left.exists()
    (table / "_delta_log" / f"{1:020}.json").unlink()
    run(*command(data), check=0)
    assert not left.exists()
