"""Arrow IPC streams, read with pyarrow and polars, are the rows of the Parquet file."""
import subprocess

import polars
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from conftest import ADG, TABLES

OPEN = ["--dataset", "hes_apc", "--meta", "open", "--table", "hes_apc_2021", "--patients", 20000]


def decoded(table):
    return pa.table([c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns], names=table.column_names)


@pytest.mark.parametrize("dataset", TABLES)
def test_the_rows_of_parquet(dataset, scraped, adg, tmp_path):
    base = ["generate", "--dataset", dataset, "--meta", scraped(dataset), "--allow-unreleased", "--rows", 40000, "--table", TABLES[dataset]]
    for kind in ("parquet", "arrow"):
        adg(*base, "--format", kind, "--out", tmp_path, check=0)
    with pa.OSFile(str(tmp_path / f"artificial_{TABLES[dataset]}.arrows")) as file:
        streamed = pa.ipc.open_stream(file).read_all()
    streamed.validate(full=True)
    assert decoded(streamed).equals(pq.read_table(tmp_path / f"artificial_{TABLES[dataset]}.parquet"))


def test_threads_and_shards(adg, tmp_path):
    for threads in (1, 3):
        adg("generate", *OPEN, "--format", "arrow", "--threads", threads, "--out", tmp_path / str(threads), check=0)
    name = "artificial_hes_apc_2021"
    whole = (tmp_path / "1" / f"{name}.arrows").read_bytes()
    assert whole == (tmp_path / "3" / f"{name}.arrows").read_bytes()
    for shard in range(3):
        adg("generate", *OPEN, "--format", "arrow", "--shard", f"{shard}/3", "--out", tmp_path / "shards", check=0)
    parts = sorted((tmp_path / "shards" / name).glob("*.arrows"))
    assert len(parts) == 3
    tables = [pa.ipc.open_stream(p.read_bytes()).read_all() for p in parts]
    assert decoded(pa.concat_tables(tables)).equals(decoded(pa.ipc.open_stream(whole).read_all()))


def test_polars_reads_it(adg, tmp_path):
    adg("generate", *OPEN, "--format", "arrow", "--out", tmp_path, check=0)
    adg("generate", *OPEN, "--out", tmp_path, check=0)
    found = polars.read_ipc_stream(tmp_path / "artificial_hes_apc_2021.arrows")
    texts = [name for name, kind in found.schema.items() if kind == polars.Categorical]
    assert len(texts) > 100
    assert found.with_columns(polars.col(texts).cast(polars.String)).equals(polars.read_parquet(tmp_path / "artificial_hes_apc_2021.parquet"))


@pytest.mark.parametrize("kind", ["arrow", "csv", "parquet"])
def test_standard_output(kind, adg, tmp_path):
    adg("generate", *OPEN, "--format", kind, "--out", tmp_path, check=0)
    (file,) = tmp_path.glob("artificial_*")
    done = subprocess.run([ADG, "generate", *map(str, OPEN), "--format", kind, "--out", "-"], capture_output=True, check=True)
    assert done.stdout == file.read_bytes() and done.stderr == b""


def test_standard_output_takes_one_table(adg):
    for tables in ([], ["--table", "hes_apc_2021", "--table", "hes_apc_2020"]):
        done = adg("generate", "--dataset", "hes_apc", "--meta", "open", "--patients", 10, "--out", "-", *tables, check=2)
        assert "--out - takes one table" in done.stderr and done.stdout == ""


def test_a_reader_that_goes_away():
    with subprocess.Popen([ADG, "generate", *map(str, OPEN), "--format", "arrow", "--out", "-"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.read(1000)
        process.stdout.close()
        assert b"standard output cannot be written" in process.stderr.read()
        assert process.wait() == 1


def test_arrow_is_not_compressed(adg, tmp_path):
    done = adg("generate", *OPEN, "--format", "arrow", "--compression", "zstd", "--out", tmp_path / "o", check=2)
    assert "Arrow is not compressed" in done.stderr and not (tmp_path / "o").exists()
