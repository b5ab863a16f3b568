"""Makes HES-like record-level tables out of nothing: a source to scrape in tests, benchmarks and the demonstration.

    make_source.py --out DIR [--scale 1.0] [--codes 33000] [--format csv|csv.gz|parquet|parts] [--seed 1] [--agree]

Nobody is in it. It has what makes real tables awkward: patients with a hundred and more visits, records that disagree about SEX, ETHNOS
and MYDOB, skewed codes, a field with 33,000 values each of which survives suppression, padded codes, nulls, columns that are
empty, dates and durations that agree, sentinel dates. Derived columns are filled as the definition says.

With --agree nothing in a record contradicts anything else: ages follow from birth and date, no date is before the birth, times are arrival plus
their duration, codes that repeat are filled from the left, FYEAR and PARTYEAR are those of the table.
"""
import argparse
import gzip
import re
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROWS = {"hes_apc": 200_000, "hes_op": 40_000, "hes_ae": 40_000}
TABLES = {"hes_apc": "hes_apc_2021", "hes_op": "hes_op_2021", "hes_ae": "hes_ae_2021"}
MANY_CODES = {"hes_apc": "LSOA11"}
PLACEHOLDERS = {"hes_apc": ("-   ", "-  "), "hes_op": ("&\t ", "&\t "), "hes_ae": ("-", "-")}
EMPTY = re.compile("CCG_|CR_|NER_|.*_2[0-4]$|SUSHRG")
YEAR_START, YEAR_DAYS = np.datetime64("2020-04-01"), 365
ARROW_TYPES = {"string": pa.string(), "integer": pa.int32(), "long": pa.int64(), "double": pa.float64(), "date": pa.date32()}


def stable(text):
    return zlib.crc32(text.encode())


