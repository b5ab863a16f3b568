"""Delta tables that adg writes: delta-rs reads the rows of the Parquet file, versions are right, and several writers, killed ones too, leave a table."""
import json
import random
import subprocess
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from conftest import ADG, run_and_kill
from delta import check_statistics, commits
from test_delta import change_log, set_in


def generate(clinic, *arguments, form="delta", out="out"):
    return ["generate", "--dataset", clinic.definition, "--meta", clinic.meta, "--allow-unreleased", "--quiet", "--out", out if out == "-" else clinic.folder / out, "--format", form,
            *(["--table", "visits"] if "--table" not in arguments else []), *arguments]


@pytest.fixture
def table(small_meta):
    return small_meta.folder / "out" / "artificial_visits"


def data_files(table):
    return sorted(p.name for p in table.glob("*.parquet"))


def rows_of(path):
    return DeltaTable(path).to_pyarrow_table()


def same_rows(found, expected):
    order = [(name, "ascending") for name in expected.column_names]
    assert found.schema.remove_metadata().equals(expected.schema.remove_metadata())
    assert found.sort_by(order).equals(expected.sort_by(order))


# ---- what is written -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["hes_apc_2021", "hes_op_2021", "hes_ae_2021"])
def test_the_rows_of_parquet(name, adg, tmp_path):
    arguments = ["generate", "--dataset", "hes", "--meta", "open", "--table", name, "--patients", 20_000, "--out"]
    said = adg(*arguments, tmp_path / "delta", "--format", "delta", check=0)
    adg(*arguments, tmp_path / "parquet", check=0)
    path = tmp_path / "delta" / f"artificial_{name}"
    expected = pq.read_table(tmp_path / "parquet" / f"artificial_{name}.parquet")
    assert said.stdout == f"{path}\t{expected.num_rows}\t{sum(p.stat().st_size for p in path.glob('*.parquet'))}\n"
    assert rows_of(path).schema.equals(expected.schema.remove_metadata()) and rows_of(path).equals(expected.replace_schema_metadata())
    assert check_statistics(path) > 50
    assert [p.name for p in (tmp_path / "delta").iterdir()] == [path.name]  # the provenance is in the log
    (history,) = DeltaTable(path).history()
    assert (history["operation"], history["version"], history["isBlindAppend"]) == ("CREATE TABLE AS SELECT", 0, True)
    assert history["operationMetrics"]["numOutputRows"] == str(expected.num_rows) and history["engineInfo"].startswith("adg ")
    assert history["adg"]["seed"] == "1" and history["adg"]["patients_asked"] == 20_000 and history["adg"]["released"] is True
    assert history["adg"] == json.loads((tmp_path / "parquet" / "provenance.json").read_text())["files"][f"artificial_{name}.parquet"]


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_compression(compression, small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 1000, "--compression", compression), check=0)
    codecs = {pq.read_metadata(p).row_group(0).column(c).compression for p in table.glob("*.parquet") for c in range(8)}
    assert codecs <= {"ZSTD", "UNCOMPRESSED"} and (codecs == {"UNCOMPRESSED"}) == (compression == "none")


# ---- versions --------------------------------------------------------------------------------------------------------------

