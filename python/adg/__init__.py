"""Artificial hospital data, made where they are asked for.

    import adg, polars
    frame = polars.DataFrame(adg.table("hes_apc", "hes_apc_2021", patients=100_000))

What comes back is an object of the Arrow PyCapsule interface: pyarrow, pandas, Polars, DuckDB and others take it as it is, as often as they
like. Rows are made when they are read, in batches of 16,384, and are the very rows of `adg generate` for the same dataset, metadata, seed and number.
"""
from __future__ import annotations

import os
import warnings

from . import _adg
from ._adg import Error, FailedError, InputError, RefusedError, UsageError

TYPE_CHECKING = False  # type checkers know better; typing takes longer to import than all of adg
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

__all__ = ["Error", "FailedError", "InputError", "Metadata", "RefusedError", "Schema", "Table", "Tables", "UsageError", "metadata", "schema",
           "table", "tables"]
__version__ = _adg.version

BLOCK_ROWS = 16_384
_OPEN_FOLDER = os.path.join(os.path.dirname(__file__), "open")

Error.__doc__ = "Whatever adg refuses or cannot do; the message says what, and what to do."
FailedError.__doc__ = "Something failed at run time: reading or writing, or there was no memory."
UsageError.__doc__ = "An argument, or two together, make no sense."
RefusedError.__doc__ = "Refused on disclosure grounds: metadata that nobody has shown to be released, or that were changed."
InputError.__doc__ = "The input does not fit: no such dataset, table or column, or a file that is malformed."


def _whole(name: str, value: Any, least: int, most: int) -> int:
    """The number, which may be one of NumPy's."""
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError(f"{name}: expected a whole number, not {type(value).__name__}") from None
    if isinstance(value, bool):
        raise TypeError(f"{name}: expected a whole number, not bool")
    if not least <= number <= most:
        raise UsageError(f"{name}: expected a whole number from {least} to {most}, not {number}")
    return number


def _count(name: str, value: Any) -> int:
    """0 for None."""
    return 0 if value is None else _whole(name, value, 1, 2**63 - 1)


def _names(columns: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(columns, str):
        raise TypeError("columns: expected a sequence of names, not one text")
    if columns is None:
        return None
    names = tuple(columns)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"columns: expected names, not {type(name).__name__}")
    return names


def _source(metadata: str | os.PathLike[str], release: str | None, trust: str | os.PathLike[str] | None, allow_unreleased: bool) -> tuple:
    folder = os.fspath(metadata)
    if folder == "open" and (release is not None or trust is not None or allow_unreleased):
        raise UsageError("metadata='open' is released with the package: trust, release and allow_unreleased are for other metadata")
    if trust is not None and allow_unreleased:
        raise UsageError("trust and allow_unreleased exclude each other")
    if folder != "open" and trust is None and not allow_unreleased:
        raise RefusedError(f"metadata {folder} has not been shown to be released: say with trust= whose signatures count; for work on your own "
                           "data, take it with allow_unreleased=True")
    return folder, _OPEN_FOLDER, release, None if trust is None else os.fspath(trust), bool(allow_unreleased)


class Schema:
    """The columns of a table, in order, as an Arrow schema: `pyarrow.schema(schema)`."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __arrow_c_schema__(self) -> object:
        """A capsule "arrow_schema": a struct of the columns."""
        return self._make()


class Tables:
    """Tables of a dataset: columns `dataset` (utf8), `table` (utf8), `columns` (int32, how many), a row per table."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule "arrow_array_stream" of one batch."""
        return _adg.tables(self._dataset)


