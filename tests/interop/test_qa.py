"""adg qa of profile reference (coherent: test_coherence.py): passes what the generator makes, and names the field in which somebody else has changed something."""
import json
import os
import shutil
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import TABLES
from recompute import load_dataset

ROWS = int(os.environ.get("ADG_TEST_ROWS", "200000"))
MOVED = 0.01


@pytest.fixture(scope="module", params=list(TABLES))
def made(request, scraped, adg, tmp_path_factory):
    dataset, out = request.param, tmp_path_factory.mktemp("qa")
    adg("generate", "--dataset", dataset, "--meta", scraped(dataset), "--allow-unreleased", "--profile", "reference", "--rows", ROWS, "--table", TABLES[dataset], "--out",
        out, check=0)
    return dataset, scraped(dataset), out


def qa(adg, dataset, meta, folder, check, *options):
    done = adg("qa", "--dataset", dataset, "--meta", meta, "--data", folder, *options, check=check)
    return json.loads((folder / "qa.json").read_text()), done


def changed(made, tmp_path, change):
    """A copy of the data with one table changed by `change`."""
    dataset, _, out = made
    name = f"artificial_{TABLES[dataset]}.parquet"
    shutil.copy(out / "provenance.json", tmp_path)
    pq.write_table(change(pq.read_table(out / name)), tmp_path / name)
    return tmp_path


def replace(table, name, values):
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))


