"""The open metadata: what they generate, held against the published tables that they were made from, the code lists and the extracts."""
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict

import duckdb
import pytest
from conftest import ADG, EXTRACTS, ROOT, peak_memory
from recompute import load_dataset

OPEN = ROOT / "datasets" / "hes" / "open"
FOLDER = ROOT / "build" / "release" / "open"
ROWS = int(os.environ.get("ADG_TEST_ROWS", "200000"))
POINT = 0.01  # shares agree within a percentage point
TABLES = ["hes_apc_1920", "hes_op_1920", "hes_ae_1920"]

sys.path.insert(0, str(OPEN))


@pytest.fixture(scope="module")
def generated(adg, tmp_path_factory):
    """ROWS rows of the last table before the pandemic of each dataset, as views of their names."""
    out = tmp_path_factory.mktemp("open")
    adg("generate", "--dataset", "hes", "--meta", "open", "--rows", ROWS, "--out", out, *[o for t in TABLES for o in ("--table", t)], check=0)
    connection = duckdb.connect()
    for table in TABLES:
        connection.execute(f"create view {table} as from read_parquet('{out}/artificial_{table}.parquet')")
    return connection


@pytest.fixture(scope="module")
def estate(adg, tmp_path_factory):
    """Every table, of 4,000 people, of whom some appear in it."""
    out = tmp_path_factory.mktemp("estate")
    adg("generate", "--dataset", "hes", "--meta", "open", "--patients", 4000, "--out", out, check=0)
    return out


def definitions():
    return {dataset: load_dataset(dataset) for dataset in ("hes_apc", "hes_op", "hes_ae")}


# ---- the metadata ---------------------------------------------------------------------------------------------------


def test_the_build_is_reproducible():
    text = subprocess.run([sys.executable, OPEN / "build.py"], capture_output=True, check=True).stdout
    assert hashlib.sha256(text).hexdigest() == (OPEN / "distributions.sha256").read_text().strip()


def test_the_page_is_the_one_that_the_sources_make():
    page = subprocess.run([sys.executable, OPEN / "document.py"], capture_output=True, check=True, text=True).stdout
    assert (ROOT / "docs" / "open-metadata.md").read_text() == page, "run datasets/hes/open/document.py > docs/open-metadata.md"


