"""Spark: the very rows of `adg generate`, with any number of partitions, read as a data frame or written by our own writer; tasks that fail, or run twice."""
import os
import shutil
import sys
import uuid

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import adg as package
import adg.spark

os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark import cloudpickle  # noqa: E402
from pyspark.errors import PySparkException  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

TABLE = "hes_apc_2021"
ROWS = 100_000
OPTIONS = {"rows": ROWS, "seed": 3}


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """Two cores; a task is tried four times."""
    session = (SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
               .config("spark.driver.host", "127.0.0.1").config("spark.driver.memory", "2g")
               .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse"))).getOrCreate())
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def expected(adg, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    adg("generate", "--dataset", "hes_apc", "--meta", "open", "--table", TABLE, "--rows", ROWS, "--seed", 3, "--out", out, check=0)
    return pq.read_table(out / f"artificial_{TABLE}.parquet")


def source(spark, **options):
    reader = spark.read.format("adg").option("table", TABLE)
    for name, value in {**OPTIONS, **options}.items():
        reader = reader.option(name, value)
    return reader


def rows_of(frame, like):
    return frame.toArrow().cast(like.schema.remove_metadata())


# ---- reading ------------------------------------------------------------------------------------------------------------

MOMENTS = """dataset: moments
id: 9
primary_key: K
patient_key: P
tables: [t]
fields:
  - {name: K, type: long, pattern: '\\d{12}'}
  - {name: P, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: MOMENT, type: timestamp, values: CATEGORICAL}
"""


def test_moments_have_no_zone(spark, adg, tmp_path):
    """The same type, and the same moment, whichever way a table comes."""
    (tmp_path / "moments.yaml").write_text(MOMENTS)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "t.csv").write_text("K,P,MOMENT\n" + "".join(f"{i},p{i},2021-06-30 23:59:59.5\n" for i in range(100)))
    common = ["--dataset", tmp_path / "moments.yaml", "--meta", tmp_path / "meta"]
    adg("scrape", *common, "--source", tmp_path / "source", check=0)
    adg("generate", *common, "--allow-unreleased", "--rows", 50, "--out", tmp_path / "out", check=0)
    frames = [spark.read.parquet(str(tmp_path / "out" / "artificial_t.parquet")),
              spark.read.format("adg").options(table="t", dataset=str(tmp_path / "moments.yaml"), metadata=str(tmp_path / "meta"), rows="50",
                                               allow_unreleased="true").load()]
    for frame in frames:
        assert dict(frame.dtypes)["MOMENT"] == "timestamp_ntz"
        assert [str(r[0]) for r in frame.select("MOMENT").distinct().collect()] == ["2021-06-30 23:59:59.500000"]


def test_types(spark):
    kinds = dict(source(spark).load().dtypes)
    assert (kinds["ADMIDATE"], kinds["SEX"], kinds["STARTAGE"], kinds["EPIKEY"]) == ("date", "string", "int", "bigint")
    assert "decimal(16,15)" in kinds.values() and all(f.nullable for f in source(spark).load().schema)


@pytest.mark.parametrize("partitions", [None, 2, 7, 9])
def test_the_rows_of_generate(partitions, spark, expected):
    frame = source(spark, **({} if partitions is None else {"partitions": partitions})).load()
    assert frame.rdd.getNumPartitions() == (partitions or 1)
    assert rows_of(frame, expected).equals(expected)


@pytest.mark.parametrize("partitions", [None, 3])
def test_map_in_arrow(partitions, spark, expected):
    assert rows_of(adg.spark.read(spark, TABLE, partitions=partitions, **OPTIONS), expected).equals(expected)
    few = adg.spark.read(spark, TABLE, partitions=partitions, columns=["SEX", "ADMIDATE"], **OPTIONS)
    assert rows_of(few, expected.select(["SEX", "ADMIDATE"])).equals(expected.select(["SEX", "ADMIDATE"]))


def test_chosen_columns(spark, expected):
    frame = source(spark, partitions=2).schema("ADMIDATE date, SEX string, STARTAGE int").load()
    chosen = expected.select(["ADMIDATE", "SEX", "STARTAGE"])
    assert rows_of(frame, chosen).equals(chosen)
    assert source(spark).schema("SEX string").load().groupBy("SEX").count().collect()


def test_registered(spark):
    import pyspark_adg
    spark.dataSource.register(pyspark_adg.DefaultSource)
    assert source(spark).schema("SEX string").load().count() == ROWS


def test_other_metadata(spark, scraped):
    meta = scraped("hes_op")
    frame = (spark.read.format("adg").option("table", "hes_op_0304").option("dataset", "hes_op").option("patients", 500).option("metadata", str(meta))
             .option("allow_unreleased", "true").load())
    assert frame.count() == package.table("hes_op", "hes_op_0304", patients=500, metadata=meta, allow_unreleased=True).num_rows


# ---- writing ------------------------------------------------------------------------------------------------------------

def parts(folder):
    return sorted(p for p in os.listdir(folder) if p.endswith(".parquet"))


@pytest.mark.parametrize("partitions", [None, 2, 7, 10])
def test_written(partitions, spark, expected, tmp_path):
    path = tmp_path / "out"
    assert adg.spark.write(spark, TABLE, path, partitions=partitions, **OPTIONS) == ROWS
    assert os.listdir(tmp_path) == ["out"]
    assert pa.concat_tables([pq.read_table(path / p) for p in parts(path)]).equals(expected)
    assert spark.read.parquet(str(path)).count() == ROWS and len(parts(path)) == min(partitions or 1, 7)


def test_a_folder_that_is_there(spark, tmp_path):
    path = tmp_path / "out"
    adg.spark.write(spark, TABLE, path, rows=100)
    with pytest.raises(package.UsageError, match="exists"):
        adg.spark.write(spark, TABLE, path, rows=200)
    assert pq.read_table(path).num_rows == 100
    adg.spark.write(spark, TABLE, path, rows=200, mode="overwrite")
    assert pq.read_table(path).num_rows == 200 and os.listdir(tmp_path) == ["out"]


@pytest.fixture
def unreliable(monkeypatch):
    """Workers get this file's functions as they are, instead of importing it."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    genuine = adg.spark._write_part
    yield lambda function: monkeypatch.setattr(adg.spark, "_write_part", function(genuine))
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_tasks_that_fail_are_tried_again(spark, expected, unreliable, tmp_path):
    """Each task's first attempt writes its whole file and then fails, the second fails halfway."""

    def failing(write_part):
        def attempt(job, staging, compression, number, first, end):
            from pyspark import TaskContext
            tried = TaskContext.get().attemptNumber()
            if tried == 0:
                write_part(arguments, staging, compression, number, first, end)
                raise RuntimeError("the worker is lost")
            if tried == 1:
                folder = os.path.join(staging, f"half-{number}")
                os.mkdir(folder)
                open(os.path.join(folder, "part.parquet"), "wb").write(b"PAR1")
                raise RuntimeError("the worker is lost again")
            return write_part(job, staging, compression, number, first, end)
        return attempt

    unreliable(failing)
    path = tmp_path / "out"
    adg.spark.write(spark, TABLE, path, partitions=3, **OPTIONS)
    assert pa.concat_tables([pq.read_table(path / p) for p in parts(path)]).equals(expected)
    assert len(os.listdir(path)) == 4 and os.listdir(tmp_path) == ["out"]


def test_tasks_that_run_twice_leave_nothing_double(spark, expected, unreliable, tmp_path):
    """As with speculation: two attempts complete, one is reported."""

    def twice(write_part):
        def attempt(*arguments):
            write_part(*arguments)
            return write_part(*arguments)
        return attempt

    unreliable(twice)
    path = tmp_path / "out"
    adg.spark.write(spark, TABLE, path, partitions=4, **OPTIONS)
    assert pa.concat_tables([pq.read_table(path / p) for p in parts(path)]).equals(expected)
    assert len(parts(path)) == 4 and os.listdir(tmp_path) == ["out"]


def test_a_job_that_fails_leaves_what_was_there(spark, unreliable, tmp_path):
    path = tmp_path / "out"
    adg.spark.write(spark, TABLE, path, rows=100)

    def hopeless(write_part):
        def attempt(job, staging, compression, number, first, end):
            if number == 1:
                raise RuntimeError("no disk")
            return write_part(job, staging, compression, number, first, end)
        return attempt

    unreliable(hopeless)
    with pytest.raises(PySparkException):
        adg.spark.write(spark, TABLE, path, partitions=3, mode="overwrite", **OPTIONS)
    assert pq.read_table(path).num_rows == 100 and os.listdir(tmp_path) == ["out"]


def test_a_straggler_writes_nothing(tmp_path):
    """An attempt that starts when the job is over."""
    job, _ = adg.spark._plan(TABLE, "hes", {"rows": 10})
    with pytest.raises(FileNotFoundError):
        adg.spark._write_part(job, str(tmp_path / "gone"), "auto", 0, 0, 1)
    assert os.listdir(tmp_path) == []


def test_what_tasks_report_is_checked(tmp_path):
    job, made = adg.spark._plan(TABLE, "hes", {"rows": 40000})
    staging = tmp_path / "staging"
    staging.mkdir()
    ranges = [(0, 1), (1, 3)]
    found = [adg.spark._write_part(job, str(staging), "auto", i, *ranges[i]) for i in range(2)]
    for wrong in (found[:1], [*found, found[0]], [found[0], found[1]._replace(rows=5)], [found[0], found[1]._replace(bytes=5)]):
        with pytest.raises(package.FailedError, match="nothing was written"):
            adg.spark._check(wrong, ranges, made, str(staging))
    assert adg.spark._check(found[::-1], ranges, made, str(staging)) == found
    shutil.rmtree(staging)


def test_delta(spark, expected, tmp_path):
    """Read back with delta-rs: a new table, a version with more rows, one with others."""
    path = tmp_path / "out"
    assert adg.spark.write(spark, TABLE, path, format="delta", partitions=3, **OPTIONS) == ROWS
    assert os.listdir(tmp_path) == ["out"] and sorted(os.listdir(path))[0] == "_delta_log" and "_SUCCESS" not in os.listdir(path)
    table = deltalake.DeltaTable(path)
    assert table.version() == 0 and len(table.file_uris()) == 3
    found = table.to_pyarrow_table()
    assert found.cast(expected.schema.remove_metadata()).sort_by("EPIKEY").equals(expected.sort_by("EPIKEY"))
    (told,) = table.history()
    assert told["engineInfo"].startswith("adg ") and told["operation"] == "CREATE TABLE AS SELECT"
    assert (told["adg"]["table"], told["adg"]["rows_asked"], told["adg"]["seed"], told["adg"]["released"]) == (TABLE, ROWS, "3", True)
    added = pa.table(table.get_add_actions(flatten=True))
    assert added["num_records"].to_pylist() == [pq.read_metadata(path / p).num_rows for p in parts(path)]
    assert min(added["min.ADMIDATE"].to_pylist()) == min(d for d in expected["ADMIDATE"].to_pylist() if d is not None)
    assert sum(added["null_count.ADMIDATE"].to_pylist()) == expected["ADMIDATE"].null_count
    frame = pa.table(package.table("hes", TABLE, rows=10, dictionaries=False))
    deltalake.write_deltalake(path, frame, mode="append")  # somebody else goes on with it, and we with theirs
    assert adg.spark.write(spark, TABLE, path, format="delta", mode="append", partitions=2, rows=30_000, seed=4) == 30_000
    assert deltalake.DeltaTable(path).to_pyarrow_table().num_rows == ROWS + 30_010
    adg.spark.write(spark, TABLE, path, format="delta", mode="overwrite", rows=500)
    table = deltalake.DeltaTable(path)
    assert table.version() == 3 and table.to_pyarrow_table().num_rows == 500 and len(parts(path)) == 3 + 1 + 2 + 1
    assert [h["operationParameters"].get("mode") for h in sorted(table.history(), key=lambda h: h["version"])] == [None, "Append", "Append", "Overwrite"]
    with pytest.raises(package.UsageError, match="exists"):
        adg.spark.write(spark, TABLE, path, format="delta", **OPTIONS)
    with pytest.raises(package.UsageError, match="is a Delta table, whose history would end"):
        adg.spark.write(spark, TABLE, path, mode="overwrite", **OPTIONS)
    assert table.version() == 3 and os.listdir(tmp_path) == ["out"]


def test_delta_tables_that_are_not_written_to(spark, tmp_path):
    path = tmp_path / "out"
    other = pa.table({"A": [1]})
    deltalake.write_deltalake(path, other)
    with pytest.raises(package.InputError, match="has other columns than the definition"):
        adg.spark.write(spark, TABLE, path, format="delta", mode="append", rows=10)
    deltalake.DeltaTable(path).create_checkpoint()
    for mode in ("append", "overwrite"):
        with pytest.raises(package.InputError, match="has a checkpoint"):
            adg.spark.write(spark, TABLE, path, format="delta", mode=mode, rows=10)
    assert deltalake.DeltaTable(path).to_pyarrow_table().equals(other) and os.listdir(tmp_path) == ["out"] and len(parts(path)) == 1
    plain = tmp_path / "plain"
    adg.spark.write(spark, TABLE, plain, rows=10)
    with pytest.raises(package.FailedError, match="holds other files and is no Delta table"):
        adg.spark.write(spark, TABLE, plain, format="delta", mode="overwrite", rows=10)


@pytest.mark.parametrize("mode", ["error", "append", "overwrite"])
def test_a_delta_table_that_moves_on(mode, spark, unreliable, tmp_path):
    """Somebody commits while tasks write: an append goes behind it, the others fail and change nothing."""
    path = tmp_path / "out"
    if mode != "error":
        adg.spark.write(spark, TABLE, path, format="delta", rows=100)
    theirs = pa.table(package.table("hes", TABLE, rows=50, dictionaries=False))

    def interrupted(write_part):
        def attempt(*arguments):
            deltalake.write_deltalake(path, theirs, mode="append")
            return write_part(*arguments)
        return attempt

    unreliable(interrupted)
    if mode == "append":
        adg.spark.write(spark, TABLE, path, format="delta", mode=mode, partitions=1, rows=200)
        assert deltalake.DeltaTable(path).version() == 2 and deltalake.DeltaTable(path).to_pyarrow_table().num_rows == 350
        return
    with pytest.raises(package.FailedError, match="another writer has committed to the table meanwhile"):
        adg.spark.write(spark, TABLE, path, format="delta", mode=mode, partitions=1, rows=200)
    table = deltalake.DeltaTable(path)
    assert table.to_pyarrow_table().num_rows == (50 if mode == "error" else 150) and len(parts(path)) == len(table.file_uris())


def test_two_writers_to_one_new_folder(spark, unreliable, tmp_path):
    """Who is second is told, and takes nothing away."""
    path = tmp_path / "out"

    def interrupted(write_part):
        def attempt(*arguments):
            os.mkdir(path)
            (path / "theirs").write_text("x")
            return write_part(*arguments)
        return attempt

    unreliable(interrupted)
    with pytest.raises(package.FailedError, match="has been made by somebody else meanwhile"):
        adg.spark.write(spark, TABLE, path, partitions=1, rows=200)
    assert os.listdir(path) == ["theirs"] and os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("exchanges", [True, False])
def test_an_overwrite_leaves_no_moment_without_a_table(exchanges, monkeypatch, tmp_path):
    """Where names can be exchanged; else there is one, and a failure in it brings back what was there."""
    path, ready = tmp_path / "out", tmp_path / "ready"
    for folder in (path, ready):
        folder.mkdir()
        (folder / folder.name).write_text("x")
    genuine = os.rename
    renamed = []
    monkeypatch.setattr(os, "rename", lambda a, b: (renamed.append(b), genuine(a, b)))
    if not exchanges:
        monkeypatch.setattr(adg.spark, "_exchange", lambda one, other: False)
    adg.spark._publish(str(ready), str(path), "overwrite", "job")
    assert os.listdir(path) == ["ready"] and (len(renamed) == 0) == exchanges
    assert set(os.listdir(tmp_path)) == ({"out", "ready"} if exchanges else {"out"})  # write() removes what it made


def test_metadata_that_changes(scraped, spark, tmp_path):
    """A worker that plans from other metadata than the driver says so; a later job sees what is there then."""
    meta = tmp_path / "meta"
    shutil.copytree(scraped("hes_op"), meta)
    options = {"dataset": "hes_op", "metadata": meta, "allow_unreleased": True}
    job, made = adg.spark._plan("hes_op_0304", options.pop("dataset"), {"rows": 100, **options})
    assert adg.spark._planned(job).num_rows == made.num_rows == 100
    with pytest.raises(package.FailedError, match="this worker has other metadata"):
        adg.spark._planned(job._replace(provenance=job.provenance.replace("manifest_sha256", "other_sha256")))
    out = {"dataset": "hes_op", "rows": 100, **options}
    assert adg.spark.write(spark, "hes_op_0304", tmp_path / "a", **out) == 100
    shutil.rmtree(meta)
    with pytest.raises(package.Error):
        adg.spark.write(spark, "hes_op_0304", tmp_path / "b", **out)
    assert not (tmp_path / "b").exists()


# ---- bad input ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, message", [
    ({"rows": -5}, "option rows: expected a whole number"),
    ({"rows": "many"}, "option rows: expected a whole number"),
    ({"rows": 0}, "rows: expected a whole number from 1"),
    ({"patients": 5}, "exactly one of rows and patients"),
    ({"partitions": 0}, "partitions: expected a whole number from 1"),
    ({"table": "hes_apc_1066"}, "no table hes_apc_1066"),
    ({"dataset": "hes_xyz"}, "there is no dataset hes_xyz"),
    ({"metadata": "/nowhere"}, "has not been shown to be released"),
    ({"allow_unreleased": "maybe"}, "expected true or false"),
    ({"nonsense": "1"}, "option nonsense"),
])
def test_bad_options(options, message, spark):
    with pytest.raises(PySparkException, match=message):
        source(spark, **options).load().count()