def test_versions(small_meta, table, adg):
    expected = {}
    for seed in (1, 2, 3, 4):
        adg(*generate(small_meta, "--rows", 1000 * seed, "--seed", seed, form="parquet", out=f"p{seed}"), check=0)
        expected[seed] = pq.read_table(small_meta.folder / f"p{seed}" / "artificial_visits.parquet").replace_schema_metadata()
    adg(*generate(small_meta, "--rows", 1000), check=0)
    adg(*generate(small_meta, "--rows", 2000, "--seed", 2, "--if-exists", "append"), check=0)
    same_rows(rows_of(table), pa.concat_tables([expected[1], expected[2]]))
    adg(*generate(small_meta, "--rows", 3000, "--seed", 3, "--if-exists", "overwrite"), check=0)
    same_rows(rows_of(table), expected[3])
    adg(*generate(small_meta, "--rows", 4000, "--seed", 4, "--if-exists", "append"), check=0)
    same_rows(rows_of(table), pa.concat_tables([expected[3], expected[4]]))

    history = sorted(DeltaTable(table).history(), key=lambda h: h["version"])
    assert [h["version"] for h in history] == [0, 1, 2, 3]
    assert [h["operation"] for h in history] == ["CREATE TABLE AS SELECT", "WRITE", "WRITE", "WRITE"]
    assert [h["operationParameters"].get("mode") for h in history] == [None, "Append", "Overwrite", "Append"]
    assert [h["isBlindAppend"] for h in history] == [True, True, False, True]
    assert [h["adg"]["seed"] for h in history] == ["1", "2", "3", "4"]
    times = [h["timestamp"] for h in history]
    assert times == sorted(times) and abs(times[-1] / 1000 - time.time()) < 600
    old = DeltaTable(table, version=1)
    same_rows(old.to_pyarrow_table(), pa.concat_tables([expected[1], expected[2]]))
    assert len(data_files(table)) == 4  # nothing is deleted
    assert len(DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False)) == 2  # but VACUUM would


def test_what_is_there(small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 500), check=0)
    before = rows_of(table)
    for arguments in ([], ["--if-exists", "error"]):
        said = adg(*generate(small_meta, "--rows", 600, *arguments), check=1)
        assert f"{table} is a Delta table already; --if-exists append adds the rows" in said.stderr
    assert adg(*generate(small_meta, "--rows", 600, "--if-exists", "ignore"), check=0).stdout == ""
    assert len(commits(table)) == 1 and len(data_files(table)) == 1 and rows_of(table).equals(before)


def test_append_to_a_table_of_delta_rs(small_meta, table, adg):
    """One that another writer made of the same columns."""
    adg(*generate(small_meta, "--rows", 500, form="parquet", out="p"), check=0)
    rows = pq.read_table(small_meta.folder / "p" / "artificial_visits.parquet").replace_schema_metadata()
    table.parent.mkdir()
    write_deltalake(table, rows)
    adg(*generate(small_meta, "--rows", 500, "--if-exists", "append"), check=0)
    same_rows(rows_of(table), pa.concat_tables([rows, rows]))
    write_deltalake(table, rows, mode="append")  # and it goes on
    assert rows_of(table).num_rows == 1500
    adg(*generate(small_meta, "--rows", 700, "--if-exists", "overwrite"), check=0)
    assert rows_of(table).num_rows == 700 and DeltaTable(table).version() == 3


# ---- what is refused -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("out, arguments, message", [
    ("out", ["--shard", "0/2"], "--shard makes files; a Delta table is filled by one run, or by several, of a seed each, with --if-exists append"),
    ("-", [], "--format delta makes a folder"),
])
def test_wrong_usage(out, arguments, message, small_meta, adg):
    assert message in adg(*generate(small_meta, "--rows", 10, *arguments, out=out), check=2).stderr
    assert not (small_meta.folder / "out").exists()


def make_parts(clinic, adg, table):
    adg(*generate(clinic, "--rows", 100, "--shard", "0/2", form="parquet"), check=0)


def make_file(clinic, adg, table):
    table.parent.mkdir()
    table.write_text("x")


def make_folder(clinic, adg, table):
    table.mkdir(parents=True)
    (table / "notes.txt").write_text("x")


@pytest.mark.parametrize("make, message", [(make_parts, "holds other files and is no Delta table"), (make_file, "is there and is no folder"),
                                           (make_folder, "holds other files and is no Delta table")])
@pytest.mark.parametrize("if_exists", ["error", "append", "overwrite", "ignore"])
def test_a_place_that_is_taken(make, message, if_exists, small_meta, table, adg):
    make(small_meta, adg, table)
    before = sorted(p.name for p in table.parent.rglob("*"))
    said = adg(*generate(small_meta, "--rows", 100, "--if-exists", if_exists))
    assert said.returncode == 1 and message in said.stderr, said.stderr
    assert sorted(p.name for p in table.parent.rglob("*")) == before


def test_parts_do_not_go_into_a_table(small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 100), check=0)
    said = adg(*generate(small_meta, "--rows", 100, "--shard", "0/2", form="parquet"), check=1)
    assert f"{table} is a Delta table; parts do not go into one" in said.stderr
    assert rows_of(table).num_rows == 100


