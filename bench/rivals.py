"""What people use instead, each in a process of its own: `python rivals.py WORK ARGUMENT...` prints core-seconds, seconds and peak MB
of the work alone, without loading what it starts from.

    duckdb-parquet-text | duckdb-parquet-enum | duckdb-csv   SOURCE TARGET THREADS   COPY of a table in DuckDB's memory
    polars-parquet | polars-csv                              SOURCE TARGET THREADS   a frame of Enum columns, written
    numpy-parquet | numpy-csv                                SOURCE TARGET THREADS   drawn with NumPy from SOURCE's shares, written by PyArrow
    duckdb-group | polars-group                              SOURCE - THREADS        count of every column's values, a query each
    duckdb-csv-count                                         SOURCE - THREADS        one pass over a CSV that counts every column
"""
import json
import os
import resource
import sys
import time


def measured(work):
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    work()
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, after.ru_maxrss / 1024


def duckdb_table(source, threads, enums):
    import duckdb
    connection = duckdb.connect()
    connection.execute(f"set threads={threads}; set preserve_insertion_order=false")
    columns = connection.execute("describe select * from read_parquet(?)", [source]).fetchall()
    parts = []
    for i, (name, *_) in enumerate(columns):
        distinct = connection.execute(f'select count(distinct "{name}") from read_parquet(?)', [source]).fetchone()[0]
        if enums and 0 < distinct <= 60_000:
            connection.execute(f'create type e{i} as enum (select distinct cast("{name}" as varchar) from read_parquet(\'{source}\') '
                               f'where "{name}" is not null order by 1)')
            parts.append(f'cast(cast("{name}" as varchar) as e{i}) as "{name}"')
        else:
            parts.append(f'cast("{name}" as varchar) as "{name}"')
    connection.execute(f"create table t as select {', '.join(parts)} from read_parquet('{source}')")
    return connection


def duckdb_copy(source, target, threads, enums, options):
    connection = duckdb_table(source, threads, enums)
    return lambda: connection.execute(f"copy t to '{target}' ({options})")


def polars_frame(source):
    import polars
    frame = polars.read_parquet(source)
    converted = []
    for name in frame.columns:
        values = frame[name].cast(polars.String).unique().drop_nulls().sort()
        if 0 < len(values) <= 60_000:
            converted.append(frame[name].cast(polars.String).cast(polars.Enum(values)))
        else:
            converted.append(frame[name])
    return polars.DataFrame(converted)


def polars_write(source, target, csv):
    frame = polars_frame(source)
    return lambda: frame.write_csv(target) if csv else frame.write_parquet(target, compression="zstd", compression_level=1)


def numpy_generate(source, target, csv):
    """Every column drawn anew by its shares: one uniform number per row, looked up in the cumulative shares; text stays a dictionary.
    Columns of which nearly every value is different are copied, which flatters the rival: drawing them would cost more."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq
    table = pq.read_table(source)
    rows, plans = table.num_rows, []
    for name in table.column_names:
        column = table[name].combine_chunks()
        counts = column.value_counts()
        if len(counts) > rows // 4 or len(counts) == 1:
            plans.append((name, column, None))
            continue
        values = counts.field("values")
        order = np.argsort(values.is_null().to_numpy(zero_copy_only=False), kind="stable")  # null last
        shares = np.cumsum(counts.field("counts").to_numpy()[order]) / rows
        plans.append((name, values.drop_null(), shares))
    rng = np.random.default_rng(int.from_bytes(os.urandom(8)))

    def work():
        arrays = []
        for name, values, plan in plans:
            if plan is None:
                arrays.append(values)
                continue
            codes = np.minimum(np.searchsorted(plan, rng.random(rows), side="right"), len(plan) - 1).astype(np.int32)
            mask = codes == len(values) if len(plan) > len(values) else None
            arrays.append(pa.DictionaryArray.from_arrays(pa.array(codes, mask=mask), values))
        made = pa.table(arrays, names=[p[0] for p in plans])
        if csv:
            plain = pa.table([a.dictionary_decode() if isinstance(a, pa.DictionaryArray) else a for a in arrays], names=made.column_names)
            pyarrow.csv.write_csv(plain, target)
        else:
            pq.write_table(made, target, compression="zstd", compression_level=1)
    return work


def group_duckdb(source, threads):
    import duckdb
    connection = duckdb.connect()
    connection.execute(f"set threads={threads}")
    names = [r[0] for r in connection.execute("describe select * from read_parquet(?)", [source]).fetchall()]

    def work():
        for name in names:
            connection.execute(f'select "{name}", count(*) from read_parquet(\'{source}\') group by 1').fetchall()
    return work


def group_polars(source):
    import polars
    names = polars.read_parquet_schema(source)

    def work():
        for name in names:
            polars.scan_parquet(source).group_by(name).len().collect()
    return work


def count_csv(source, threads):
    import duckdb
    connection = duckdb.connect()
    connection.execute(f"set threads={threads}")
    names = [r[0] for r in connection.execute(f"describe select * from read_csv('{source}', all_varchar=true)").fetchall()]
    counts = ", ".join(f'count("{n}")' for n in names)
    return lambda: connection.execute(f"select {counts} from read_csv('{source}', all_varchar=true)").fetchall()


def main():
    work, source, target, threads = sys.argv[1:5]
    os.environ["POLARS_MAX_THREADS"] = threads
    made = {
        "duckdb-parquet-text": lambda: duckdb_copy(source, target, threads, False, "format parquet, compression zstd"),
        "duckdb-parquet-enum": lambda: duckdb_copy(source, target, threads, True, "format parquet, compression zstd"),
        "duckdb-csv": lambda: duckdb_copy(source, target, threads, False, "format csv, header"),
        "polars-parquet": lambda: polars_write(source, target, False),
        "polars-csv": lambda: polars_write(source, target, True),
        "numpy-parquet": lambda: numpy_generate(source, target, False),
        "numpy-csv": lambda: numpy_generate(source, target, True),
        "duckdb-group": lambda: group_duckdb(source, threads),
        "polars-group": lambda: group_polars(source),
        "duckdb-csv-count": lambda: count_csv(source, threads),
    }[work]()
    cores, wall, peak = measured(made)
    print(json.dumps({"core_seconds": cores, "seconds": wall, "peak_mb": peak, "bytes": os.path.getsize(target) if target != "-" else 0}))


if __name__ == "__main__":
    main()