def people(rng, count):
    alphabet = np.array(list("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    letters = alphabet[rng.integers(0, len(alphabet), (count, 28))]
    return {
        "key": np.array(["TEST" + "".join(row) for row in letters], dtype=object),
        "SEX": rng.choice(["1", "2", "9"], count, p=[0.45, 0.54, 0.01]),
        "ETHNOS": rng.choice(list("ABCDEFGHJKLMNPRSZ"), count, p=np.array([60] + [2.5] * 16) / 100),
        "MYDOB": np.array([f"{m:02}{y}" for m, y in zip(rng.integers(1, 13, count), 2019 - rng.gamma(4, 12, count).astype(int).clip(0, 99))],
                          dtype=object),
    }


def visits(rng, rows, population):
    """Who each row is about: most people once or twice, a few a hundred times and more."""
    counts = np.minimum(rng.zipf(2.2, population), 60)
    counts[:5] = rng.integers(100, 160, min(5, population))
    return np.repeat(rng.permutation(population), counts)[:rows]


def skewed(rng, name, rows):
    seed = np.random.default_rng(stable(name))
    count = int(seed.integers(2, 120))
    if re.match("DIAG_4|DIAG3", name):
        codes = [f"{chr(65 + i % 26)}{i * 7 % 100:02}{i % 10}" for i in range(400)]
    elif name.startswith("OPERTN_4"):
        codes = [f"{chr(65 + i % 24)}{i * 3 % 100:02}{i % 9 + 1}" for i in range(300)]
    else:
        codes = [f"{i:0{len(str(count))}}" for i in range(count)]
    weights = 1 / np.arange(1, len(codes) + 1) ** 1.1
    return np.array(codes, dtype=object)[rng.choice(len(codes), rows, p=weights / weights.sum())]


def null_share(name):
    if name in ("ADMIMETH", "CLASSPAT", "ATTENDED", "FIRSTATT", "AEARRIVALMODE"):
        return 0.01
    position = re.fullmatch(r".*_(\d\d)", name)
    if position:
        return 1 - 0.75 ** (int(position.group(1)) - 1) if int(position.group(1)) > 1 else 0.01
    return [0, 0, 0.02, 0.1, 0.5, 0.97][stable(name) % 6]


def sampled(rng, dataset, field, rows):
    name, kind = field["name"], field["type"]
    if EMPTY.match(name):
        return np.full(rows, None, dtype=object)
    if kind == "date":
        values = (YEAR_START + rng.integers(0, YEAR_DAYS, rows)).astype(object)
        values[rng.random(rows) < 0.01] = np.datetime64("1800-01-01").astype(object)
    elif field["values"] == "CONTINUOUS":
        values = rng.gamma(1.5, 30, rows).astype(int).astype(object)
    elif kind == "integer" and name.endswith("AGE"):
        values = np.where(rng.random(rows) < 0.02, rng.integers(7001, 7008, rows), rng.integers(1, 100, rows)).astype(object)
    elif kind in ("integer", "long"):
        values = rng.choice([0, 1, 2, 99], rows, p=[0.6, 0.3, 0.09, 0.01]).astype(object)
    elif kind == "double" or kind.startswith("decimal"):
        values = np.round(rng.choice([0, 0.25, 0.5, 0.333, 1], rows), 3).astype(object)
    else:
        values = skewed(rng, name, rows)
        if name in ("OPERTN_4_01",):
            values[rng.random(rows) < 0.4] = PLACEHOLDERS[dataset][0]
    values[rng.random(rows) < null_share(name)] = None
    return values


def agree_on_dates(rng, columns, rows):
    """ELECDATE <= ADMIDATE <= EPISTART <= EPIEND <= DISDATE, and durations that are their differences."""
    end = rng.integers(0, YEAR_DAYS, rows)
    episode, before, after, wait = (rng.gamma(0.7, s, rows).astype(int) for s in (5, 1, 1, 60))
    days = {"EPIEND": end, "EPISTART": end - episode, "ADMIDATE": end - episode - before, "DISDATE": end + after,
            "ELECDATE": end - episode - before - wait}
    for name, values in days.items():
        columns[name] = (YEAR_START + values).astype(object)
    durations = {"EPIDUR": episode, "SPELDUR": before + episode + after, "ELECDUR": wait}
    for name, values in durations.items():
        columns[name] = values.astype(object)
        if name + "_CALC" in columns:
            columns[name + "_CALC"] = values.astype(object)
    for name, share in {"DISDATE": 0.05, "ELECDATE": 0.4}.items():
        gone = rng.random(rows) < share
        columns[name][gone] = None
        columns["ELECDUR" if name == "ELECDATE" else "SPELDUR"][gone] = None


def keep_some(rng, columns, name, rate, instead=None):
    columns[name][rng.random(len(columns[name])) >= rate] = instead


def clock(minutes):
    return np.array([f"{m // 60 % 24:02}{m % 60:02}" for m in minutes], dtype=object)


def agree_on_everything(rng, dataset, columns, births):
    """`births`: days since the year's start of each row's month of birth."""
    rows = len(births)
    first = np.maximum(births, 0)
    day = first + (rng.random(rows) * (YEAR_DAYS - first)).astype(int)
    invalid = np.datetime64("1800-01-01").astype(object)
    columns["FYEAR"], columns["PARTYEAR"] = np.full(rows, "2021", dtype=object), np.full(rows, 202099, dtype=object)
    if dataset == "hes_apc":
        episode, before, after, wait = (rng.gamma(0.7, s, rows).astype(int) for s in (5, 1, 1, 60))
        days = {"EPIEND": day, "EPISTART": day - episode, "ADMIDATE": day - episode - before, "ELECDATE": day - episode - before - wait}
        days = {name: np.maximum(values, births) for name, values in days.items()}
        days["DISDATE"] = day + after
        for name, values in days.items():
            columns[name] = (YEAR_START + values).astype(object)
        keep_some(rng, columns, "DISDATE", 0.95)
        keep_some(rng, columns, "ELECDATE", 0.6)
        keep_some(rng, columns, "ELECDATE", 0.98, invalid)
        keep_some(rng, columns, "EPISTART", 0.99, invalid)
        spans = {"EPIDUR": ("EPISTART", "EPIEND"), "SPELDUR": ("ADMIDATE", "DISDATE"), "ELECDUR": ("ELECDATE", "ADMIDATE")}
        spans |= {"SPELDUR_CALC": spans["SPELDUR"], "ELECDUR_CALC": spans["ELECDUR"]}
    elif dataset == "hes_op":
        wait = np.minimum(rng.gamma(1.2, 40, rows).astype(int), day - births)
        days = {"APPTDATE": day, "REQDATE": day - wait}
        for name, values in days.items():
            columns[name] = (YEAR_START + values).astype(object)
        keep_some(rng, columns, "REQDATE", 0.85, invalid)
        keep_some(rng, columns, "REQDATE", 0.97)
        spans = {"WAITING": ("REQDATE", "APPTDATE"), "WAITDAYS": ("REQDATE", "APPTDATE")}
    else:
        columns["ARRIVALDATE"] = (YEAR_START + day).astype(object)
        days = {"ARRIVALTIME": np.minimum(rng.gamma(6, 130, rows).astype(int), 1439)}
        so_far = 0
        for name, shape, scale in (("INIT", 0.8, 20), ("TRET", 1, 40), ("CONCL", 1, 60), ("DEP", 0.7, 30)):
            so_far = so_far + rng.gamma(shape, scale, rows).astype(int)
            days[name + "TIME"] = days["ARRIVALTIME"] + so_far
        for name, values in days.items():
            columns[name] = clock(values)
        for name, rate in (("INITTIME", 0.9), ("TRETTIME", 0.85), ("CONCLTIME", 0.97), ("DEPTIME", 0.99)):
            keep_some(rng, columns, name, rate)
        keep_some(rng, columns, "ARRIVALTIME", 0.995, "3000")
        spans = {n + "DUR": ("ARRIVALTIME", n + "TIME") for n in ("INIT", "TRET", "CONCL", "DEP")}
    for name, (start, end) in spans.items():
        values = (days[end] - days[start]).astype(object)
        for side in (start, end):
            values[[v is None or v == invalid or v == "3000" for v in columns[side]]] = None
        columns[name] = values
    for name, date in (("APPTAGE", "APPTDATE"), ("ARRIVALAGE", "ARRIVALDATE")):
        if name in columns:
            columns[name] = np.array([age(int(d - b))[0] for d, b in zip(day, births)], dtype=object)
    empty = {}
    for name in sorted(columns):
        group = re.fullmatch(r"(DIAG_4|OPERTN_4|DIAG3|DIAGA|DIAGS|INVEST2|TREAT3)_\d\d", name)
        if group:
            gone = empty.setdefault(group.group(1), np.zeros(rows, dtype=bool))
            columns[name][gone] = None
            empty[group.group(1)] = gone | np.array([v is None or v.strip(" \t") in ("-", "&") for v in columns[name]])


AGE_CODES = [(0, 7001, 0.002), (6, 7002, 0.010), (28, 7003, 0.048), (90, 7004, 0.167), (181, 7005, 0.375), (272, 7006, 0.625),
             (364, 7007, 0.875)]


def age(days):
    for limit, code, fraction in AGE_CODES:
        if days <= limit:
            return code, fraction
    return (120, 120.0) if days >= 43800 else ((2 * days + 365) // 730, days / 365)


def derive(dataset, columns, field, placeholders):
    operation, arguments = re.fullmatch(r"(\w+)\((.*)\)", field["derive"]).groups()
    words = [w.strip() for w in arguments.split(",")]
    inputs = []
    for word in words:
        span = re.fullmatch(r"(\w+?)_(\d\d)\.\.(\d\d)", word)
        if span:
            inputs += [f"{span.group(1)}_{i:02}" for i in range(int(span.group(2)), int(span.group(3)) + 1)]
        elif word in columns:
            inputs.append(word)
    data = [columns[i] for i in inputs]
    if operation == "prefix":
        return [None if v is None else v[: int(words[-1])] for v in data[0]]
    if operation == "join":
        return [",".join(v or "" for v in row).rstrip(",") or None for row in zip(*data)]
    if operation == "count_codes":
        return [min(sum(v is not None and v.strip(" \t\r\n") not in placeholders for v in row), 24) or None for row in zip(*data)]
    if operation == "age_fraction_of_category":
        table = {code: fraction for _, code, fraction in AGE_CODES}
        return [None if v is None else table.get(v, float(v)) for v in data[0]]
    result = []
    for date, month in zip(*data):
        if date is None or month is None:
            result.append(None)
            continue
        birth = np.datetime64(f"{month[2:]}-{month[:2]}-01")
        result.append(age(int((np.datetime64(date) - birth).astype(int)))[operation == "age_fraction"])
    return result


def make_table(dataset, rows, codes, rng, crowd, agree=False):
    definition = yaml.safe_load((ROOT / "datasets" / "hes" / f"{dataset}.yaml").read_text())
    fields = definition["fields"]
    who = visits(rng, rows, len(crowd["key"]))
    rows = len(who)
    columns = {f["name"]: sampled(rng, dataset, f, rows) for f in fields if "values" in f}
    for name in ("SEX", "ETHNOS", "MYDOB"):
        if name in columns:
            other = rng.permutation(crowd[name])[who]
            columns[name] = np.where(rng.random(rows) < (0 if agree and name == "MYDOB" else 0.03), other, crowd[name][who]).astype(object)
    if agree:
        births = np.array([int((np.datetime64(f"{m[2:]}-{m[:2]}-01") - YEAR_START).astype(int)) for m in crowd["MYDOB"]])
        agree_on_everything(rng, dataset, columns, births[who])
    elif dataset == "hes_apc":
        agree_on_dates(rng, columns, rows)
    if dataset in MANY_CODES:
        columns[MANY_CODES[dataset]] = np.array([f"E01{i:06}" for i in rng.permutation(rows) % codes], dtype=object)
    for f in fields:
        if "pattern" in f:
            if f["name"] == definition["patient_key"]:
                columns[f["name"]] = crowd["key"][who]
            elif f["name"] == definition["primary_key"]:
                columns[f["name"]] = (10**11 + rng.permutation(rows)).astype(object)
            else:
                columns[f["name"]] = np.array([str(v) if f["type"] == "string" else v for v in rng.integers(10**11, 10**12, rows)], dtype=object)
    for f in fields:
        if "derive" in f and "DIAG_3_" not in f["derive"] and "OPERTN_3_" not in f["derive"]:
            columns[f["name"]] = derive(dataset, columns, f, definition.get("placeholders", []))
    for f in fields:
        if f["name"] not in columns:
            columns[f["name"]] = derive(dataset, columns, f, definition.get("placeholders", []))
    arrays = []
    for f in fields:
        kind = ARROW_TYPES.get(f["type"], pa.float64())
        array = pa.array(columns[f["name"]], kind, from_pandas=True)
        if f["type"].startswith("decimal"):
            precision, scale = map(int, re.findall(r"\d+", f["type"]))
            array = array.cast(pa.decimal128(precision, scale), safe=False)
        arrays.append(array)
    return pa.table(arrays, names=[f["name"] for f in fields])


def write(table, out, name, form):
    if form == "parquet":
        pa.parquet.write_table(table, out / f"{name}.parquet")
    elif form == "parts":
        (out / name).mkdir(exist_ok=True)
        third = table.num_rows // 3 + 1
        for i in range(3):
            pa.parquet.write_table(table.slice(i * third, third), out / name / f"part-{i}.parquet")
    else:
        options = pa.csv.WriteOptions(quoting_style="needed")
        if form == "csv":
            pa.csv.write_csv(table, out / f"{name}.csv", options)
        else:
            with gzip.open(out / f"{name}.csv.gz", "wb", compresslevel=1) as file:
                pa.csv.write_csv(table, file, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rows")
    parser.add_argument("--codes", type=int, default=33_000, help="values of the field that has many")
    parser.add_argument("--format", choices=["csv", "csv.gz", "parquet", "parts"], default="csv")
    parser.add_argument("--dataset", choices=list(ROWS), action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agree", action="store_true", help="records do not contradict themselves")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(arguments.seed)
    crowd = people(rng, max(int(120_000 * arguments.scale), 50))
    if arguments.agree:  # some are born within the year
        born = rng.random(len(crowd["MYDOB"])) < 0.03
        crowd["MYDOB"][born] = [f"{(m + 3) % 12 + 1:02}{2020 + (m > 8)}" for m in rng.integers(0, 12, born.sum())]
    for dataset in arguments.dataset or ROWS:
        rows = int(ROWS[dataset] * arguments.scale)
        write(make_table(dataset, rows, arguments.codes, rng, crowd, arguments.agree), arguments.out, TABLES[dataset], arguments.format)


if __name__ == "__main__":
    main()
