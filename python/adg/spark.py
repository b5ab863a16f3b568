"""Artificial tables in Spark: as data frames, and written by adg's own Parquet writer.

    df = adg.spark.read(spark, "hes_apc_2021", patients=1_000_000)
    adg.spark.write(spark, "hes_apc_2021", "/data/hes_apc_2021", patients=100_000_000)

Both share a table out as ranges of its blocks (16,384 rows each), one range per partition, and give the very rows of `adg generate`, with any number of
partitions. Nothing but this package has to be on the workers; read() also wants pyarrow there, which Spark wants for Arrow anyway. On Spark 4 there is
`spark.read.format("adg")`, too: see the package `pyspark_adg`.
"""
from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from functools import lru_cache

from . import FailedError, Table, UsageError, _count, _names, _source, _whole, __version__, table

TYPE_CHECKING = False  # as in __init__.py
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["read", "write"]

READ_BLOCKS = 16  # of a partition that is read: 262,144 rows
WRITE_BLOCKS = 64  # of a file that is written: 1,048,576 rows
BATCH_ROWS = 8192  # of what Spark is handed at a time
_MOST_PARTITIONS = 99_999  # five digits in a file's name


@lru_cache(maxsize=2)
def _planned(arguments: tuple) -> Table:
    """Once per process and table: Spark uses its workers again."""
    return table(**dict(arguments))


def _arguments(name: str, dataset: str | os.PathLike[str], options: dict[str, Any]) -> tuple:
    """What a worker needs to plan the table, as something that can be hashed and sent; refused here what can be, on the driver."""
    options = {"metadata": "open", **options}
    for count in ("rows", "patients"):
        if options.get(count) is not None:
            options[count] = _count(count, options[count])
    for path in ("metadata", "trust"):
        if options.get(path) is not None and options[path] != "open":
            options[path] = os.path.abspath(os.fspath(options[path]))
    _source(options["metadata"], options.get("release"), options.get("trust"), options.get("allow_unreleased", False))
    return tuple(sorted({**options, "dataset": os.fspath(dataset), "table": name, "dictionaries": False, "threads": 1}.items()))