def move(name, share):
    """Moves a share of the rows from the field's commonest value to another one, evenly over the table."""
    def change(table):
        values = table[name].to_pylist()
        (common, count), (other, _) = Counter(values).most_common(2)
        rows = [i for i, v in enumerate(values) if v == common]
        wanted = int(share * len(values))
        assert wanted <= count
        for i in rows[:: max(len(rows) // wanted, 1)][:wanted]:
            values[i] = other
        return replace(table, name, values)
    return change


def test_what_was_generated_passes(made, adg):
    dataset, meta, out = made
    result, done = qa(adg, dataset, meta, out, 0)
    assert result["result"] == "pass" and result["findings"] == []
    fields = load_dataset(dataset)["fields"]
    assert {f["field"] for f in result["fields"]} >= {f["name"] for f in fields if "derive" in f or f.get("values") in ("CATEGORICAL", "DATE")}
    assert done.stdout == f"{TABLES[dataset]}\tpass\t{ROWS}\n"
    import hashlib
    file = result["tables"][0]["files"][0]
    assert file["sha256"] == hashlib.sha256((out / file["name"]).read_bytes()).hexdigest()


def test_csv_and_parts_pass(made, adg, tmp_path):
    dataset, meta, _ = made
    base = ["generate", "--dataset", dataset, "--meta", meta, "--allow-unreleased", "--profile", "reference", "--rows", 20_000, "--table", TABLES[dataset]]
    single = tmp_path / "part-1"  # a folder of that name does not make parts of what is in it
    adg(*base, "--format", "csv", "--out", single, check=0)
    for shard in range(2):
        adg(*base, "--shard", f"{shard}/2", "--out", tmp_path / "parts", check=0)
    table = f"artificial_{TABLES[dataset]}"
    names = {single: [f"{table}.csv"], tmp_path / "parts": [f"{table}/part-{i:05}-of-00002.parquet" for i in range(2)]}
    for folder, expected in names.items():
        result, _ = qa(adg, dataset, meta, folder, 0)
        assert result["tables"][0]["rows"] == 20_000 and [file["name"] for file in result["tables"][0]["files"]] == expected


def fields_of_each_kind(dataset):
    definition = load_dataset(dataset)
    used = {w for f in definition["fields"] if "derive" in f for w in f["derive"].replace("(", ",").replace(")", "").replace(" ", "").split(",")}
    kinds = {}
    for f in definition["fields"]:
        kind = "sorted" if f["name"] in definition.get("sorted_dates", []) else f.get("values")
        if kind and f["name"] not in used and not f["name"].startswith(("DIAG", "OPERTN", "CCG", "CR_", "NER_", "TREAT")):
            kinds.setdefault(kind, []).append(f["name"])
    return kinds


@pytest.mark.parametrize("kind", ["CATEGORICAL", "DATE", "sorted", "CONTINUOUS"])
def test_one_percent_moved(kind, made, adg, tmp_path):
    dataset, meta, out = made
    table = pq.read_table(out / f"artificial_{TABLES[dataset]}.parquet")
    for name in fields_of_each_kind(dataset).get(kind, []):
        counts = Counter(table[name].to_pylist()).most_common(2)
        if len(counts) == 2 and counts[0][1] > 2 * MOVED * ROWS:
            break
    else:
        pytest.skip(f"{dataset} has no such field with values enough")
    folder = changed(made, tmp_path, move(name, MOVED))
    result, done = qa(adg, dataset, meta, folder, 4)
    named = {f["field"] for f in result["findings"]}
    derived = {f["name"] for f in load_dataset(dataset)["fields"] if name in f.get("derive", "")}
    assert name in named and named <= {name} | derived and name in done.stderr


def test_a_person_field(made, adg, tmp_path):
    """Its samples are patients, not rows: in a small table, what is moved must be more to be seen."""
    dataset, meta, out = made
    table = pq.read_table(out / f"artificial_{TABLES[dataset]}.parquet", columns=["SEX"])
    assert len(set(table["SEX"].to_pylist())) > 1
    result, _ = qa(adg, dataset, meta, changed(made, tmp_path, move("SEX", MOVED if ROWS >= 1_000_000 else 0.05)), 4)
    assert {f["field"] for f in result["findings"]} == {"SEX"}


def test_rows_per_patient(made, adg, tmp_path):
    """Rows of 3 % of the patients given to the patient before."""
    dataset, meta, out = made
    key = load_dataset(dataset)["patient_key"]
    names = pq.read_table(out / f"artificial_{TABLES[dataset]}.parquet", columns=[key])[key].to_pylist()
    order = list(dict.fromkeys(names))
    given = {p: order[i - 1] for i, p in enumerate(order) if i % 33 == 1}
    assert len(order) > 1000
    folder = changed(made, tmp_path, lambda t: replace(t, key, [given.get(p, p) for p in names]))
    result, done = qa(adg, dataset, meta, folder, 4)
    found = {f["field"] for f in result["findings"]}
    assert key in found and "cardinality '" in done.stderr
    assert [f["passed"] for f in result["fields"] if f["measure"] == "rows per patient"] == [False]


def page_data(path):
    page = path.read_text()
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    return json.loads(page.split('id="data">')[1].split("</script>")[0])


def test_the_report_shows_what_was_found(made, adg, tmp_path):
    dataset, meta, out = made
    name = next(n for n in fields_of_each_kind(dataset)["CATEGORICAL"]
                if len(pq.read_table(out / f"artificial_{TABLES[dataset]}.parquet", columns=[n])[n].unique()) > 4)
    result, _ = qa(adg, dataset, meta, changed(made, tmp_path, move(name, 0.2)), 4, "--report", tmp_path / "qa.html", "--json", tmp_path / "copy.json")
    assert json.loads((tmp_path / "copy.json").read_text()) == result
    data = page_data(tmp_path / "qa.html")
    assert data["result"] == "fail" and data["findings"] == result["findings"]
    values = pq.read_table(tmp_path / f"artificial_{TABLES[dataset]}.parquet", columns=[name])[name].to_pylist()
    counts = Counter(None if v is None else str(v) for v in values)
    points = next(f for f in data["fields"] if f["field"] == name)["points"]
    assert len(points) == min(len(counts), 50)
    for value, expected, found in points:
        assert found == pytest.approx(counts[value] / ROWS, abs=1e-9)
    assert max(abs(expected - found) for _, expected, found in points) > 0.19
    for field in data["fields"]:
        if field.get("cumulative"):
            assert field["points"][-1][1:] == pytest.approx([1, 1], abs=1e-6) and len(field["points"]) <= 100
            assert all(a[1] <= b[1] and a[2] <= b[2] for a, b in zip(field["points"], field["points"][1:]))


def test_an_unknown_profile(made, adg, tmp_path):
    dataset, meta, out = made
    qa(adg, dataset, meta, out, 0, "--profile", "reference")
    assert "reference" in qa(adg, dataset, meta, out, 2, "--profile", "other")[1].stderr
    shutil.copytree(out, tmp_path / "copy")
    provenance = json.loads((tmp_path / "copy/provenance.json").read_text())
    for entry in provenance["files"].values():
        entry["profile"] = "other"
    (tmp_path / "copy/provenance.json").write_text(json.dumps(provenance))
    assert "profile other" in adg("qa", "--dataset", dataset, "--meta", meta, "--data", tmp_path / "copy", check=4).stderr


def test_one_derived_value(made, adg, tmp_path):
    dataset, meta, _ = made
    name = next(f["name"] for f in load_dataset(dataset)["fields"] if "derive" in f and f["type"] == "string")

    def change(table):
        values = table[name].to_pylist()
        values[len(values) // 2] = "ZZZ"
        return replace(table, name, values)

    result, _ = qa(adg, dataset, meta, changed(made, tmp_path, change), 4)
    fields = load_dataset(dataset)["fields"]
    onwards = {f["name"] for f in fields if name.rsplit("_", 1)[0] + "_01.." in f.get("derive", "")}  # joined from it in turn
    assert {(f["field"], f["check"]) for f in result["findings"]} == {(n, "derived") for n in {name} | onwards}


def test_schema_rows_and_keys(made, adg, tmp_path):
    dataset, meta, _ = made
    definition = load_dataset(dataset)
    key = definition["primary_key"]

    def repeat(table):
        values = table[key].to_pylist()
        return replace(table, key, [values[1], *values[1:]])

    changes = {"unique key": repeat, "schema": lambda t: t.drop_columns([definition["fields"][-1]["name"]]), "rows": lambda t: t.slice(0, 90)}
    for check, change in changes.items():
        folder = tmp_path / check
        folder.mkdir()
        result, _ = qa(adg, dataset, meta, changed(made, folder, change), 4)
        assert check in {f["check"] for f in result["findings"]}, check


def test_data_of_other_metadata(made, adg, tmp_path, scraped):
    dataset, _, out = made
    result, _ = qa(adg, dataset, scraped(dataset, "reference"), shutil.copytree(out, tmp_path / "copy"), 4)
    assert "provenance" in {f["check"] for f in result["findings"]}


def test_no_data(made, adg, tmp_path):
    dataset, meta, _ = made
    assert "holds no table" in adg("qa", "--dataset", dataset, "--meta", meta, "--data", tmp_path, check=4).stderr


CODES = """dataset: codes
id: 9
primary_key: K
patient_key: P
placeholders: ['-']
coherence: {nested: [C_1..3]}
tables: [t]
fields:
  - {name: K, type: long, pattern: '\\d{12}'}
  - {name: P, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: C_1, type: string, values: CATEGORICAL}
  - {name: C_2, type: string, values: CATEGORICAL}
  - {name: C_3, type: string, values: CATEGORICAL}
  - {name: JOINED, type: string, derive: 'join(C_1..3)'}
  - {name: COUNTED, type: integer, derive: 'count_codes(C_1..3, cap 9)'}
"""


@pytest.mark.parametrize("profile", ["reference", "coherent"])
def test_codes_of_blanks_and_commas(profile, adg, tmp_path):
    """Blanks are a code; commas at the end of what is joined go, whosever they are: generator, checks and this test agree."""
    codes = ["A,", ",", ",,", "   ", "B", " - ", "C,D", None]
    (tmp_path / "codes.yaml").write_text(CODES)
    (tmp_path / "source").mkdir()
    pq.write_table(pa.table({"K": list(range(4000)), "P": [f"p{i}" for i in range(4000)]} |
                            {f"C_{k}": [codes[i // 8 ** k % 8] for i in range(4000)] for k in (1, 2, 3)}), tmp_path / "source" / "t.parquet")
    common = ["--dataset", tmp_path / "codes.yaml", "--meta", tmp_path / "m"]
    adg("scrape", *common, "--source", tmp_path / "source", check=0)
    adg("generate", *common, "--allow-unreleased", "--profile", profile, "--rows", 20_000, "--out", tmp_path / "out", check=0)
    rows = pq.read_table(tmp_path / "out" / "artificial_t.parquet").to_pylist()
    for row in rows:
        of_row = [row["C_1"], row["C_2"], row["C_3"]]
        assert row["JOINED"] == (",".join(code or "" for code in of_row).rstrip(",") or None)
        assert row["COUNTED"] == (sum(code is not None and code.strip(" \\t\\r\\n") != "-" for code in of_row) or None)
    assert {",", "A,", "   "} < {row["C_1"] for row in rows} and any(row["JOINED"] is None and row["C_1"] for row in rows)
    adg("qa", *common, "--data", tmp_path / "out", check=0)


def test_a_table_that_is_named_and_cannot_be_read(adg, tmp_path):
    """Of two tables that name each other's records one is no Parquet: both are told of, and all the rest is checked."""
    adg("generate", "--dataset", "hes", "--meta", "open", "--table", "hes_apc_2021", "--table", "hes_ae_2021", "--rows", 300, "--out", tmp_path, check=0)
    (tmp_path / "artificial_hes_ae_2021.parquet").write_text("no Parquet")
    result, _ = qa(adg, "hes", "open", tmp_path, 4)
    assert {(f["table"], f["field"], f["check"]) for f in result["findings"]} == {("hes_apc_2021", "AEKEY", "reference"), ("hes_ae_2021", None, "file")}
    assert len({f["field"] for f in result["fields"]}) > 180
