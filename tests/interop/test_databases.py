"""Tables into PostgreSQL: the rows of the files, types, what becomes of a table that is there, and all or nothing."""
import csv
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from conftest import ADG, endless_runs, run
from recompute import load_dataset
from servers import PASSWORD, environment, free_port, postgresql, postgresql_server  # noqa: F401 fixtures

TYPES = {"string": "text", "integer": "integer", "long": "bigint", "double": "double precision", "date": "date",
         "timestamp": "timestamp without time zone", "boolean": "boolean"}


def generate(dataset, out, *options, meta="open", check=0, env=None):
    return run("generate", "--dataset", dataset, "--meta", meta, "--out", out, *options, check=check, env=env or environment())


@pytest.fixture
def database(postgresql, request):
    """A database of the test's own."""
    name = f"t{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        db.execute(f"create database {name}")
    yield postgresql.uri(name)
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        db.execute(f"drop database {name} with (force)")


def sql(uri, statement, *values):
    with psycopg.connect(uri, password=PASSWORD, autocommit=True) as db:
        answer = db.execute(statement, values or None)
        return answer.fetchall() if answer.description else None


def tables(uri):
    return [name for name, in sql(uri, "select relname from pg_class where relkind in ('r', 'p') and relnamespace in (select oid from "
                                       "pg_namespace where nspname not like 'pg\\_%' and nspname <> 'information_schema') order by 1")]


def columns(uri, table):
    return dict(sql(uri, "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass and attnum > 0 "
                         "order by attnum", table))


def rows_of(uri, table, types=None):
    """As COPY gives them, sorted; None where there is nothing. Types: of the columns, where they are not all text."""
    with psycopg.connect(uri, password=PASSWORD) as db, db.cursor().copy(
            f"copy (select * from {table}) to stdout (format csv, null '\\N')") as copy:
        text = b"".join(copy).decode()
    return in_order(csv.reader(text.splitlines(keepends=True)), types, "\\N")


def rows_of_file(path, types=None):
    with open(path, newline="") as file:
        lines = csv.reader(file)
        return next(lines), in_order(lines, types, "")


def in_order(rows, types, null):
    """Numbers as numbers: PostgreSQL writes all digits of a decimal, and large ones with an exponent."""
    kinds = {"double": float, "boolean": lambda text: text[0]}
    read = {i: Decimal if kind.startswith("decimal") else kinds[kind] for i, kind in enumerate(types or [])
            if kind in kinds or kind.startswith("decimal")}
    out = []
    for row in rows:
        row = [None if text == null else text for text in row]
        for i, convert in read.items():
            row[i] = convert(row[i]) if row[i] is not None else None
        out.append(row)
    return sorted(out, key=lambda row: [cell or "" for cell in row if not isinstance(cell, (float, Decimal))])


# ---- what is there afterwards ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("dataset, table", [("hes_apc", "hes_apc_2021"), ("hes_op", "hes_op_2021"), ("hes_ae", "hes_ae_2021")])
def test_the_rows_of_the_files(dataset, table, connections, database, tmp_path):
    fields = load_dataset(dataset)["fields"]
    types = [f["type"] for f in fields]
    generate(dataset, tmp_path, "--table", table, "--rows", 20_000, "--format", "csv")
    said = generate(dataset, database, "--table", table, "--rows", 20_000, "--connections", connections)
    path, rows, size = said.stdout.rstrip("\n").split("\t")
    assert said.stderr == "" and path == f"public.artificial_{table}" and rows == "20000"
    file = tmp_path / f"artificial_{table}.csv"
    names, expected = rows_of_file(file, types)
    assert int(size) == file.stat().st_size - len(",".join(names)) - 1  # the same text but for the names
    found = columns(database, f"artificial_{table}")
    assert list(found) == names
    assert list(found.values()) == [TYPES.get(t, t.replace("decimal", "numeric")) for t in types]
    assert rows_of(database, f"artificial_{table}", types) == expected
    assert tables(database) == [f"artificial_{table}"]


