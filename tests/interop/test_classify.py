"""adg classify: drafts that go through the whole chain without an edit, against our own definitions, and on what tables can be like."""
import csv
import gzip
import os
import random
import re
import string
import uuid
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import peak_memory
from recompute import load_dataset


def read(path):
    draft = yaml.safe_load(path.read_text())
    return draft, {field["name"]: field for field in draft["fields"]}


@pytest.fixture
def classify(adg, tmp_path):
    """Classifies; the draft, its fields by name, its text. It has passed adg dataset check."""
    def run(file, *options):
        out = tmp_path / "draft.yaml"
        adg("classify", file, "--out", out, "--sandbox", "required", *options, check=0)
        adg("dataset", "check", out, check=0)
        return *read(out), out.read_text()

    return run


def chain(adg, draft, source, folder, rows):
    """Scrape, generate and check, without an edit."""
    adg("scrape", "--dataset", draft, *source, "--meta", folder / "meta", "--strict", check=0)
    adg("generate", "--dataset", draft, "--meta", folder / "meta", "--allow-unreleased", "--rows", rows, "--out", folder / "made", check=0)
    adg("qa", "--dataset", draft, "--meta", folder / "meta", "--data", folder / "made", check=0)


# ---- a table of others -------------------------------------------------------------------------------------------------


def test_hospital_data(shared, classify, adg, tmp_path):
    file = shared / "data" / "other" / "hospital_ae_data.csv"
    draft, fields, _ = classify(file)
    assert draft["primary_key"] == "HEALTH_SERVICE_ID" and "patient_key" not in draft and draft["tables"] == ["hospital_ae_data"]
    assert {name: (field["type"], field.get("values") or field["pattern"], field.get("column")) for name, field in fields.items()} == {
        "HEALTH_SERVICE_ID": ("string", r"\d{3}\-\d{3}\-\d{4}", "Health Service ID"),
        "AGE": ("integer", "CONTINUOUS", None),
        "TIME_IN_A_E_MINS": ("integer", "CONTINUOUS", "Time in A&E (mins)"),
        "HOSPITAL": ("string", "CATEGORICAL", None),
        "ARRIVAL_TIME": ("timestamp", "CONTINUOUS", "Arrival Time"),
        "TREATMENT": ("string", "CATEGORICAL", None),
        "GENDER": ("string", "CATEGORICAL", None),
        "POSTCODE": ("string", r"[A-Z]{1,2}\d{1,2} \d[A-Z]{2}", None),
    }
    chain(adg, tmp_path / "draft.yaml", ["--source", file.parent], tmp_path, 20_000)
    made = pq.read_table(tmp_path / "made" / "artificial_hospital_ae_data.parquet").to_pydict()
    with open(file, newline="") as lines:
        source = list(csv.DictReader(lines))
    times = sorted(row["Arrival Time"] for row in source)
    assert all(times[0] <= f"{moment:%Y-%m-%d %H:%M:%S}" <= times[-1] and moment.microsecond == 0 for moment in made["ARRIVAL_TIME"])
    assert len(set(made["HEALTH_SERVICE_ID"])) == 20_000
    assert set(made["HOSPITAL"]) <= {row["Hospital"] for row in source}
    assert not set(made["POSTCODE"]) & {row["Postcode"] for row in source}


# ---- our own datasets --------------------------------------------------------------------------------------------------

# Sampled fields that get another value type than the definitions give them, and why.
DIFFERENT = {
    "hes_apc": {
        "EPIDUR": ("CATEGORICAL", "a duration in days with at most 100 different values in this table"),
        "SPELDUR": ("CATEGORICAL", "the same"),
        "SPELDUR_CALC": ("CATEGORICAL", "the same"),
        "SITEDIST": ("CONTINUOUS", "a distance, numbers with decimals, that the dataset's documentation calls text"),
        "PROVDIST": ("CONTINUOUS", "the same"),
    },
    "hes_op": {"SITEDIST": ("CONTINUOUS", "as in hes_apc"), "PROVDIST": ("CONTINUOUS", "as in hes_apc")},
    "hes_ae": {
        "SITEDIST": ("CONTINUOUS", "as in hes_apc"), "PROVDIST": ("CONTINUOUS", "as in hes_apc"),
        "SUSLDDATE_HIS": ("DATE", "dates, that the dataset's documentation calls text"),
    },
}