@pytest.mark.parametrize("schema, message", [("NOBODY string", "has no column NOBODY"), ("SEX int", "column SEX: expected string, not int")])
def test_bad_schemas(schema, message, spark):
    with pytest.raises(PySparkException, match=message):
        source(spark).schema(schema).load().count()


@pytest.mark.parametrize("options, error, message", [
    ({"rows": -5}, package.UsageError, "rows: expected"),
    ({"rows": 5, "partitions": -1}, package.UsageError, "partitions: expected"),
    ({"rows": 5, "metadata": "/nowhere"}, package.RefusedError, "has not been shown to be released"),
    ({"rows": 5, "mode": "append"}, package.UsageError, "mode: expected one of error, overwrite"),
    ({"rows": 5, "format": "csv"}, package.UsageError, "format: expected one of parquet, delta"),
    ({"rows": 5, "compression": "gzip"}, package.UsageError, "compression: expected one of"),
    ({"rows": 5, "nonsense": 1}, TypeError, "nonsense"),
    ({"rows": 5, "path": "s3://bucket/table"}, package.UsageError, "not an address"),
    ({"rows": 5, "path": "/nowhere/at/all"}, FileNotFoundError, "nowhere"),
])
def test_bad_writes(options, error, message, spark, tmp_path):
    options = {"path": tmp_path / "out", **options}
    with pytest.raises(error, match=message):
        adg.spark.write(spark, TABLE, options.pop("path"), **options)
    assert os.listdir(tmp_path) == []