def test_all_tables_one_after_the_other(database, tmp_path):
    """Small tables are committed while the next one is begun."""
    said = generate("hes_ae", database, "--rows", 500, "--threads", 4, "--connections", 2)
    made = [line.split("\t")[0].removeprefix("public.") for line in said.stdout.splitlines()]
    assert tables(database) == sorted(made) and len(made) > 3
    assert [sql(database, f"select count(*) from {t}") for t in made] == [[(500,)]] * len(made)


@pytest.mark.parametrize("connections", [1, 2])
def test_a_table_without_rows(connections, database):
    """The only patient has no record in this year."""
    said = generate("hes_op", database, "--table", "hes_op_0304", "--patients", 1, "--connections", connections)
    assert said.stdout == "public.artificial_hes_op_0304\t0\t0\n"
    assert sql(database, "select count(*) from artificial_hes_op_0304") == [(0,)]


@pytest.mark.parametrize("connections", [1, 2])
def test_the_primary_key(connections, database):
    generate("hes_op", database, "--table", "hes_op_2021", "--rows", 3000)
    key = ("select conname, pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = 'artificial_hes_op_2021'::regclass")
    assert sql(database, key) == []
    for _ in range(2):  # the second time beside an old key of the same name
        generate("hes_op", database, "--table", "hes_op_2021", "--rows", 3000, "--primary-key", "--connections", connections, "--if-exists", "overwrite")
        assert sql(database, key) == [("artificial_hes_op_2021_pkey", 'PRIMARY KEY ("ATTENDKEY")')]
    assert sql(database, "select relname from pg_class where relname like 'adg%'") == []


def comment(uri, table):
    return sql(uri, "select obj_description(%s::regclass)", table)[0][0]


def test_what_it_was_made_from(database, tmp_path):
    generate("hes_op", tmp_path, "--table", "hes_op_2021", "--rows", 100, "--seed", 7)
    generate("hes_op", database, "--table", "hes_op_2021", "--rows", 100, "--seed", 7)
    beside = json.loads((tmp_path / "provenance.json").read_text())["files"]["artificial_hes_op_2021.parquet"]
    said, text = comment(database, "artificial_hes_op_2021").split(": ", 1)
    assert said == "Artificial data, made by adg" and json.loads(text) == beside
    generate("hes_op", database, "--table", "hes_op_2021", "--rows", 100, "--seed", 8, "--if-exists", "append")
    lines = comment(database, "artificial_hes_op_2021").split("\n")
    assert [json.loads(line.split(": ", 1)[1])["seed"] for line in lines] == ["7", "8"]
    generate("hes_op", database, "--table", "hes_op_2021", "--rows", 100, "--shard", "0/2", "--if-exists", "overwrite")
    assert "rows" not in json.loads(comment(database, "artificial_hes_op_2021").split(": ", 1)[1])


# ---- a table that is there ---------------------------------------------------------------------------------------------

SMALL = ["--table", "hes_op_2021", "--rows"]
NAME = "artificial_hes_op_2021"


def count(uri):
    return sql(uri, f"select count(*) from {NAME}")[0][0]


@pytest.mark.parametrize("connections", [1, 2])
def test_if_exists(connections, database):
    more = ["--connections", connections]
    generate("hes_op", database, *SMALL, 100, *more)
    for options in [], ["--if-exists", "error"]:
        said = generate("hes_op", database, *SMALL, 200, *more, *options, check=1)
        assert f"public.{NAME} is there; --if-exists" in said.stderr and said.stdout == "" and count(database) == 100
    said = generate("hes_op", database, *SMALL, 200, *more, "--if-exists", "ignore")
    assert f"public.{NAME} is there, and is left as it is" in said.stderr and said.stdout == "" and count(database) == 100
    generate("hes_op", database, *SMALL, 200, *more, "--if-exists", "overwrite")
    assert count(database) == 200
    generate("hes_op", database, *SMALL, 50, *more, "--if-exists", "append", "--seed", 2)
    assert count(database) == 250
    said = generate("hes_op", database, "--table", "hes_op_1920", *SMALL, 50, *more, "--if-exists", "ignore")
    assert said.stdout == f"public.artificial_hes_op_1920\t50\t{said.stdout.split()[-1]}\n" and count(database) == 250
    assert tables(database) == ["artificial_hes_op_1920", NAME]


