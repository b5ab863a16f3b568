"""Artificial tables in Spark: as data frames, and written by adg's own Parquet writer.

    df = adg.spark.read(spark, "hes_apc_2021", patients=1_000_000)
    adg.spark.write(spark, "hes_apc_2021", "/data/hes_apc_2021", patients=100_000_000)

Both share a table out as ranges of its blocks (16,384 rows each), one range per partition, and give the very rows of `adg generate`, with any number of
partitions. Nothing but this package has to be on the workers; read() also wants pyarrow there, which Spark wants for Arrow anyway. On Spark 4 there is
`spark.read.format("adg")`, too: see the package `pyspark_adg`.
"""
from __future__ import annotations

import ctypes
import errno
import os
import shutil
import time
import uuid
from functools import lru_cache
from typing import NamedTuple

from . import Error, FailedError, Table, UsageError, _count, _names, _source, _whole, table

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


class _Job(NamedTuple):
    """What a worker needs to plan a table, as something that can be hashed and sent."""

    arguments: tuple
    provenance: str  # of the driver's plan: what it was made from, with the hashes of definition and metadata


@lru_cache(maxsize=2)
def _planned(job: _Job) -> Table:
    """On a worker, once per process and job: Spark uses its workers again."""
    made = table(**dict(job.arguments))
    if made._plan.provenance != job.provenance:
        raise FailedError(f"table {made.name}: this worker has other metadata, or another version of adg, than the driver")
    return made


def _plan(name: str, dataset: str | os.PathLike[str], options: dict[str, Any]) -> tuple[_Job, Table]:
    """On the driver, from what is there now."""
    arguments = _arguments(name, dataset, options)
    made = table(**dict(arguments))
    return _Job(arguments, made._plan.provenance), made


def _arguments(name: str, dataset: str | os.PathLike[str], options: dict[str, Any]) -> tuple:
    """What `adg.table` takes; refused here what can be, on the driver."""
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

