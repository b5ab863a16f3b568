"""Delta tables and Spark with Delta: it reads what adg writes, with its history, and what it writes scrapes the same as Parquet.

Its jars come from Maven's repository, by Maven, once. Debian's package of Maven is large and nothing else wants it: where it is not there, this is skipped.
"""
import datetime
import json
import shutil
import subprocess
import sys

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from conftest import ROOT

POM = """<project><modelVersion>4.0.0</modelVersion><groupId>adg</groupId><artifactId>tests</artifactId><version>1</version><dependencies><dependency>
<groupId>io.delta</groupId><artifactId>delta-spark_4.2_2.13</artifactId><version>4.4.0</version><exclusions><exclusion><groupId>org.apache.spark</groupId>
<artifactId>*</artifactId></exclusion><exclusion><groupId>org.scala-lang</groupId><artifactId>*</artifactId></exclusion></exclusions>
</dependency></dependencies></project>
"""


@pytest.fixture(scope="module")
def jars(tmp_path_factory):
    made = ROOT / "build" / "delta-jars"
    if shutil.which("mvn") is None:
        pytest.skip("Maven (mvn) is absent: nothing fetches the jars of Spark's Delta")
    if not made.exists():
        folder = tmp_path_factory.mktemp("maven")
        (folder / "pom.xml").write_text(POM)
        subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'jars'}"], cwd=folder, check=True)
        shutil.copytree(folder / "jars", made)
    return made


def test_spark_with_delta(jars, small_meta, adg, tmp_path):
    clinic = small_meta
    out, table = tmp_path / "out", tmp_path / "out" / "artificial_visits"
    arguments = ["generate", "--dataset", clinic.definition, "--meta", clinic.meta, "--allow-unreleased", "--table", "visits", "--quiet"]
    for seed, how in ((1, "error"), (2, "append"), (3, "overwrite")):
        adg(*arguments, "--rows", 1000 * seed, "--seed", seed, "--format", "delta", "--if-exists", how, "--out", out, check=0)
    later = tmp_path / "later.yaml"  # a definition in which ages are text
    later.write_text(clinic.definition.read_text().replace("{name: AGE, type: integer,", "{name: AGE, type: string,"))
    migrate = ["migrate", "tables", "--dataset", later, "--data", out]
    assert adg(*migrate, check=0).stdout == "visits\n"
    adg(*arguments, "--rows", 3000, "--out", tmp_path / "parquet", check=0)
    parquet, theirs = tmp_path / "parquet" / "artificial_visits.parquet", tmp_path / "theirs"
    said = subprocess.run([sys.executable, ROOT / "tests" / "tools" / "delta_spark.py", jars, table, theirs, parquet], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr[-3000:]

    versions = json.loads(said.stdout.split("result ")[1])
    assert [(v["version"], v["operation"], v["mode"], v["said"]) for v in versions] == [
        (0, "CREATE TABLE AS SELECT", None, "1000"), (1, "WRITE", "Append", "2000"), (2, "WRITE", "Overwrite", "3000"), (3, "WRITE", "Overwrite", "3000")]
    for v in versions:
        rows = DeltaTable(table, version=v["version"]).to_pyarrow_table()
        late = pc.sum(pc.greater(rows["SEEN"], datetime.date(2021, 3, 5))).as_py()
        assert (v["rows"], v["late"], v["people"]) == (rows.num_rows, late, len(rows["PERSON"].unique())) and 0 < late < rows.num_rows
        assert v["types"] == {"VISIT": "bigint", "PERSON": "string", "CODE": "string", "AGE": "string" if v["version"] == 3 else "int", "SEEN": "date", "WAIT": "int", "SEX": "string", "MOB": "string"}
        assert v["engine"].startswith("adg ")

    assert list((theirs / "_delta_log").glob("*.checkpoint*.parquet"))
    for meta, path in (("m1", theirs), ("m2", parquet)):
        adg("scrape", "--dataset", clinic.definition, "--source", clinic.folder, "--table", f"visits={path}", "--meta", tmp_path / meta, check=0)
    assert (tmp_path / "m1" / "metadata.parquet").read_bytes() == (tmp_path / "m2" / "metadata.parquet").read_bytes()
    assert pq.read_metadata(parquet).num_rows == DeltaTable(theirs).to_pyarrow_table().num_rows

    shutil.rmtree(out)
    out.mkdir()
    theirs.rename(table)
    refused = adg(*arguments, "--rows", 10, "--format", "delta", "--if-exists", "append", "--out", out, check=4)
    assert "the Delta table has a checkpoint, and is not written to here: append to it with Spark or delta-rs" in refused.stderr
    assert adg(*migrate, check=0).stdout == "visits\n"  # which takes its checkpoints, and makes none
    rows, before = (DeltaTable(table, version=DeltaTable(table).version() - ago).to_pyarrow_table().sort_by("VISIT") for ago in (0, 1))
    assert rows["AGE"].to_pylist() == [str(age) for age in before["AGE"].to_pylist()] and rows.num_rows == 3000
    assert rows.drop_columns(["AGE"]).equals(before.drop_columns(["AGE"]))
