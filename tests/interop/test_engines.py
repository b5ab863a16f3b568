"""Scraping in a database: the same rows give the same metadata, byte for byte, from CSV, DuckDB, PostgreSQL and Spark."""
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import psycopg
import pytest
from conftest import ADG, EXTRACTS, run
from count_bytes import counting
from load import into_duckdb, into_postgresql, into_spark, spark_statements
from recompute import load_dataset
from servers import PASSWORD, driver_path, environment, free_port, postgresql, spark, spark_server  # noqa: F401 fixtures

ENGINES = ["duckdb", "postgresql", "spark"]


def scrape(dataset, source, meta, *options, check=0, env=None):
    return run("scrape", "--dataset", dataset, "--source", source, "--meta", meta, *options, check=check, env=env or environment())


def types_of(dataset):
    return {f["name"]: f["type"] for f in load_dataset(dataset)["fields"]}


@pytest.fixture(scope="module")
def load(request, tmp_path_factory):
    """load(engine, path, name, types): the file as table hes.<name> of an engine; the source to name. Loaded once."""
    files, done = {}, {}

    def into(engine, path, name, types):
        if engine == "duckdb":
            files.setdefault(name, tmp_path_factory.mktemp("duckdb") / "t.duckdb")
        source = {"duckdb": lambda: f"duckdb:{files[name]}", "postgresql": lambda: request.getfixturevalue("postgresql").uri(),
                  "spark": lambda: request.getfixturevalue("spark").uri}[engine]()
        if (engine, name) not in done:
            done[engine, name] = True
            if engine == "duckdb":
                into_duckdb(files[name], path, name, types)
            else:
                {"postgresql": into_postgresql, "spark": into_spark}[engine](source, path, name, types)
        return source

    return into


@pytest.mark.parametrize("engine, control", [("duckdb", "full"), ("duckdb", "reference"), ("postgresql", "full"), ("postgresql", "reference"),
                                             ("spark", "full")])
@pytest.mark.parametrize("dataset", EXTRACTS)
def test_extracts(engine, dataset, control, load, scraped, shared, tmp_path):
    """Columns of the documented types."""
    table, file = EXTRACTS[dataset]
    source = load(engine, shared / "data" / "hes_extract" / file, table, types_of(dataset))
    said = scrape(dataset, source, tmp_path / "m", "--table", f"{table}=hes.{table}", "--control", control)
    assert said.stdout == f"{table}\n" and said.stderr == ""
    assert (tmp_path / "m" / "metadata.parquet").read_bytes() == (scraped(dataset, control) / "metadata.parquet").read_bytes()
    assert (tmp_path / "m" / "manifest.json").read_bytes() == (scraped(dataset, control) / "manifest.json").read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
def test_extract_as_text(engine, load, scraped, shared, tmp_path):
    table, file = EXTRACTS["hes_apc"]
    source = load(engine, shared / "data" / "hes_extract" / file, "text", None)
    scrape("hes_apc", source, tmp_path / "m", "--table", f"{table}=hes.text")
    assert (tmp_path / "m" / "metadata.parquet").read_bytes() == (scraped("hes_apc") / "metadata.parquet").read_bytes()


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_made_up_rows(engine, load, made_source, adg, tmp_path):
    """What the extracts lack: busy patients, records that disagree, padded codes, many values, thresholds that are not the usual ones."""
    path = made_source("hes_ae", "csv", scale=0.1) / "hes_ae_2021.csv"
    source = load(engine, path, "made", types_of("hes_ae"))
    for i, options in enumerate([[], ["--min-frequency", 2, "--rounding", 10], ["--min-frequency", 8, "--rounding", 1]]):
        adg("scrape", "--dataset", "hes_ae", "--source", path.parent, "--meta", tmp_path / f"csv{i}", *options, check=0)
        scrape("hes_ae", source, tmp_path / f"engine{i}", "--table", "hes_ae_2021=hes.made", *options)
        assert (tmp_path / f"engine{i}" / "metadata.parquet").read_bytes() == (tmp_path / f"csv{i}" / "metadata.parquet").read_bytes()


# ---- reading values ----------------------------------------------------------------------------------------------------

DEFINITION = """dataset: values
id: 9
primary_key: K
patient_key: P
tables: [t]
fields:
  - {name: K, type: long, pattern: '\\d{12}'}
  - {name: P, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: CODE, type: string, values: CATEGORICAL}
  - {name: WHOLE, type: integer, values: CATEGORICAL}
  - {name: FAR, type: long, values: CATEGORICAL}
  - {name: REAL, type: double, values: CATEGORICAL}
  - {name: EXACT, type: 'decimal(9,2)', values: CATEGORICAL}
  - {name: DAY, type: date, values: DATE}
  - {name: MOMENT, type: timestamp, values: CATEGORICAL}
  - {name: YES, type: boolean, values: CATEGORICAL}
  - {name: COUNTED, type: long, values: DISCRETE}
  - {name: LENGTH, type: double, values: CONTINUOUS}
  - {name: PRICE, type: 'decimal(9,2)', values: CONTINUOUS}
  - {name: WAIT, type: integer, values: CONTINUOUS}
  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}
  - {name: MOB, type: string, values: DEMOGRAPHIC_DATE}
"""
WHOLES = ["0", "-0", "+7", "7", "007", "54.0", "54", "54.", "54.5", "2147483647", "2147483648", "-2147483648", "-2147483649", "1e3", " 1", "1 ",
          "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "000000000000000000000000012",
          "99999999999999999999999999999999999999999999", "x", "-", "1,5", "0x10", "1_000"]