class Metadata:
    """The metadata table, a batch per table: see `metadata`."""

    def __init__(self, arguments: tuple) -> None:
        self._arguments = arguments

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule "arrow_array_stream". The folder is read, and verified, when this is called."""
        return _adg.metadata(*self._arguments)


class Table:
    """A table that is made while it is read, or a range of its blocks, or some of its columns. Made by `table`.

    It may be read as often as one likes, by several threads at a time, each with a stream of its own. A stream keeps what it needs, whatever becomes of this
    object, and batches keep what they need, whatever becomes of the stream.
    """

    def __init__(self, plan: Any, dataset: str, name: str, columns: tuple[str, ...] | None, dictionaries: bool, first: int, end: int) -> None:
        self._plan = plan
        self._columns = columns
        self._dictionaries = dictionaries
        self._first = first
        self._end = end
        self.dataset = dataset
        self.name = name

    @property
    def num_rows(self) -> int:
        """Rows; of all blocks before the last, and so of ranges without it, 16,384 a block."""
        rows = self._plan.rows
        return max(0, min(self._end * BLOCK_ROWS, rows) - self._first * BLOCK_ROWS)

    @property
    def num_blocks(self) -> int:
        """Blocks of 16,384 rows, of which the last one may have fewer."""
        return self._end - self._first

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self._plan.columns if self._columns is None else self._columns

    def __len__(self) -> int:
        return self.num_rows

    def __repr__(self) -> str:
        return f"<adg.Table {self.name}: {self.num_rows:,} rows, {len(self.column_names)} columns>"

    def blocks(self, first: int, end: int) -> Table:
        """The rows of blocks `first` to `end` - 1, counted from this table's first: for sharing work out. Nothing is planned again."""
        first = _whole("first", first, 0, self.num_blocks)
        end = _whole("end", end, first, self.num_blocks)
        return Table(self._plan, self.dataset, self.name, self._columns, self._dictionaries, self._first + first, self._first + end)

    def select(self, columns: Sequence[str]) -> Table:
        """The same rows with these columns, in this order; only they are made. InputError: there is no such column."""
        chosen = Table(self._plan, self.dataset, self.name, _names(columns), self._dictionaries, self._first, self._end)
        chosen.__arrow_c_schema__()  # refuses what is not there
        return chosen

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule "arrow_array_stream" over the rows, a batch per block. A requested schema is not looked at: consumers cast."""
        return self._plan.stream(self._first, self._end, self._columns, self._dictionaries)

    def __arrow_c_schema__(self) -> object:
        """A capsule "arrow_schema": a struct of the columns, as the stream has it."""
        return self._plan.schema(self._first, self._end, self._columns, self._dictionaries)

    def write_parquet(self, path: str | os.PathLike[str], *, compression: str = "auto") -> int:
        """Writes all columns of the rows as one Parquet file, with adg's own writer, on this thread; other threads of Python go on.

        `compression` is "auto", "zstd" or "none". The file appears under its name when it is complete, replacing another. Returns its bytes.
        """
        kinds = ("auto", "zstd", "none")
        if compression not in kinds:
            raise UsageError(f"compression: expected one of {', '.join(kinds)}, not {compression!r}")
        if self._columns is not None and self._columns != self._plan.columns:
            raise UsageError("write_parquet writes all columns: of a choice of them, write the Arrow stream")
        return self._plan.write_parquet(self._first, self._end, kinds.index(compression), os.fspath(path))[1]


def table(dataset: str | os.PathLike[str], table: str, *, rows: int | None = None, patients: int | None = None, seed: int = 1,
          columns: Sequence[str] | None = None, metadata: str | os.PathLike[str] = "open", trust: str | os.PathLike[str] | None = None,
          release: str | None = None, allow_unreleased: bool = False, profile: str = "coherent", dictionaries: bool = True,
          threads: int | None = None) -> Table:
    """A table of artificial rows.

    dataset: a built-in one ("hes_apc", "hes_op", "hes_ae", or "hes" for all three) or a definition file.
    table: its name, such as "hes_apc_2021".
    rows, patients: how many, from 1; exactly one of the two is given.
    seed: 0 to 2^64 - 1. The same dataset, metadata, seed and number give the same rows, on any machine.
    columns: these, in this order, names in any case; only they are made. Default: all, in the definition's order.
    metadata: "open", which come with the package, or the folder of a release store; with allow_unreleased, a metadata folder too.
    trust: the folder of the public keys whose signatures count: reviewer/*.pub and approver/*.pub.
    release: which one of the store, by its hash; default: the last one.
    allow_unreleased: for work on one's own data: takes metadata that nobody has reviewed and released.
    profile: "coherent": people, keys, dates and codes belong together, and `patients` are people who appear in the table or not; "reference": every field is
        drawn by itself, for so many patients of the table's own.
    dictionaries: texts whose values are listed come as dictionary<int32, utf8>, else as utf8; numbers, decimals and dates always as themselves.
    threads: for planning, which draws how many rows each patient has; default: all cores.

    Everything that can be refused is refused here: RefusedError, InputError, UsageError, all of which are an adg.Error. Takes some
    tenths of a second, and 16 bytes of memory per 4,096 patients.
    """
    folder, open_folder, release, trust_folder, allow = _source(metadata, release, trust, allow_unreleased)
    counts = _count("patients", patients), _count("rows", rows)
    if (patients is None) == (rows is None):
        raise UsageError("exactly one of rows and patients is needed")
    if profile not in ("coherent", "reference"):
        raise UsageError(f"profile: expected coherent or reference, not {profile!r}")
    plan = _adg.plan(os.fspath(dataset), folder, open_folder, release, trust_folder, allow, table, *counts,
                     _whole("seed", seed, 0, 2**64 - 1), 0, 1, 0 if threads is None else _whole("threads", threads, 1, 4096), profile == "coherent")
    for line in plan.warnings:
        warnings.warn(line, stacklevel=2)
    made = Table(plan, os.fspath(dataset), table, None, bool(dictionaries), 0, plan.blocks)
    return made if columns is None else made.select(columns)


def tables(dataset: str | os.PathLike[str] = "hes") -> Tables:
    """The tables of a dataset, as Arrow: `dataset`, `table`, `columns`, a row per table. InputError: there is no such dataset."""
    _adg.tables(os.fspath(dataset))
    return Tables(os.fspath(dataset))


def schema(dataset: str | os.PathLike[str], table: str) -> Schema:
    """The columns of a table, as an Arrow schema without dictionaries. Needs no metadata. InputError: there is no such table."""
    _adg.schema(os.fspath(dataset), table)
    return Schema(lambda: _adg.schema(os.fspath(dataset), table))


def metadata(dataset: str | os.PathLike[str], table: str | None = None, *, metadata: str | os.PathLike[str] = "open",
             trust: str | os.PathLike[str] | None = None, release: str | None = None, allow_unreleased: bool = False) -> Metadata:
    """What rows are drawn from, as Arrow: the metadata table, of one table or of all that the dataset has.

    Columns: TABLE_NAME, FIELD_NAME, VALUE_TYPE and VALUE_STRING (utf8), VALUE_NUMERIC (float64), VALUE_DATE (date32), VALUE_STRING_ARRAY (list of utf8),
    VALUE_NUMERIC_ARRAY (list of float64), WEIGHT (float64, a count that was rounded and suppressed), WEIGHT_ARRAY (list of float64). A row per value
    that was kept, in canonical order; a batch per table. The other arguments are those of `table`. All of "hes" are millions of rows.
    """
    made = Metadata((os.fspath(dataset), *_source(metadata, release, trust, allow_unreleased), table))
    made.__arrow_c_stream__()  # refuses what is to be refused, now
    return made