def other_column(rows):
    return rows.rename_columns(["OTHER" if name == "AGE" else name for name in rows.column_names])


def other_type(rows):
    return rows.set_column(rows.column_names.index("AGE"), "AGE", rows["AGE"].cast(pa.int64()))


@pytest.mark.parametrize("change, overwrites", [(other_column, True), (other_type, True), (lambda rows: rows.drop_columns(["SEX"]), True),
                                                (lambda rows: rows.append_column("MORE", rows["SEX"]), True)])
def test_other_columns(change, overwrites, small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 500, form="parquet", out="p"), check=0)
    rows = pq.read_table(small_meta.folder / "p" / "artificial_visits.parquet").replace_schema_metadata()
    table.parent.mkdir()
    write_deltalake(table, change(rows))
    said = adg(*generate(small_meta, "--rows", 500, "--if-exists", "append"), check=4)
    assert "columns than the definition" in said.stderr and len(commits(table)) == 1 and len(data_files(table)) == 1
    adg(*generate(small_meta, "--rows", 500, "--if-exists", "overwrite"), check=0)  # and has the new columns then
    assert rows_of(table).equals(rows) and DeltaTable(table).version() == 1


@pytest.mark.parametrize("make, what", [
    (lambda path, rows: write_deltalake(path, rows, partition_by=["SEX"]), "partition columns"),
    (lambda path, rows: write_deltalake(path, rows, configuration={"delta.enableChangeDataFeed": "true"}), "a newer protocol"),
    (lambda path, rows: write_deltalake(path, rows, configuration={"delta.enableDeletionVectors": "true"}), "the feature "),  # delta-rs asks for several, in any order
    (lambda path, rows: (write_deltalake(path, rows), DeltaTable(path).create_checkpoint()), "a checkpoint"),
])
def test_tables_for_other_writers(make, what, small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 500, form="parquet", out="p"), check=0)
    table.parent.mkdir()
    make(table, pq.read_table(small_meta.folder / "p" / "artificial_visits.parquet").replace_schema_metadata())
    before = sorted(p.name for p in table.rglob("*"))
    for if_exists in ("append", "overwrite"):
        said = adg(*generate(small_meta, "--rows", 500, "--if-exists", if_exists), check=4)
        assert f"the Delta table has {what}" in said.stderr and ", and is not written to here: append to it with Spark or delta-rs" in said.stderr
    assert sorted(p.name for p in table.rglob("*")) == before


@pytest.mark.parametrize("by_feature", [False, True])
def test_a_table_for_appending_only(by_feature, small_meta, table, adg):
    """By its property, of the old protocol or with the feature."""
    adg(*generate(small_meta, "--rows", 500, form="parquet", out="p"), check=0)
    rows = pq.read_table(small_meta.folder / "p" / "artificial_visits.parquet").replace_schema_metadata()
    table.parent.mkdir()
    write_deltalake(table, rows, configuration={"delta.appendOnly": "true"})
    if by_feature:
        change_log(table, set_in("protocol", minReaderVersion=1, minWriterVersion=7, writerFeatures=["appendOnly", "invariants"]))
    before = sorted(p.name for p in table.rglob("*"))
    assert f"{table}: the Delta table is for appending only (delta.appendOnly)" in adg(*generate(small_meta, "--rows", 500, "--if-exists", "overwrite"), check=4).stderr
    assert sorted(p.name for p in table.rglob("*")) == before
    adg(*generate(small_meta, "--rows", 500, "--seed", 2, "--if-exists", "append"), check=0)
    assert rows_of(table).num_rows == 1000 and DeltaTable(table).metadata().configuration == {"delta.appendOnly": "true"}


def test_a_full_disk(small_meta, table, adg):
    """Whatever a run could not finish is gone, and the table as it was."""
    adg(*generate(small_meta, "--rows", 500), check=0)
    said = subprocess.run(["bash", "-c", 'ulimit -f 20; exec "$@"', "-", ADG, *map(str, generate(small_meta, "--rows", 50_000, "--if-exists", "append"))],
                          capture_output=True, text=True)
    assert said.returncode == 1 and "cannot be written" in said.stderr, said
    assert len(data_files(table)) == 1 and len(commits(table)) == 1 and rows_of(table).num_rows == 500