REALS = WHOLES + [".5", "5.", "-.5", "1e-7", "1E+2", "1e400", "-1e400", "1e-400", "nan", "inf", "-Infinity", "1e", "e1", ".", "0.1", "1d", "1f",
                  "123456789.125", "4.9e-324", "1.7976931348623157e308", "0e99999", "1e-99999", "1e99999", "0.30000000000000004", "-0.0"]
EXACTS = REALS + ["1.50", "1.5", "1.505", "1234567.89", "12345678.9", "0.001", "0.010", "1e2", "15e-1", "15e-3", "1.5e0"]
DAYS = ["2020-02-29", "2021-02-29", "1900-02-29", "2000-02-29", "0001-01-01", "0000-01-01", "9999-12-31", "2021-04-31", "2021-13-01", "2021-1-1",
        "20210101", "2021-01-01 00:00:00", "1800-01-01", "x", "2021-00-10", "2021-01-00", " 2021-01-01", "2021-01-01\n"]
MOMENTS = ["2021-01-01 00:00:00", "2021-01-01T12:30:59.5", "2021-01-01 12:30:59.500000", "1969-12-31 23:59:59.999999", "2021-01-01",
           "2021-01-01 24:00:00", "2021-02-30 00:00:00", "2021-01-01 00:00", "2021-01-01 00:00:00.1234567", "0001-01-01 00:00:00",
           "9999-12-31 23:59:59.999999", "2021-01-01 00:00:00.", "2021-01-01 00:60:00"]
CODES = ["a", "A", "á", "Á", "ß", "ss", "a ", " a", "a\t", "-   ", "'", "''", '"', "\\", "\\\\n", "$1", "%", "日本", "🙂", "é", "e\u0301", "\u00a0",
         "null", "NULL", "0", "00", "a\nb"]
COLUMNS = {"CODE": CODES, "WHOLE": WHOLES, "FAR": WHOLES, "REAL": REALS, "EXACT": EXACTS, "DAY": DAYS, "MOMENT": MOMENTS,
           "YES": ["true", "false", "TRUE", "t", "1", "yes"], "COUNTED": WHOLES, "LENGTH": REALS, "PRICE": EXACTS, "WAIT": WHOLES,
           "SEX": ["1", "2", "", "é", "Z", "a"], "MOB": ["011960", "", "ÿ", "Z", "a", "日"]}
NAMES = ["K", "P", *COLUMNS]


