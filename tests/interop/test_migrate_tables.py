"""Artificial tables of an older version, written here by PyArrow: converted, or left as they are."""
import datetime
import decimal
import random
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ADG, run, run_and_kill

DEFINITION = """dataset: ward
id: 78
primary_key: KEY
tables: [stays, beds]
fields:
  - {name: KEY, type: long, pattern: '[0-9]{12}'}
  - {name: CODE, type: string, values: CATEGORICAL}
  - {name: SIZE, type: integer, values: CATEGORICAL}
  - {name: PRICE, type: 'decimal(9,2)', values: CATEGORICAL}
  - {name: COST, type: double, values: CONTINUOUS}
  - {name: START, type: date, values: DATE}
  - {name: LATER, type: string, values: CATEGORICAL}
"""
DAY = datetime.date(2020, 2, 29)
OLD = {"code": pa.array([1.0, 2.5, None] * 100), "KEY": pa.array([str(10**11 + i) for i in range(300)]), "EXTRA": pa.array(["x"] * 300),
       "SIZE": pa.array(["7", "54.0", ""] * 100), "PRICE": pa.array([1.25, 3.0, None] * 100), "COST": pa.array(["0.1", "1e3", None] * 100),
       "START": pa.array([datetime.datetime(2020, 2, 29), None, datetime.datetime(1800, 1, 1)] * 100, pa.timestamp("us"))}
NEW = {"KEY": [10**11 + i for i in range(300)], "CODE": ["1", "2.5", None] * 100, "SIZE": [7, 54, None] * 100,
       "PRICE": [decimal.Decimal("1.25"), decimal.Decimal("3.00"), None] * 100, "COST": [0.1, 1000.0, None] * 100,
       "START": [DAY, None, datetime.date(1800, 1, 1)] * 100, "LATER": [None] * 300}
TYPES = [pa.int64(), pa.string(), pa.int32(), pa.decimal128(9, 2), pa.float64(), pa.date32(), pa.string()]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "ward.yaml").write_text(DEFINITION)
    folder = tmp_path / "data"
    folder.mkdir()
    pq.write_table(pa.table(OLD), folder / "artificial_stays.parquet")
    (folder / "notes.parquet").write_bytes(b"not ours")
    return folder


def command(data, *options):
    return ["migrate", "tables", "--data", str(data), "--dataset", str(data.parent / "ward.yaml"), *options]


def contents(data):
    return {p.name: p.read_bytes() for p in data.iterdir()}


def converted(data):
    table = pq.read_table(data / "artificial_stays.parquet")
    return table.to_pydict() == NEW and table.schema.types == TYPES


def test_other_forms_are_named(data):
    """A table as CSV, in parts or as an Arrow stream stays as it is, and a warning says so."""
    (data / "artificial_beds").mkdir()
    (data / "artificial_beds.csv").write_text("KEY\n1\n")
    (data / "artificial_beds.arrows").write_bytes(b"")
    said = run(*command(data), check=0)
    assert said.stdout == "stays\n"
    for form in ["artificial_beds", "artificial_beds.csv", "artificial_beds.arrows"]:
        assert f"/{form} is not converted: only single Parquet files are\n" in said.stderr
    assert (data / "artificial_beds.csv").read_text() == "KEY\n1\n"


def test_converts_and_a_second_run_changes_nothing(data):
    done = run(*command(data), check=0)
    assert done.stdout == "stays\n" and "EXTRA" in done.stderr
    assert converted(data)
    assert sorted(contents(data)) == ["artificial_stays.parquet", "notes.parquet"] and contents(data)["notes.parquet"] == b"not ours"
    before = contents(data)
    assert run(*command(data), check=0).stdout == "" and contents(data) == before


def test_the_backup_is_kept_when_asked_for(data):
    old = contents(data)["artificial_stays.parquet"]
    run(*command(data, "--keep-backup"), check=0)
    assert converted(data) and contents(data)["artificial_stays.parquet.backup"] == old


@pytest.mark.parametrize("column, values, said", [
    ("SIZE", ["7", "54.5", "x"], "SIZE (200 as integer)"), ("SIZE", ["7", "3000000000", ""], "SIZE (100 as integer)"),
    ("PRICE", [1.255, 1.0, None], "PRICE (100 as decimal(9,2))"), ("PRICE", [float("nan"), 1.0, 1e30], "PRICE (200 as decimal(9,2))"),
    ("START", ["2020-02-30", "2020-02-29", "x"], "START (200 as date)"), ("code", [1e300, 1.0, 2.0], "CODE (100 as string)"),
    ("START", [datetime.datetime(2020, 2, 29, 12), None, None], "START (100 as date)")])
def test_values_that_do_not_fit(column, values, said, data):
    pq.write_table(pa.table({**OLD, column: pa.array(values * 100)}), data / "artificial_stays.parquet")
    before = contents(data)
    done = run(*command(data), check=4)
    assert said in done.stderr and "54.5" not in done.stderr and "02-30" not in done.stderr and done.stdout == ""
    assert contents(data) == before


def test_a_table_that_is_bad_does_not_hold_up_the_others(data):
    (data / "artificial_beds.parquet").write_bytes(b"PAR1 no")
    done = run(*command(data), check=4)
    assert done.stdout == "stays\n" and converted(data)
    assert contents(data)["artificial_beds.parquet"] == b"PAR1 no"


def test_a_foreign_backup_is_not_overwritten(data):
    (data / "artificial_stays.parquet.backup").write_bytes(b"somebody's")
    before = contents(data)
    assert "in the way" in run(*command(data), check=1).stderr
    assert contents(data) == before


def test_tables_that_are_missing(data):
    assert "there is no such file" in run(*command(data, "--table", "beds"), check=4).stderr
    run(*command(data, "--table", "unknown"), check=4)


def test_no_space_replaces_nothing(data):
    pq.write_table(pa.table({**OLD, "code": pa.array([random.Random(i).random() for i in range(300)])}), data / "artificial_stays.parquet")
    before = contents(data)
    done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "-", ADG, *command(data)], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert contents(data) == before


def test_killed_at_50_random_points_loses_nothing(data):
    """Under the name or the backup's there is always the old table whole, or the new one is in place; a rerun completes."""
    file, backup = data / "artificial_stays.parquet", data / "artificial_stays.parquet.backup"
    old, chance, killed = file.read_bytes(), random.Random(2), 0
    for _ in range(50):
        file.write_bytes(old)
        backup.unlink(missing_ok=True)
        killed += run_and_kill(command(data), chance.uniform(0, 0.07))
        assert file.read_bytes() == old or converted(data)
        assert not backup.exists() or backup.read_bytes() == old
        run(*command(data), check=0)
        assert converted(data)
        assert sorted(contents(data)) == ["artificial_stays.parquet", "notes.parquet"]
    assert killed >= 10


@pytest.mark.parametrize("options", [["tables"], ["tables", "--data", "d", "--meta", "m"], ["tables", "x", "--data", "d"],
                                     ["metadata", "f", "--meta", "m", "--keep-backup"], ["metadata", "f", "--meta", "m", "--data", "d"]])
def test_wrong_usage(options):
    run("migrate", *options, "--dataset", "hes_apc", check=2)
