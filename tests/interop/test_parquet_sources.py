"""Parquet files as a source that other programs have written: names of columns in several cases, times with and without a zone."""
import os
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DEFINITION = r"""dataset: clinic
id: 7
primary_key: VISIT
patient_key: PERSON
tables: [visits]
fields:
  - {name: VISIT, type: long, pattern: '\d{12}'}
  - {name: PERSON, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: CODE, type: string, values: CATEGORICAL}
  - {name: SEEN, type: date, values: DATE}
"""


@pytest.fixture
def scraped_values(adg, tmp_path):
    """scraped_values(columns of each part, TZ): {field: {value: weight}} of a clinic with so many visits, each of a person of its own."""
    (tmp_path / "clinic.yaml").write_text(DEFINITION)

    def scrape(parts, zone="UTC"):
        folder, first = tmp_path / "source" / "visits", 0
        folder.mkdir(parents=True, exist_ok=True)
        for number, columns in enumerate(parts):
            rows = len(next(iter(columns.values())))
            keys = {"VISIT": range(first, first + rows), "PERSON": [f"P{i:012x}" for i in range(first, first + rows)]}
            pq.write_table(pa.table({**keys, **columns}), folder / f"{number}.parquet")
            first += rows
        meta = tmp_path / f"meta-{zone.replace('/', '-')}"
        adg("scrape", "--dataset", tmp_path / "clinic.yaml", "--source", tmp_path / "source", "--meta", meta, check=0, env={**os.environ, "TZ": zone})
        values = {}
        for row in pq.read_table(meta / "metadata.parquet").to_pylist():
            if row["VALUE_TYPE"] in ("CATEGORICAL", "DATE"):
                value = row["VALUE_STRING"] if row["VALUE_TYPE"] == "CATEGORICAL" else row["VALUE_DATE"]
                values.setdefault(row["FIELD_NAME"], {})[value] = row["WEIGHT"]
        return values

    return scrape


def test_names_of_columns_in_several_cases(scraped_values):
    """A column without a value in one part has values in another, where its name is written differently."""
    found = scraped_values([{"CODE": pa.array([None] * 200, pa.string())}, {"code": ["B"] * 300}])
    assert found["CODE"] == {None: 200, "B": 300}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_a_time_is_the_same_everywhere(zone, scraped_values):
    """A time with a zone stands for its time in UTC, wherever the machine is."""
    midnight = pa.array([datetime(2021, 1, 1, tzinfo=timezone.utc)] * 100, pa.timestamp("us", "UTC"))
    found = scraped_values([{"CODE": midnight, "SEEN": midnight}], zone)
    assert found["CODE"] == {"2021-01-01 00:00:00": 100}
    assert [str(day) for day in found["SEEN"]] == ["2021-01-01"]


def test_times_beyond_the_calendar(scraped_values):
    """A year that no date has is no value, be it asked for as text."""
    beyond = pa.array([9_087_000_000_000_000_000] * 100 + [0] * 100, pa.int64()).cast(pa.timestamp("us"))
    found = scraped_values([{"CODE": beyond}])
    assert found["CODE"] == {None: 100, "1970-01-01 00:00:00": 100}
