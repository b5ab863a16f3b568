"""The DuckDB extension: queries over tables that do not exist give what they give over the generated files."""
import os
import shutil
import subprocess
import sys
import threading

import duckdb
import pytest
from conftest import ROOT, TABLES

sys.path.insert(0, str(ROOT / "tests" / "cli"))
from test_governance import place, ready  # noqa: E402, F401 (fixtures)

EXTENSION = ROOT / "build" / "release" / "adg.duckdb_extension"


def connect(threads=2):
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": threads})
    connection.execute(f"load '{EXTENSION}'")
    return connection


def quoted(**options):
    return "".join(f", {name} := {value if isinstance(value, (int, bool)) else repr(str(value))}" for name, value in options.items())


@pytest.fixture(scope="module", params=list(TABLES))
def made(request, scraped, adg, tmp_path_factory):
    """The function's call, and the generated file."""
    dataset, table = request.param, TABLES[request.param]
    out = tmp_path_factory.mktemp("out")
    adg("generate", "--dataset", dataset, "--meta", scraped(dataset), "--allow-unreleased", "--patients", 20000, "--table", table, "--out", out, check=0)
    call = f"adg('{table}'{quoted(dataset=dataset, metadata=scraped(dataset), allow_unreleased=True, patients=20000)})"
    return call, f"read_parquet('{out}/artificial_{table}.parquet')"


def test_the_rows_of_parquet(made):
    call, file = made
    query = "select count(*), sum(hash(t)) from {} t"
    expected = connect().execute(query.format(file)).fetchone()
    for threads in (1, 2, 4):
        assert connect(threads).execute(query.format(call)).fetchone() == expected


def test_types(made):
    connection = connect()
    assert connection.execute(f"describe from {made[0]}").fetchall() == connection.execute(f"describe from {made[1]}").fetchall()


def test_every_column_alone(made):
    """What is pushed down is made with all that it needs."""
    call, file = made
    connection = connect()
    for (name, *_) in connection.execute(f"describe from {call}").fetchall():
        query = f'select sum(hash("{name}")), count("{name}") from {{}}'
        assert connection.execute(query.format(call)).fetchone() == connection.execute(query.format(file)).fetchone(), name


def test_order_with_one_thread(made):
    call, file = made
    connection = connect(1)
    assert connection.execute(f"select * from {call} limit 3000").fetchall() == connection.execute(f"select * from {file} limit 3000").fetchall()


OPEN = "adg('hes_apc_2021', patients := 20000, seed := 5)"


def test_open_metadata(adg, tmp_path):
    adg("generate", "--dataset", "hes_apc", "--meta", "open", "--table", "hes_apc_2021", "--patients", 20000, "--seed", 5, "--out", tmp_path, check=0)
    query = "select count(*), sum(hash(t)) from {} t"
    assert connect().execute(query.format(OPEN)).fetchone() == connect().execute(query.format(f"read_parquet('{tmp_path}/*.parquet')")).fetchone()


def test_queries():
    connection = connect()
    count = connection.execute(f"select count(*) from {OPEN}").fetchone()[0]
    assert 2000 < count < 20000  # records of the 20,000 people who appear
    assert connection.execute(f"select count(*) from {OPEN} a join {OPEN} b using (EPIKEY)").fetchone()[0] == count
    assert len(connection.execute(f"select SEX from {OPEN} limit 5").fetchall()) == 5  # left before its end
    assert connection.execute(f"select EPIKEY, SEX, EPIKEY as again from {OPEN} order by 1 limit 1").fetchone()[2] is not None
    connection.execute(f"create table kept as from {OPEN}")
    assert connection.execute(f"select count(*) from (from kept except all from {OPEN})").fetchone()[0] == 0
    prepared = "select count(*) from adg('hes_apc_2021', rows := ?)"
    assert [connection.execute(prepared, [n]).fetchone()[0] for n in (1, 16384, 16385)] == [1, 16384, 16385]
    assert connection.execute("select count(*) from adg('hes_apc_2021', rows := 40000) where SEX = '1'").fetchone()[0] > 10000