def _read_ranges(batches: Iterator[pyarrow.RecordBatch], job: _Job, columns: tuple[str, ...] | None,
                 ranges: list[tuple[int, int]]) -> Iterator[pyarrow.RecordBatch]:
    """On a worker: batches of ids, which are numbers of ranges, become the ranges' rows."""
    made = _planned(job)
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
    job, made = _plan(table, dataset, options)
    names = _names(columns)
    ranges = _ranges(made.num_blocks, partitions, READ_BLOCKS)
    schema = _spark_schema(made if names is None else made.select(names))

    def read_partition(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        return _read_ranges(batches, job, names, ranges)

    return spark.range(0, len(ranges), 1, len(ranges)).mapInArrow(read_partition, schema)


# ---- writing --------------------------------------------------------------------------------------------------------------

class _Part(NamedTuple):
    """What a task reports of a file that it has written."""

    number: int
    file: str  # in the staging folder
    rows: int
    bytes: int
    statistics: str  # as the log of a Delta table has them


def _write_part(job: _Job, staging: str, compression: str, number: int, first: int, end: int) -> _Part:
    """On a worker: one file, in a folder of this attempt's own."""
    attempt = f"{number:05}-{uuid.uuid4().hex}"
    os.mkdir(os.path.join(staging, attempt))  # fails when the job is over: an attempt that nobody waits for any more
    file = os.path.join(attempt, "part.parquet")
    part = _planned(job).blocks(first, end)
    kinds = ("auto", "zstd", "none")
    _, size, statistics = part._plan.write_parquet(part._first, part._end, kinds.index(compression), os.path.join(staging, file))
    return _Part(number, file, part.num_rows, size, statistics)


def _local(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if text.startswith("file://"):
        text = text[len("file://"):]
    if ":/" in text:
        raise UsageError(f"path {text}: expected a folder that driver and workers mount under the same name, not an address; write there, and copy")
    return os.path.abspath(text)


def _part_name(number: int, parts: int) -> str:
    return f"part-{number:05}-of-{parts:05}.parquet"


def _check(parts: list[_Part], ranges: list[tuple[int, int]], made: Table, staging: str) -> list[_Part]:
    """The attempts that Spark reported, in order, without empty files; a table without rows has its columns in one."""
    if sorted(part.number for part in parts) != list(range(len(ranges))):
        raise FailedError("Spark reported other parts than there are: nothing was written")
    if sum(part.rows for part in parts) != made.num_rows:
        raise FailedError("the parts have other rows than the table: nothing was written")
    for part in parts:
        if os.path.getsize(os.path.join(staging, part.file)) != part.bytes:
            raise FailedError(f"part {part.number} has another size than its task reported: nothing was written")
    return [part for part in sorted(parts) if part.rows > 0 or (made.num_rows == 0 and part.number == 0)]


def _sync(folder: str) -> None:
    """The folder's entries outlast a loss of power, where the file system can do that."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(at)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(at)


def _exchange(one: str, other: str) -> bool:
    """Each gets the other's name, in one step; False: this system, or the file system, cannot do it."""
    at_cwd, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0:
        return True
    failed = ctypes.get_errno()
    if failed in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(failed, os.strerror(failed), other)


def _publish(ready: str, path: str, mode: str, job: str) -> None:
    """Puts the folder into place. Under mode "error" nothing is replaced, not even what has come since the job began; under "overwrite" there is a table at
    every moment, unless the file system cannot exchange names: then for the time between two renames there is none."""
    parent = os.path.dirname(path)
    _sync(ready)
    if mode == "error" or not os.path.lexists(path):
        try:
            os.rename(ready, path)  # onto a folder that has files in it, or onto a file, it fails
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            if mode == "error":
                raise FailedError(f"path {path} has been made by somebody else meanwhile: nothing was written") from error
        else:
            _sync(parent)
            return
    if not _exchange(ready, path):
        aside = f"{parent}/.{os.path.basename(path)}.{job}.old"
        os.rename(path, aside)
        try:
            os.rename(ready, path)
        except OSError:
            os.rename(aside, path)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    _sync(parent)


def _publish_folder(parts: list[_Part], count: int, staging: str, ready: str, path: str, mode: str, job: str) -> None:
    """A folder of Parquet files: made beside the place, and put there as a whole."""
    os.mkdir(ready)
    for part in parts:
        os.rename(os.path.join(staging, part.file), os.path.join(ready, _part_name(part.number, count)))
    with open(os.path.join(ready, "_SUCCESS"), "wb"):
        pass
    _publish(ready, path, mode, job)


def _publish_delta(parts: list[_Part], staging: str, target: Any, path: str, provenance: str) -> None:
    """A version of a Delta table: files under names that no other job has, then the commit that names them."""
    unique, moved = uuid.uuid4().hex, []
    created = not os.path.lexists(path)
    os.makedirs(path, exist_ok=True)
    try:
        for part in parts:
            name = f"part-{part.number:05}-{unique}.parquet"
            os.rename(os.path.join(staging, part.file), os.path.join(path, name))
            moved.append((name, part.rows, part.bytes, part.statistics))
        _sync(os.path.dirname(path))
        _, failed = target.commit(tuple(moved), provenance, str(uuid.uuid4()), time.time_ns() // 1_000_000)
    except (Error, OSError):  # and nothing else: an interrupt may come when the version is there, which needs its files
        for name, *_ in moved:
            os.unlink(os.path.join(path, name))
        for folder in (os.path.join(path, "_delta_log"), path) if created else ():
            try:
                os.rmdir(folder)
            except OSError:  # somebody else's files are in it, or it is not there
                pass
        raise
    if failed is not None:
        raise FailedError(f"the version was committed, and may be lost with the machine: {failed}")


_DELTA_MODES = ("error", "append", "overwrite")  # in the order of enum adg_delta_mode


def write(spark: SparkSession, table: str, path: str | os.PathLike[str], *, dataset: str | os.PathLike[str] = "hes", format: str = "parquet",
          partitions: int | None = None, mode: str = "error", compression: str = "auto", **options: Any) -> int:
    """Writes a table as a folder of Parquet files, or as a Delta table, many times as fast as Spark's own writer. Returns how many rows were written.

    Tasks write files with adg's writer, each attempt in a folder of its own beside `path`; when all are done, the driver takes the file of one attempt
    per part, and gives the folder its name or commits to the Delta table. A task that is retried or runs twice leaves nothing double, and readers see all of
    the rows or none; after a failure what was there before is there still.

    table: its name; dataset and the options rows, patients, seed, profile, metadata, trust, release and allow_unreleased are those of `adg.table`.
    path: a folder that driver and workers mount under the same name; its parent must exist. Files of a folder are called part-IIIII-of-NNNNN.parquet.
    format: "parquet", or "delta": a Delta table.
    partitions: how many files; default: one per 1,048,576 rows.
    mode: "error" refuses a path that exists. "overwrite" replaces a folder; of a Delta table it makes a version without the rows that were there, and fails
        when somebody else has committed since the job began. "append" is for Delta tables: a version with these rows, too; the columns must be the same. Delta
        tables with a checkpoint, features, partition columns or a protocol above 1, 2 are left to Spark: InputError.
    compression: "auto", "zstd" or "none".
    """
    for name, value, kinds in (("format", format, ("parquet", "delta")), ("mode", mode, _DELTA_MODES if format == "delta" else ("error", "overwrite")),
                               ("compression", compression, ("auto", "zstd", "none"))):
        if value not in kinds:
            raise UsageError(f"{name}: expected one of {', '.join(kinds)}, not {value!r}")
    path = _local(path)
    planned, made = _plan(table, dataset, options)
    ranges = _ranges(made.num_blocks, partitions, WRITE_BLOCKS)
    if mode == "error" and os.path.lexists(path):
        raise UsageError(f"path {path} exists: remove it, or say what becomes of it with mode=")
    if format == "parquet" and os.path.lexists(os.path.join(path, "_delta_log")):
        raise UsageError(f"path {path} is a Delta table, whose history would end: say format='delta'")
    target = made._plan.delta_target(path, _DELTA_MODES.index(mode)) if format == "delta" else None
    job = f"adg-{uuid.uuid4().hex}"
    beside = f"{os.path.dirname(path)}/.{os.path.basename(path)}.{job}"
    staging, ready = f"{beside}.parts", f"{beside}.ready"
    write_part = _write_part

    def write_partition(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        for batch in batches:
            for number in batch.column(0).to_pylist():
                part = write_part(planned, staging, compression, number, *ranges[number])
                yield pyarrow.RecordBatch.from_pydict({name: [value] for name, value in zip(("number", "file", "rows", "bytes", "statistics"), part)})

    os.mkdir(staging)
    try:
        done = (spark.range(0, len(ranges), 1, len(ranges))
                .mapInArrow(write_partition, "number long, file string, rows long, bytes long, statistics string").collect())
        parts = _check([_Part(*row) for row in done], ranges, made, staging)
        if format == "delta":
            _publish_delta(parts, staging, target, path, planned.provenance)
        else:
            _publish_folder(parts, len(ranges), staging, ready, path, mode, job)
    finally:
        for folder in (staging, ready):
            shutil.rmtree(folder, ignore_errors=True)
    return made.num_rows