# ---- several writers -------------------------------------------------------------------------------------------------------

def test_an_overwrite_of_a_table_that_moves_on(small_meta, table, adg):
    """It looked at version 0; when it commits there is a version 1."""
    adg(*generate(small_meta, "--rows", 500), check=0)
    slow = subprocess.Popen([ADG, *map(str, generate(small_meta, "--rows", 1_500_000, "--threads", 1, "--if-exists", "overwrite"))], stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    while len(data_files(table)) < 2 and slow.poll() is None:
        time.sleep(0.005)
    adg(*generate(small_meta, "--rows", 300, "--seed", 2, "--if-exists", "append"), check=0)
    assert slow.poll() is None  # else there was nothing to find out
    said = slow.communicate()
    assert slow.returncode == 1 and "another writer has committed to the table meanwhile; nothing was committed, run again" in said[1] and said[0] == ""
    assert DeltaTable(table).version() == 1 and rows_of(table).num_rows == 800 and len(data_files(table)) == 2


WRITERS, APPENDS = 3, 40


def test_three_writers_append(small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 100), check=0)
    loop = 'first=$1; shift; for i in $(seq 1 %d); do "$@" --seed $((first + i)) || exit 1; done' % APPENDS
    running = [subprocess.Popen(["bash", "-c", loop, "-", str(1000 * w), ADG, *map(str, generate(small_meta, "--rows", 100 + w, "--if-exists", "append"))],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for w in range(WRITERS)]
    read = 0
    while any(r.poll() is None for r in running):
        found = DeltaTable(table)
        assert found.to_pyarrow_table(columns=["VISIT"]).num_rows == sum(pa.table(found.get_add_actions())["num_records"].to_pylist())
        read += 1
    for r in running:
        assert r.wait() == 0, r.stderr.read()
    assert read > 5
    history = DeltaTable(table).history()
    assert sorted(h["version"] for h in history) == list(range(1 + WRITERS * APPENDS))
    assert rows_of(table).num_rows == 100 + sum((100 + w) * APPENDS for w in range(WRITERS))
    seeds = {h["adg"]["seed"] for h in history}
    assert seeds == {"1"} | {str(1000 * w + i) for w in range(WRITERS) for i in range(1, APPENDS + 1)}
    assert len(data_files(table)) == 1 + WRITERS * APPENDS


@pytest.mark.parametrize("if_exists", ["append", "overwrite"])
def test_killed_writers(if_exists, small_meta, table, adg):
    """Whenever: the table can be read, has whole versions, and can be written to again."""
    adg(*generate(small_meta, "--rows", 1000), check=0)
    chance, killed, tried, longest = random.Random(5), 0, 0, 0.1
    while killed < 25 and tried < 1000:
        tried += 1
        was_running = run_and_kill(generate(small_meta, "--rows", 1000, "--seed", tried, "--if-exists", if_exists), chance.uniform(0, longest))
        killed += was_running
        longest *= 1.05 if was_running else 0.9  # a run takes about so long, however fast the machine is
        version = DeltaTable(table).version()
        assert rows_of(table).num_rows == (1000 * (version + 1) if if_exists == "append" else 1000)
    assert killed == 25
    before = DeltaTable(table).version()
    adg(*generate(small_meta, "--rows", 1000, "--if-exists", if_exists), check=0)
    assert DeltaTable(table).version() == before + 1
    unnamed = set(data_files(table)) - {a["add"]["path"] for c in commits(table) for a in c if "add" in a}
    gone = DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False, full=True)
    assert unnamed <= {g.split("/")[-1] for g in gone}  # what killed writers have left is VACUUM's


def test_killed_while_it_begins(small_meta, table, adg):
    """A table that is not there yet is there as a whole, or a later run makes it."""
    for i in range(25):
        run_and_kill(generate(small_meta, "--rows", 1000, "--seed", i), 0.003 * i)
        if list(table.glob("_delta_log/0*.json")):
            break
    adg(*generate(small_meta, "--rows", 1000, "--if-exists", "overwrite"), check=0)
    assert rows_of(table).num_rows == 1000