@pytest.mark.parametrize("mode", ["append", "overwrite", "ignore"])
def test_if_exists_without_one(mode, database):
    generate("hes_op", database, *SMALL, 100, "--if-exists", mode)
    assert count(database) == 100


def test_appended_keys(database):
    """The key is made where there is none, and is heeded where there is one."""
    generate("hes_op", database, *SMALL, 100)
    generate("hes_op", database, *SMALL, 100, "--seed", 2, "--primary-key", "--if-exists", "append")
    said = generate("hes_op", database, *SMALL, 100, "--seed", 2, "--if-exists", "append", check=1)
    assert "another --seed" in said.stderr and count(database) == 200 and "DETAIL" not in said.stderr
    generate("hes_op", database, *SMALL, 100, "--seed", 3, "--primary-key", "--if-exists", "append")
    assert count(database) == 300
    sql(database, f'alter table {NAME} drop constraint {NAME}_pkey, add primary key ("PSEUDO_HESID", "ATTENDKEY")')
    said = generate("hes_op", database, *SMALL, 100, "--seed", 4, "--primary-key", "--if-exists", "append", check=4)
    assert "has another primary key than ATTENDKEY" in said.stderr and count(database) == 300


def test_columns_in_another_order(database, tmp_path):
    generate("hes_ae", database, "--table", "hes_ae_2021", "--rows", 50)
    kept = columns(database, "artificial_hes_ae_2021")
    reverse = ", ".join(f'"{name}" {kind}' for name, kind in reversed(kept.items()))
    sql(database, f"alter table artificial_hes_ae_2021 rename to before; create table artificial_hes_ae_2021 ({reverse})")
    generate("hes_ae", database, "--table", "hes_ae_2021", "--rows", 50, "--if-exists", "append")
    names = ", ".join(f'"{name}"' for name in kept)
    assert sql(database, f"(table before) except (select {names} from artificial_hes_ae_2021)") == []


@pytest.mark.parametrize("change, words", [
    ('drop column "ATTENDKEY"', "has other columns than the definition"),
    ("add column more integer", "has other columns than the definition"),
    ('rename column "ATTENDKEY" to attendkey', "expected a column ATTENDKEY of type"),
    ('alter column "PSEUDO_HESID" type varchar(40)', "expected a column PSEUDO_HESID of type text, found character varying(40)"),
])
def test_other_columns_are_not_appended_to(change, words, database):
    generate("hes_op", database, *SMALL, 100)
    sql(database, f"alter table {NAME} {change}")
    said = generate("hes_op", database, *SMALL, 100, "--seed", 2, "--if-exists", "append", check=4)
    assert words in said.stderr and count(database) == 100


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_what_is_no_table(mode, database):
    sql(database, f"create view {NAME} as select 1 as one")
    assert "is no table" in generate("hes_op", database, *SMALL, 100, "--if-exists", mode, check=1).stderr
    generate("hes_op", database, *SMALL, 100, "--if-exists", "ignore")
    assert sql(database, f"select * from {NAME}") == [(1,)]


def test_a_view_on_the_old_table(database):
    """Found out before a row is made: a run of this size would take hours."""
    generate("hes_op", database, *SMALL, 100)
    sql(database, f"create view rests_on_it as select * from {NAME}")
    said = generate("hes_op", database, "--table", "hes_op_2021", "--rows", 100_000_000, "--if-exists", "overwrite", check=1)
    assert "such as a view, rests on the old table" in said.stderr and count(database) == 100


# ---- all or nothing ----------------------------------------------------------------------------------------------------

@pytest.fixture
def start():
    with endless_runs(environment) as begin:
        yield begin


def wait_for_rows(uri, process, more=20_000):
    """Until COPY has got so many."""
    until = time.time() + 120
    while True:
        rows = sql(uri, "select coalesce(sum(tuples_processed), 0) from pg_stat_progress_copy where datname = current_database()")[0][0]
        if rows > more:
            return
        assert process.poll() is None and time.time() < until, process.stderr.read() if process.poll() is not None else rows
        time.sleep(0.05)


