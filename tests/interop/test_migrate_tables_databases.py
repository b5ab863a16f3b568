"""Artificial tables of an older version in DuckDB, PostgreSQL and SQLite, made here by their own clients: converted, or left as they are."""
import contextlib
import datetime
import decimal
import random
import signal
import sqlite3
import subprocess
import sys
import time

import duckdb
import psycopg
import pyarrow as pa
import pytest
from conftest import ADG, peak_memory, run, run_and_kill
from servers import PASSWORD, environment, package_folder, postgresql  # noqa: F401 fixture
from test_migrate_tables import DEFINITION, NEW, OLD

NAMES = {"stays": "artificial_stays", "beds": "artificial_beds"}
TYPES = ["bigint", "text", "integer", "numeric(9,2)", "double precision", "date", "text"]
DUCKDB_TYPES = ["BIGINT", "VARCHAR", "INTEGER", "DECIMAL(9,2)", "DOUBLE", "DATE", "VARCHAR"]
OLD_TYPES = {"code": "double precision", "KEY": "text", "EXTRA": "text", "SIZE": "text", "PRICE": "double precision", "COST": "text", "START": "timestamp"}


class DuckDB:
    """Statements, rows, and what is seen of a table; the others are the same for theirs."""
    types = DUCKDB_TYPES

    def __init__(self, tmp_path):
        self.file = tmp_path / "x.duckdb"
        self.uri = f"duckdb:{self.file}"
        duckdb.connect(str(self.file)).close()

    def sql(self, statement, rows=None):
        with duckdb.connect(str(self.file)) as db:
            if rows is not None:
                names = [f"c{i}" for i in range(len(rows[0]))] if rows else []
                given = pa.table({n: pa.array(c) for n, c in zip(names, zip(*rows))}) if rows else None  # noqa: F841 DuckDB finds it by its name
                return db.execute(statement.split(" values ")[0] + " select * from given") if rows else None
            return db.execute(statement).fetchall()

    def tables(self):
        return sorted(n for n, in self.sql("select table_name from duckdb_tables()"))

    def columns(self, table):
        return [(n, t) for n, t, *_ in self.sql(f"describe {table}")]

    def comment(self, table):
        return self.sql(f"select comment from duckdb_tables() where table_name = '{table}'")[0][0]

    def key(self, table):
        return [n for n, in self.sql(f"select unnest(constraint_column_names) from duckdb_constraints() where table_name = '{table}' and "
                                     "constraint_type = 'PRIMARY KEY'")]


class PostgreSQL:
    types = TYPES

    def __init__(self, server, name):
        self.uri, self.name, self.server = server.uri(name), name, server

    def sql(self, statement, rows=None):
        with psycopg.connect(self.uri, password=PASSWORD, autocommit=True) as db:
            if rows is not None:
                return db.cursor().executemany(statement.replace("?", "%s"), rows)
            answer = db.execute(statement)
            return answer.fetchall() if answer.description else None

    def tables(self):
        return [n for n, in self.sql("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1")]

    def columns(self, table):
        return self.sql(f"select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 "
                        "and not attisdropped order by attnum")

    def comment(self, table):
        return self.sql(f"select obj_description('{table}'::regclass)")[0][0]

    def key(self, table):
        return [n for n, in self.sql("select attname from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey) "
                                     f"where contype = 'p' and k.conrelid = '{table}'::regclass")]


class SQLite:
    types = [t.replace("numeric(9,2)", "double precision") for t in TYPES]

    def __init__(self, tmp_path):
        self.file = tmp_path / "x.db"
        self.uri = f"adbc:sqlite?uri={self.file}"
        sqlite3.connect(self.file).close()

    def sql(self, statement, rows=None):
        with contextlib.closing(sqlite3.connect(self.file)) as db, db:
            if rows is not None:
                rows = [[v.isoformat(" ") if isinstance(v, datetime.datetime) else v for v in row] for row in rows]
                return db.executemany(statement, rows) and None
            return db.execute(statement).fetchall()

    def tables(self):
        return sorted(n for n, in self.sql("select name from sqlite_master where type = 'table'"))

    def columns(self, table):
        return self.sql(f"select name, lower(type) from pragma_table_info('{table}') order by cid")  # common ones it writes in capitals

    def comment(self, table):
        return None

    def key(self, table):
        return [n for n, in self.sql(f"select name from pragma_table_info('{table}') where pk > 0")]