# ---- other commands --------------------------------------------------------------------------------------------------------

def test_scraped_the_same(small_meta, table, adg):
    adg(*generate(small_meta, "--rows", 2000), check=0)
    adg(*generate(small_meta, "--rows", 3000, "--seed", 2, "--if-exists", "overwrite"), check=0)
    adg(*generate(small_meta, "--rows", 3000, "--seed", 2, form="parquet", out="p"), check=0)
    for meta, path in (("m1", table), ("m2", small_meta.folder / "p" / "artificial_visits.parquet")):
        adg("scrape", "--dataset", small_meta.definition, "--source", small_meta.folder, "--table", f"visits={path}", "--meta", small_meta.folder / meta, check=0)
    assert (small_meta.folder / "m1" / "metadata.parquet").read_bytes() == (small_meta.folder / "m2" / "metadata.parquet").read_bytes()


def qa(clinic, *arguments):
    return ["qa", "--dataset", clinic.definition, "--meta", clinic.meta, "--data", clinic.folder / "out", *arguments]


def test_qa(small_meta, table, adg):
    """Rows are those of the last version; what they should be is in the log."""
    adg(*generate(small_meta, "--rows", 3000), check=0)
    assert adg(*qa(small_meta), check=0).stdout == "visits\tpass\t3000\n"
    adg(*generate(small_meta, "--rows", 2000, "--seed", 2, "--if-exists", "append"), check=0)
    adg(*generate(small_meta, "--rows", 4000, "--seed", 3, "--if-exists", "overwrite"), check=0)
    assert adg(*qa(small_meta), check=0).stdout == "visits\tpass\t4000\n"
    (checked,) = json.loads((small_meta.folder / "out" / "qa.json").read_text())["tables"]
    (file,) = checked["files"]
    assert file["name"] == f"{table.name}/{commits(table)[-1][-1]['add']['path']}"

    log = table / "_delta_log" / f"{2:020}.json"  # what was planned is another number than what is there
    log.write_text(log.read_text().replace('"rows":4000', '"rows":4001'))
    assert "4001 were planned" in adg(*qa(small_meta), check=4).stderr
    DeltaTable(table).create_checkpoint()
    assert "the Delta table has a checkpoint" in adg(*qa(small_meta), check=4).stderr


def test_qa_in_a_folder_that_is_called_like_a_partition(small_meta, adg):
    """AGE=3 is no column, neither of Parquet nor of CSV."""
    for form in ("parquet", "csv"):
        (small_meta.folder / form).mkdir()
        adg(*generate(small_meta, "--rows", 1000, form=form, out=f"{form}/AGE=3"), check=0)
        assert adg("qa", "--dataset", small_meta.definition, "--meta", small_meta.meta, "--data", small_meta.folder / form / "AGE=3", check=0).stdout == "visits\tpass\t1000\n"


def test_qa_of_a_table_without_a_version(small_meta, table, adg):
    (table / "_delta_log").mkdir(parents=True)
    assert "holds no table of dataset" in adg(*qa(small_meta), check=4).stderr


def test_publish(small_meta, table, adg):
    """Files are published, Delta tables are not."""
    clinic = small_meta
    (clinic.source / "visits.csv").rename(clinic.source / "more_visits.csv")
    adg(*clinic.scrape, "--add", check=0)
    adg(*generate(clinic, "--rows", 1000), check=0)
    adg(*generate(clinic, "--rows", 1000, "--table", "more_visits", form="parquet"), check=0)
    published = ["publish", "--data", clinic.folder / "out", "--to", clinic.folder / "to", "--allow-unchecked"]
    said = adg(*published, check=4)
    assert "table visits is a Delta table, and publish copies files: leave it out with --exclude visits, or generate it as Parquet" in said.stderr
    adg(*published, "--include", "visits", check=4)
    adg(*published, "--exclude", "visits", check=0)
    adg(*published, "--include", "more_visits", check=0)
    assert "artificial_more_visits.parquet" in {p.name for p in (clinic.folder / "to").iterdir()}
