"""Tables into DuckDB files and through ADBC drivers: the rows of the files, what becomes of a table that is there, all or nothing."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from conftest import endless_runs, run
from recompute import load_dataset
from servers import PASSWORD, environment, package_folder, postgresql  # noqa: F401 fixture

NAME = "artificial_hes_op_2021"
SMALL = ["--table", "hes_op_2021", "--rows"]
TYPES = {"string": "VARCHAR", "integer": "INTEGER", "long": "BIGINT", "double": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP",
         "boolean": "BOOLEAN"}


def environ(**more):
    return environment(**{"ADBC_DRIVER_PATH": f"{package_folder('adbc_driver_sqlite')}:{package_folder('adbc_driver_postgresql')}", **more})


def generate(out, *options, dataset="hes_op", check=0):
    return run("generate", "--dataset", dataset, "--meta", "open", "--out", out, *options, check=check, env=environ())


def query(file, sql):
    with duckdb.connect(str(file), read_only=True) as db:
        return db.execute(sql).fetchall()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.duckdb"


# ---- DuckDB ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dataset, table", [("hes_apc", "hes_apc_2021"), ("hes_op", "hes_op_2021"), ("hes_ae", "hes_ae_2021")])
def test_the_rows_of_the_files(dataset, table, file, tmp_path):
    generate(tmp_path, "--table", table, "--rows", 20_000, dataset=dataset)
    said = generate(f"duckdb:{file}", "--table", table, "--rows", 20_000, dataset=dataset)
    assert said.stderr == "" and said.stdout.startswith(f"artificial_{table}\t20000\t")
    with duckdb.connect(str(file), read_only=True) as db:
        parquet = f"read_parquet('{tmp_path}/artificial_{table}.parquet')"
        for one, other in (parquet, f"artificial_{table}"), (f"artificial_{table}", parquet):
            assert db.execute(f"select count(*) from (select * from {one} except all select * from {other})").fetchall() == [(0,)]
        found = {name: kind for name, kind, *_ in db.execute(f"describe artificial_{table}").fetchall()}
    fields = load_dataset(dataset)["fields"]
    assert found == {f["name"]: TYPES.get(f["type"], f["type"].upper()) for f in fields}
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"artificial_{table}.parquet", "provenance.json", "x.duckdb"]


def test_all_tables(file):
    said = generate(f"duckdb:{file}", "--patients", 50, "--threads", 4, dataset="hes_ae")  # some of them without rows
    made = {line.split("\t")[0]: int(line.split("\t")[1]) for line in said.stdout.splitlines()}
    assert len(made) > 3 and 0 in made.values() or min(made.values()) >= 0
    assert {name: query(file, f"select count(*) from {name}")[0][0] for name in made} == made


def test_the_primary_key(file):
    generate(f"duckdb:{file}", *SMALL, 100, "--primary-key")
    keys = "select constraint_column_names from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
    assert query(file, keys) == [(["ATTENDKEY"],)]
    said = generate(f"duckdb:{file}", *SMALL, 100, "--if-exists", "append", check=1)  # the same keys
    assert "rows go against a key" in said.stderr and said.stdout == "" and query(file, f"select count(*) from {NAME}") == [(100,)]
    said = generate(f"duckdb:{file}", *SMALL, 100, "--seed", 2, "--primary-key", "--if-exists", "append", check=1)
    assert "leave --primary-key out" in said.stderr
    generate(f"duckdb:{file}", *SMALL, 100, "--seed", 2, "--if-exists", "append")
    generate(f"duckdb:{file}", *SMALL, 100, "--primary-key", "--if-exists", "overwrite")
    assert query(file, keys) == [(["ATTENDKEY"],)] and query(file, f"select count(*) from {NAME}") == [(100,)]


def test_what_it_was_made_from(file, tmp_path):
    generate(tmp_path, *SMALL, 100)
    generate(f"duckdb:{file}", *SMALL, 100)
    said, text = query(file, "select comment from duckdb_tables()")[0][0].split(": ", 1)
    beside = json.loads((tmp_path / "provenance.json").read_text())["files"][f"{NAME}.parquet"]
    assert said == "Artificial data, made by adg" and json.loads(text) == beside


def test_what_a_part_was_made_from(file):
    """How many rows the whole table has is not known to a run that made a part of it."""
    generate(f"duckdb:{file}", *SMALL, 100, "--shard", "0/2")
    told = json.loads(query(file, "select comment from duckdb_tables()")[0][0].split(": ", 1)[1])
    assert told["shards"] == 2 and told["rows_asked"] == 100 and "rows" not in told


def test_if_exists(file):
    out = f"duckdb:{file}"
    generate(out, *SMALL, 100)
    for options in [], ["--if-exists", "error"]:
        assert f"{NAME} is there; --if-exists" in generate(out, *SMALL, 200, *options, check=1).stderr
    said = generate(out, *SMALL, 200, "--if-exists", "ignore")
    assert f"{NAME} is there, and is left as it is" in said.stderr and said.stdout == ""
    assert query(file, f"select count(*) from {NAME}") == [(100,)]
    generate(out, *SMALL, 200, "--if-exists", "overwrite")
    assert query(file, f"select count(*) from {NAME}") == [(200,)]
    generate(out, *SMALL, 50, "--if-exists", "append", "--seed", 2)
    assert query(file, f"select count(*) from {NAME}") == [(250,)]
    with duckdb.connect(str(file)) as db:
        db.execute(f"alter table {NAME} drop column ATTENDKEY")
    assert "has other columns" in generate(out, *SMALL, 50, "--if-exists", "append", check=4).stderr
    assert query(file, f"select count(*) from {NAME}") == [(250,)]


@pytest.fixture
def start():
    with endless_runs(environ) as begin:
        yield begin


def wait_until_it_works(process):
    """Until planning is over and rows are on their way: seconds of the processor's time, at least four."""
    until = time.time() + 120
    while sum(map(int, open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()[11:13])) < 4 * os.sysconf("SC_CLK_TCK"):
        assert process.poll() is None and time.time() < until
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("before", [None, "append", "overwrite"])
def test_stopped_in_the_middle(before, how, start, file, tmp_path):
    options = []
    if before is not None:
        generate(f"duckdb:{file}", *SMALL, 100, "--seed", 2)
        rows, options = query(file, f"select * from {NAME}"), ["--if-exists", before]
    process = start(f"duckdb:{file}", *options)
    wait_until_it_works(process)
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert out == ""
    if how != signal.SIGKILL:
        assert process.returncode == 1 and "stopped by a signal; nothing half-written is left" in err
        assert [p.name for p in tmp_path.iterdir()] == (["x.duckdb"] if before is not None else [])
    if file.exists():
        assert query(file, "select table_name from duckdb_tables()") == ([(NAME,)] if before is not None else [])
    if before is not None:
        assert query(file, f"select * from {NAME}") == rows
    generate(f"duckdb:{file}", *SMALL, 50, "--if-exists", "overwrite")
    assert query(file, f"select count(*) from {NAME}") == [(50,)]