@pytest.fixture(autouse=True)
def drivers(monkeypatch):
    for name, value in environment(ADBC_DRIVER_PATH=f"{package_folder('adbc_driver_sqlite')}:{package_folder('adbc_driver_postgresql')}").items():
        monkeypatch.setenv(name, value)


@contextlib.contextmanager
def made(kind, request, folder):
    """A database of the test's own, with a definition beside it."""
    definition = DEFINITION
    if kind == "sqlite":  # whose driver knows no decimals
        definition = DEFINITION.replace("PRICE, type: 'decimal(9,2)', values: CATEGORICAL", "PRICE, type: double, values: CONTINUOUS")
    (folder / "ward.yaml").write_text(definition)
    if kind == "postgresql":
        server, name = request.getfixturevalue("postgresql"), f"m{abs(hash(request.node.nodeid)):x}"
        with psycopg.connect(server.uri(), password=PASSWORD, autocommit=True) as db:
            db.execute(f"create database {name}")
        database = PostgreSQL(server, name)
    else:
        database = DuckDB(folder) if kind == "duckdb" else SQLite(folder)
    database.kind, database.folder = kind, folder
    yield database
    if kind == "postgresql":
        with psycopg.connect(server.uri(), password=PASSWORD, autocommit=True) as db:
            db.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["duckdb", "postgresql", "sqlite"])
def database(request, tmp_path):
    with made(request.param, request, tmp_path) as database:
        yield database


@pytest.fixture
def server(request, tmp_path):
    with made("postgresql", request, tmp_path) as database:
        yield database


def command(database, *options, uri=None):
    return ["migrate", "tables", "--data", uri or database.uri, "--dataset", str(database.folder / "ward.yaml"), *options]


def make(database, table="artificial_stays", old=OLD, types=OLD_TYPES, key=None):
    columns = ", ".join(f'"{n}" {types[n]}' for n in old)
    database.sql(f"create table {table} ({columns}" + (f', primary key ("{key}")' if key else "") + ")")
    rows = [list(row) for row in zip(*[c.to_pylist() if isinstance(c, pa.Array) else c for c in old.values()])]
    if rows:
        database.sql(f"insert into {table} values ({', '.join('?' * len(old))})", rows)


def values(database, new=NEW):
    """As the database has them."""
    rows = zip(*new.values())
    if database.kind == "sqlite":
        rows = [tuple(float(v) if isinstance(v, decimal.Decimal) else v.isoformat() if isinstance(v, datetime.date) else v for v in row) for row in rows]
    return sorted(rows)


def content(database, table="artificial_stays"):
    return sorted(database.sql(f"select * from {table}"), key=lambda row: [str(v) for v in row])


def converted(database, table="artificial_stays"):
    return database.columns(table) == list(zip(NEW, database.types)) and sorted(database.sql(f"select * from {table}")) == values(database)


def test_converts_and_a_second_run_changes_nothing(database):
    make(database)
    done = run(*command(database), check=0)
    assert done.stdout == "stays\n" and done.stderr.count("artificial_stays: left out, since the definition does not know them: EXTRA\n") == 1
    assert converted(database) and database.tables() == ["artificial_stays"]
    done = run(*command(database), check=0)
    assert (done.stdout, done.stderr) == ("", "") and converted(database) and database.tables() == ["artificial_stays"]


def test_the_backup_is_kept_when_asked_for(database):
    make(database, key="KEY")
    before, columns = content(database), database.columns("artificial_stays")
    run(*command(database, "--keep-backup"), check=0)
    assert converted(database) and content(database, "artificial_stays_backup") == before and database.columns("artificial_stays_backup") == columns
    assert database.tables() == ["artificial_stays", "artificial_stays_backup"]
    assert database.key("artificial_stays") == ["KEY"] == database.key("artificial_stays_backup")
    run(*command(database), check=0)
    assert database.tables() == ["artificial_stays", "artificial_stays_backup"]


def test_names_that_are_taken(database):
    """A backup of an earlier run, or what somebody has called so: nothing is done, unless it is not in the way."""
    make(database)
    before = content(database)
    database.sql("create table artificial_stays_backup (x integer)")
    done = run(*command(database, "--keep-backup"), check=1)
    assert "artificial_stays_backup is in the way" in done.stderr and content(database) == before
    database.sql("create table artificial_stays_new (x integer)")
    assert "artificial_stays_new is in the way" in run(*command(database), check=1).stderr and content(database) == before
    database.sql("drop table artificial_stays_new")
    run(*command(database), check=0)
    assert converted(database) and database.tables() == ["artificial_stays", "artificial_stays_backup"]


