"""The Python package: the very rows of `adg generate`, whoever takes them; what it refuses; and what is in the wheel."""
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT

import adg as package

sys.path.insert(0, str(ROOT / "tests" / "cli"))
from test_governance import place, ready  # noqa: E402, F401 (fixtures)

TABLE = "hes_apc_2021"
ROWS = 40_000


@pytest.fixture(scope="module")
def expected(adg, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    adg("generate", "--dataset", "hes_apc", "--meta", "open", "--table", TABLE, "--rows", ROWS, "--seed", 7, "--out", out, check=0)
    return out / f"artificial_{TABLE}.parquet"


@pytest.fixture(scope="module")
def rows(expected):
    return pq.read_table(expected)


def made(**options):
    return package.table("hes_apc", TABLE, **{"rows": ROWS, "seed": 7, **options})


def decoded(table):
    return pa.table([c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns], names=table.column_names)


# ---- rows ---------------------------------------------------------------------------------------------------------------

def test_pyarrow(rows):
    assert pa.table(made(dictionaries=False)).equals(rows)
    coded = pa.table(made())
    coded.validate(full=True)
    assert sum(pa.types.is_dictionary(t) for t in coded.schema.types) > 100
    assert decoded(coded).equals(rows)


def test_polars(rows):
    expected = polars.from_arrow(rows)
    assert polars.DataFrame(made(dictionaries=False)).equals(expected)
    coded = polars.DataFrame(made())
    texts = [name for name, kind in coded.schema.items() if kind == polars.Categorical]
    assert len(texts) > 100 and coded.with_columns(polars.col(texts).cast(polars.String)).equals(expected)


def test_pandas(rows):
    plain = pandas.DataFrame.from_arrow(made(dictionaries=False))
    pandas.testing.assert_frame_equal(plain, rows.to_pandas())
    coded = pandas.DataFrame.from_arrow(made())
    assert isinstance(coded["SEX"].dtype, pandas.CategoricalDtype)
    assert coded["SEX"].astype(object).where(coded["SEX"].notna(), None).tolist() == rows["SEX"].to_pylist()


def test_duckdb(expected):
    connection = duckdb.connect()
    connection.register("frame", made())
    described = [connection.execute(f"describe select * from {source}").fetchall() for source in ("frame", f"read_parquet('{expected}')")]
    types = [[(name, "VARCHAR" if kind.startswith("ENUM") else kind) for name, kind, *_ in d] for d in described]
    assert types[0] == types[1]
    query = "select count(*), count(distinct PSEUDO_HESID), min(ADMIDATE), max(DIAG_4_01), count(SEX) from {}"
    for _ in range(2):
        assert connection.execute(query.format("frame")).fetchone() == connection.execute(query.format(f"read_parquet('{expected}')")).fetchone()


def test_read_again_and_by_several_threads(rows):
    table = made(dictionaries=False)
    found = [None] * 3

    def read(i):
        found[i] = pa.table(table)

    threads = [threading.Thread(target=read, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(t.equals(rows) for t in found) and pa.table(table).equals(rows)


def test_one_stream_and_two_threads():
    reader = pa.RecordBatchReader.from_stream(made())
    counts = [0, 0]

    def read(i):
        for batch in reader:
            counts[i] += batch.num_rows

    threads = [threading.Thread(target=read, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == ROWS


def test_columns(rows):
    table = made(columns=["sex", "DIAG_4_01", "PSEUDO_HESID", "DIAG_4_CONCAT"], dictionaries=False)
    expected = rows.select(["SEX", "DIAG_4_01", "PSEUDO_HESID", "DIAG_4_CONCAT"])
    assert pa.table(table).equals(expected) and len(table.column_names) == 4
    assert pa.table(made(dictionaries=False).select(["SEX"])).equals(rows.select(["SEX"]))
    assert pa.RecordBatchReader.from_stream(table.select([])).schema == pa.schema([])


def test_blocks(rows):
    table = made(dictionaries=False)
    assert table.num_blocks == 3 and table.num_rows == len(table) == ROWS
    parts = [table.blocks(i, i + 1) for i in range(3)]
    assert [p.num_rows for p in parts] == [16384, 16384, ROWS - 2 * 16384]
    assert pa.concat_tables(map(pa.table, parts)).equals(rows)
    assert pa.table(table.blocks(1, 3).blocks(1, 2)).equals(pa.table(parts[2]))
    assert table.blocks(2, 2).num_rows == pa.table(table.blocks(2, 2)).num_rows == 0


def test_patients(adg, tmp_path):
    adg("generate", "--dataset", "hes_ae", "--meta", "open", "--table", "hes_ae_1920", "--patients", 3000, "--out", tmp_path, check=0)
    table = package.table("hes_ae", "hes_ae_1920", patients=np.int64(3000), dictionaries=False, threads=1)
    assert pa.table(table).equals(pq.read_table(tmp_path / "artificial_hes_ae_1920.parquet"))


def test_parquet(expected, tmp_path):
    path = tmp_path / "out.parquet"
    assert made().write_parquet(path) == expected.stat().st_size and path.read_bytes() == expected.read_bytes()
    made().blocks(1, 2).write_parquet(path, compression="none")
    assert pq.read_table(path).equals(pq.read_table(expected).slice(16384, 16384))
    with pytest.raises(package.FailedError, match="cannot be written"):
        made().write_parquet(tmp_path / "nowhere" / "out.parquet")
    with pytest.raises(package.UsageError, match="all columns"):
        made(columns=["SEX"]).write_parquet(path)
    with pytest.raises(package.UsageError, match="expected one of"):
        made().write_parquet(path, compression="gzip")
    assert os.listdir(tmp_path) == ["out.parquet"]


# ---- lifetimes ----------------------------------------------------------------------------------------------------------

def test_batches_outlive_everything(rows):
    reader = pa.RecordBatchReader.from_stream(made())
    batches = [next(reader), next(reader)]
    column = batches[0].column("DIAG_4_01")
    dictionary = column.dictionary
    reader.close()
    del reader
    assert decoded(pa.Table.from_batches(batches)).equals(rows.slice(0, 32768))
    del batches
    assert column.cast(pa.string()).equals(rows["DIAG_4_01"].combine_chunks().slice(0, 16384))
    del column
    dictionary.validate(full=True)


def test_closed_early():
    for count in range(3):
        reader = pa.RecordBatchReader.from_stream(made())
        for _ in range(count):
            next(reader)
        del reader
    made().__arrow_c_stream__()  # a capsule that nobody takes
    made().__arrow_c_schema__()


def test_two_batches_in_memory():
    """A stream that is drained takes no more memory for a hundred times the rows."""
    code = ("import adg, pyarrow, resource, sys\n"
            "for batch in pyarrow.RecordBatchReader.from_stream(adg.table('hes_apc', 'hes_apc_2021', rows=int(sys.argv[1]), threads=1)): pass\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
    few, many = (int(subprocess.run([sys.executable, "-c", code, str(n)], capture_output=True, text=True, check=True).stdout)
                 for n in (40_000, 600_000))
    assert many - few < 32 * 1024, (few, many)


def test_the_interpreter_goes_on_meanwhile():
    done = []
    thread = threading.Thread(target=lambda: done.append(package.table("hes_apc", TABLE, patients=30_000_000, threads=1)))
    thread.start()
    longest, ticks, last = 0, 0, time.perf_counter()
    while thread.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, ticks, last = max(longest, now - last), ticks + 1, now
    assert done and ticks > 20, (ticks, longest)


# ---- what else there is -------------------------------------------------------------------------------------------------

def test_schemas(rows):
    assert pa.schema(made(dictionaries=False)) == rows.schema.remove_metadata()
    assert pa.schema(package.schema("hes_apc", TABLE)) == rows.schema.remove_metadata()
    coded = pa.schema(made())
    assert coded == pa.RecordBatchReader.from_stream(made()).schema and coded.field("SEX").type == pa.dictionary(pa.int32(), pa.string())


def test_tables():
    found = pa.table(package.tables())
    assert found.num_rows == 52 and found.column_names == ["dataset", "table", "columns"]
    one = pa.table(package.tables("hes_ae")).to_pylist()
    assert {r["dataset"] for r in one} == {"hes_ae"} and one[0]["columns"] == len(pa.schema(package.schema("hes_ae", one[0]["table"])))


def test_open_metadata(adg, tmp_path):
    whole = pq.read_table(Path(package.__file__).parent / "open" / "metadata.parquet", filters=[("TABLE_NAME", "=", "hes_ae_1920")])
    assert pa.table(package.metadata("hes_ae", "hes_ae_1920")).equals(whole.replace_schema_metadata().cast(pa.table(package.metadata("hes_ae", "hes_ae_1920")).schema))


def test_scraped_metadata(scraped):
    folder = scraped("hes_op")
    found = pa.table(package.metadata("hes_op", metadata=folder, allow_unreleased=True))
    assert found.equals(pq.read_table(folder / "metadata.parquet").cast(found.schema))


# ---- bad input ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, error, message", [
    ({"rows": -1}, package.UsageError, "rows: expected a whole number from 1"),
    ({"rows": 0}, package.UsageError, "rows: expected a whole number from 1"),
    ({"rows": None}, package.UsageError, "exactly one of rows and patients"),
    ({"patients": 5}, package.UsageError, "exactly one of rows and patients"),
    ({"rows": None, "patients": -5}, package.UsageError, "patients: expected a whole number from 1"),
    ({"rows": 2**63}, package.UsageError, "not 9223372036854775808"),
    ({"rows": 1.5}, TypeError, "rows: expected a whole number, not float"),
    ({"rows": True}, TypeError, "not bool"),
    ({"rows": "5"}, TypeError, "not str"),
    ({"seed": -1}, package.UsageError, "seed: expected"),
    ({"seed": 2**64}, package.UsageError, "seed: expected"),
    ({"threads": 0}, package.UsageError, "threads: expected"),
    ({"columns": ["SEX", "NOBODY"]}, package.InputError, "table hes_apc_2021 has no column NOBODY"),
    ({"columns": ["SEX", "sex"]}, package.UsageError, "column sex is asked for twice"),
    ({"columns": "SEX"}, TypeError, "a sequence of names"),
    ({"columns": [1]}, TypeError, "expected names"),
    ({"metadata": "open", "allow_unreleased": True}, package.UsageError, "released with the package"),
    ({"metadata": "nowhere", "allow_unreleased": True}, package.Error, "nowhere"),
    ({"metadata": "nowhere", "trust": "keys", "allow_unreleased": True}, package.UsageError, "exclude each other"),
])
def test_bad_calls(options, error, message):
    with pytest.raises(error, match=message) as caught:
        made(**options)
    assert error is TypeError or isinstance(caught.value, package.Error)


def test_unknown_names():
    with pytest.raises(package.InputError, match="no table hes_apc_1066"):
        package.table("hes_apc", "hes_apc_1066", rows=1)
    with pytest.raises(package.InputError, match="there is no dataset hes_xyz"):
        package.table("hes_xyz", "t", rows=1)
    with pytest.raises(package.InputError, match="there is no dataset hes_xyz"):
        package.tables("hes_xyz")
    for function in (package.schema, package.metadata):
        with pytest.raises(package.InputError, match="no table nobody"):
            function("hes_apc", "nobody")
    assert issubclass(package.InputError, ValueError) and issubclass(package.RefusedError, package.Error)
    with pytest.raises(TypeError):
        type(made()._plan)()
    for first, end in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(package.UsageError):
            made().blocks(first, end)


def test_unreleased_metadata(scraped):
    folder = scraped("hes_apc")
    for options in ({}, {"trust": None, "release": None}):
        with pytest.raises(package.RefusedError, match="has not been shown to be released"):
            package.table("hes_apc", "hes_apc_0102", rows=5, metadata=folder, **options)
        with pytest.raises(package.RefusedError, match="has not been shown to be released"):
            package.metadata("hes_apc", metadata=folder, **options)
    assert package.table("hes_apc", "hes_apc_0102", rows=5, metadata=folder, allow_unreleased=True).num_rows == 5


def test_released_metadata(place, adg):  # noqa: F811
    definition = place.folder / "clinic.yaml"
    options = {"rows": 100, "metadata": place.store, "trust": place.trust}
    adg("generate", "--dataset", definition, "--meta", place.store, "--trust", place.trust, "--rows", 100, "--table", "visits", "--out", place.folder / "out",
        check=0)
    found = pa.table(package.table(definition, "visits", dictionaries=False, **options))
    assert found.equals(pq.read_table(place.folder / "out" / "artificial_visits.parquet"))
    with pytest.raises(package.RefusedError):
        package.table(definition, "visits", **{**options, "release": "0" * 64})
    (place.trust / "approver" / "approver.pub").unlink()
    with pytest.raises(package.RefusedError):
        package.table(definition, "visits", **options)


def test_changed_open_metadata(tmp_path):
    """Whoever puts other metadata into the package's folder gets no rows from them."""
    with zipfile.ZipFile(wheel()) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "adg" / "open" / "manifest.json").write_text("{}")
    done = subprocess.run([sys.executable, "-c", "import adg; adg.table('hes_apc', 'hes_apc_2021', rows=1)"], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1 and "adg.InputError" in done.stderr or "adg.RefusedError" in done.stderr


# ---- the wheel ----------------------------------------------------------------------------------------------------------

def wheel():
    (path,) = (ROOT / "build" / "wheel").glob("adg-*.whl")
    return path


def test_wheel():
    names = zipfile.ZipFile(wheel()).namelist()
    assert "-cp310-abi3-" in wheel().name
    assert {"adg/_adg.abi3.so", "adg/py.typed", "adg/_adg.pyi", "adg/open/metadata.parquet"} <= set(names)
    assert not [n for n in names if "duckdb" in n or "adbc" in n]
    needed = subprocess.run(["ldd", Path(package.__file__).parent / "_adg.abi3.so"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0].split("/")[-1].split(".")[0] for line in needed.splitlines()} <= {"linux-vdso", "libc", "libm", "ld-linux-x86-64", "libpthread"}


def test_import_is_quick():
    code = "import time; t = time.perf_counter(); import adg; print(time.perf_counter() - t)"
    took = min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) for _ in range(5))
    assert took < 0.05, took


def test_type_hints():
    import inspect
    for name in package.__all__:
        thing = getattr(package, name)
        assert thing.__doc__, name
        if inspect.isfunction(thing):
            assert all(p.annotation is not inspect.Parameter.empty for p in inspect.signature(thing).parameters.values()), name


# ---- the notebook -------------------------------------------------------------------------------------------------------

def test_the_notebook(capsys):
    """Its cells, one after the other, in one namespace; the last line of each is an expression or prints."""
    notebook = json.loads((ROOT / "docs" / "artificial-hes.ipynb").read_text())
    namespace = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)  # noqa: S102
    assert namespace["frame"].height > 10_000 and namespace["files"] == 3 and namespace["written"] == 300_000
    assert "has not been shown to be released" in capsys.readouterr().out