def _ranges(blocks: int, partitions: int | None, default_blocks: int) -> list[tuple[int, int]]:
    """(first, end) of each partition; all differ by at most a block, none is empty unless there are too many."""
    if partitions is None:
        partitions = min(max(1, -(-blocks // default_blocks)), _MOST_PARTITIONS)
    partitions = _whole("partitions", partitions, 1, _MOST_PARTITIONS)
    return [(blocks * i // partitions, blocks * (i + 1) // partitions) for i in range(partitions)]


def _batches(made: Table) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    for batch in pyarrow.RecordBatchReader.from_stream(made):
        for first in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(first, BATCH_ROWS)


def _spark_schema(made: Table) -> Any:
    """The columns as Spark's StructType, all nullable."""
    import pyarrow
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(pyarrow.schema(made), prefer_timestamp_ntz=True)


# ---- reading --------------------------------------------------------------------------------------------------------------

def _read_ranges(batches: Iterator[pyarrow.RecordBatch], arguments: tuple, columns: tuple[str, ...] | None,
                 ranges: list[tuple[int, int]]) -> Iterator[pyarrow.RecordBatch]:
    """On a worker: batches of ids, which are numbers of ranges, become the ranges' rows."""
    made = _planned(arguments)
    if columns is not None:
        made = made.select(columns)
    for batch in batches:
        for number in batch.column(0).to_pylist():
            yield from _batches(made.blocks(*ranges[number]))


def read(spark: SparkSession, table: str, *, dataset: str | os.PathLike[str] = "hes", columns: Sequence[str] | None = None,
         partitions: int | None = None, **options: Any) -> DataFrame:
    """A table as a data frame whose rows are made when they are read, every time. For Spark 3.5 and later.

    table: its name; dataset, columns and the options rows, patients, seed, profile, metadata, trust, release and allow_unreleased are those of `adg.table`.
    partitions: how many; default: one per 262,144 rows. Spark reads partitions at the same time, so there should be several per core.

    Metadata and keys must be where every worker finds them under the same path. Refused here, before Spark does anything, is what `adg.table` refuses.
    """
    arguments = _arguments(table, dataset, options)
    made = _planned(arguments)
    names = _names(columns)
    ranges = _ranges(made.num_blocks, partitions, READ_BLOCKS)
    schema = _spark_schema(made if names is None else made.select(names))

    def read_partition(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        return _read_ranges(batches, arguments, names, ranges)

    return spark.range(0, len(ranges), 1, len(ranges)).mapInArrow(read_partition, schema)


# ---- writing --------------------------------------------------------------------------------------------------------------

def _write_part(arguments: tuple, staging: str, compression: str, number: int, first: int, end: int) -> tuple[str, int, int]:
    """On a worker: one file, in a folder of this attempt's own. Its path within the staging folder, its rows and bytes."""
    attempt = f"{number:05}-{uuid.uuid4().hex}"
    os.mkdir(os.path.join(staging, attempt))  # fails when the job is over: an attempt that nobody waits for any more
    file = os.path.join(attempt, "part.parquet")
    part = _planned(arguments).blocks(first, end)
    size = part.write_parquet(os.path.join(staging, file), compression=compression)
    return file, part.num_rows, size


def _local(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if text.startswith("file://"):
        text = text[len("file://"):]
    if ":/" in text:
        raise UsageError(f"path {text}: expected a folder that driver and workers mount under the same name, not an address; write there, and copy")
    return os.path.abspath(text)


def _part_name(number: int, parts: int) -> str:
    return f"part-{number:05}-of-{parts:05}.parquet"


def _commit(rows: list[tuple[int, str, int, int]], ranges: list[tuple[int, int]], made: Table, staging: str, ready: str) -> None:
    """The files of the attempts that Spark reported, and no others, into the folder `ready`."""
    if sorted(number for number, *_ in rows) != list(range(len(ranges))):
        raise FailedError("Spark reported other parts than there are: nothing was written")
    if sum(count for _, _, count, _ in rows) != made.num_rows:
        raise FailedError("the parts have other rows than the table: nothing was written")
    for number, file, _, size in rows:
        if os.path.getsize(os.path.join(staging, file)) != size:
            raise FailedError(f"part {number} has another size than its task reported: nothing was written")
    os.mkdir(ready)
    for number, file, count, _ in rows:
        if count > 0 or (made.num_rows == 0 and number == 0):  # a table without rows has its columns
            os.rename(os.path.join(staging, file), os.path.join(ready, _part_name(number, len(ranges))))


def _publish(ready: str, path: str, job: str) -> None:
    """Puts the folder into place, and what was there before, if anything, out of it."""
    if not os.path.lexists(path):
        os.rename(ready, path)
        return
    aside = f"{os.path.dirname(path)}/.{os.path.basename(path)}.{job}.old"
    os.rename(path, aside)
    try:
        os.rename(ready, path)
    except OSError:
        os.rename(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _write_log(rows: list[tuple[int, str, int, int]], schema: Any, arguments: tuple, ready: str) -> None:
    """Version 0 of a Delta table (https://github.com/delta-io/delta/blob/master/PROTOCOL.md): its schema, and every file of `ready`."""
    told = {key: value for key, value in arguments if key in ("dataset", "table", "rows", "patients", "seed", "profile", "release")}
    now = time.time_ns() // 1_000_000
    actions = [
        {"commitInfo": {"timestamp": now, "operation": "CREATE TABLE AS SELECT", "operationParameters": {"isManaged": "false", "partitionBy": "[]"},
                        "isBlindAppend": True, "engineInfo": f"adg/{__version__}", "adg": told}},
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"id": str(uuid.uuid4()), "format": {"provider": "parquet", "options": {}}, "schemaString": schema.json(), "partitionColumns": [],
                      "configuration": {}, "createdTime": now}},
    ]
    for number, _, count, size in sorted(rows):
        name = _part_name(number, len(rows))
        if os.path.exists(os.path.join(ready, name)):
            actions.append({"add": {"path": name, "partitionValues": {}, "size": size, "modificationTime": now, "dataChange": True,
                                    "stats": json.dumps({"numRecords": count})}})
    os.mkdir(os.path.join(ready, "_delta_log"))
    with open(os.path.join(ready, "_delta_log", f"{0:020}.json"), "w", encoding="utf-8") as log:
        log.writelines(json.dumps(action, separators=(",", ":")) + "\n" for action in actions)
        log.flush()
        os.fsync(log.fileno())


def write(spark: SparkSession, table: str, path: str | os.PathLike[str], *, dataset: str | os.PathLike[str] = "hes", format: str = "parquet",
          partitions: int | None = None, mode: str = "error", compression: str = "auto", **options: Any) -> int:
    """Writes a table as a folder of Parquet files, or as a Delta table, many times as fast as Spark's own writer. Returns how many rows it has.

    Tasks write files with adg's writer, each attempt in a folder of its own beside `path`; when all are done, the driver takes the file of one attempt
    per part and gives the folder its name. A task that is retried or runs twice leaves nothing double, and readers see all of the table or nothing; after a
    failure what was there before is there still.

    table: its name; dataset and the options rows, patients, seed, profile, metadata, trust, release and allow_unreleased are those of `adg.table`.
    path: a folder that driver and workers mount under the same name; its parent must exist. Files are called part-IIIII-of-NNNNN.parquet.
    format: "parquet", or "delta": a new Delta table, of one version.
    partitions: how many files; default: one per 1,048,576 rows.
    mode: "error" refuses a path that exists, "overwrite" replaces it; a Delta table, which has a history to keep, is not replaced.
    compression: "auto", "zstd" or "none".
    """
    for name, value, kinds in (("format", format, ("parquet", "delta")), ("mode", mode, ("error", "overwrite")),
                               ("compression", compression, ("auto", "zstd", "none"))):
        if value not in kinds:
            raise UsageError(f"{name}: expected one of {', '.join(kinds)}, not {value!r}")
    if format == "delta" and mode != "error":
        raise UsageError("format delta makes new tables: mode='overwrite' would end the history of one that is there")
    target = _local(path)
    arguments = _arguments(table, dataset, options)
    made = _planned(arguments)
    ranges = _ranges(made.num_blocks, partitions, WRITE_BLOCKS)
    if mode == "error" and os.path.lexists(target):
        raise UsageError(f"path {target} exists: remove it, or say mode='overwrite'")
    schema = _spark_schema(made)
    if format == "delta" and "timestamp_ntz" in schema.simpleString():
        raise UsageError(f"table {made.name} has a timestamp without a time zone, for which Delta needs a feature that is not written here")
    job = f"adg-{uuid.uuid4().hex}"
    beside = f"{os.path.dirname(target)}/.{os.path.basename(target)}.{job}"
    staging, ready = f"{beside}.parts", f"{beside}.ready"
    write_part = _write_part

    def write_partition(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        for batch in batches:
            for number in batch.column(0).to_pylist():
                file, count, size = write_part(arguments, staging, compression, number, *ranges[number])
                yield pyarrow.RecordBatch.from_pydict({"part": [number], "file": [file], "rows": [count], "bytes": [size]})

    os.mkdir(staging)
    try:
        done = spark.range(0, len(ranges), 1, len(ranges)).mapInArrow(write_partition, "part long, file string, rows long, bytes long").collect()
        rows = [tuple(row) for row in done]
        _commit(rows, ranges, made, staging, ready)
        if format == "delta":
            _write_log(rows, schema, arguments, ready)
        else:
            with open(os.path.join(ready, "_SUCCESS"), "wb"):
                pass
        _publish(ready, target, job)
    finally:
        for folder in (staging, ready):
            shutil.rmtree(folder, ignore_errors=True)
    return made.num_rows