def test_key_and_comment_stay(database):
    make(database, key="KEY")
    if database.kind != "sqlite":
        database.sql("comment on table artificial_stays is 'Somebody''s \\ own'")
    run(*command(database), check=0)
    assert converted(database) and database.key("artificial_stays") == ["KEY"]
    assert database.comment("artificial_stays") == (None if database.kind == "sqlite" else "Somebody's \\ own")


def test_values_that_do_not_fit(database):
    """They are counted by column; the table stays, and others are converted."""
    make(database, old={**OLD, "SIZE": ["7", "54.5", "x"] * 100, "START": ["2020-02-30", "2020-02-29", "x"] * 100}, types={**OLD_TYPES, "START": "text"})
    make(database, "artificial_beds")
    before = content(database)
    done = run(*command(database), check=4)
    assert "artificial_stays: values that do not fit: SIZE (200 as integer), START (200 as date)" in done.stderr
    assert done.stdout == "beds\n" and "54.5" not in done.stderr and "02-30" not in done.stderr
    assert content(database) == before and converted(database, "artificial_beds") and database.tables() == ["artificial_beds", "artificial_stays"]


def test_keys_that_are_no_longer_unique(database):
    make(database, old={"KEY": ["1", "01"], "SIZE": ["1", "2"]}, key="KEY")
    before = content(database)
    done = run(*command(database), check=1)
    assert "key" in done.stderr and content(database) == before and database.tables() == ["artificial_stays"]


@pytest.mark.parametrize("old, words, code", [({"SIZE": ["1"]}, "no column KEY, the primary key", 4), ({"KEY": [], "SIZE": []}, None, 0)])
def test_tables_without_key_or_rows(old, words, code, database):
    make(database, old=old)
    done = run(*command(database), check=code)
    if words:
        assert words in done.stderr and content(database) == [("1",)]
    else:
        assert done.stdout == "stays\n" and database.columns("artificial_stays") == list(zip(NEW, database.types)) and content(database) == []
        assert run(*command(database), check=0).stdout == ""


def test_tables_that_are_missing(database):
    assert run(*command(database), check=0).stdout == ""
    assert "artificial_beds: the database has no such table" in run(*command(database, "--table", "beds"), check=4).stderr
    run(*command(database, "--table", "unknown"), check=4)
    database.sql("create view artificial_beds as select 1 as x")
    assert "artificial_beds is there, and is no plain table" in run(*command(database), check=1).stderr


def test_what_generate_writes_is_left_alone(database):
    """And what was changed in it comes to be what generate writes."""
    dataset, table = ("hes_op", "hes_op_2021") if database.kind == "sqlite" else ("hes_apc", "hes_apc_2021")
    name = f"artificial_{table}"
    run("generate", "--dataset", dataset, "--meta", "open", "--rows", 3000, "--table", table, "--out", database.uri, "--primary-key", check=0)
    rows, columns, comment, key = content(database, name), database.columns(name), database.comment(name), database.key(name)
    arguments = ["migrate", "tables", "--data", database.uri, "--dataset", dataset]
    assert run(*arguments, check=0).stdout == "" and content(database, name) == rows
    renamed = columns[-1][0]
    database.sql(f'alter table {name} rename column "{renamed}" to "{renamed.lower()}x"')
    database.sql(f'alter table {name} rename column "{renamed.lower()}x" to "{renamed.lower()}"')
    run(*arguments, check=0)
    assert (content(database, name), database.columns(name), database.comment(name), database.key(name)) == (rows, columns, comment, key)


def test_columns_that_are_empty_at_first(database):
    """What a driver guesses from the first rows is not what comes later."""
    count = 3000
    codes = [None] * (count - 2) + ["A1", "7"]
    make(database, old={"KEY": [str(i) for i in range(count)], "code": codes, "COST": [None] * (count - 1) + ["0.30000000000000004"],
                        "SIZE": [None] * (count - 1) + ["1"]}, types={**OLD_TYPES, "code": "text"})
    run(*command(database), check=0)
    assert database.sql('select "CODE", "SIZE", "COST" from artificial_stays where "KEY" >= 2998 order by "KEY"') == [("A1", None, None), ("7", 1, 0.1 + 0.2)]


