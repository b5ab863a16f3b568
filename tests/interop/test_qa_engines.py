"""adg qa --source: tables in a database get the report that their files get."""
import json
import shutil

import adbc_driver_postgresql.dbapi
import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import run
from load import spark_statements
from recompute import load_dataset
from servers import PASSWORD, environment, free_port, postgresql, spark  # noqa: F401 fixtures

ENGINES = ["duckdb", "postgresql", "spark"]
TABLES = ["hes_apc_2021", "hes_op_2021", "hes_ae_2021"]
ROWS = 1500

DEFINITION = """dataset: values
id: 9
primary_key: K
patient_key: P
tables: [t]
fields:
  - {name: K, type: long, pattern: '\\d{12}'}
  - {name: P, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: CODE, type: string, values: CATEGORICAL}
  - {name: REAL, type: double, values: CATEGORICAL}
  - {name: EXACT, type: 'decimal(9,2)', values: CATEGORICAL}
  - {name: DAY, type: date, values: DATE}
  - {name: MOMENT, type: timestamp, values: CATEGORICAL}
  - {name: YES, type: boolean, values: CATEGORICAL}
  - {name: COUNTED, type: long, values: DISCRETE}
  - {name: LENGTH, type: double, values: CONTINUOUS}
  - {name: PRICE, type: 'decimal(9,2)', values: CONTINUOUS}
  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}
  - {name: MOB, type: string, values: DEMOGRAPHIC_DATE}
"""


def qa(dataset, meta, source, result, *options, check=0, env=None):
    """The result, and the process."""
    said = run("qa", "--dataset", dataset, "--meta", meta, "--source", source, "--json", result, *options, check=check, env=env or environment())
    return json.loads(result.read_text()) if result.exists() else None, said


def without_place(report):
    """The report without what is said of files, database and provenance."""
    tables = [{k: v for k, v in t.items() if k not in ("files", "relation", "profile_from")} for t in report["tables"]]
    return {**{k: v for k, v in report.items() if k != "engine"}, "tables": tables,
            "fields": [{k: v for k, v in f.items() if not isinstance(v, float)} for f in report["fields"]]}


def numbers(report):
    return [v for f in report["fields"] for v in f.values() if isinstance(v, float)]


def same(found, expected):
    assert without_place(found) == without_place(expected)
    assert numbers(found) == pytest.approx(numbers(expected), rel=1e-8, abs=1e-12)  # a sum of doubles depends on its order


def move_into(engine, request, folder, tables, schema="qa"):
    """`tables`: Arrow tables by name; gives the source."""
    if engine == "duckdb":
        with duckdb.connect(str(folder / "t.duckdb")) as db:
            db.execute(f"create schema if not exists {schema}")
            for name, table in tables.items():
                db.register("rows", table)
                db.execute(f"create or replace table {schema}.{name} as select * from rows")
        return f"duckdb:{folder / 't.duckdb'}"
    if engine == "postgresql":
        uri = request.getfixturevalue("postgresql").uri()
        with psycopg.connect(uri, password=PASSWORD) as db:
            db.execute(f"create schema if not exists {schema}")
        with adbc_driver_postgresql.dbapi.connect(uri.replace("adg@", f"adg:{PASSWORD.replace(' ', '%20')}@")) as db, db.cursor() as cursor:
            for name, table in tables.items():
                cursor.adbc_ingest(name, table, mode="replace", db_schema_name=schema)
            db.commit()
        return uri
    uri = request.getfixturevalue("spark").uri
    statements = [f"create schema if not exists {schema}"]
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
        statements += [f"drop table if exists {schema}.{name}", f"create table {schema}.{name} using parquet location '{folder / name}.parquet'"]
    spark_statements(uri, *statements)
    return uri


def read(folder, names):
    return {name: pq.read_table(folder / f"artificial_{name}.parquet") for name in names}


def named(names, schema="qa"):
    return [word for name in names for word in ("--table", f"{name}={schema}.{name}")]


def replace(table, name, values):
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))


@pytest.fixture(scope="module")
def made(adg, tmp_path_factory):
    """A few rows of each dataset, of the open metadata."""
    out = tmp_path_factory.mktemp("made")
    adg("generate", "--dataset", "hes", "--meta", "open", "--rows", ROWS, *[w for t in TABLES for w in ("--table", t)], "--out", out, check=0)
    return out


