"""Artificial tables of an older version, written here by PyArrow: converted, or left as they are."""
import csv
import datetime
import decimal
import io
import os
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


def contents_of_all(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def converted(data):
    table = pq.read_table(data / "artificial_stays.parquet")
    return table.to_pydict() == NEW and table.schema.types == TYPES


OLD_CSV = ("EXTRA,code,KEY,SIZE,PRICE,COST,START\n" "x,\"a,\"\"b\"\"\n\",100000000001,54.0,1.5,1e3,2020-02-29\n" ",,+100000000002,,,,\n"
           "\"y\", ä ,000000000003,\"-7\",-0.250,.5,1800-01-01\n")
NEW_CSV = ("KEY,CODE,SIZE,PRICE,COST,START,LATER\n" "100000000001,\"a,\"\"b\"\"\n\",54,1.5,1e3,2020-02-29,\n" "100000000002,,,,,,\n"
           "3, ä ,-7,-0.250,.5,1800-01-01,\n")


def test_csv(data):
    """Whole numbers, dates and truth values as we write them; a second run changes nothing."""
    file = data / "artificial_beds.csv"
    file.write_bytes(OLD_CSV.encode())
    said = run(*command(data, "--keep-backup"), check=0)
    assert said.stdout == "stays\nbeds\n" and "EXTRA" in said.stderr
    assert list(csv.reader(io.StringIO(file.read_text()))) == list(csv.reader(io.StringIO(NEW_CSV)))
    assert (data / "artificial_beds.csv.backup").read_bytes() == OLD_CSV.encode()
    before = contents(data)
    assert run(*command(data), check=0).stdout == "" and contents(data) == before
    assert sorted(before) == ["artificial_beds.csv", "artificial_beds.csv.backup", "artificial_stays.parquet", "artificial_stays.parquet.backup", "notes.parquet"]


def test_csv_of_another_system(data):
    """A byte order mark, and lines that end with CR LF."""
    file = data / "artificial_beds.csv"
    file.write_bytes(b"\xef\xbb\xbf" + OLD_CSV.replace('""\n"', '"""').replace("\n", "\r\n").encode())
    run(*command(data), check=0)
    assert list(csv.reader(io.StringIO(file.read_text()))) == list(csv.reader(io.StringIO(NEW_CSV.replace('""\n"', '"""'))))


def test_csv_that_we_wrote_is_left_alone(data, adg):
    for form in (["--format", "csv"], ["--format", "csv", "--shard", "0/1"], ["--shard", "0/1"], []):
        out = data.parent / "-".join(["out", *form]).replace("/", "")
        adg("generate", "--dataset", "hes", "--meta", "open", "--rows", 2000, "--table", "hes_ae_2021", "--table", "hes_apc_2021", "--out", out, *form, check=0)
        before = contents_of_all(out)
        assert run("migrate", "tables", "--data", out, "--dataset", "hes", check=0).stdout == ""
        assert contents_of_all(out) == before


@pytest.mark.parametrize("text, words", [
    (OLD_CSV.replace("54.0", "54.5").replace("1800-01-01", "1800-02-30"), ["SIZE (1 as integer)", "START (1 as date)"]),
    ("", ["primary key"]), ("a;b\n1;2\n", ["primary key"]), ("KEY,CODE\n1,2,3\n", ["cannot be read"]), ("KEY,CODE\n1,\"2\n", ["cannot be read"])])
def test_csv_that_is_bad(text, words, data):
    (data / "artificial_beds.csv").write_text(text)
    said = run(*command(data), check=4)
    assert all(word in said.stderr for word in words) and "54.5" not in said.stderr, said.stderr
    assert (data / "artificial_beds.csv").read_text() == text and sorted(contents(data)) == ["artificial_beds.csv", "artificial_stays.parquet", "notes.parquet"]


def test_parts(data):
    """All parts or, where a value of one does not fit, none."""
    parts = data / "artificial_beds"
    parts.mkdir()
    for i in range(3):
        pq.write_table(pa.table(OLD).slice(100 * i, 100), parts / f"part-{i:05}-of-00003.parquet")
    (parts / ".adg-run").write_text("{}")
    bad = pa.table({**{n: c[:100] for n, c in OLD.items()}, "SIZE": pa.array(["x"] * 100)})
    pq.write_table(bad, parts / "part-00003-of-00003.parquet")
    before = contents(parts)
    assert "SIZE (100 as integer)" in run(*command(data), check=4).stderr and contents(parts) == before
    (parts / "part-00003-of-00003.parquet").unlink()
    assert run(*command(data), check=0).stdout == "beds\n"
    assert sorted(contents(parts)) == [".adg-run", *[f"part-{i:05}-of-00003.parquet" for i in range(3)]]
    table = pa.concat_tables([pq.read_table(parts / f"part-{i:05}-of-00003.parquet") for i in range(3)])
    assert table.to_pydict() == NEW and table.schema.types == TYPES
    before = contents(parts)
    assert run(*command(data), check=0).stdout == "" and contents(parts) == before


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* Spoils the first digit 7 that is written to a new file. */
static int spoiled;
static const void *spoil(int fd, const void *data, size_t size, char *copy, size_t room)
{
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    const char *at = size <= room ? memchr(data, '7', size) : NULL;
    if (spoiled || at == NULL || strstr(path, ".new") == NULL) {
        return data;
    }
    spoiled = 1;
    memcpy(copy, data, size);
    copy[at - (const char *)data] = '8';
    return copy;
}
static char room[1 << 24];
ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t (*real)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    return real(fd, spoil(fd, data, size, room, sizeof room), size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off_t) = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    return real(fd, spoil(fd, data, size, room, sizeof room), size, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) { return pwrite(fd, data, size, offset); }
"""


@pytest.mark.parametrize("form", ["csv", "parquet", "arrows"])
def test_what_was_written_wrongly_replaces_nothing(form, data, tmp_path):
    """The disk gives back another digit than was written to it."""
    (tmp_path / "shim.c").write_text(SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "shim.so", tmp_path / "shim.c", "-ldl"], check=True)
    if form == "csv":
        (data / "artificial_stays.parquet").unlink()
        (data / "artificial_stays.csv").write_text("KEY,SIZE\n" + "".join(f"{i},{i % 10}.0\n" for i in range(1000)))
    else:  # so that the digit is one of a value
        table = pa.table({"KEY": [str(i) for i in range(300)], "CODE": [f"7{i:09}" for i in range(300)]})
        pq.write_table(table, data / "artificial_stays.parquet")
        if form == "arrows":
            (data / "artificial_stays.parquet").unlink()
            with pa.ipc.new_stream(data / "artificial_stays.arrows", table.schema) as stream:
                stream.write_table(table)
    before = contents(data)
    done = subprocess.run([ADG, *command(data)], capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": str(tmp_path / "shim.so"),
                          "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"})
    assert done.returncode == 1 and "nothing is replaced" in done.stderr and done.stdout == "", done.stderr
    assert contents(data) == before
    assert run(*command(data), check=0).stdout == "stays\n"


def test_converts_and_a_second_run_changes_nothing(data):
    done = run(*command(data), check=0)
    assert done.stdout == "stays\n" and "EXTRA" in done.stderr
    assert converted(data)
    assert sorted(contents(data)) == ["artificial_stays.parquet", "notes.parquet"] and contents(data)["notes.parquet"] == b"not ours"
    before = contents(data)
    assert run(*command(data), check=0).stdout == "" and contents(data) == before


def test_what_the_folder_is_called_is_no_column(data):
    """Neither of a Parquet file nor of a CSV one, although engines may take SIZE=3 for one."""
    moved = data.parent / "SIZE=3"
    data.rename(moved)
    (moved / "artificial_beds.csv").write_text("KEY,SIZE\n1,2.0\n")
    run("migrate", "tables", "--data", moved, "--dataset", data.parent / "ward.yaml", check=0)
    assert converted(moved) and (moved / "artificial_beds.csv").read_text() == "KEY,CODE,SIZE,PRICE,COST,START,LATER\n1,,2,,,,\n"


def test_the_backup_is_kept_when_asked_for(data):
    old = contents(data)["artificial_stays.parquet"]
    run(*command(data, "--keep-backup"), check=0)
    for options in [], ["--keep-backup"]:
        assert converted(data) and contents(data)["artificial_stays.parquet.backup"] == old
        assert run(*command(data, *options), check=0).stdout == ""  # neither removes it
    assert contents(data)["artificial_stays.parquet.backup"] == old


@pytest.mark.parametrize("column, values, said", [
    ("SIZE", ["7", "54.5", "x"], "SIZE (200 as integer)"), ("SIZE", ["7", "3000000000", ""], "SIZE (100 as integer)"),
    ("PRICE", [1.255, 1.0, None], "PRICE (100 as decimal(9,2))"), ("PRICE", [float("nan"), 1.0, 1e30], "PRICE (200 as decimal(9,2))"),
    ("START", ["2020-02-30", "2020-02-29", "x"], "START (200 as date)"), ("code", [1e300, 1.0, 2.0], "CODE (100 as string)"),
    ("START", [datetime.datetime(2020, 2, 29, 12), None, None], "START (100 as date)"),
    ("START", ["2020-02-29 12:00", "2020-02-29x", "epoch"], "START (300 as date)"), ("START", ["2020-2-9", "infinity", "2020-02-29 00:00:00+02:00"], "START (300 as date)"),
    ("PRICE", ["1.255", "1.2549999999999999999", "1.255e0"], "PRICE (300 as decimal(9,2))"), ("SIZE", ["54.00000000000000001", "1e-1", "."], "SIZE (300 as integer)"),
    ("COST", ["1e400", "-1e400", "1"], "COST (200 as double)"), ("code", [b"\xff", b"a\xc3", b"a"], "CODE (200 as string)")])
def test_values_that_do_not_fit(column, values, said, data):
    pq.write_table(pa.table({**OLD, column: pa.array(values * 100)}), data / "artificial_stays.parquet")
    before = contents(data)
    done = run(*command(data), check=4)
    assert said in done.stderr and "54.5" not in done.stderr and "02-30" not in done.stderr and done.stdout == ""
    assert contents(data) == before


@pytest.mark.parametrize("column, values, expected", [
    ("START", ["2020-02-29T00:00:00", " 2020-02-29 00:00", "2020-02-29 00:00:00.000000Z"], [DAY] * 3),
    ("PRICE", [" 1.2500", ".5", "125e-2"], [decimal.Decimal("1.25"), decimal.Decimal("0.50"), decimal.Decimal("1.25")]),
    ("SIZE", ["+7", "7. ", "0.7e1"], [7, 7, 7]), ("COST", ["inf", "-1e308", "1.50"], [float("inf"), -1e308, 1.5]),
    ("code", ["ä\\".encode(), b"", None], ["ä\\", "", None])])
def test_values_in_other_forms(column, values, expected, data):
    """What is the same value, however it is written."""
    pq.write_table(pa.table({**OLD, column: pa.array(values * 100)}), data / "artificial_stays.parquet")
    run(*command(data), check=0)
    assert pq.read_table(data / "artificial_stays.parquet")[column.upper()].to_pylist() == expected * 100


def test_a_decimal_of_as_many_digits_as_the_engine_compares(data):
    """decimal(18,17): the 18th digit behind the point is one too many."""
    definition = data.parent / "ward.yaml"
    definition.write_text(DEFINITION.replace("decimal(9,2)", "decimal(18,17)"))
    for text, code in (("0.123456789012345678", 4), ("0.123456789012345678e0", 4), ("0.123456789012345670", 0)):
        pq.write_table(pa.table({"KEY": ["1"], "PRICE": [text]}), data / "artificial_stays.parquet")
        assert ("PRICE (1 as decimal(18,17))" in run(*command(data), check=code).stderr) == (code == 4)
    assert pq.read_table(data / "artificial_stays.parquet")["PRICE"].to_pylist() == [decimal.Decimal("0.12345678901234567")]


@pytest.mark.parametrize("text, code", [("2020-02-29 10:00:00.123456", 0), ("2020-02-29T10:00:00.123456000Z", 0), ("2020-02-29 10:00:00.1234561", 4),
                                        ("2020-02-29 10:00:00+02:00", 4), ("2020-02-29 24:01", 4), ("epoch", 4), ("2020-02-29", 0)])
def test_moments_as_text(text, code, data):
    """Digits behind the microsecond, and other zones than that of UTC, would be lost."""
    (data.parent / "ward.yaml").write_text(DEFINITION.replace("{name: START, type: date, values: DATE", "{name: START, type: timestamp, values: CONTINUOUS"))
    pq.write_table(pa.table({"KEY": ["1"], "START": [text]}), data / "artificial_stays.parquet")
    assert ("START (1 as timestamp)" in run(*command(data), check=code).stderr) == (code == 4)
    found = pq.read_table(data / "artificial_stays.parquet")["START"].to_pylist()
    moment = datetime.datetime(2020, 2, 29) if len(text) == 10 else datetime.datetime(2020, 2, 29, 10, 0, 0, 123456)
    assert found == ([moment] if code == 0 else [text])


def test_a_table_that_is_bad_does_not_hold_up_the_others(data):
    (data / "artificial_beds.parquet").write_bytes(b"PAR1 no")
    done = run(*command(data), check=4)
    assert done.stdout == "stays\n" and converted(data)
    assert contents(data)["artificial_beds.parquet"] == b"PAR1 no"


def test_a_foreign_backup_is_not_touched(data):
    """It is in the way of one that is to be kept, and of nothing else."""
    (data / "artificial_stays.parquet.backup").write_bytes(b"somebody's")
    before = contents(data)
    assert "in the way" in run(*command(data, "--keep-backup"), check=1).stderr
    assert contents(data) == before
    for _ in range(2):
        run(*command(data), check=0)
        assert converted(data) and contents(data)["artificial_stays.parquet.backup"] == b"somebody's"


def test_tables_that_are_missing(data):
    assert "there is no such file" in run(*command(data, "--table", "beds"), check=4).stderr
    run(*command(data, "--table", "unknown"), check=4)


def test_no_space_replaces_nothing(data):
    pq.write_table(pa.table({**OLD, "code": pa.array([random.Random(i).random() for i in range(300)])}), data / "artificial_stays.parquet")
    before = contents(data)
    done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "-", ADG, *command(data)], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert contents(data) == before


@pytest.mark.parametrize("options", [[], ["--keep-backup"]])
def test_killed_at_50_random_points_loses_nothing(options, data):
    """Under the name there is always the old table whole, or the new one, and the old one under the backup's if it is to be kept; a rerun completes."""
    file, backup = data / "artificial_stays.parquet", data / "artificial_stays.parquet.backup"
    old, chance, killed = file.read_bytes(), random.Random(2), 0
    for _ in range(50):
        backup.unlink(missing_ok=True)
        file.write_bytes(old)
        killed += run_and_kill(command(data, *options), chance.uniform(0, 0.07))
        assert file.read_bytes() == old or converted(data) and (backup.exists() or not options)
        assert not backup.exists() or options and backup.read_bytes() == old
        run(*command(data, *options), check=0)
        assert converted(data) and (not options or backup.read_bytes() == old)
        assert sorted(contents(data)) == ["artificial_stays.parquet", *["artificial_stays.parquet.backup" for _ in options], "notes.parquet"]
    assert killed >= 10


@pytest.mark.parametrize("options", [["tables"], ["tables", "--data", "d", "--meta", "m"], ["tables", "x", "--data", "d"],
                                     ["metadata", "f", "--meta", "m", "--keep-backup"], ["metadata", "f", "--meta", "m", "--data", "d"]])
def test_wrong_usage(options):
    run("migrate", *options, "--dataset", "hes_apc", check=2)