def test_texts_of_all_kinds(database):
    texts = ["", " a ", "ä€𝄞", "it's", 'a "b"', "back\\slash", "line\nend", "tab\t", "NULL", "\\N", None]
    make(database, old={"KEY": [str(i) for i in range(len(texts))], "code": texts}, types={**OLD_TYPES, "code": "text"})
    run(*command(database), check=0)
    assert [t for t, in database.sql('select "CODE" from artificial_stays order by "KEY"')] == texts


def test_killed_at_random_points_loses_nothing(database):
    """Under the name there is always the old table whole, or the new one, and nothing beside it; a rerun completes."""
    chance, killed, halves = random.Random(5), 0, {True: 0, False: 0}
    make(database, "kept")
    before = content(database, "kept")
    make(database)
    started = time.time()
    run(*command(database), check=0)
    takes = time.time() - started
    for _ in range(15):
        database.sql("drop table if exists artificial_stays")
        database.sql("create table artificial_stays as select * from kept")
        columns = database.columns("artificial_stays")
        killed += run_and_kill(command(database), chance.uniform(0, takes))
        wait_for_nobody(database)
        done = database.columns("artificial_stays") != columns
        assert converted(database) if done else content(database) == before
        assert database.tables() == ["artificial_stays", "kept"]
        halves[done] += 1
        run(*command(database), check=0)
        assert converted(database) and database.tables() == ["artificial_stays", "kept"]
    assert killed >= 4, halves