@pytest.fixture(scope="module")
def spoiled(made, tmp_path_factory):
    """The same with a fault for every kind of check."""
    out = tmp_path_factory.mktemp("spoiled")
    for name in TABLES:
        table = pq.read_table(made / f"artificial_{name}.parquet")
        key = load_dataset(name[:-5])["primary_key"]
        keys = table[key].to_pylist()
        table = replace(table, key, [keys[1], *keys[1:]])
        for field in ("DIAG_3_01", "SEX", "STARTAGE", "APPTAGE", "ARRIVALAGE", "DEPTIME", "DISDATE", "EPIDUR", "MYDOB", "RTTPERSTAT"):
            if field in table.column_names:
                values = table[field].to_pylist()
                table = replace(table, field, [values[(i + 7) % len(values)] if i % 3 == 0 else v for i, v in enumerate(values)])
        field = {"hes_apc_2021": "ADMIMETH", "hes_op_2021": "ATTENDED", "hes_ae_2021": "AEARRIVALMODE"}[name]
        values = table[field].to_pylist()
        table = replace(table, field, [values[0] if i % 2 else v for i, v in enumerate(values)])
        table = replace(table, "SEX", ["?" if i < 3 else v for i, v in enumerate(table["SEX"].to_pylist())])
        pq.write_table(table, out / f"artificial_{name}.parquet")
    shutil.copy(made / "provenance.json", out)
    return out


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_the_report_of_files(engine, made, request, tmp_path):
    folder = shutil.copytree(made, tmp_path / "files")
    expected, there = qa("hes", "open", folder, tmp_path / "files.json")  # a folder is a source, too
    assert expected == json.loads((folder / "qa.json").read_text()) and expected["result"] == "pass"
    source = move_into(engine, request, tmp_path, read(made, TABLES))
    found, said = qa("hes", "open", source, tmp_path / "found.json", *named(TABLES), "--report", tmp_path / "page.html")
    same(found, expected)
    assert said.stdout == there.stdout and "checked as profile coherent: nothing says" in said.stderr and "qa.hes_ae_2021" in (tmp_path / "page.html").read_text()
    assert [t["relation"] for t in found["tables"]] == [f"qa.{t}" for t in TABLES] and all(t["files"] == [] for t in found["tables"])
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["files", "files.json", "found.json", "page.html", *["t.duckdb"] * (engine == "duckdb")])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_findings_of_files(engine, spoiled, request, tmp_path):
    names = TABLES if engine != "spark" else TABLES[1:]  # each field is a query, and costs Spark a while
    folder = tmp_path / "files"
    folder.mkdir()
    for name in names:
        shutil.copy(spoiled / f"artificial_{name}.parquet", folder)
    shutil.copy(spoiled / "provenance.json", folder)
    expected, _ = qa("hes", "open", folder, tmp_path / "files.json", check=4)
    checks = {f["check"] for f in expected["findings"]}
    assert {"unique key", "foreign value", "share", "derived", "length", "age"} <= checks and ("birth" in checks or "hes_apc_2021" not in names)
    source = move_into(engine, request, tmp_path, read(spoiled, names), schema="spoiled")
    found, said = qa("hes", "open", source, tmp_path / "found.json", *named(names, "spoiled"), "--profile", "coherent", check=4)
    same(found, expected)
    assert "tables of the database do not fit" in said.stderr and "checked as profile" not in said.stderr


@pytest.fixture(scope="module")
def values(adg, tmp_path_factory):
    """Fields of every type."""
    folder = tmp_path_factory.mktemp("values")
    (folder / "values.yaml").write_text(DEFINITION)
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"""copy (select i as K, 'P' || (i % 700) as P, ['a', 'A', 'á', E'\\\\', '''', ' a'][i % 6 + 1] as CODE, (i % 5) / 8.0 as REAL,
                   cast(i % 9 * 0.25 as decimal(9,2)) as EXACT, date '1969-12-28' + cast(i % 8 as integer) as DAY,
                   timestamptz '1969-12-31 23:59:58+00' + to_seconds(i % 5) as MOMENT, i % 3 = 0 as YES, i % 7 - 3 as COUNTED,
                   (i % 97) / 7.0 as LENGTH, cast(i % 80 as decimal(9,2)) / 4 as PRICE, cast(i % 700 % 2 + 1 as varchar) as SEX, '0' || (i % 700 % 9 + 1) || '1960' as MOB
                   from range(5000) s(i)) to '{folder / 't.parquet'}' (format parquet)""")
    adg("scrape", "--dataset", folder / "values.yaml", "--source", folder, "--meta", folder / "m", check=0)
    for form in ("parquet", "csv"):
        adg("generate", "--dataset", folder / "values.yaml", "--meta", folder / "m", "--allow-unreleased", "--rows", 3000, "--format", form, "--out", folder / form, check=0)
    return folder


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", [False, True])
def test_every_type(engine, fault, values, request, tmp_path):
    table = pq.read_table(values / "parquet" / "artificial_t.parquet")
    shutil.copytree(values / "parquet", tmp_path / "parquet")
    if fault:
        for name in table.column_names[2:]:
            column = table[name].to_pylist()
            table = replace(table, name, [column[0] if i % 2 else v for i, v in enumerate(column)])
        pq.write_table(table, tmp_path / "parquet" / "artificial_t.parquet")
    expected, _ = qa(values / "values.yaml", values / "m", tmp_path / "parquet", tmp_path / "files.json", check=4 * fault)
    assert len({f["field"] for f in expected["findings"]}) == (11 if fault else 0)
    if not fault:
        csv, _ = qa(values / "values.yaml", values / "m", values / "csv", tmp_path / "csv.json")
        same(csv, expected)
    source = move_into(engine, request, tmp_path, {f"typed{fault}": table})
    found, _ = qa(values / "values.yaml", values / "m", source, tmp_path / "found.json", "--table", f"t=qa.typed{fault}", check=4 * fault)
    same(found, expected)


