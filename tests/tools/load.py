"""Puts a CSV file into a database, with columns of the types that a definition says or of text throughout."""
import csv

import adbc_driver_spark.dbapi
import duckdb
import psycopg
from servers import PASSWORD

TYPES = {
    "duckdb": {"string": "varchar", "integer": "integer", "long": "bigint"},
    "postgresql": {"string": "text", "integer": "integer", "long": "bigint", "double": "double precision"},
    "spark": {"string": "string", "integer": "int", "long": "bigint"},
}


def columns_of(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return next(csv.reader(file))


def casts(engine, columns, types, quote):
    """A column of text as each type; whole numbers may have a point and zeros behind it."""
    out = []
    for name in columns:
        column = f"{quote}{name}{quote}"
        kind = types.get(name.upper(), "string")
        target = TYPES[engine].get(kind, kind)
        inner = f"cast({column} as decimal(38,6))" if kind in ("integer", "long") else column
        out.append(f"cast({inner} as {target}) as {column}")
    return ", ".join(out)


def into_duckdb(file, path, name, types):
    """`types`: by field, None for text."""
    columns = columns_of(path)
    read = ", ".join(f"'{c}': 'varchar'" for c in columns)
    with duckdb.connect(str(file)) as db:
        db.execute("create schema if not exists hes")
        db.execute(f"create table hes.{name} as select {casts('duckdb', columns, types or {}, chr(34))} from read_csv(?, header = true, "
                   f"auto_detect = false, delim = ',', quote = '\"', nullstr = '', columns = {{{read}}})", [str(path)])


def into_postgresql(uri, path, name, types, schema="hes"):
    columns = columns_of(path)
    with psycopg.connect(uri, password=PASSWORD) as db:
        db.execute(f"create schema if not exists {schema}")
        listed = ", ".join(f'"{c}" text' for c in columns)
        db.execute(f"create temp table loaded ({listed})")
        with db.cursor().copy("copy loaded from stdin (format csv, header true)") as copy:
            copy.write(path.read_bytes())
        db.execute(f"create table {schema}.{name} as select {casts('postgresql', columns, types or {}, chr(34))} from loaded")
        db.execute("drop table loaded")


def spark_statements(uri, *statements):
    """Runs them, and gives the rows of the last one."""
    with adbc_driver_spark.dbapi.connect(uri) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            rows = cursor.fetch_arrow_table().to_pylist()
    return rows


def into_spark(uri, path, name, types):
    columns = columns_of(path)
    listed = ", ".join(f"`{c}` string" for c in columns)
    spark_statements(uri, "create schema if not exists hes",
                     f"create table hes.{name}_text ({listed}) using csv options (header 'true', quote '\"', escape '\"') location '{path}'",
                     f"create table hes.{name} using parquet as select {casts('spark', columns, types or {}, '`')} from hes.{name}_text")