def test_two_writers(start, file):
    process = start(f"duckdb:{file}")
    wait_until_it_works(process)
    said = generate(f"duckdb:{file}", *SMALL, 10, check=1)
    assert "another process has the file open" in said.stderr and process.poll() is None


def test_what_is_no_database(file, tmp_path):
    file.write_text("no database" * 1000)
    said = generate(f"duckdb:{file}", *SMALL, 10, check=1)
    assert "DuckDB" in said.stderr and file.read_text() == "no database" * 1000
    assert "there is no such folder" in generate(f"duckdb:{tmp_path}/nowhere/x", *SMALL, 10, check=1).stderr
    said = run("generate", "--dataset", "hes_op", "--meta", tmp_path, *SMALL, 10, "--out", f"duckdb:{tmp_path}/nowhere/x", check=3)
    assert "has not been shown to be released" in said.stderr  # comes first
    assert "expected duckdb:FILE" in generate("duckdb:", *SMALL, 10, check=2).stderr
    assert "--connections is for postgresql" in generate(f"duckdb:{file}", *SMALL, 10, "--connections", 2, check=2).stderr


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], capture_output=True).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        said = generate(f"duckdb:{small}/x", "--table", "hes_op_2021", "--rows", 200_000, check=1)
        assert "the disk is full" in said.stderr and said.stdout == ""
        if (small / "x").exists():
            assert query(small / "x", "select table_name from duckdb_tables()") == []
    finally:
        subprocess.run(["umount", small], check=True)


# ---- other drivers -----------------------------------------------------------------------------------------------------

def test_sqlite(tmp_path):
    """Types that SQLite has not are text there."""
    out, file = f"adbc:sqlite?uri={tmp_path}/x.db", tmp_path / "x.db"
    generate(tmp_path, *SMALL, 1000)
    for options in ["--primary-key"], ["--if-exists", "overwrite"]:
        assert generate(out, *SMALL, 1000, *options).stderr == ""
        with contextlib.closing(sqlite3.connect(file)) as db:
            rows = db.execute(f"select * from {NAME}").fetchall()
        expected = [tuple(None if v is None else str(v) if not isinstance(v, (int, float, str)) else v for v in row.values())
                    for row in pq.read_table(tmp_path / f"{NAME}.parquet").to_pylist()]
        assert rows == expected
    assert f"{NAME} is there" in generate(out, *SMALL, 10, check=1).stderr
    generate(out, *SMALL, 500, "--seed", 2, "--if-exists", "append")
    said = generate(out, "--table", "hes_apc_2021", "--rows", 10, dataset="hes_apc", check=1)
    assert "the driver does not know the type of a column" in said.stderr  # decimals
    with contextlib.closing(sqlite3.connect(file)) as db:
        assert db.execute(f"select count(*) from {NAME}").fetchall() == [(1500,)]
        assert db.execute("select name from sqlite_master where type = 'table'").fetchall() == [(NAME,)]


def test_postgresql(postgresql):
    """Decimals and all, by the driver of that name."""
    out, name = f"adbc:postgresql?uri={postgresql.uri()}", "artificial_hes_apc_1920"
    generate(out, "--table", "hes_apc_1920", "--rows", 1000, dataset="hes_apc")
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        db.execute("create schema beside")
    generate(postgresql.uri() + "?options=-csearch_path%3Dbeside", "--table", "hes_apc_1920", "--rows", 1000, dataset="hes_apc")
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        assert db.execute(f"(table public.{name}) except (table beside.{name})").fetchall() == []
        assert db.execute(f"(table beside.{name}) except (table public.{name})").fetchall() == []


def test_a_driver_that_is_missing():
    said = generate("adbc:nothing?uri=x", *SMALL, 10, check=1)
    assert "the driver nothing cannot be loaded" in said.stderr