def test_columns_in_any_order_and_case(values, request, tmp_path):
    table = pq.read_table(values / "parquet" / "artificial_t.parquet")
    expected, _ = qa(values / "values.yaml", values / "m", values / "parquet", tmp_path / "files.json")
    turned = table.select(table.column_names[::-1]).rename_columns([n.lower() for n in table.column_names[::-1]])
    source = move_into("postgresql", request, tmp_path, {"turned": turned})
    same(qa(values / "values.yaml", values / "m", source, tmp_path / "found.json", "--table", "t=qa.turned")[0], expected)


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_what_generate_loaded(engine, values, request, tmp_path):
    """Its tables are found by their names, and what they were made from by their comments."""
    def execute(statement):
        if engine == "duckdb":
            with duckdb.connect(str(tmp_path / "t.duckdb")) as db:
                db.execute(statement)
        else:
            with psycopg.connect(uri, password=PASSWORD, autocommit=True) as db:
                db.execute(statement)

    def findings(check, meta=values / "m", *options):
        report, said = qa(values / "values.yaml", meta, source, tmp_path / "found.json", *options, check=check)
        assert "checked as" not in said.stderr
        return report["tables"][0], [(f["field"], f["check"], f["found"]) for f in report["findings"]]

    if engine == "postgresql":
        server = request.getfixturevalue("postgresql")
        with psycopg.connect(server.uri(), password=PASSWORD, autocommit=True) as db:
            db.execute("create database loaded")
        source = uri = server.uri("loaded")
    else:
        source = f"duckdb:{tmp_path / 't.duckdb'}"
    make = ["generate", "--dataset", values / "values.yaml", "--meta", values / "m", "--allow-unreleased", "--profile", "reference", "--out", source]
    run(*make, "--rows", 2000, check=0, env=environment())
    table, found = findings(0)
    assert found == [] and (table["profile"], table["profile_from"], table["relation"], table["rows"]) == ("reference", "provenance", "artificial_t", 2000)
    execute("delete from artificial_t where \"K\" = (select min(\"K\") from artificial_t)")
    assert (None, "rows", "there are 1999 rows, 2000 were planned") in findings(4)[1]
    shutil.copytree(values / "m", tmp_path / "other")
    run("scrape", "--dataset", values / "values.yaml", "--source", values, "--meta", tmp_path / "other", "--rounding", 1, check=0)
    assert findings(4, tmp_path / "other")[1][0][1] == "provenance"
    execute("comment on table artificial_t is 'somebody''s own words {'")
    table, found = findings(4, values / "m", "--profile", "reference")
    assert table["profile_from"] == "option" and "rows" not in [check for _, check, _ in found]


@pytest.fixture
def in_postgresql(values, request, postgresql, tmp_path):
    """Table qa.t; call(options, check): a run over it."""
    move_into("postgresql", request, tmp_path, {"t": pq.read_table(values / "parquet" / "artificial_t.parquet")})

    def call(*options, check, source=postgresql.uri(), env=None):
        return qa(values / "values.yaml", values / "m", source, tmp_path / "found.json", *options, check=check, env=env)

    return call


def execute(server, *statements):
    with psycopg.connect(server.uri(), password=PASSWORD) as db:
        for statement in statements:
            db.execute(statement)


def fails(done, *words):
    report, said = done
    assert report is None and all(word in said.stderr for word in words), said.stderr
    assert PASSWORD not in said.stderr and said.stdout == ""