def wait_until_gone(uri):
    until = time.time() + 60
    while sql(uri, "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and "
                   "backend_type = 'client backend'")[0][0] > 0:
        assert time.time() < until
        time.sleep(0.05)


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("before", [None, "append", "overwrite"])
def test_stopped_in_the_middle(before, how, connections, start, database):
    options = ["--connections", str(connections)]
    if before is not None:
        generate("hes_op", database, *SMALL, 100, "--seed", 2)
        old = rows_of(database, NAME)
        said = comment(database, NAME)
        options += ["--if-exists", before]
    process = start(database, *options)
    wait_for_rows(database, process)
    if before is not None:
        assert count(database) == 100  # readable meanwhile, as it was
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert out == ""
    if how != signal.SIGKILL:
        assert process.returncode == 1 and "stopped by a signal; nothing half-written is left" in err
    wait_until_gone(database)
    left = tables(database)
    if connections > 1 and how == signal.SIGKILL and before != "append":
        assert [name for name in left if name.startswith("adg_loading_")] != []  # which nobody takes for the table
        left = [name for name in left if not name.startswith("adg_loading_")]
    assert left == ([NAME] if before is not None else [])
    if before is not None:
        assert rows_of(database, NAME) == old and comment(database, NAME) == said
    generate("hes_op", database, *SMALL, 50, "--if-exists", "overwrite")
    assert count(database) == 50 and tables(database) == [NAME]  # and nothing beside it


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_tables_that_are_complete_stay(how, database):
    first = "artificial_hes_op_1920"
    process = subprocess.Popen([ADG, "generate", "--dataset", "hes_op", "--meta", "open", "--out", database, "--table", "hes_op_1920",
                                "--table", "hes_op_2021", "--rows", "100000"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.time() + 60
    while tables(database) != [first]:
        assert time.time() < until and process.poll() is None
    process.send_signal(how)
    process.communicate(timeout=60)
    wait_until_gone(database)
    assert tables(database) == [first] and sql(database, f"select count(*) from {first}") == [(100_000,)]


def test_two_writers(start, database):
    process = start(database)
    wait_for_rows(database, process)
    said = generate("hes_op", database, *SMALL, 10, check=1)
    assert f"another adg run is writing to public.{NAME}" in said.stderr
    generate("hes_op", database, "--table", "hes_op_1920", "--rows", 10)  # another table is nobody's
    assert process.poll() is None


@pytest.mark.parametrize("connections", [1, 2])
def test_a_table_that_appears_meanwhile(connections, start, database):
    """A name that somebody else has taken is theirs."""
    process = subprocess.Popen([ADG, "generate", "--dataset", "hes_op", "--meta", "open", "--out", database, "--table", "hes_op_2021", "--rows",
                                "200000", "--connections", str(connections)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    wait_for_rows(database, process, more=0)
    sql(database, f"create table {NAME} as select 1 as one")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "of this name has appeared meanwhile" in err and out == ""
    assert tables(database) == [NAME] and sql(database, f"select * from {NAME}") == [(1,)]


@pytest.mark.parametrize("connections", [1, 2])
def test_a_connection_that_is_ended(connections, start, database):
    process = start(database, "--connections", str(connections))
    wait_for_rows(database, process)
    sql(database, "select pg_terminate_backend(pid) from pg_stat_progress_copy")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "connection to the server was lost" in err and out == ""
    wait_until_gone(database)
    assert tables(database) == []


@pytest.mark.parametrize("connections", [1, 2])
def test_a_server_that_goes_in_the_middle(connections, start):
    with postgresql_server() as server:
        process = start(server.uri(), "--connections", str(connections))
        wait_for_rows(server.uri(), process)
        leader = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(leader, signal.SIGQUIT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1 and "connection to the server was lost" in err and out == ""
        server.restart()
        assert [t for t in tables(server.uri()) if not t.startswith("adg_loading_")] == []
        generate("hes_op", server.uri(), *SMALL, 50, "--connections", connections)
        assert tables(server.uri()) == [NAME] and count(server.uri()) == 50


@pytest.mark.parametrize("connections", [1, 2])
def test_a_full_disk_at_the_database(connections, postgresql, database):
    with tempfile.TemporaryDirectory(dir=postgresql.folder) as folder:
        if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True).returncode != 0:
            pytest.skip("a small file system cannot be mounted here")
        try:
            shutil.chown(folder, "nobody", "nogroup")
            sql(database, f"create tablespace small location '{folder}'")
            sql(database, f"alter database {database.rsplit('/', 1)[1]} set default_tablespace = small")
            said = generate("hes_op", database, "--table", "hes_op_2021", "--rows", 100_000, "--connections", connections, check=1)
            assert "the server's disk is full" in said.stderr and said.stdout == "" and tables(database) == []
            generate("hes_op", database, *SMALL, 10)
            assert count(database) == 10
        finally:
            sql(database, f"drop table if exists {NAME}")
            sql(database, "drop tablespace if exists small")
            subprocess.run(["umount", folder], check=True)


def test_a_statement_that_takes_too_long(database):
    sql(database, f"alter database {database.rsplit('/', 1)[1]} set statement_timeout = '1s'")
    said = generate("hes_op", database, "--table", "hes_op_2021", "--rows", 10_000_000, check=1)
    assert "longer than the server allows" in said.stderr and tables(database) == []


# ---- connecting and rights ---------------------------------------------------------------------------------------------

def test_wrong_password(database):
    said = generate("hes_op", database, *SMALL, 10, check=1, env=environment(PGPASSWORD="not the secret"))
    assert "password authentication failed" in said.stderr and "secret" not in said.stderr


def test_no_password(database):
    env = environment()
    del env["PGPASSWORD"]
    assert "no password supplied" in generate("hes_op", database, *SMALL, 10, check=1, env=env).stderr


def test_no_server():
    said = generate("hes_op", f"postgresql://adg@127.0.0.1:{free_port()}/x", *SMALL, 10, check=1)
    assert "Connection refused" in said.stderr


def test_no_such_database(postgresql):
    assert 'database "nowhere" does not exist' in generate("hes_op", postgresql.uri("nowhere"), *SMALL, 10, check=1).stderr


@pytest.mark.parametrize("uri", ["postgresql://adg:hidden@127.0.0.1/x", "postgresql://127.0.0.1/x?password=hidden",
                                 "adbc:postgresql?uri=postgresql://adg:hidden@127.0.0.1/x",
                                 "adbc:postgresql?uri=postgresql://127.0.0.1/x%3Fpassword%3Dhidden",
                                 "adbc:postgresql?uri=host%3D127.0.0.1 password%3Dhidden"])
def test_a_password_on_the_command_line(uri):
    said = generate("hes_op", uri, *SMALL, 10, check=2)
    assert "a secret does not belong on a command line" in said.stderr and "hidden" not in said.stderr


def test_a_password_file(database, postgresql, tmp_path):
    file = tmp_path / "passwords"
    file.write_text(f"127.0.0.1:{postgresql.port}:*:adg:{PASSWORD}\n")
    file.chmod(0o600)
    env = environment(PGPASSFILE=str(file))
    del env["PGPASSWORD"]
    generate("hes_op", database, *SMALL, 10, env=env)
    assert count(database) == 10


def test_without_the_library(database, tmp_path):
    (tmp_path / "libpq.so.5").write_text("no library")
    said = generate("hes_op", database, *SMALL, 10, "--sandbox", "off", check=1, env=environment(LD_LIBRARY_PATH=str(tmp_path)))
    assert "install libpq5" in said.stderr


@pytest.fixture
def guest(database):
    """A user who may connect, and no more."""
    user = "guest"
    sql(database, f"create role {user} login password '{PASSWORD}'")
    yield database.replace("adg@", f"{user}@")
    with psycopg.connect(database, password=PASSWORD, autocommit=True) as db:
        db.execute(f"reassign owned by {user} to adg; drop owned by {user}; drop role {user}")


def test_no_right_to_create(guest, database):
    said = generate("hes_op", guest, *SMALL, 10, check=1)
    assert "the user has no right to create tables in the schema public" in said.stderr and tables(database) == []


def test_no_right_to_append_or_replace(guest, database):
    generate("hes_op", database, *SMALL, 100)
    said = generate("hes_op", guest, *SMALL, 10, "--if-exists", "append", check=1)
    assert "the user has no right to do it" in said.stderr and count(database) == 100
    sql(database, f"grant create on schema public to guest; grant insert on {NAME} to guest")
    said = generate("hes_op", guest, *SMALL, 10, "--if-exists", "overwrite", check=1)
    assert "the user has no right to do it" in said.stderr and count(database) == 100
    before = comment(database, NAME)
    said = generate("hes_op", guest, *SMALL, 10, "--if-exists", "append", "--primary-key", check=1)
    assert "has to declare its primary key" in said.stderr
    said = generate("hes_op", guest, *SMALL, 10, "--if-exists", "append", "--seed", 2)
    assert "belongs to another user: its comment" in said.stderr and count(database) == 110 and comment(database, NAME) == before


def test_a_database_to_read_only(database):
    sql(database, f"alter database {database.rsplit('/', 1)[1]} set default_transaction_read_only = on")
    assert "the database is only to be read" in generate("hes_op", database, *SMALL, 10, check=1).stderr


# ---- encodings and names -----------------------------------------------------------------------------------------------

DEFINITION = """dataset: words
id: 8
primary_key: {key}
patient_key: USER
tables: [{table}]
fields:
  - {{name: {key}, type: long, pattern: '\\d{{9}}'}}
  - {{name: USER, type: string, pattern: 'P[0-9a-f]{{12}}'}}
  - {{name: CODE, type: string, values: CATEGORICAL}}
"""


@pytest.fixture
def words(tmp_path, adg):
    """words(codes, key, table): the arguments for a dataset with these values."""
    def make(codes, key="ORDER", table="select"):
        (tmp_path / "words.yaml").write_text(DEFINITION.format(key=key, table=table))
        (tmp_path / "source").mkdir(exist_ok=True)
        with open(tmp_path / "source" / f"{table}.csv", "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([[key, "USER", "CODE"], *([i, f"p{i}", codes[i % len(codes)]] for i in range(600))])
        adg("scrape", "--dataset", tmp_path / "words.yaml", "--source", tmp_path / "source", "--meta", tmp_path / "meta", check=0)
        return ["--dataset", tmp_path / "words.yaml", "--meta", tmp_path / "meta", "--allow-unreleased", "--rows", "500"]
    return make


AWKWARD = ["a,b", 'q"q', '"', "a\nb", "a\r\nb", "\\.", "\\", "\\N", "\\n", "'", "''; drop table x; --", " ", "a ", " a", "NULL", "null", "$1", "%", "á", "ß",
           "日本", "🙂"]


def test_awkward_values_and_names(words, database, tmp_path):
    """Names that are words of SQL; values that COPY or SQL might take for something else."""
    arguments = words(AWKWARD)
    run("generate", *arguments, "--out", tmp_path / "csv", "--format", "csv", check=0)
    run("generate", *arguments, "--out", database, "--primary-key", check=0, env=environment())
    names, expected = rows_of_file(tmp_path / "csv" / "artificial_select.csv")
    assert sorted(map(list, sql(database, 'select "ORDER"::text, "USER", "CODE" from artificial_select')), key=str) == expected
    assert {row[2] for row in expected} == set(AWKWARD) and list(columns(database, "artificial_select")) == names


@pytest.mark.parametrize("schema", ['with "quotes"', "it's; drop table x; --", "Ünder Score"])
def test_a_schema_with_an_awkward_name(schema, words, database):
    quoted = '"' + schema.replace('"', '""') + '"'
    sql(database, f"create schema {quoted}")
    path = quoted.replace("'", "''")
    sql(database, f"alter database {database.rsplit('/', 1)[1]} set search_path = {quoted}")
    arguments = words(["a"])
    for mode in "error", "overwrite", "append":
        said = run("generate", *arguments, "--out", database, "--if-exists", mode, "--connections", 2, "--seed", 1 + (mode == "append"), check=0,
                   env=environment())
        assert said.stdout.startswith(f"{schema}.artificial_select\t500\t")
    assert sql(database, f"select count(*) from {quoted}.artificial_select") == [(1000,)] and path
    assert "no schema for new tables" in run("generate", *arguments, "--out", database + "?options=-csearch_path%3Dnowhere", check=1,
                                             env=environment()).stderr


def test_a_schema_that_does_not_last(database):
    said = generate("hes_op", database + "?options=-csearch_path%3Dpg_temp", *SMALL, 10, check=1)
    assert "is a temporary one" in said.stderr


def test_a_schema_in_the_uri(words, database):
    sql(database, "create schema other")
    run("generate", *words(["a"]), "--out", database + "?options=-csearch_path%3Dother", check=0, env=environment())
    assert sql(database, "select count(*) from other.artificial_select") == [(500,)]


@pytest.mark.parametrize("key, table, words_said", [("K" * 64, "t", "is too long for PostgreSQL"), ("K", "t" * 60, "is too long for PostgreSQL")])
def test_names_that_are_too_long(key, table, words_said, words, database):
    said = run("generate", *words(["a"], key, table), "--out", database, check=4, env=environment())
    assert words_said in said.stderr and tables(database) == []


@pytest.mark.parametrize("form, good", [
    ("encoding 'LATIN1' locale 'C'", ["a", "é", "ß"]),
    ("encoding 'SQL_ASCII' locale 'C'", ["a", "é", "日本"]),
    ("encoding 'UTF8' locale 'C' icu_locale 'de-u-ks-level1' locale_provider icu", ["a", "A", "á", "日本"]),
])
def test_other_encodings_and_collations(form, good, words, postgresql, tmp_path):
    sql(postgresql.uri(), f"create database other template template0 {form}")
    try:
        uri = postgresql.uri("other")
        arguments = words(good)
        run("generate", *arguments, "--out", tmp_path / "csv", "--format", "csv", check=0)
        run("generate", *arguments, "--out", uri, "--primary-key", check=0, env=environment())
        _, expected = rows_of_file(tmp_path / "csv" / "artificial_select.csv")
        with psycopg.connect(uri, password=PASSWORD, client_encoding="UTF8" if "ASCII" not in form else "SQL_ASCII") as db, db.cursor().copy(
                "copy artificial_select to stdout (format csv)") as copy:
            text = b"".join(copy).decode()
        assert sorted(map(list, csv.reader(text.splitlines())), key=str) == expected
        if "LATIN1" in form:
            said = run("generate", *words(["a", "日本"]), "--out", uri, "--if-exists", "overwrite", check=1, env=environment())
            assert "the database's encoding does not have all characters" in said.stderr and "日本" not in said.stderr
            assert sql(uri, "select count(*) from artificial_select") == [(500,)]
    finally:
        sql(postgresql.uri(), "drop database other with (force)")


# ---- usage and confinement ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, words_said", [
    (["--format", "csv"], "are for files"), (["--compression", "none"], "are for files"), (["--connections", "65"], "at most 64"),
    (["--connections", "0"], "connections"), (["--if-exists", "sometimes"], "if-exists"),
])
def test_usage(options, words_said):
    assert words_said in generate("hes_op", "postgresql://127.0.0.1/x", *SMALL, 10, *options, check=2).stderr


@pytest.mark.parametrize("options", [["--primary-key"], ["--connections", "2"]])
@pytest.mark.parametrize("out", ["folder", "-"])
def test_options_of_databases(options, out, tmp_path):
    said = generate("hes_op", out if out == "-" else tmp_path / out, *SMALL, 10, *options, check=2)
    assert "are for databases" in said.stderr and list(tmp_path.iterdir()) == []


def test_spark_is_no_destination():
    assert "docs/spark.md" in generate("hes_op", "sc://127.0.0.1:1", *SMALL, 10, check=2).stderr


def test_nothing_is_opened_before_metadata_are_good(clinic, adg):
    """No server answers there, and nobody asks it."""
    clinic.write("\n".join([clinic.header, *clinic.lines(200)]) + "\n")
    adg(*clinic.scrape, check=0)
    said = generate(clinic.definition, f"postgresql://127.0.0.1:{free_port()}/x", "--rows", 10, meta=clinic.meta, check=3)
    assert "released" in said.stderr


def test_the_rest_stays_closed(start, database, tmp_path):
    """While it sends: no library but PostgreSQL's own is loaded, and the process is confined."""
    process = start(database)
    wait_for_rows(database, process)
    status = Path(f"/proc/{process.pid}/status").read_text()
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    assert "libpq.so" in maps and "duckdb" not in maps and "adbc" not in maps
    assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status
