"""Classifying a table of a database: the draft is the one that the same rows give as a Parquet file."""
import re

import duckdb
import psycopg
import pytest
import yaml
from conftest import run
from servers import PASSWORD, environment, postgresql  # noqa: F401 fixture

ROWS = 3000
COLUMNS = {
    "VISITKEY": ("bigint", "100000000000 + i * 7"), "PATIENTID": ("varchar(20)", "'P' || lpad(cast((i * 37) % 900 as varchar(9)), 8, '0')"),
    "WARD": ("varchar(9)", "'W' || (i % 12)"), "BEDS": ("integer", "i % 9"), "COST": ("double precision", "(i * 7919 % 10007) / 8.0"),
    "SHARE": ("real", "(i % 4) / 10.0"), "PRICE": ("decimal(9,2)", "(i * 31 % 5003) / 4.0"), "SEEN": ("date", "date '2020-01-01' + (i * 13 % 700)"),
    "MOMENT": ("timestamp", "timestamp '2021-03-04 05:06:07' + i * interval '97 minute'"), "URGENT": ("boolean", "i % 3 = 0"),
    "NOTE": ("varchar(9)", "null"),
}
SELECT = "select " + ", ".join(f'cast({e} as {t}) as "{n}"' for n, (t, e) in COLUMNS.items())


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classify")
    with duckdb.connect(str(folder / "t.duckdb")) as db:
        db.execute(f"create schema hes; create table hes.visits as {SELECT} from (select cast(range as integer) as i from range({ROWS}))")
        db.execute(f"copy hes.visits to '{folder}/hes_visits.parquet' (format parquet)")
        db.execute("create table hes.odd as select [i] as LISTED from range(9) t(i)")
        db.execute("create table hes.none as select * from hes.visits where false")
    return folder


def source_of(engine, files, request):
    if engine == "duckdb":
        return f"duckdb:{files}/t.duckdb"
    server = request.getfixturevalue("postgresql")
    with psycopg.connect(server.uri(), password=PASSWORD) as db:
        db.execute("create schema if not exists hes")
        db.execute("drop table if exists hes.visits")
        db.execute(f"create table hes.visits as {SELECT} from generate_series(0, {ROWS - 1}) as t(i)")
    return server.uri()


def classify(source, *options, check=0):
    return run("classify", "--source", source, *options, check=check, env=environment())


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_a_table_gives_the_draft_of_the_same_rows_in_a_file(engine, files, request, tmp_path):
    source = source_of(engine, files, request)
    draft = tmp_path / "visits.yaml"
    classify(source, "--table", "hes.visits", "--out", draft)
    of_file = run("classify", files / "hes_visits.parquet", check=0).stdout
    assert yaml.safe_load(draft.read_text()) == yaml.safe_load(of_file)
    run("dataset", "check", draft, check=0)
    run("scrape", "--dataset", draft, "--source", source, "--table", "hes_visits=hes.visits", "--meta", tmp_path / "meta", check=0,
        env=environment())


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_a_sample_is_said_to_be_one(engine, files, request):
    source = source_of(engine, files, request)
    def comments(*options):
        return [line for line in classify(source, "--table", "hes.visits", *options).stdout.splitlines() if line.startswith("#")]
    whole, exact, part = comments(), comments("--sample", ROWS), comments("--sample", ROWS - 1)
    assert whole == exact != part
    assert any(re.search(r"\bfirst\b|\bnot all\b", line) for line in part)


def test_a_database_is_only_read(files):
    before = (files / "t.duckdb").read_bytes()
    classify(f"duckdb:{files}/t.duckdb", "--table", "hes.visits")
    assert (files / "t.duckdb").read_bytes() == before


def test_postgresql_sees_one_transaction_that_only_reads(files, request):
    source = source_of("postgresql", files, request)
    log = request.getfixturevalue("postgresql").log
    before = len(log.read_bytes())
    classify(source, "--table", "hes.visits", "--sample", 10)
    said = log.read_bytes()[before:].decode()
    assert "repeatable read, read only" in said and "limit 11" in said.lower()
    statements = {s.lower() for s in re.findall(r"(?:statement|execute [^:]*): *(\w+)", said)}
    assert statements <= {"begin", "set", "copy", "select", "commit", "rollback", "show"}, statements


@pytest.mark.parametrize("table, message", [("hes.nothing", "there is no such table"), ("hes.odd", "column LISTED has a type"),
                                            ("hes.none", "expected rows")])
def test_bad_tables(table, message, files):
    done = classify(f"duckdb:{files}/t.duckdb", "--table", table, check=4)
    assert message in done.stderr and done.stdout == ""


@pytest.mark.parametrize("options", [
    ["x.csv", "--source", "duckdb:x", "--table", "t"], ["--source", "duckdb:x"], ["--source", "folder", "--table", "t"], ["x.csv", "--sample", "5"],
    ["x.csv", "--dialect", "duckdb"], ["--source", "duckdb:x", "--table", "t", "--rows", "5"], ["--source", "duckdb:x", "--table", "t", "--sample", "0"],
    ["--source", "postgresql://me:secret@host/db", "--table", "t"]])
def test_wrong_usage(options):
    done = run("classify", *options, check=2, env=environment())
    assert done.stdout == "" and "secret@" not in done.stderr