def test_names_that_need_quoting(in_postgresql, postgresql):
    evil = 'v"; drop table "kept'
    quoted = '"Ward 7.b"."' + evil.replace('"', '""') + '"'
    execute(postgresql, 'create schema "Ward 7.b"', "create table kept (a integer)", f"create table {quoted} as select * from qa.t")
    report, _ = in_postgresql("--table", f"t={quoted}", check=0)
    assert report["tables"][0]["relation"] == quoted
    execute(postgresql, "select * from kept")


def test_nothing_but_reading(in_postgresql, postgresql):
    start = postgresql.log.stat().st_size
    in_postgresql("--table", "t=qa.t", check=0)
    said = postgresql.log.read_text()[start:]
    statements = [line.split(":", 3)[-1].strip().lower() for line in said.splitlines() if " LOG:  " in line and ("statement:" in line or "execute" in line)]
    assert any("read only" in s for s in statements) and any("count(*)" in s for s in statements)
    assert not [s for s in statements if s.startswith(("insert", "create", "copy (select *", "update", "drop"))]


def test_a_database_that_is_not_to_be_had(in_postgresql, postgresql):
    fails(in_postgresql("--table", "t=qa.t", check=1, env=environment(PGPASSWORD="wrong")), "does not accept the user or the password")
    fails(in_postgresql("--table", "t=qa.t", check=1, source=f"postgresql://adg@127.0.0.1:{free_port()}/postgres"), "no server answers there")
    fails(in_postgresql("--table", "t=qa.t", check=2, source=postgresql.uri().replace("adg@", "adg:hidden@")), "PGPASSWORD")
    execute(postgresql, "drop role if exists reader", f"create role reader login password '{PASSWORD}'", "grant usage on schema qa to reader")
    fails(in_postgresql("--table", "t=qa.t", check=1, source=postgresql.uri(user="reader")), "the user has no right to read it")


def test_tables_that_do_not_fit(in_postgresql, postgresql):
    fails(in_postgresql("--table", "t=qa.nowhere", check=4), "table t: qa.nowhere: there is no such table")
    fails(in_postgresql(check=4), "holds no table of dataset values")
    fails(in_postgresql("--table", "u=qa.t", check=4), "u")
    execute(postgresql, "create table qa.less as select * from qa.t", 'alter table qa.less drop "CODE", add "NOTE" text',
            'alter table qa.less alter "DAY" type text using "DAY"::text, alter "COUNTED" type bytea using null, alter "K" type numeric')
    report, said = in_postgresql("--table", "t=qa.less", check=4)
    assert {(f["field"], f["check"], f["found"]) for f in report["findings"]} == {
        (None, "schema", "column CODE is missing"), (None, "schema", "column NOTE is not the definition's"),
        ("DAY", "schema", "the column's type is text, expected date"), ("K", "schema", "the column's type is decimal, expected whole number"),
        ("COUNTED", "schema", "the column's type is one that no field can have, expected whole number")}
    assert said.stdout == "t\tfail\t0\n" and report["fields"] == []


def test_decimals_with_more_digits(in_postgresql, postgresql):
    execute(postgresql, "create table qa.fine as select * from qa.t", 'alter table qa.fine alter "EXACT" type numeric',
            'update qa.fine set "EXACT" = "EXACT" + 0.001 where "K" in (select "K" from qa.t limit 2)')
    report, _ = in_postgresql("--table", "t=qa.fine", check=4)
    assert [(f["field"], f["check"], f["found"]) for f in report["findings"]] == [("EXACT", "schema", "2 rows have more than 2 digits behind the point")]


@pytest.mark.parametrize("options, words", [
    ([], "--data DIR and --source"),
    (["--data", "{folder}", "--source", "{folder}"], "--data DIR and --source"),
    (["--data", "{folder}", "--table", "t"], "--table"),
    (["--source", "{folder}", "--dialect", "spark"], "--dialect"),
    (["--source", "postgresql://h/d", "--table", "t=a..b"], "--table"),
    (["--source", "postgresql://h/d", "--table", "=b"], "--table"),
    (["--source", "postgresql://h/d", "--profile", "other"], "--profile"),
    (["--source", "postgresql://h/d", "--table", "t", "--table", "t=u"], "twice"),
])
def test_wrong_usage(options, words, values, tmp_path):
    said = run("qa", "--dataset", values / "values.yaml", "--meta", values / "m", *[o.replace("{folder}", str(tmp_path)) for o in options],
               check=2, env=environment())
    assert words in said.stderr and said.stdout == "" and not list(tmp_path.iterdir())