def awkward_rows(people=120, of_each=12):
    """Every value with enough patients, some with too few; keys that repeat or are missing, patients with none."""
    rows = []
    for i in range(people * of_each):
        patient = "" if i % 97 == 0 else f"P{i % people}"
        row = {"K": "" if i % 31 == 0 else str(i // 2 if i % 5 == 0 else i), "P": patient}
        for c, (name, values) in enumerate(COLUMNS.items()):
            row[name] = "" if i % (7 + c) == 0 else values[(i * (c + 3) + i // people) % len(values)]
        rows.append([row[n] for n in NAMES])
    return rows


@pytest.fixture(scope="module")
def awkward(tmp_path_factory):
    folder = tmp_path_factory.mktemp("values")
    (folder / "values.yaml").write_text(DEFINITION)
    with open(folder / "t.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([NAMES, *awkward_rows()])
    return folder


def fill(engine, request, folder, name="t", types=None):
    """Table `name` with columns that the rows are inserted into as they are: no reader of CSV that has rules of its own."""
    rows = [[v if v != "" or (i + j) % 2 else None for j, v in enumerate(row)] for i, row in enumerate(awkward_rows())]
    if engine == "duckdb":
        with duckdb.connect(str(folder / "t.duckdb")) as db:
            db.execute(f"create or replace table {name} (" + ", ".join(f"{n} varchar collate nocase" for n in NAMES) + ")")
            db.executemany(f"insert into {name} values (" + ", ".join("?" * len(NAMES)) + ")", rows)
        return f"duckdb:{folder / 't.duckdb'}"
    if engine == "postgresql":
        uri = request.getfixturevalue("postgresql").uri()
        fill_postgresql(uri, name, rows)
        return uri
    uri = request.getfixturevalue("spark").uri
    import pyarrow as pa
    import pyarrow.parquet as pq
    pq.write_table(pa.table({n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(NAMES)}), folder / "spark.parquet")
    spark_statements(uri, f"drop table if exists {name}", f"create table {name} using parquet location '{folder / 'spark.parquet'}'")
    return uri


def fill_postgresql(uri, name, rows, text="text"):
    with psycopg.connect(uri, password=PASSWORD) as db:
        db.execute(f"drop table if exists {name}")
        db.execute(f"create table {name} (" + ", ".join(f"{n} {text}" for n in NAMES) + ")")
        with db.cursor().copy(f"copy {name} from stdin") as copy:
            for row in rows:
                copy.write_row(row)


@pytest.mark.parametrize("engine, options", [(e, o) for e in ENGINES for o in [[], ["--min-frequency", 2, "--rounding", 1]]])
def test_values_are_read_by_the_same_rules(engine, options, awkward, request, adg, tmp_path):
    """Text for every type, readable and not, in a table that compares without case where the engine has such a thing."""
    source = fill(engine, request, awkward)
    expected = adg("scrape", "--dataset", awkward / "values.yaml", "--source", awkward, "--table", f"t={awkward / 't.csv'}", "--meta", tmp_path / "csv",
                   *options, check=0)
    found = scrape(awkward / "values.yaml", source, tmp_path / "m", "--table", "t", *options)
    amounts = [re.findall(r"field (\w+): (.*?) cannot be read", text) for text in (expected.stderr, found.stderr)]
    assert sorted(amounts[0]) == sorted(amounts[1]) and len(amounts[0]) > 8
    assert rows_as_text(tmp_path / "m") == rows_as_text(tmp_path / "csv")
    assert (tmp_path / "m" / "metadata.parquet").read_bytes() == (tmp_path / "csv" / "metadata.parquet").read_bytes()


def rows_as_text(meta):
    import pyarrow.parquet as pq
    return [str(row) for row in pq.read_table(meta / "metadata.parquet").to_pylist()]


def test_strict_names_the_field_only(awkward, request, tmp_path):
    source = fill("duckdb", request, awkward)
    said = scrape(awkward / "values.yaml", source, tmp_path / "m", "--table", "t", "--strict", check=4)
    assert "field WHOLE: expected integer" in said.stderr and not (tmp_path / "m").exists()


TYPED = """select i as "K", 'P' || (i % 90) as "P",
  ('{' || 'C' || (i % 4) || '}') as "CODE", cast(i % 6 - 2 as {small}) as "WHOLE", cast(i % 5 as decimal(20,1)) as "FAR",
  cast(case when i % 7 = 0 then {nan} else (i % 6) / 4.0 - 0.5 end as {double}) as "REAL", cast((i % 9) / 100.0 as {double}) as "EXACT",
  {day} as "DAY", {moment} as "MOMENT", (i % 3 = 0) as "YES", cast((i % 4) * 1.5 as {real}) as "COUNTED",
  cast((i % 70) / 10.0 as {real}) as "LENGTH", cast(i % 50 as decimal(9,2)) / 4 as "PRICE", cast(i % 80 as {double}) as "WAIT",
  cast(case when i % 11 = 0 then {nan} else i % 2 + 1 end as {double}) as "SEX", 11960 + i % 3 as "MOB" from {series}"""
TYPED_IN = {
    "duckdb": {"small": "smallint", "double": "double", "real": "float", "nan": "'nan'", "series": "range(900) s(i)",
               "day": "cast(timestamp '2020-01-01 00:00:00' + to_days(cast(i % 5 as integer)) + to_hours(case when i % 13 = 0 then 1 else 0 end) "
                      "as timestamp)",
               "moment": "date '1969-12-30' + cast(i % 5 as integer)"},
    "postgresql": {"small": "smallint", "double": "double precision", "real": "real", "nan": "'nan'", "series": "generate_series(0, 899) s(i)",
                   "day": "timestamp '2020-01-01 00:00:00' + make_interval(days => i % 5, hours => case when i % 13 = 0 then 1 else 0 end)",
                   "moment": "date '1969-12-30' + i % 5"},
    "spark": {"small": "smallint", "double": "double", "real": "float", "nan": "double('nan')", "series": "(select cast(id as int) as i from range(900))",
              "day": "timestamp_ntz '2020-01-01 00:00:00' + make_interval(0, 0, 0, i % 5, case when i % 13 = 0 then 1 else 0 end)",
              "moment": "date_add(date '1969-12-30', i % 5)"},
}


def typed(engine):
    text = TYPED
    for name, value in TYPED_IN[engine].items():
        text = text.replace("{" + name + "}", value)
    return text.replace("'nan' else (", "cast('nan' as double precision) else (").replace("'nan' else i", "cast('nan' as double precision) else i")


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_of_other_types(engine, awkward, request, adg, tmp_path):
    """Numbers for text, doubles for whole numbers, floats, timestamps for dates: as Parquet of the same rows has them."""
    with duckdb.connect() as db:
        db.execute(f"copy ({typed('duckdb')}) to '{tmp_path / 't.parquet'}' (format parquet)")
    adg("scrape", "--dataset", awkward / "values.yaml", "--source", tmp_path, "--meta", tmp_path / "parquet", check=0)
    if engine == "duckdb":
        source = f"duckdb:{tmp_path / 'typed.duckdb'}"
        with duckdb.connect(str(tmp_path / "typed.duckdb")) as db:
            db.execute(f"create table typed as {typed(engine)}")
    elif engine == "postgresql":
        source = request.getfixturevalue("postgresql").uri()
        with psycopg.connect(source, password=PASSWORD) as db:
            db.execute(f"create table typed as {typed(engine)}")
    else:
        source = request.getfixturevalue("spark").uri
        statement = typed(engine).replace('"', "`")
        spark_statements(source, f"create table typed using parquet as {statement}")
    found = scrape(awkward / "values.yaml", source, tmp_path / "m", "--table", "t=typed")
    assert "field DAY" in found.stderr and "field REAL" in found.stderr
    assert rows_as_text(tmp_path / "m") == rows_as_text(tmp_path / "parquet")
    assert (tmp_path / "m" / "metadata.parquet").read_bytes() == (tmp_path / "parquet" / "metadata.parquet").read_bytes()


# ---- databases that are not as usual -----------------------------------------------------------------------------------

@pytest.mark.parametrize("encoding, locale", [("LATIN1", "C"), ("SQL_ASCII", "C"), ("UTF8", "en-u-ks-level2")])
def test_another_encoding_or_collation(encoding, locale, postgresql, awkward, adg, tmp_path):
    """Text is the same bytes: in a database of another encoding, and in columns in which letters of either case are equal."""
    name = f"other_{encoding.lower()}"
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        db.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0")
    rows = [["".join(c for c in v if encoding != "LATIN1" or ord(c) < 256) or None for v in row] for row in awkward_rows()]
    text = "text"
    if encoding == "UTF8":
        with psycopg.connect(postgresql.uri(name), password=PASSWORD) as db:
            db.execute(f"create collation blind (provider = icu, locale = '{locale}', deterministic = false)")
        text = "text collate blind"
    with psycopg.connect(postgresql.uri(name), password=PASSWORD, client_encoding="utf8"):
        fill_postgresql(postgresql.uri(name) + "?client_encoding=utf8", "t", rows, text)
    with open(tmp_path / "t.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([NAMES, *rows])
    adg("scrape", "--dataset", awkward / "values.yaml", "--source", tmp_path, "--meta", tmp_path / "csv", check=0)
    scrape(awkward / "values.yaml", postgresql.uri(name), tmp_path / "m", "--table", "t")
    assert rows_as_text(tmp_path / "m") == rows_as_text(tmp_path / "csv")


def test_bytes_without_an_encoding(postgresql, clinic):
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        db.execute("create database bytes encoding 'SQL_ASCII' locale 'C' template template0")
    fill_clinic(postgresql.uri("bytes") + "?client_encoding=sql_ascii", "visits", code="convert_from('\\xff'::bytea, 'SQL_ASCII')")
    said = scrape(clinic.definition, postgresql.uri("bytes"), clinic.meta, "--table", "visits", check=4)
    assert "no UTF-8" in said.stderr and not clinic.meta.exists()


CLINIC = ("create table {name} as select i as \"VISIT\", 'P' || (i % {people}) as \"PERSON\", {code} as \"CODE\", i % 4 + 20 as \"AGE\", "
          "date '2021-03-01' + i % 9 as \"SEEN\", i % 50 as \"WAIT\", (i % 2 + 1)::text as \"SEX\", '011960' as \"MOB\" "
          "from generate_series(1, {rows}) s(i)")


def fill_clinic(uri, name, code="'A'", rows=2000, people=1000):
    with psycopg.connect(uri, password=PASSWORD) as db:
        db.execute(CLINIC.format(name=name, code=code, rows=rows, people=people))


def fails(said, *words):
    assert all(word in said.stderr for word in words), said.stderr
    assert PASSWORD not in said.stderr and said.stdout == ""


def nothing_left(clinic):
    assert sorted(p.name for p in clinic.folder.iterdir()) == ["clinic.yaml", "source"]


def test_names_that_need_quoting(postgresql, clinic):
    """Names are identifiers, whatever is in them."""
    evil = 'v"; drop table "kept'
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute('create schema "Ward 7.b"')
        db.execute("create table kept (a integer)")
    quoted = '"Ward 7.b"."' + evil.replace('"', '""') + '"'
    fill_clinic(postgresql.uri(), quoted)
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute(f'alter table {quoted} rename "CODE" to code')
    scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", f"visits={quoted}")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        assert db.execute("select count(*) from kept").fetchone() == (0,)
        column = 'x" from kept; drop table kept; --'.replace('"', '""')
        db.execute(f'alter table {quoted} add "{column}" text')
    scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", f"visits={quoted}", "--skip-unknown")
    for name in ["visits; drop table kept", "pg_sleep(9)", "(select 1)"]:
        fails(scrape(clinic.definition, postgresql.uri(), clinic.folder / "n", "--table", f"visits={name}", check=4), "there is no such table")
    for name in ['"open', "a..b", '"a"b', ".a", "a."]:
        fails(scrape(clinic.definition, postgresql.uri(), clinic.folder / "n", "--table", f"visits={name}", check=2), "expected the name of a table")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        assert db.execute("select count(*) from kept").fetchone() == (0,)


# ---- what goes wrong ---------------------------------------------------------------------------------------------------

def test_wrong_password(postgresql, clinic):
    said = scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits", check=1, env=environment(PGPASSWORD="wrong one"))
    fails(said, "does not accept the user or the password")
    assert "wrong one" not in said.stderr
    nothing_left(clinic)


def test_password_file_and_service(postgresql, clinic):
    """A connection profile in place of the environment."""
    fill_clinic(postgresql.uri(), "profiled")
    (clinic.folder / "pass").write_text(f"127.0.0.1:{postgresql.port}:*:adg:{PASSWORD}\n")
    (clinic.folder / "pass").chmod(0o600)
    (clinic.folder / "services").write_text(f"[ward]\nhost=127.0.0.1\nport={postgresql.port}\nuser=adg\ndbname=postgres\n")
    env = environment(PGPASSFILE=str(clinic.folder / "pass"), PGSERVICEFILE=str(clinic.folder / "services"))
    del env["PGPASSWORD"]
    scrape(clinic.definition, "postgresql:///?service=ward", clinic.meta, "--table", "visits=profiled", env=env)
    assert PASSWORD.encode() not in b"".join(p.read_bytes() for p in clinic.meta.iterdir())


@pytest.mark.parametrize("source", ["postgresql://adg:hidden@127.0.0.1/x", "postgresql://adg@127.0.0.1/x?password=hidden",
                                    "postgresql://127.0.0.1/x?pass%77ord=hidden", "postgresql://127.0.0.1/x?sslpassword=hidden",
                                    "sc://127.0.0.1:1/;token=hidden", "sc://127.0.0.1:1/;use_ssl=true;TOKEN=hidden"])
def test_secrets_on_the_command_line(source, clinic):
    said = scrape(clinic.definition, source, clinic.meta, check=2)
    fails(said, "a secret does not belong on a command line")
    assert "hidden" not in said.stderr
    nothing_left(clinic)


@pytest.mark.parametrize("source, code, words", [
    ("postgresql://adg@127.0.0.1:{port}/x", 1, ["PostgreSQL", "no server answers there"]),
    ("sc://127.0.0.1:{port}", 1, ["Spark", "no server answers there"]),
    ("duckdb:/nowhere/t.duckdb", 4, ["there is no such file"]),
    ("duckdb:", 2, ["expected duckdb:FILE"]),
    ("adbc:sqlite?uri=x", 2, ["needs --dialect"]),
])
def test_no_server(source, code, words, clinic):
    fails(scrape(clinic.definition, source.format(port=free_port()), clinic.meta, "--table", "visits", check=code), *words)
    nothing_left(clinic)


def test_no_such_database(postgresql, clinic):
    fails(scrape(clinic.definition, postgresql.uri("nowhere"), clinic.meta, "--table", "visits", check=1), "no such database")


@pytest.mark.parametrize("source, package", [("postgresql://adg@127.0.0.1:1/x", "adbc-driver-postgresql"), ("sc://127.0.0.1:1", "adbc-driver-spark")])
def test_a_driver_that_is_not_there(source, package, clinic):
    said = scrape(clinic.definition, source, clinic.meta, "--table", "visits", check=1, env=environment(ADBC_DRIVER_PATH="/nowhere"))
    fails(said, "cannot be loaded", package)
    nothing_left(clinic)


def test_other_drivers(postgresql, clinic, tmp_path):
    """adbc:DRIVER by manifest, by path, with options from the environment; what is wrong with them."""
    fill_clinic(postgresql.uri(), "by_manifest")
    library = next(Path(driver_path().split(":")[0]).glob("*.so"))
    drivers = clinic.folder / "drivers"
    drivers.mkdir()
    (drivers / "ward.toml").write_text(f'name = "Ward"\n[ADBC]\nversion = "1.1.0"\n[Driver]\nentrypoint = "AdbcDriverPostgresqlInit"\n'
                                       f'[Driver.shared]\nlinux_amd64 = "{library}"\nlinux_arm64 = "{library}"\n')
    env = environment(ADBC_DRIVER_PATH=str(drivers), WARD_URI=f"postgresql://adg:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{postgresql.port}/postgres")
    for source in ["adbc:ward?uri=env:WARD_URI", f"adbc:{library}?uri=env:WARD_URI"]:
        scrape(clinic.definition, source, clinic.meta, "--dialect", "postgresql", "--table", "visits=by_manifest", env=env)
    other = clinic.folder / "n"
    for source, dialect, code, word in [("adbc:ward?uri=env:NOT_SET", "postgresql", 2, "NOT_SET is not set"),
                                        ("adbc:ward?uri=postgresql://a:hidden@b/c", "postgresql", 2, "does not belong on a command line"),
                                        ("adbc:ward?password=hidden", "postgresql", 2, "does not belong on a command line"),
                                        ("adbc:ward?uri", "postgresql", 2, "option=value"), ("adbc:?a=b", "postgresql", 2, "adbc:DRIVER"),
                                        ("adbc:ward?uri=env:WARD_URI", "oracle", 2, "expected duckdb, postgresql or spark"),
                                        ("adbc:ward?uri=env:WARD_URI&flavour=7", "postgresql", 1, "does not accept the option flavour"),
                                        ("adbc:empty", "postgresql", 1, "expected the library of the driver"),
                                        ("adbc:nothing", "postgresql", 1, "cannot be loaded")]:
        (drivers / "empty.toml").write_text("[Driver]\n")
        said = scrape(clinic.definition, source, other, "--dialect", dialect, "--table", "visits", check=code, env=env)
        fails(said, word)
        assert "hidden" not in said.stderr
    fails(scrape(clinic.definition, clinic.source, other, "--dialect", "spark", check=2), "--dialect is for")
    fails(scrape(clinic.definition, postgresql.uri(), other, "--dialect", "spark", check=2), "--dialect is for")


def test_tables_and_columns_that_are_not_there(postgresql, clinic):
    fill_clinic(postgresql.uri(), "incomplete")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute('alter table incomplete drop "WAIT"')
    fails(scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=nowhere.t", check=4), "nowhere.t: there is no such table")
    said = scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=incomplete")
    assert "columns of table visits are missing: WAIT" in said.stderr
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute('alter table incomplete add "SECRET" text')
    fails(scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=incomplete", check=4), "does not know the columns SECRET")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute('alter table incomplete drop "PERSON"')
    fails(scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=incomplete", check=4), "no column for the key VISIT or for PERSON")


def test_every_table_that_is_there(postgresql, clinic, adg):
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        db.execute("create database ward")
    fails(scrape(clinic.definition, postgresql.uri("ward"), clinic.meta, check=4), "holds no table of dataset clinic")
    fill_clinic(postgresql.uri("ward"), "more_visits")
    said = scrape(clinic.definition, postgresql.uri("ward"), clinic.meta)
    assert said.stdout == "more_visits\n" and "not in the source: visits" in said.stderr


def test_no_right_to_read(postgresql, clinic):
    fill_clinic(postgresql.uri(), "closed")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute(f"create role guest login password '{PASSWORD}'")
    fails(scrape(clinic.definition, postgresql.uri(user="guest"), clinic.meta, "--table", "visits=closed", check=1), "no right to read")
    nothing_left(clinic)


@pytest.mark.parametrize("kind, value", [("integer[]", "array[1]"), ("bytea", "'a'"), ("interval", "'1 day'"), ("money", "1"), ("time", "'10:00'")])
def test_types_that_no_field_can_have(kind, value, postgresql, clinic):
    fill_clinic(postgresql.uri(), "odd")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute(f'alter table odd drop "CODE"; alter table odd add "CODE" {kind} default {value}')
    try:
        fails(scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=odd", check=4), "column CODE has a type that no field can have")
    finally:
        with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
            db.execute("drop table odd")
    nothing_left(clinic)


def test_a_timestamp_where_a_number_is_expected(postgresql, clinic):
    fill_clinic(postgresql.uri(), "times")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute("""alter table times drop "WAIT"; alter table times add "WAIT" timestamp default '2021-01-01 10:00'""")
    said = scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=times")
    assert "field WAIT: about 2000 values cannot be read as integer" in said.stderr
    fails(scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=times", "--strict", check=4), "field WAIT: expected integer")


def backends(uri):
    with psycopg.connect(uri, password=PASSWORD, autocommit=True) as db:
        return db.execute("select pid, query from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%slow%'").fetchall()


@pytest.fixture
def slow(postgresql, clinic):
    """A view that takes for ever, and a scrape of it under way."""
    fill_clinic(postgresql.uri(), "fast")
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute("create view slow as select * from fast where (select pg_sleep(0.2) is not null or \"VISIT\" > 0) and "
                   "exists (select pg_sleep(0.05 + \"VISIT\" * 0))")
    process = subprocess.Popen([ADG, "scrape", "--dataset", clinic.definition, "--source", postgresql.uri(), "--meta", clinic.meta, "--table",
                                "visits=slow"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.time() + 30
    while not backends(postgresql.uri()) and time.time() < until:
        time.sleep(0.05)
    yield process
    process.kill()
    process.wait()
    with psycopg.connect(postgresql.uri(), password=PASSWORD) as db:
        db.execute("drop view slow; drop table fast")


def test_stopping_cancels_the_query(slow, postgresql, clinic):
    assert backends(postgresql.uri())
    slow.send_signal(signal.SIGINT)
    began = time.time()
    out, err = slow.communicate(timeout=20)
    assert time.time() - began < 5 and slow.returncode == 1 and "stopped by a signal" in err and out == ""
    time.sleep(0.5)
    assert backends(postgresql.uri()) == []
    nothing_left(clinic)


def test_a_server_that_goes_in_the_middle(slow, postgresql, clinic):
    with psycopg.connect(postgresql.uri(), password=PASSWORD, autocommit=True) as db:
        for pid, _ in backends(postgresql.uri()):
            db.execute("select pg_terminate_backend(%s)", [pid])
    out, err = slow.communicate(timeout=20)
    assert slow.returncode == 1 and "connection to the server was lost" in err and out == ""
    nothing_left(clinic)


CLINIC_ANYWHERE = ("select i as VISIT, 'P' || cast(i % 100 as {text}) as PERSON, 'A' as CODE, i % 4 as AGE, date '2021-03-01' as SEEN, i % 50 as WAIT, "
                   "'1' as SEX, '011960' as MOB from {series}")
FOR_EVER = " where (select sum(a.i * b.i % 7) from {long} a, {long} b) is not null"


@pytest.fixture
def start(clinic):
    """start(source, option...): a scrape under way, which does not outlive its test."""
    started = []

    def begin(source, *options):
        started.append(subprocess.Popen([ADG, "scrape", "--dataset", clinic.definition, "--source", source, "--meta", clinic.meta, *options],
                                        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def ticks(pid):
    """Time that a process has taken, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def is_busy(pid, seconds=2):
    before = ticks(pid)
    time.sleep(seconds)
    return ticks(pid) - before > 15 * seconds


def wait_until_busy(pid):
    until = time.time() + 60
    while not is_busy(pid, 1):
        assert time.time() < until


def test_stopping_ends_the_query_of_duckdb(start, clinic):
    file = clinic.folder / "t.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute("create view visits as " + CLINIC_ANYWHERE.format(text="varchar", series="range(1000) s(i)") +
                   FOR_EVER.format(long="(select i from range(300000) t(i))"))
    process = start(f"duckdb:{file}", "--table", "visits")
    wait_until_busy(process.pid)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 1 and "stopped by a signal" in err and out == ""
    file.unlink()
    nothing_left(clinic)


def test_every_table_of_a_file(clinic):
    """Without --table: those that the file has."""
    file = clinic.folder / "t.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute("create table visits as " + CLINIC_ANYWHERE.format(text="varchar", series="range(1000) s(i)"))
    assert scrape(clinic.definition, f"duckdb:{file}", clinic.meta).stdout.strip() == "visits"
    assert (clinic.meta / "metadata.parquet").exists()


def test_a_file_that_was_not_closed(clinic):
    """What was written last lies beside the file."""
    file = clinic.folder / "t.duckdb"
    rows = CLINIC_ANYWHERE.format(text="varchar", series="range(1000) s(i)")
    subprocess.run([sys.executable, "-c", f"import duckdb, os, signal\ndb = duckdb.connect({str(file)!r})\n"
                    f"db.execute({'create table visits as ' + rows!r})\nos.kill(os.getpid(), signal.SIGKILL)"])
    assert file.with_name("t.duckdb.wal").exists()
    scrape(clinic.definition, f"duckdb:{file}", clinic.meta, "--table", "visits")
    assert (clinic.meta / "metadata.parquet").exists()


def test_types_of_other_engines(spark, clinic):
    """Lists, bytes and structures where a field is expected."""
    with duckdb.connect(str(clinic.folder / "t.duckdb")) as db:
        for i, (kind, value) in enumerate([("integer[]", "[1]"), ("blob", "'a'"), ("struct(a integer)", "{'a': 1}"), ("time", "'10:00'")]):
            db.execute(f"create table odd{i} as select * replace (cast({value} as {kind}) as CODE) from (" +
                       CLINIC_ANYWHERE.format(text="varchar", series="range(10) s(i)") + ")")
    for i in range(4):
        fails(scrape(clinic.definition, f"duckdb:{clinic.folder / 't.duckdb'}", clinic.meta, "--table", f"visits=odd{i}", check=4),
              "column CODE has a type that no field can have")
    for i, value in enumerate(["array(1)", "binary('a')", "map('a', 1)"]):
        spark_statements(spark.uri, f"create view odd{i} as select VISIT, PERSON, {value} as CODE from (" +
                         CLINIC_ANYWHERE.format(text="string", series="(select id as i from range(10))") + ")")
        fails(scrape(clinic.definition, spark.uri, clinic.meta, "--table", f"visits=odd{i}", check=4), "column CODE has a type that no field can have")


def slow_spark(uri, name):
    spark_statements(uri, f"create view {name} as " + CLINIC_ANYWHERE.format(text="string", series="(select id as i from range(1000))") +
                     FOR_EVER.format(long="(select id as i from range(3000000))"))


def test_stopping_cancels_the_query_in_spark(start, spark, clinic):
    slow_spark(spark.uri, "slow")
    process = start(spark.uri, "--table", "visits=slow")
    wait_until_busy(spark.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1 and "stopped by a signal" in err and out == ""
    nothing_left(clinic)
    until = time.time() + 20
    while is_busy(spark.pid):  # the server has stopped, too
        assert time.time() < until


def test_a_spark_server_that_goes_in_the_middle(start, clinic):
    with spark_server() as server:
        slow_spark(server.uri, "slow")
        process = start(server.uri, "--table", "visits=slow")
        wait_until_busy(server.pid)
        os.killpg(server.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1 and ("connection to the server was lost" in err or "no server answers" in err) and out == "", err
        nothing_left(clinic)


def test_it_only_reads(postgresql, clinic):
    """One transaction, read-only, at one point of time; and no value of a patient in what the server logs."""
    fill_clinic(postgresql.uri(), "watched")
    before = len(postgresql.log.read_bytes())
    scrape(clinic.definition, postgresql.uri(), clinic.meta, "--table", "visits=watched")
    log = postgresql.log.read_bytes()[before:].decode()
    assert "repeatable read, read only" in log
    assert "P17" not in log and "COPY (select" in log
    statements = set(re.findall(r"(?:statement|execute [^:]*): *(\w+)", log))
    assert {s.lower() for s in statements} <= {"begin", "set", "copy", "select", "commit", "rollback", "show"}, statements


def test_what_the_client_receives(spark, awkward, adg, tmp_path):
    """Answers travel compressed: a dozen bytes for each row of metadata, and a few thousand for each query."""
    adg("generate", "--dataset", "hes", "--meta", "open", "--rows", 20_000, "--table", "hes_apc_1920", "--out", tmp_path / "rows", check=0)
    adg("generate", "--dataset", "hes", "--meta", "open", "--rows", 20_000, "--table", "hes_apc_1920", "--format", "csv", "--out", tmp_path / "csv", check=0)
    adg("scrape", "--dataset", "hes_apc", "--source", tmp_path, "--table", f"hes_apc_1920={tmp_path}/csv/artificial_hes_apc_1920.csv", "--meta",
        tmp_path / "m1", check=0)
    spark_statements(spark.uri, f"create table generated using parquet location '{tmp_path}/rows/artificial_hes_apc_1920.parquet'")
    with counting(spark.port) as (port, counter):
        scrape("hes_apc", f"sc://127.0.0.1:{port}", tmp_path / "m2", "--table", "hes_apc_1920=generated")
    assert counter.received < 12 * len(rows_as_text(tmp_path / "m2")) + 200_000, counter.received
    assert (tmp_path / "m1" / "metadata.parquet").read_bytes() == (tmp_path / "m2" / "metadata.parquet").read_bytes()


# ---- what leaves a database --------------------------------------------------------------------------------------------

def spark_events(server, since=0):
    """What Spark says that it did, behind so many events, when it has said all: its plans and its answers."""
    (log,) = (server.folder / "events").iterdir()
    until = time.time() + 60
    while True:
        events = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        events = events[since:]
        begun, ended = ({e["sessionId"] for e in of_kind(events, kind)} for kind in ("ConnectSessionStarted", "ConnectSessionClosed"))
        if begun <= ended:
            return events
        assert time.time() < until
        time.sleep(0.2)


def of_kind(events, kind):
    return [e for e in events if e["Event"].endswith(kind)]


def scans(plan, above=()):
    """Every scan of a file in a plan, with the nodes above it, the nearest first."""
    if "Scan parquet" in plan["nodeName"]:
        yield above
    for child in plan["children"]:
        yield from scans(child, (plan["nodeName"], *above))


def test_spark_counts_in_its_executors(spark, awkward, request, tmp_path):
    """Of every query the plan that was executed: rows are grouped in the task that has read them, before anything is sent on. What comes back are
    values with their counts: as many from twice the rows."""
    fill("spark", request, awkward, "counted_rows")
    rows = {}
    for times in (8, 16):  # every value is frequent then
        spark_statements(spark.uri, f"create view counted_{times} as select t.* from counted_rows t cross join (select explode(sequence(1, {times})) as i)")
        start = len(spark_events(spark))  # the view is made
        scrape(awkward / "values.yaml", spark.uri, tmp_path / str(times), "--table", f"t=counted_{times}")
        events = spark_events(spark, start)
        plans = {e["executionId"]: e["sparkPlanInfo"] for kind in ("SQLExecutionStart", "AdaptiveExecutionUpdate") for e in of_kind(events, kind)}
        above = [nodes for plan in plans.values() for nodes in scans(plan)]
        assert len(above) > 10
        for nodes in above:
            near = [n for n in nodes if "Aggregate" in n or n in ("Exchange", "BroadcastExchange", "CollectLimit", "AdaptiveSparkPlan", "ResultQueryStage")]
            assert near[0] in ("HashAggregate", "ObjectHashAggregate", "SortAggregate"), nodes
        rows[times] = sum(e["producedRowCount"] for e in of_kind(events, "ConnectOperationFinished"))
    assert 100 < rows[16] <= rows[8] + 10 < len(awkward_rows()), rows