# Derived fields that classify does not find, though each row tells it.
MISSED = {"hes_apc": set(), "hes_op": {"OPERTN_3_01"}, "hes_ae": set()}


@pytest.fixture(scope="module")
def open_table(adg, tmp_path_factory):
    made = {}

    def generate(dataset, form):
        if (dataset, form) not in made:
            folder = tmp_path_factory.mktemp("open")
            adg("generate", "--dataset", dataset, "--meta", "open", "--rows", 100_000, "--table", f"{dataset}_1920", "--format", form, "--out", folder,
                "--profile", "reference", check=0)  # every field on its own: the later positions of repeated codes have values, too
            made[dataset, form] = folder / f"artificial_{dataset}_1920.{form}"
        return made[dataset, form]

    return generate


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("dataset", ["hes_apc", "hes_op", "hes_ae"])
def test_hes(dataset, form, open_table, classify, adg, tmp_path):
    ours, file = load_dataset(dataset), open_table(dataset, form)
    draft, found, text = classify(file, "--dataset", "unknown", "--table", "t")
    assert (draft["primary_key"], draft["patient_key"]) == (ours["primary_key"], ours["patient_key"])
    assert [field["name"] for field in draft["fields"]] == [field["name"] for field in ours["fields"]]
    sampled = [field for field in ours["fields"] if "values" in field]
    different = {field["name"]: found[field["name"]].get("values") for field in sampled if found[field["name"]].get("values") != field["values"]}
    assert different == {name: value_type for name, (value_type, _) in DIFFERENT[dataset].items()}
    assert len(different) <= 0.05 * len(sampled)
    for field in ours["fields"]:
        if "pattern" in field:  # of numbers the width is what can be seen: with zeros in front they are shorter
            assert found[field["name"]]["pattern"] == field["pattern"] and found[field["name"]]["type"] == field["type"], field["name"]
    # what is derived is found where 20 rows or more tell it, unless it is constant or an age, or among the known ones that are missed
    for field in ours["fields"]:
        derivation = found[field["name"]].get("derive")
        if "derive" in field and derivation is not None:
            assert re.sub(r"cap \d+", "", derivation) == re.sub(r"cap \d+", "", field["derive"]), field["name"]
    rows = pq.read_table(open_table(dataset, "parquet"))
    derived = [field["name"] for field in ours["fields"] if re.match("prefix|join|count", field.get("derive", ""))]
    telling = [name for name in derived if rows.num_rows - rows[name].null_count >= 20 and len(rows[name].unique()) > 1]
    assert len(telling) >= 0.7 * len(derived)
    assert {name for name in telling if "derive" not in found[name]} == MISSED[dataset]
    assert not any("derive" in found[field["name"]] for field in sampled)
    assert draft.get("sorted_dates") == ours.get("sorted_dates")
    chain(adg, tmp_path / "draft.yaml", ["--source", file.parent, "--table", f"t={file}"], tmp_path, 5_000)


# ---- everything else ---------------------------------------------------------------------------------------------------


def health_number(random):
    while True:
        digits = [random.randrange(10) for _ in range(9)]
        check = 11 - sum(d * (10 - i) for i, d in enumerate(digits)) % 11
        if check != 10:
            return "".join(map(str, digits)) + str(check % 11)


WORDS = "seen in clinic again wound clean dry much better since last week but some pain remains".split()