def test_figures_are_those_of_the_published_files(shared, tmp_path):
    subprocess.run([sys.executable, OPEN / "import_figures.py", shared / "data", "--out", tmp_path], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    held = {path.name: path.read_bytes() for path in (OPEN / "figures").iterdir()}
    assert made.keys() == held.keys()
    assert [name for name in made if made[name] != held[name]] == []


def test_every_field_of_every_table():
    """COMPLETENESS for each field that has it, RELATIONSHIP and the fields of a person for each table; whole percentiles for whole numbers."""
    rows = duckdb.sql(f"select TABLE_NAME, FIELD_NAME, VALUE_TYPE from read_parquet('{FOLDER}/metadata.parquet') group by all").fetchall()
    found = defaultdict(set)
    for table, field, value_type in rows:
        found[table].add((field, value_type))
    tables = {table: definition for definition in definitions().values() for table in definition["tables"]}
    assert set(found) == set(tables) and len(tables) == 52
    for table, definition in tables.items():
        for field in definition["fields"]:
            if "values" not in field:
                continue
            kind = field["values"] if field["values"].startswith("DEMOGRAPHIC") else "COMPLETENESS"
            assert (field["name"], kind) in found[table], (table, field["name"])
        assert (definition["primary_key"], "RELATIONSHIP") in found[table]
    fractions = duckdb.sql(f"""select count(*) from (select unnest(VALUE_NUMERIC_ARRAY) x from read_parquet('{FOLDER}/metadata.parquet')
                               where VALUE_TYPE = 'CONTINUOUS') where x <> floor(x)""").fetchone()
    assert fractions == (0,)


def test_evidence():
    """As many fields rest on published figures as were promised."""
    import build
    import document
    _, datasets = build.read_datasets(OPEN.parent)
    for dataset, least in (("hes_apc", 55), ("hes_op", 15), ("hes_ae", 12)):
        counts = document.counts(next(d for d in datasets if d.source["dataset"] == dataset))
        assert counts["published"] + counts["derived"] >= least, (dataset, counts)


def test_no_equal_weights_without_a_reason():
    import build
    _, datasets = build.read_datasets(OPEN.parent)
    for dataset in datasets:
        for entry in dataset.entries:
            weights = list(entry.get("values", {}).values())
            if len(weights) > 5 and len(set(weights)) == 1:
                assert "equal" in entry["note"].lower(), (dataset.name, entry["name"])


def test_review_passes(adg, tmp_path):
    import shutil
    shutil.copytree(FOLDER, tmp_path / "open")
    adg("review", "--meta", tmp_path / "open", check=0)


# ---- --meta open ----------------------------------------------------------------------------------------------------


def test_every_table_generates(estate):
    files = sorted(path.name for path in estate.glob("artificial_*.parquet"))
    assert len(files) == 52
    provenance = json.loads((estate / "provenance.json").read_text())["files"]
    assert all(entry["released"] and "Open Government Licence v3.0" in entry["attribution"] for entry in provenance.values())
    for file in files:
        rows, patients = duckdb.sql(f"select count(*), count(distinct PSEUDO_HESID) from read_parquet('{estate}/{file}')").fetchone()
        assert 200 < patients < 4000 and rows > patients, file


@pytest.mark.skipif("asan" in ADG, reason="a sanitizer has memory of its own")
@pytest.mark.parametrize("patients, threads", [(10_000, 1), (200_000, 1), (10_000, 2), (200_000, 2), (600_000, 8)])
def test_memory_of_the_estate(patients, threads, tmp_path):
    """52 tables, the same with more rows: 256 MB and 64 for each thread."""
    peak = peak_memory("generate", "--dataset", "hes", "--meta", "open", "--patients", patients, "--threads", threads, "--out", tmp_path, "--quiet")
    assert peak <= (256 + 64 * threads) * 1_000_000


def test_another_folder_is_refused(adg, tmp_path):
    import shutil
    out = tmp_path / "out"
    copy = shutil.copytree(FOLDER, tmp_path / "open")
    options = ["generate", "--dataset", "hes_ae", "--meta", "open", "--rows", 10, "--table", "hes_ae_1920", "--out", out]
    adg(*options, env={**os.environ, "ADG_OPEN_METADATA": str(copy)}, check=0)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rounding": 5', '"rounding": 1'))
    done = adg(*options, env={**os.environ, "ADG_OPEN_METADATA": str(copy)}, check=3)
    assert "holds other metadata than the open ones" in done.stderr
    shutil.copy(FOLDER / "manifest.json", manifest)
    content = bytearray((copy / "metadata.parquet").read_bytes())
    content[1000] ^= 1
    (copy / "metadata.parquet").write_bytes(content)
    done = adg(*options, env={**os.environ, "ADG_OPEN_METADATA": str(copy)}, check=3)
    assert "metadata.parquet does not match the hash" in done.stderr
    done = adg(*options, env={**os.environ, "ADG_OPEN_METADATA": str(tmp_path)}, check=1)
    assert "holds no metadata" in done.stderr


def test_usage(adg, tmp_path):
    base = ["generate", "--dataset", "hes", "--meta", "open", "--rows", 10, "--out", tmp_path / "out"]
    for extra in (["--allow-unreleased"], ["--trust", tmp_path], ["--release", "0" * 64]):
        assert "--meta open is released with the program" in adg(*base, *extra, check=2).stderr
    assert "option --release is for a store" in adg("qa", "--dataset", "hes", "--meta", "open", "--data", tmp_path, "--release", "0" * 64, check=2).stderr
    other = tmp_path / "other.yaml"
    other.write_text((ROOT / "datasets" / "hes" / "hes_ae.yaml").read_text().replace("rounding: 5", "rounding: 10"))
    adg("generate", "--dataset", other, "--meta", "open", "--rows", 10, "--out", tmp_path / "out", check=3)


def test_installed(tmp_path, adg):
    """The program finds them where it was installed."""
    if "asan" in ADG:
        pytest.skip("the sanitizers' build is not installed")
    subprocess.run(["cmake", "--install", ROOT / "build" / "release", "--prefix", tmp_path / "usr"], check=True, capture_output=True)
    done = subprocess.run([tmp_path / "usr" / "bin" / "adg", "generate", "--dataset", "hes_ae", "--meta", "open", "--rows", "10", "--table", "hes_ae_1920",
                           "--out", tmp_path / "out", "--sandbox", "required"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_qa_passes(adg, generated, tmp_path):
    adg("generate", "--dataset", "hes", "--meta", "open", "--rows", 20_000, "--out", tmp_path, *[o for t in TABLES for o in ("--table", t)], check=0)
    done = adg("qa", "--dataset", "hes", "--meta", "open", "--data", tmp_path, check=0)
    assert sorted(done.stdout.splitlines()) == sorted(f"{table}\tpass\t20000" for table in TABLES)


# Early, middle and late years of all three datasets: every set of percentiles, of dates and of shares that a recomputed field has.
DRIFT_TABLES = ["hes_apc_0102", "hes_apc_0607", "hes_apc_0910", "hes_apc_1213", "hes_apc_2021", "hes_op_0304", "hes_op_0809", "hes_op_1920", "hes_ae_0708", "hes_ae_1112",
                "hes_ae_1718", "hes_ae_2021"]
RECOMPUTED = {"hes_apc": {"ELECDATE", "ADMIDATE", "EPISTART", "DISDATE", "EPIDUR", "SPELDUR", "SPELDUR_CALC", "ELECDUR", "ELECDUR_CALC"},
              "hes_op": {"REQDATE", "WAITING", "APPTAGE"},
              "hes_ae": {"ARRIVALAGE", "INITTIME", "TRETTIME", "CONCLTIME", "DEPTIME", "INITDUR", "TRETDUR", "CONCLDUR", "DEPDUR"}}


def test_recomputed_fields_stay_near(adg, tmp_path):
    """Profile coherent computes dates, times, lengths and ages from one another; the open metadata do not contradict themselves in that."""
    adg("generate", "--dataset", "hes", "--meta", "open", "--rows", 40_000, "--out", tmp_path, *[o for t in DRIFT_TABLES for o in ("--table", t)], check=0)
    adg("qa", "--dataset", "hes", "--meta", "open", "--data", tmp_path, "--json", tmp_path / "qa.json", check=0)
    drift = {(f["table"], f["field"]): f["drift"] for f in json.loads((tmp_path / "qa.json").read_text())["fields"] if "drift" in f}
    for table in DRIFT_TABLES:
        assert {field: drift[table, field] for field in RECOMPUTED[table[:-5]] if not drift[table, field] <= 0.05} == {}, table


# ---- against the published tables -----------------------------------------------------------------------------------


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def shares(counts):
    total = sum(counts.values())
    return {key: count / total for key, count in counts.items()}


def ours(connection, query):
    return shares(dict(connection.execute(query).fetchall()))


def compare(found, published, only=None, absent=()):
    """Every published share (of the `only` largest) is met within a point; nothing is generated that is not published."""
    wanted = shares(published)
    for key in sorted(wanted, key=wanted.get, reverse=True)[:only]:
        assert abs(found.get(key, 0) - wanted[key]) < POINT, (key, found.get(key, 0), wanted[key])
    extra = {key: share for key, share in found.items() if key not in wanted and share >= POINT and key not in absent}
    assert not extra


BAND = "case when {age} > 7000 then 0 when {age} >= 90 then 90 else {age} // 5 * 5 end"


def age_bands(path, column):
    counts = {}
    for row in csv.reader(open(path, newline="")):
        first = re.match(r"(\d+)", row[0])
        if first:
            counts[int(first[1])] = int(row[column])
    return counts


def test_apc_age_and_sex(generated, shared):
    path = shared / "data" / "published" / "apc_2024_25_summary_table_2.csv"
    found = ours(generated, f"select {BAND.format(age='STARTAGE')}, count(*) from hes_apc_1920 where STARTAGE is not null group by 1")
    compare(found, age_bands(path, 3))
    men, women = sum(age_bands(path, 1).values()), sum(age_bands(path, 2).values())
    compare(ours(generated, "select SEX, count(*) from hes_apc_1920 where SEX in ('1', '2') group by 1"), {"1": men, "2": women})


def test_apc_months(generated, shared):
    months = ["April", "May", "June", "July", "August", "September", "October", "November", "December", "January", "February", "March"]
    published = {}
    for row in csv.reader(open(shared / "data" / "published" / "apc_2024_25_summary_table_3.csv", newline="")):
        if row[0] in months:
            published[(months.index(row[0]) + 3) % 12 + 1] = int(row[1])
    # the end of an episode is drawn by itself, the other dates follow from it
    found = ours(generated, "select month(EPIEND), count(*) from hes_apc_1920 where EPIEND between '2019-04-01' and '2020-03-31' group by 1")
    compare(found, published)


def test_apc_ethnic_group(generated, shared):
    groups = {"A": "White", "B": "White", "C": "White", "D": "Mixed", "E": "Mixed", "F": "Mixed", "G": "Mixed", "H": "Asian", "J": "Asian",
              "K": "Asian", "L": "Asian", "M": "Black", "N": "Black", "P": "Black", "R": "Any other ethnic group", "S": "Any other ethnic group"}
    published = {}
    for row in csv.reader(open(shared / "data" / "published" / "apc_2024_25_summary_table_4.csv", newline="")):
        if row[0] in {*groups.values(), "Unknown"}:
            published[row[0]] = int(row[1])
    found = defaultdict(float)
    for code, share in ours(generated, "select ETHNOS, count(*) from hes_apc_1920 group by 1").items():
        found[groups.get(code, "Unknown")] += share
    # the table of 2024-25 has Chinese under Asian; the code list has it under other groups
    both = {"Asian": "Asian or other", "Any other ethnic group": "Asian or other"}
    joined, wanted = defaultdict(float), defaultdict(int)
    for group, share in found.items():
        joined[both.get(group, group)] += share
    for group, count in published.items():
        wanted[both.get(group, group)] += count
    compare(joined, wanted)


def test_apc_specialty(generated, shared):
    published = defaultdict(int)
    for row in rows_of(shared / "data" / "published" / "hes_monthly_treatment_function_2018_21.csv"):
        if row["FY_Start_Date"].endswith(("2018", "18", "2019", "19")):
            published[row["TRETSPEF"]] += int(row["FCE"] or 0)
    compare(ours(generated, "select TRETSPEF, count(*) from hes_apc_1920 group by 1"), published, 30)


def test_apc_provider(generated, shared):
    published = defaultdict(int)
    for row in rows_of(shared / "data" / "published" / "apc_2024_25_provider_icb.csv"):
        if row["type"] not in ("National", "ICB") and row["fce"] not in ("", "*"):
            published[row["code"][:3]] += int(row["fce"])  # "RRK-X" is a part of RRK
    compare(ours(generated, "select PROCODE3, count(*) from hes_apc_1920 group by 1"), published)


CHAPTERS = [("A00", "B99"), ("C00", "D48"), ("D50", "D89"), ("E00", "E90"), ("F00", "F99"), ("G00", "G99"), ("H00", "H59"), ("H60", "H95"), ("I00", "I99"),
            ("J00", "J99"), ("K00", "K93"), ("L00", "L99"), ("M00", "M99"), ("N00", "N99"), ("O00", "O99"), ("P00", "P96"), ("Q00", "Q99"), ("R00", "R99"),
            ("S00", "T98"), ("V01", "Y98"), ("Z00", "Z99"), ("U00", "U99")]


def codes_of(connection, table, prefix, count, placeholders):
    columns = ", ".join(f"{prefix}_{i:02}" for i in range(1, count + 1))
    return dict(connection.execute(f"""select rtrim(code), count(*) from (unpivot (select {columns} from {table}) on columns(*) into name field value code)
                                       where trim(code, ' \t') not in {placeholders} group by 1""").fetchall())


def usage(path, year):
    return {row["code"]: int(row["count"]) for row in rows_of(path) if row["year_start"] == str(year)}


def test_apc_diagnoses(generated, shared):
    published = usage(shared / "data" / "published" / "icd10_usage.csv", 2019)
    found = {code.removesuffix("X"): count for code, count in codes_of(generated, "hes_apc_1920", "DIAG_4", 20, ("-", "&", "R69X")).items()}
    published = {code.removesuffix("X"): count for code, count in published.items() if code not in ("R69", "R69X")}
    compare(shares(found), published, 100)

    def chapters(counts):
        result = defaultdict(int)
        for code, count in counts.items():
            chapter = [first for first, last in CHAPTERS if first <= code[:3] <= last]
            assert len(chapter) == 1, code
            result[chapter[0]] += count
        return result
    compare(shares(chapters(found)), chapters(published))


def test_apc_procedures(generated, shared):
    published = usage(shared / "data" / "published" / "opcs4_usage.csv", 2019)
    compare(shares(codes_of(generated, "hes_apc_1920", "OPERTN_4", 24, ("-", "&"))), published, 100)


def test_op(generated, shared):
    published = {row[0]: int(row[2]) for row in csv.reader(open(shared / "data" / "published" / "op_2024_25_ethnos.csv", newline="")) if len(row[0]) in (1, 2)}
    known = shares({code: count for code, count in published.items() if code not in ("Z", "99")})
    found = ours(generated, "select ETHNOS, count(*) from hes_op_1920 group by 1")
    compare(shares({code: share for code, share in found.items() if code in known}), known)
    compare({"unknown": sum(share for code, share in found.items() if code not in known), "known": sum(found[code] for code in known if code in found)},
            {"unknown": published["Z"] + published["99"], "known": sum(published.values()) - published["Z"] - published["99"]})
    published = defaultdict(int)
    for row in rows_of(shared / "data" / "published" / "hes_monthly_treatment_function_2018_21.csv"):
        if row["FY_Start_Date"].endswith(("2018", "18", "2019", "19")):
            published[row["TRETSPEF"]] += int(row["Total_Appointments"] or 0)
    compare(ours(generated, "select TRETSPEF, count(*) from hes_op_1920 group by 1"), published, 30)
    ages, sexes = defaultdict(int), defaultdict(int)
    for row in rows_of(shared / "data" / "published" / "op_2024_25_mainspef_age_sex.csv"):
        if row["mainspef"] == "All" and row["sex"] in ("Male", "Female", "1", "2", "M", "F"):
            sexes["1" if row["sex"][0] in "1M" else "2"] += int(row["attendances"]) if row["age"] in ("All", "Total") else 0
        first = re.match(r"(\d+)", row["age"])
        if row["mainspef"] == "All" and row["sex"] == "All" and first:
            age = int(first[1])
            ages[0 if age < 5 else 90 if age >= 90 else age // 5 * 5] += int(row["attendances"])
    assert len(ages) > 10
    compare(ours(generated, f"select {BAND.format(age='APPTAGE')}, count(*) from hes_op_1920 where APPTAGE is not null group by 1"), ages)
    if sum(sexes.values()) > 0:
        compare(ours(generated, "select SEX, count(*) from hes_op_1920 where SEX in ('1', '2') group by 1"), sexes)


# ---- against the code lists and the extracts ------------------------------------------------------------------------


def is_placeholder(code):
    """'nnn', 'max 4n', 'YYYY-MM-DD', 'N01-N98', ...: a description of codes instead of one."""
    return not re.fullmatch(r"[0-9A-Z&-]{1,6}", code) or bool(re.fullmatch(r"[a-z\d]*n+|YYYY.*", code))


def test_codes_are_allowed(estate, shared):
    """For fields whose list has nothing but codes, every generated value is one of them, or the sources say why not."""
    import build
    allowed, described = defaultdict(set), set()
    for row in rows_of(shared / "data" / "reference" / "hes_allowed_values.csv"):
        key = row["dataset"], re.sub(r"_?n+$", "", row["field"], flags=re.I)
        if is_placeholder(row["code"]) and row["code"].lower() != "null":
            described.add(key)
        else:
            allowed[key].add(row["code"])
    _, datasets = build.read_datasets(OPEN.parent)
    checked = 0
    for dataset in datasets:
        short = dataset.source["dataset"].removeprefix("hes_").upper()
        for field in dataset.fields:
            key = short, re.sub(r"_\d+$", "", field)
            if key not in allowed or key in described:
                continue
            checked += 1
            reasons = " ".join(e["note"] for e in dataset.entries if field in build.expand(e["name"]))
            union = " union ".join(f"select distinct {field}::varchar v from read_parquet('{estate}/artificial_{t.name}.parquet')" for t in dataset.tables)
            found = {value for (value,) in duckdb.sql(union).fetchall() if value is not None}
            strange = {code for code in found if code.strip() not in allowed[key] and not re.search(rf"(?<!\w){re.escape(code.strip())}(?!\w)", reasons)}
            assert not strange, (field, strange)
    assert checked > 50


@pytest.mark.parametrize("dataset", EXTRACTS)
def test_columns_filled_as_in_the_extract(dataset, estate, shared):
    """A column that is null throughout in the published extract is so here, and the other way round; docs/open-metadata.md explains what is not."""
    table, file = EXTRACTS[dataset]
    extract = rows_of(shared / "data" / "hes_extract" / file)
    here = duckdb.sql(f"select * from read_parquet('{estate}/artificial_{table}.parquet')")
    filled = dict(zip(here.columns, here.aggregate(", ".join(f'count("{c}") > 0' for c in here.columns)).fetchone()))
    assert list(here.columns) == list(extract[0])
    different = {name for name in filled if filled[name] != any(row[name] for row in extract)}
    page = (ROOT / "docs" / "open-metadata.md").read_text()
    section = page[page.index(f"(`{dataset}`)"):]
    assert {name for name in different if f"`{name}`: " not in section} == set()