def wait_for_nobody(database):
    """The server sees at its next step that a client is gone."""
    until = time.time() + 30
    while database.kind == "postgresql" and time.time() < until and database.sql(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'") != [(0,)]:
        time.sleep(0.05)


@pytest.mark.skipif("asan" in ADG, reason="a sanitizer has memory of its own")
@pytest.mark.parametrize("database", ["postgresql", "sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_rows(database):
    """A million rows take 150 MB in memory; a driver's batch is less. (DuckDB keeps what it has read of a file, up to its own limit.)"""
    used, text = [], "code " * 25
    for count in 200_000, 1_000_000:
        database.sql("drop table if exists artificial_stays")
        series = {"postgresql": "generate_series(0, {} - 1) t(i)",
                  "sqlite": "(with recursive t(i) as (select 0 union all select i + 1 from t where i + 1 < {}) select i from t) t"}[database.kind].format(count)
        database.sql(f'create table artificial_stays as select cast(i as text) as "KEY", \'{text}\' || i as code, cast(i % 50 as text) as "SIZE" from {series}')
        used.append(peak_memory(*command(database)))
        assert database.sql('select count(*), sum("KEY"), max("SIZE") from artificial_stays') == [(count, count * (count - 1) // 2, 49)]
    assert used[1] < used[0] + 70 * 2**20, used


def test_secrets_and_addresses(tmp_path):
    (tmp_path / "ward.yaml").write_text(DEFINITION)

    def migrate(uri, code):
        return run("migrate", "tables", "--data", uri, "--dataset", tmp_path / "ward.yaml", check=code).stderr

    assert "option --data: a secret does not belong on a command line" in migrate("postgresql://adg:secret@127.0.0.1/x", 2)
    assert "option --data: a secret" in migrate("adbc:sqlite?password=secret", 2)
    assert "there is no such file" in migrate(f"duckdb:{tmp_path}/nothing", 4) and not (tmp_path / "nothing").exists()
    assert "option --data: Spark" in migrate("sc://127.0.0.1:1", 2)
    assert "no server answers there" in migrate("postgresql://adg@127.0.0.1:1/x", 1)
    assert "the driver nothing cannot be loaded" in migrate("adbc:nothing?uri=x", 1)
    (tmp_path / "text").write_text("no database" * 1000)
    assert "DuckDB" in migrate(f"duckdb:{tmp_path}/text", 1)


# ---- what only one of them has -----------------------------------------------------------------------------------------

def test_privileges_and_owner(server):
    make(server)
    role = server.name
    server.sql(f"create role {role}_r; create role {role}_o; grant {role}_o to adg; grant create on schema public to {role}_o; "
               f"grant select on artificial_stays to {role}_r with grant option; grant insert on artificial_stays to public; alter table artificial_stays owner to {role}_o")
    rights = "select relacl::text, pg_get_userbyid(relowner) from pg_class where relname = 'artificial_stays'"
    before = server.sql(rights)
    try:
        run(*command(server), check=0)
        assert converted(server)
        assert [sorted(acl.strip("{}").split(",")) + [owner] for acl, owner in server.sql(rights)] == [
            sorted(acl.strip("{}").split(",")) + [owner] for acl, owner in before]
    finally:
        server.sql(f"drop owned by {role}_r; drop owned by {role}_o; drop role {role}_r; drop role {role}_o")


def test_what_was_written_wrongly_replaces_nothing(server):
    """The database changes one value of the new table on its way in."""
    make(server, key="KEY")
    before = content(server)
    server.sql("""
        create function spoil() returns trigger language plpgsql as $$ begin
            if new."KEY" = 100000000001 then new."SIZE" := 55; end if; return new; end $$;
        create function spoil_new() returns event_trigger language plpgsql as $$ declare o record; begin
            for o in select * from pg_event_trigger_ddl_commands() where command_tag = 'CREATE TABLE' and object_identity like '%\\_new' loop
                execute format('create trigger spoil before insert on %s for each row execute function spoil()', o.object_identity);
            end loop; end $$;
        create event trigger spoil_new on ddl_command_end execute function spoil_new()""")
    done = run(*command(server), check=1)
    assert "public.artificial_stays: what was written differs from it; nothing is replaced" in done.stderr and done.stdout == ""
    assert content(server) == before and server.tables() == ["artificial_stays"]
    server.sql("drop event trigger spoil_new")
    run(*command(server), check=0)
    assert converted(server)


def test_what_rests_on_it(server):
    make(server)
    before = content(server)
    server.sql("create view v as select * from artificial_stays")
    for options in [], ["--keep-backup"]:
        assert "something else in the database, such as a view, rests on public.artificial_stays" in run(*command(server, *options), check=1).stderr
        assert content(server) == before
    server.sql("drop view v")
    run(*command(server), check=0)


def test_schemas(server):
    server.sql("create schema beside")
    make(server, "beside.artificial_stays")
    assert run(*command(server), check=0).stdout == ""
    assert run(*command(server, uri=server.uri + "?options=-csearch_path%3Dbeside"), check=0).stdout == "stays\n"
    assert server.columns("beside.artificial_stays") == list(zip(NEW, TYPES))
    assert "names none that is there" in run(*command(server, uri=server.uri + "?options=-csearch_path%3Dnone"), check=1).stderr


def test_types_that_are_postgresql_s_own(server):
    """Fixed and limited texts, moments with a zone, exact numbers, an enumeration; what the definition does not know may be of any type."""
    server.sql("create type letter as enum ('a', 'b'); create table artificial_stays (code letter, \"KEY\" numeric, \"SIZE\" smallint, \"PRICE\" numeric(20,5), "
               "\"COST\" real, \"START\" timestamptz, \"LATER\" char(4), j json, ip inet, xs integer[])")
    server.sql("insert into artificial_stays values ('a', 100000000001, 3, 1.25000, 0.5, '2020-02-29 00:00+00', 'ab', '{}', '::1', '{1,2}'), "
               "(null, 2, null, null, null, null, null, null, null, null)")
    done = run(*command(server), check=0)
    assert "left out, since the definition does not know them: j, ip, xs\n" in done.stderr
    assert server.sql('select * from artificial_stays order by "KEY"') == [
        (2, None, None, None, None, None, None), (10**11 + 1, "a", 3, decimal.Decimal("1.25"), 0.5, datetime.date(2020, 2, 29), "ab")]


def test_somebody_who_writes_or_migrates_at_the_same_time(server):
    make(server)
    with psycopg.connect(server.uri, password=PASSWORD) as other:
        other.execute("select pg_advisory_xact_lock(hashtextextended('adg public.artificial_stays', 0))")
        assert "another adg run is writing to public.artificial_stays" in run(*command(server), check=1).stderr
    with psycopg.connect(server.uri, password=PASSWORD) as other:  # it waits until the row is there, and takes it along
        other.execute("insert into artificial_stays (\"KEY\") values ('5')")
        process = subprocess.Popen([ADG, *command(server)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        assert process.poll() is None
        other.commit()
        assert process.communicate(timeout=60) and process.returncode == 0
    assert server.sql('select count(*) from artificial_stays where "KEY" = 5') == [(1,)] and server.sql("select count(*) from artificial_stays") == [(301,)]


def test_another_user_s_table(server):
    make(server)
    role = f"{server.name}_u"
    server.sql(f"create role {role} login password '{PASSWORD}'; grant all on schema public to {role}; grant select on artificial_stays to {role}")
    before = content(server)
    try:
        uri = server.uri.replace("//adg@", f"//{role}@")
        assert "public.artificial_stays belongs to another user, who has to convert it" in run(*command(server, uri=uri), check=1).stderr
        server.sql(f"alter table artificial_stays owner to {role}; revoke create on schema public from {role}")
        assert "no right to create tables in the schema public" in run(*command(server, uri=uri), check=1).stderr
        assert content(server) == before
    finally:
        server.sql(f"drop owned by {role}; drop role {role}")


def test_a_database_of_another_encoding(server):
    name = f"{server.name}_l"
    server.sql(f"create database {name} encoding 'LATIN1' locale 'C' template template0")
    other = PostgreSQL(server.server, name)
    other.kind, other.folder = server.kind, server.folder
    try:
        make(other, old={"KEY": ["1"], "code": ["Köln"]}, types={**OLD_TYPES, "code": "text"})
        run(*command(other), check=0)
        assert other.sql('select "CODE", octet_length("CODE") from artificial_stays') == [("Köln", 4)]
    finally:
        server.sql(f"drop database {name} with (force)")


@pytest.mark.parametrize("database", ["duckdb", "sqlite"], indirect=True)
def test_indexes_and_views_of_files(database):
    """An index goes with the old table; a view finds the new one."""
    make(database, old={"KEY": ["1"], "SIZE": ["54.0"]})
    database.sql('create index i on artificial_stays ("SIZE")')
    database.sql('create view v as select "SIZE" from artificial_stays')
    run(*command(database), check=0)
    assert database.sql("select * from v") == [(54,)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_values_of_any_type(database):
    """A column of SQLite holds what it was given, whatever its type says."""
    database.sql("create table artificial_stays (KEY, CODE, SIZE integer, COST numeric, START)")
    database.sql("insert into artificial_stays values (?, ?, ?, ?, ?)", [["1", 7, "12", 0.1, "2020-02-29"], [2, "x", 3.0, 2**53 + 1, None], [3, None, None, "1e3", None]])
    run(*command(database), check=0)
    assert database.sql("select KEY, CODE, SIZE, COST, START from artificial_stays order by KEY") == [
        (1, "7", 12, 0.1, "2020-02-29"), (2, "x", 3, 2.0**53, None), (3, None, None, 1000.0, None)]


def test_a_table_with_capitals(database):
    """Names are taken to the letter where the database does."""
    definition = database.folder / "ward.yaml"
    definition.write_text(definition.read_text().replace("[stays, beds]", "[Stays, beds]"))
    make(database, '"artificial_Stays"', key="KEY")
    if database.kind == "postgresql":
        make(database)
    run(*command(database, "--keep-backup"), check=0)
    assert sorted(database.sql('select * from "artificial_Stays"')) == values(database)
    assert database.tables() == ["artificial_Stays", "artificial_Stays_backup", *(["artificial_stays"] if database.kind == "postgresql" else [])]


@pytest.mark.parametrize("database", ["duckdb"], indirect=True)
def test_a_foreign_key(database):
    make(database, old={"KEY": ["1"], "SIZE": ["54.0"]}, key="KEY")
    database.sql('create table other (k text references artificial_stays ("KEY"))')
    assert "something else in the database, such as a view, rests on the table" in run(*command(database), check=1).stderr
    assert content(database) == [("1", "54.0")] and database.tables() == ["artificial_stays", "other"]


def test_stopped_by_a_signal(database):
    """It says so, and the table is what it was."""
    make(database, old={"KEY": [str(i) for i in range(1000)], "SIZE": ["1"] * 1000})
    powers = 4 if database.kind == "duckdb" else 3
    many = ", ".join(f"(select 1 {'union all select 1 ' * 9}) t{i}" for i in range(powers))
    database.sql(f'insert into artificial_stays select "KEY", "SIZE" from artificial_stays, {many}')
    process = subprocess.Popen([ADG, *command(database)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and out == "" and "stopped by a signal; nothing half-written is left" in err
    wait_for_nobody(database)
    assert database.sql("select count(*) from artificial_stays") == [(1000 + 1000 * 10**powers,)] and database.tables() == ["artificial_stays"]


@pytest.mark.parametrize("database", ["duckdb"], indirect=True)
def test_two_processes_and_one_file(database):
    holder = "import sys, duckdb; db = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder, str(database.file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert "another process has the file open" in run(*command(database), check=1).stderr
        other.stdin.close()