def clinic_rows(count=4000, seed=3):
    r = random.Random(seed)
    people = [(health_number(r), r.choice("MF"), f"{r.randrange(1, 13):02}{r.randrange(1930, 2015)}") for _ in range(count // 4)]
    codes = [f"{code:06}" for code in range(100101, 990000, 10451)]
    for i in range(count):
        person = r.choice(people)
        start = date(2015, 1, 1) + timedelta(r.randrange(2000))
        end = start + timedelta(int(r.expovariate(0.2)))
        yield {
            "Record No": 50_000 + i, "Token": uuid.UUID(int=r.getrandbits(128)), "NHS Number": person[0], "Gender": person[1], "Month of birth": person[2],
            "Start": start, "End": end, "Days": (end - start).days, "Slashes": f"{start:%d/%m/%Y}", "Digits": f"{start:%d%m%y}", "Code": r.choice(codes),
            "Contact": "".join(r.choices(string.ascii_lowercase, k=7)) + "@nhs.example", "Mobile": f"07{r.randrange(10**9):09}",
            "Notes": " ".join(r.choices(WORDS, k=12)), "Forename": r.choice(["Ada", "Brian", "Chandra", "Dorothy"]), "Weight": f"{r.gauss(70, 12):.1f}",
            "Dose": r.choice(["0.5", "1.5"]), "Nothing": "", "Result": "not done" if r.random() < 0.02 else r.randrange(500),
            "Ward": r.choice(["Nightingale", "Seacole", "Cavell"]),
        }


def write(path, rows):
    rows = list(rows)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


EXPECTED = {
    "RECORD_NO": "integer", "TOKEN": r"[0-9a-f]{8}\-[0-9a-f]{4}\-[0-9a-f]{4}\-[0-9a-f]{4}\-[0-9a-f]{12}", "NHS_NUMBER": r"\d{10}",
    "GENDER": "DEMOGRAPHIC_CATEGORICAL", "MONTH_OF_BIRTH": "DEMOGRAPHIC_DATE", "START": "DATE", "END": "DATE", "DAYS": "CATEGORICAL",
    "SLASHES": "CATEGORICAL", "DIGITS": "CATEGORICAL", "CODE": "CATEGORICAL", "CONTACT": r"[a-z]{8,12}@example\.org", "MOBILE": r"0\d{10}",
    "NOTES": "[A-Z][a-z]{4,8} [a-z]{4,8} [a-z]{4,8}", "FORENAME": "[A-Z][a-z]{4,9}", "WEIGHT": "CONTINUOUS", "DOSE": "CATEGORICAL",
    "NOTHING": "CATEGORICAL", "RESULT": "CATEGORICAL", "WARD": "CATEGORICAL",
}


def test_personal_data_dates_and_codes(classify, adg, tmp_path):
    rows = write(tmp_path / "visits.csv", clinic_rows())
    draft, fields, text = classify(tmp_path / "visits.csv")
    assert draft["sorted_dates"] == ["START", "END"]
    assert draft["patient_key"] == "NHS_NUMBER" and draft["primary_key"] in ("RECORD_NO", "TOKEN")
    assert {name: field.get("values") or field["pattern"] for name, field in fields.items() if name != "RECORD_NO"} == {
        name: value for name, value in EXPECTED.items() if name != "RECORD_NO"}
    said = dict(zip(fields, re.split(r"  - \{.*\n", text.split("fields:\n")[1])))
    assert "patient key" in said["NHS_NUMBER"] and "personal data (NHS numbers)" in said["NHS_NUMBER"]
    for name in ("CONTACT", "MOBILE", "NOTES", "FORENAME"):
        assert "never sampled" in said[name] and "DECIDE" in said[name]
    for name, form in (("SLASHES", "dd/MM/yyyy"), ("DIGITS", "ddMMyy")):
        assert form in said[name] and "DECIDE" in said[name] and "strptime" in said[name]
    assert "date" not in said["CODE"] and "DECIDE" not in said["CODE"]
    assert "the days from START to END" in said["DAYS"] and "null in every row" in said["NOTHING"] and "not all" in said["RESULT"]
    # nothing of the table is in the draft: no value that has anything to say, and no exact count
    words = set(re.findall(r"[A-Za-z0-9@.]{4,}", text))
    values = {word for row in rows for value in row.values() for word in re.findall(r"[A-Za-z0-9@.]{4,}", str(value))}
    values -= {word for word in WORDS if word in ("seen", "some", "week", "last", "much")}
    assert not words & values
    assert all(int(number) % 5 == 0 for number in re.findall(r"about (\d+)", text)) and "fewer than 5 different values" in said["GENDER"]
    chain(adg, tmp_path / "draft.yaml", ["--source", tmp_path, "--table", f"visits={tmp_path / 'visits.csv'}"], tmp_path, 3_000)


def test_every_form_of_a_table_gives_the_same(classify, adg, tmp_path):
    """CSV, gzip, and a folder of Parquet parts that hold text: the same decisions, whatever the form."""
    write(tmp_path / "visits.csv", clinic_rows())
    write(tmp_path / "packed.csv.gz", clinic_rows())
    strings = pyarrow.csv.ConvertOptions(column_types={name: "string" for name in next(clinic_rows())}, strings_can_be_null=True, null_values=[""])
    table = pyarrow.csv.read_csv(tmp_path / "visits.csv", convert_options=strings)
    (tmp_path / "parts").mkdir()
    pq.write_table(table.slice(0, 2500), tmp_path / "parts" / "a.parquet")
    pq.write_table(table.slice(2500), tmp_path / "parts" / "b.parquet")
    texts = [classify(tmp_path / name, "--dataset", "d", "--table", "t")[2] for name in ("visits.csv", "packed.csv.gz", "parts")]
    assert texts[0] == texts[1] == texts[2]
    assert adg("classify", tmp_path / "visits.csv", "--dataset", "d", "--table", "t", "--quiet", check=0).stdout == texts[0]


def test_typed_columns(classify, adg, tmp_path):
    r, count = random.Random(5), 2000
    table = pa.table({
        "Record ID": pa.array(range(count), pa.int64()), "DAY": pa.array([date(2020, 1, 1) + timedelta(r.randrange(300)) for _ in range(count)]),
        "MOMENT": pa.array([r.randrange(10**15) for _ in range(count)], pa.timestamp("us")),
        "MIDNIGHT": pa.array([r.randrange(200) * 86_400_000_000 for _ in range(count)], pa.timestamp("us")),
        "YES": [r.random() < 0.5 for _ in range(count)], "PRICE": pa.array([r.randrange(10**5) / 100 for _ in range(count)]).cast(pa.decimal128(9, 2), safe=False),
        "SHARE": [r.random() for _ in range(count)], "TEXT_CODE": [str(r.randrange(100, 999)) for _ in range(count)], "NUMBER": [r.randrange(300) for _ in range(count)],
        "NEVER": pa.nulls(count, pa.date32())})
    pq.write_table(table, tmp_path / "t.parquet")
    _, fields, _ = classify(tmp_path / "t.parquet")
    assert {name: (field["type"], field.get("values")) for name, field in fields.items()} == {
        "RECORD_ID": ("integer", None), "DAY": ("date", "DATE"), "MOMENT": ("timestamp", "CONTINUOUS"), "MIDNIGHT": ("date", "DATE"), "YES": ("boolean", "CATEGORICAL"),
        "PRICE": ("decimal(18,2)", "CONTINUOUS"), "SHARE": ("double", "CONTINUOUS"), "TEXT_CODE": ("string", "CATEGORICAL"), "NUMBER": ("integer", "CONTINUOUS"),
        "NEVER": ("date", "DATE")}
    chain(adg, tmp_path / "draft.yaml", ["--source", tmp_path], tmp_path, 1_000)
    made = pq.read_table(tmp_path / "made" / "artificial_t.parquet")
    assert min(made["MOMENT"].to_pylist()).year >= 1970 and min(made["MIDNIGHT"].to_pylist()) >= date(1970, 1, 1)


def test_options(classify, adg, tmp_path):
    write(tmp_path / "my visits-2020.csv", clinic_rows(1000))
    draft, _, text = classify(tmp_path / "my visits-2020.csv")
    assert draft["dataset"] == "my_visits_2020" and draft["tables"] == ["my_visits_2020"] and "from about 1000 rows" in text
    draft, _, text = classify(tmp_path / "my visits-2020.csv", "--rows", 300, "--dataset", "clinic", "--table", "visits")
    assert draft["dataset"] == "clinic" and draft["tables"] == ["visits"] and "from the first about 300 rows" in text
    done = adg("classify", tmp_path / "my visits-2020.csv", "--out", tmp_path / "x.yaml", check=0)
    assert done.stdout == "" and re.match(r"20 fields; \d+ need a decision\n", done.stderr)


@pytest.mark.parametrize("content, said", [
    (b"", "the file is empty"),
    (b"ID,CODE\n", "found a header alone"),
    (b"ID,CODE\n1,A\n2\n", "line 3"),
    (b"ID,CODE\n1,\xff\n", "line 2"),
    (b"1001,M,2020-01-01\n" + b"".join(b"%d,M,2020-01-02\n" % i for i in range(50)), "looks like values"),
    (b"Ada,M,Leeds\n" + b"Ada,F,Leeds\nBrian,M,York\n" * 20, "looks like values"),
    (b"Adalbert,a@b.example\n" + b"Brian,c@d.example\n" * 20, "looks like values"),
    (b"ID,id\n1,2\n", "have the same"),
    (b"ID;CODE\n1;2\n", "another delimiter"),
    (b"WEIGHT\n" + b"1.5\n2.5\n" * 20, "no column can identify a record"),
])
def test_bad_tables(content, said, adg, tmp_path):
    (tmp_path / "t.csv").write_bytes(content)
    done = adg("classify", tmp_path / "t.csv", "--out", tmp_path / "d.yaml", check=4)
    assert said in done.stderr and "Ada" not in done.stderr and "1001" not in done.stderr and "@" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_names_of_columns(classify, adg, tmp_path):
    """Whatever a column is called, its field has a name, and is found again."""
    names = ["ID", 'a "b"\n c', "Größe", "back\\slash", "NO", "a b c", "%", "n" * 300]
    with open(tmp_path / "t.csv", "w", newline="") as file:
        csv.writer(file).writerows([names, *([i, *"xyzwqvu"] for i in range(100, 400))])
    draft, fields, _ = classify(tmp_path / "t.csv")
    assert list(fields) == ["ID", "A_B_C", "GR_E", "BACK_SLASH", "NO", "A_B_C_2", "COLUMN_7", "N" * 100]
    assert [field.get("column", name) for name, field in fields.items()] == names
    chain(adg, tmp_path / "draft.yaml", ["--source", tmp_path], tmp_path, 200)


def test_the_table_is_not_overwritten(adg, tmp_path):
    (tmp_path / "t.csv").write_text("ID\n1\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "t.csv")
    for out in ("t.csv", "link.yaml"):
        adg("classify", tmp_path / "t.csv", "--out", tmp_path / out, check=2)
    assert (tmp_path / "t.csv").read_text() == "ID\n1\n"


def test_what_is_no_table(adg, tmp_path):
    assert "no such file" in adg("classify", tmp_path / "missing.csv", check=4).stderr
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    assert "expected a file that ends in" in adg("classify", tmp_path / "t.xlsx", check=4).stderr
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    adg("classify", tmp_path / "t.parquet", check=4)


def test_one_column(classify, tmp_path):
    (tmp_path / "t.csv").write_text("RECORD_ID\n" + "".join(f"{i}\n" for i in range(100_001, 100_501)))
    draft, fields, text = classify(tmp_path / "t.csv")
    assert draft["primary_key"] == "RECORD_ID" and fields["RECORD_ID"]["type"] == "integer"
    (tmp_path / "t.csv").write_text("CODE\n" + "A\nB\nC\n" * 50)
    draft, fields, text = classify(tmp_path / "t.csv")
    assert draft["primary_key"] == "CODE" and "no column has a value of its own" in text and "DECIDE: add a number of the record" in text


def test_5000_columns(classify, tmp_path):
    r = random.Random(7)
    with open(tmp_path / "t.csv", "w") as file:
        file.write(",".join(f"C{i}" for i in range(5000)) + "\n")
        for row in range(200):
            file.write(",".join(str(row) if i == 0 else r.choice("ABC") if i % 2 else str(r.randrange(1000)) for i in range(5000)) + "\n")
    draft, fields, _ = classify(tmp_path / "t.csv")
    assert len(fields) == 5000 and draft["primary_key"] == "C0"
    assert all(fields[f"C{i}"]["values"] == ("CATEGORICAL" if i % 2 else "CONTINUOUS") for i in range(1, 5000))


def test_constant_memory(tmp_path):
    """A table ten times as long takes no more memory."""
    lines = ["".join(f"{i + part * 20_000:08},P{i % 5000:05},{i % 977},2020-01-{i % 28 + 1:02},{'ABCDEFG'[i % 7]}\n" for i in range(20_000)) for part in range(30)]
    header = "KEY,PERSON,NUMBER,DAY,CODE\n"
    (tmp_path / "short.csv").write_text(header + "".join(lines[:3]))
    (tmp_path / "long.csv").write_text(header + "".join(lines))
    short, long = (peak_memory("classify", tmp_path / name) for name in ("short.csv", "long.csv"))
    assert long < short + 8_000_000


def test_mixed_types(classify, adg, tmp_path):
    """A column of numbers, dates, truth values and words is text; one that is nearly all numbers is a decision."""
    mixed = ["12", "x", "2020-01-01", "1.5", "true", ""]
    with open(tmp_path / "t.csv", "w", newline="") as file:
        csv.writer(file).writerows([["ID", "MIXED", "MOSTLY", "WHOLE_OR_NOT", "DAY_OR_MOMENT"], *(
            [100_000 + i, mixed[i % 6], "unknown" if i % 100 == 0 else i % 50, [i % 9, f"{i % 9}.5"][i % 2], ["2020-01-01", "2020-01-01 10:00:00"][i % 2]] for i in range(3000))])
    _, fields, text = classify(tmp_path / "t.csv")
    assert {name: field["type"] for name, field in fields.items()} == {"ID": "integer", "MIXED": "string", "MOSTLY": "string", "WHOLE_OR_NOT": "double",
                                                                       "DAY_OR_MOMENT": "string"}
    assert fields["MIXED"]["values"] == fields["MOSTLY"]["values"] == "CATEGORICAL"
    assert "nearly all of it numbers, but not all" in text and "DECIDE: whether to give it a type of number" in text
    chain(adg, tmp_path / "draft.yaml", ["--source", tmp_path], tmp_path, 200)


def test_free_text(classify, adg, tmp_path):
    """Sentences are never sampled, whatever their column is called; the draft holds no word of them."""
    r, words = random.Random(1), "patient seen returned home with wife about pain in left knee stable".split()
    notes = [f"{' '.join(r.choice(words) for _ in range(r.randrange(5, 300)))}, \"{i}\"\n\u00e4" for i in range(2000)]
    with open(tmp_path / "t.csv", "w", newline="") as file:
        csv.writer(file).writerows([["ID", "COLUMN_7", "CODE"], *([100_000 + i, note, "AB"[i % 2]] for i, note in enumerate(notes))])
    _, fields, text = classify(tmp_path / "t.csv")
    assert "values" not in fields["COLUMN_7"] and "pattern" in fields["COLUMN_7"] and "personal data (text in sentences)" in text
    assert "knee" not in text and fields["CODE"]["values"] == "CATEGORICAL"
    chain(adg, tmp_path / "draft.yaml", ["--source", tmp_path], tmp_path, 200)
    assert "COLUMN_7" not in pq.read_table(tmp_path / "meta" / "metadata.parquet")["FIELD_NAME"].to_pylist()


MEGABYTES = int(os.environ.get("ADG_TEST_MEGABYTES", "150"))


def test_a_large_file(tmp_path):
    """Free text, codes and keys of their own in every row, in the memory that a small table takes; ADG_TEST_MEGABYTES=2048 for two gigabytes."""
    def write(path, size):
        with open(path, "w") as file:
            file.write("KEY,PERSON,NOTE,CODE,NUMBER\n")
            i = 0
            while file.tell() < size << 20:
                file.write("".join(f"{k:010},P{k % 99991:06},\"seen on day {k} of {k % 7919}, and again; {'x' * 400} {k * 7}\",{'ABCDEFG'[k % 7]},{k * 31 % 10007}\n"
                                   for k in range(i, i + 2000)))
                i += 2000
    write(tmp_path / "small.csv", 10)
    write(tmp_path / "large.csv", MEGABYTES)
    small, large = (peak_memory("classify", tmp_path / name) for name in ("small.csv", "large.csv"))
    assert large < small + 8_000_000, (small, large)