def test_two_connections_at_once():
    found = [None, None]

    def ask(i):
        found[i] = connect().execute(f"select sum(hash(t)) from {OPEN} t").fetchone()

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] is not None


@pytest.mark.parametrize("arguments, message", [
    ("'hes_apc_2021'", "exactly one of patients and rows"),
    ("'hes_apc_2021', rows := 5, patients := 5", "exactly one of patients and rows"),
    ("'hes_apc_2021', rows := -5", "rows: expected a whole number from 1"),
    ("'hes_apc_2021', patients := 0", "patients: expected a whole number from 1"),
    ("'hes_apc_2021', rows := 5, seed := -1", "(?i)uint64|ubigint|range"),
    ("'hes_apc_1066', rows := 5", "no table hes_apc_1066"),
    ("null, rows := 5", "not null"),
    ("'hes_apc_2021', rows := 5, dataset := 'hes_xyz'", "there is no dataset hes_xyz"),
    ("'hes_apc_2021', rows := 5, metadata := 'nowhere', allow_unreleased := true", "nowhere"),
    ("'hes_apc_2021', rows := 5, metadata := 'nowhere'", "has not been shown to be released"),
    ("'hes_apc_2021', rows := 5, allow_unreleased := true", "released with adg"),
    ("'hes_apc_2021', rows := 5, metadata := 'nowhere', trust := 'keys', allow_unreleased := true", "exclude each other"),
    ("'hes_apc_2021', rows := 5, nonsense := 1", "nonsense"),
])
def test_bad_calls(arguments, message):
    connection = connect()
    with pytest.raises(duckdb.Error, match=message):
        connection.execute(f"from adg({arguments})")
    assert connection.execute("select 1").fetchone() == (1,)


def test_released_metadata(place):  # noqa: F811
    call = f"adg('visits', rows := 100{quoted(dataset=place.folder / 'clinic.yaml', metadata=place.store, trust=place.trust)})"
    assert connect().execute(f"select count(*) from {call}").fetchone() == (100,)
    (place.trust / "approver" / "approver.pub").unlink()
    with pytest.raises(duckdb.Error, match="approver"):
        connect().execute(f"from {call}")


def test_where_the_open_metadata_are_looked_for(tmp_path):
    """Beside the extension; where a variable says; and other metadata in their place are refused."""
    alone = tmp_path / EXTENSION.name
    shutil.copy(EXTENSION, alone)
    code = (f"import duckdb\nc = duckdb.connect(config={{'allow_unsigned_extensions': 'true'}})\nc.execute(\"load '{alone}'\")\n"
            "print(c.execute(\"select count(*) from adg('hes_apc_2021', rows := 7)\").fetchone()[0])")

    def ask(**variables):
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **variables})

    assert "ADG_OPEN_METADATA" in ask().stderr
    assert ask(ADG_OPEN_METADATA=str(ROOT / "build" / "release" / "open")).stdout == "7\n"
    shutil.copytree(ROOT / "build" / "release" / "open", tmp_path / "open")
    assert ask().stdout == "7\n"
    (tmp_path / "open" / "manifest.json").write_text((tmp_path / "open" / "manifest.json").read_text() + " ")
    assert "holds other metadata than the open ones" in ask().stderr


def test_installed(tmp_path):
    """make install puts extension and open metadata where they find each other."""
    subprocess.run(["cmake", "--install", ROOT / "build" / "release", "--prefix", tmp_path], check=True, capture_output=True)
    (installed,) = tmp_path.glob("lib/**/adg.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"load '{installed}'")
    assert connection.execute("select count(*) from adg('hes_apc_2021', rows := 7)").fetchone() == (7,)


def test_unsigned_extensions_must_be_allowed():
    with pytest.raises(duckdb.Error, match="(?i)signature|unsigned"):
        duckdb.connect().execute(f"load '{EXTENSION}'")
