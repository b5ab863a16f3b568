"""What the log of a Delta table says, held against its rows."""
import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable


def commits(path):
    """The actions of every version."""
    return [[json.loads(line) for line in entry.read_text().splitlines()] for entry in sorted((path / "_delta_log").glob("*.json"))]


def written(value):
    """As a log has a bound."""
    if isinstance(value, datetime.datetime):
        return value.strftime(f"%Y-%m-%dT%H:%M:%S.{value.microsecond // 1000:03}Z")
    return value.isoformat() if isinstance(value, datetime.date) else value


def check_statistics(path, version=0):
    """Nulls and bounds that the version, which names one file, has for every column are those of the rows. Returns how many columns have bounds."""
    rows = DeltaTable(path, version=version).to_pyarrow_table()
    (stats,) = (json.loads(a["add"]["stats"], parse_float=Decimal) for a in commits(path)[version] if "add" in a)
    assert stats["numRecords"] == rows.num_rows
    assert stats["nullCount"] == {name: rows[name].null_count for name in rows.column_names}
    expected = {name: pc.min_max(rows[name]).as_py() for name in rows.column_names
                if rows[name].null_count < rows.num_rows and not pa.types.is_boolean(rows[name].type)}
    for bound, values in (("min", stats["minValues"]), ("max", stats["maxValues"])):
        found = {name: float(value) if pa.types.is_floating(rows[name].type) else value for name, value in values.items()}
        assert found == {name: written(both[bound]) for name, both in expected.items()}
    return len(expected)
