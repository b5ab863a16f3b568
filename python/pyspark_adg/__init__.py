"""The data source "adg" of Spark 4: tables of artificial rows.

    spark.read.format("adg").option("table", "hes_apc_2021").option("patients", 1_000_000).load()
    spark.read.format("adg").option("table", "hes_apc_2021").option("rows", 1_000_000).schema("SEX string, ADMIDATE date").load()

Options: table, dataset (default "hes"), patients or rows, seed, profile, metadata, trust, release, allow_unreleased ("true"), partitions (default: one per 262,144
rows; several per core are best). `.schema(...)` chooses columns, whose types must be those that the table has; only they are made. Spark 4 finds the
source by its name; where it does not, `spark.dataSource.register(pyspark_adg.DefaultSource)`. Spark 3.5 has no such sources: `adg.spark.read` does the same there.
"""
from __future__ import annotations

from dataclasses import dataclass

try:
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
except ImportError as error:
    raise ImportError("this Spark has no data sources in Python, which came with 4.0: use adg.spark.read") from error

import adg.spark
from adg import InputError, Table, UsageError

TYPE_CHECKING = False  # as in adg
if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow
    from pyspark.sql.types import StructType

__all__ = ["DefaultSource"]

_NUMBERS = ("patients", "rows", "seed", "partitions")
_TEXTS = ("table", "dataset", "metadata", "trust", "release", "profile", "allow_unreleased")


@dataclass
class Range(InputPartition):
    """Blocks first .. end - 1."""

    first: int
    end: int


def _options(options: dict[str, str]) -> dict:
    """Options are texts, and their names in any case."""
    found: dict = {}
    for name, value in options.items():
        key = name.lower()
        if key in _NUMBERS:
            if not (value.isascii() and value.isdigit()):
                raise UsageError(f"option {key}: expected a whole number, not {value!r}")
            found[key] = int(value)
        elif key == "allow_unreleased":
            if value.lower() not in ("true", "false"):
                raise UsageError(f"option {key}: expected true or false, not {value!r}")
            found[key] = value.lower() == "true"
        elif key in _TEXTS:
            found[key] = value
        else:
            raise UsageError(f"option {name}: expected one of {', '.join(_TEXTS + _NUMBERS)}")
    if "table" not in found:
        raise UsageError("option table: the name of a table is needed")
    return found


class DefaultSource(DataSource):
    """What `format("adg")` is: see the module."""

    @classmethod
    def name(cls) -> str:
        return "adg"

    def _plan(self) -> tuple[adg.spark._Job, Table, int | None]:
        options = _options(self.options)
        partitions = options.pop("partitions", None)
        return (*adg.spark._plan(options.pop("table"), options.pop("dataset", "hes"), options), partitions)

    def schema(self) -> StructType:
        return adg.spark._spark_schema(self._plan()[1])

    def reader(self, schema: StructType) -> DataSourceReader:
        job, made, partitions = self._plan()
        theirs = {field.name.lower(): field for field in adg.spark._spark_schema(made)}
        for field in schema:
            there = theirs.get(field.name.lower())
            if there is None:
                raise InputError(f"table {made.name} has no column {field.name}")
            if there.dataType != field.dataType:
                raise InputError(f"column {field.name}: expected {there.dataType.simpleString()}, not {field.dataType.simpleString()}")
        return Reader(job, tuple(field.name for field in schema), adg.spark._ranges(made.num_blocks, partitions, adg.spark.READ_BLOCKS))


class Reader(DataSourceReader):
    """Columns of a table, a partition per range of blocks."""

    def __init__(self, job: adg.spark._Job, columns: tuple[str, ...], ranges: list[tuple[int, int]]) -> None:
        self._job = job
        self._columns = columns
        self._ranges = ranges

    def partitions(self) -> list[Range]:
        return [Range(first, end) for first, end in self._ranges]

    def read(self, partition: Range) -> Iterator[pyarrow.RecordBatch]:
        made = adg.spark._planned(self._job).select(self._columns)
        for batch in adg.spark._batches(made.blocks(partition.first, partition.end)):
            yield batch.rename_columns(list(self._columns))
