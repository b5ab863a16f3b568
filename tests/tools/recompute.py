"""Every row of the metadata table, recomputed in plain Python from a CSV file: no SQL, no code shared with the program.

    recompute.py --dataset hes_apc --table hes_apc_0102 FILE.csv

Follows the rules of docs/scraping.md with whole numbers and decimals throughout; slow and simple on purpose. Fields and their
types come from the dataset's YAML file, read with PyYAML. Rows are dictionaries with the table's ten columns.
"""
import argparse
import csv
import datetime
import decimal
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ["TABLE_NAME", "FIELD_NAME", "VALUE_TYPE", "VALUE_STRING", "VALUE_NUMERIC", "VALUE_DATE", "VALUE_STRING_ARRAY",
           "VALUE_NUMERIC_ARRAY", "WEIGHT", "WEIGHT_ARRAY"]


def load_dataset(name):
    return yaml.safe_load((ROOT / "datasets" / "hes" / f"{name}.yaml").read_text())


# ---- reading a value --------------------------------------------------------------------------------------------------

def read_value(text, kind):
    """The value of a field of this type, or None: null or unreadable."""
    if text == "":
        return None
    if kind == "string":
        return text
    if kind in ("integer", "long"):
        if not re.fullmatch(r"[+-]?[0-9]+(\.0+)?", text):
            return None
        value = int(text.split(".")[0])
        bits = 31 if kind == "integer" else 63
        return value if -2**bits <= value < 2**bits else None
    if kind == "date":
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return None
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            return None
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    if kind == "double":
        value = float(text)
        return None if value in (float("inf"), float("-inf")) else value + 0.0
    precision, scale = map(int, re.fullmatch(r"decimal\((\d+),(\d+)\)", kind).groups())
    unscaled = Fraction(decimal.Decimal(text)) * 10**scale
    if unscaled.denominator != 1 or abs(unscaled) >= 10**precision:
        return None
    return decimal.Decimal(int(unscaled)).scaleb(-scale)


def category_text(value):
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    text = format(decimal.Decimal(repr(value)) if isinstance(value, float) else decimal.Decimal(value), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


# ---- disclosure control -----------------------------------------------------------------------------------------------

class Control:
    def __init__(self, min_frequency=5, rounding=5, reference=False):
        self.min_frequency, self.rounding, self.reference = min_frequency, rounding, reference

    def round(self, count):
        return (2 * count + self.rounding) // (2 * self.rounding) * self.rounding

    def passes(self, patients):
        """patients: the patient of every record, None where there is none."""
        if len(patients) < self.min_frequency:
            return False
        return self.reference or len(set(patients)) >= self.min_frequency


class Table:
    def __init__(self, name, dataset, control, records):
        """records: dictionaries of values by field; a column that the source lacks is in none of them."""
        self.name, self.control, self.records = name, control, records
        self.patient_key, self.primary_key = dataset["patient_key"], dataset["primary_key"]
        self.fields = {f["name"]: f for f in dataset["fields"]}
        self.out = []

    def add(self, field, value_type, **columns):
        row = dict.fromkeys(COLUMNS)
        row.update(TABLE_NAME=self.name, FIELD_NAME=field, VALUE_TYPE=value_type, **columns)
        self.out.append(row)

    def add_completeness(self, field, null, described, other, other_passes):
        if not self.control.reference:
            filled = described + other if other == 0 or other_passes else described
            self.add(field, "COMPLETENESS", WEIGHT_ARRAY=[float(self.control.round(null)), float(self.control.round(filled))])

    def groups(self, field):
        groups = defaultdict(list)
        for record in self.records:
            groups[record[field]].append(record[self.patient_key])
        return groups

    def frequency(self, field, value_type):
        null = described = 0
        others = []
        for value, patients in self.groups(field).items():
            passes = self.control.passes(patients)
            weight = self.control.round(len(patients)) if passes else 0
            if value is None:
                null = len(patients) if passes else 0
            elif weight > 0:
                described += len(patients)
            else:
                others += patients
            if weight == 0:
                continue
            columns = {"WEIGHT": float(weight)}
            if value is not None:
                if value_type == "DATE":
                    columns["VALUE_DATE"] = value
                elif value_type == "DISCRETE":
                    columns["VALUE_NUMERIC"] = float(value)
                else:
                    columns["VALUE_STRING"] = category_text(value)
            self.add(field, value_type, **columns)
        self.add_completeness(field, null, described, len(others), self.control.passes(others))

    def continuous(self, field):
        groups = self.groups(field)
        nulls = groups.pop(None, [])
        null = len(nulls) if self.control.passes(nulls) else 0
        values = sorted(v for v, patients in groups.items() for _ in patients)
        m, least = len(values), self.control.min_frequency
        everybody = [p for patients in groups.values() for p in patients]
        p = len(set(everybody))
        if self.control.reference or p >= 100 * least:
            ranks = [-(-percent * m // 100) for percent in range(2, 100)] if m else []
        else:
            q = p // least - 1
            ranks = [-(-i * m // (q + 1)) for i in range(1, q + 1)] if q >= 2 else []
        entries = []
        for rank in ranks:
            value = values[rank - 1]
            if not self.control.reference and not self.control.passes(groups[value]):
                first = min(max(rank - least // 2, 1), m - least + 1)
                mean = Fraction(sum(map(Fraction, values[first - 1:first - 1 + least])), least)
                if self.fields[field]["type"] in ("integer", "long"):
                    value = (2 * mean.numerator + mean.denominator) // (2 * mean.denominator)
                else:
                    value = float(f"{float(mean):.5e}")
            entries.append(float(value))
        if entries:
            self.add(field, "CONTINUOUS", VALUE_NUMERIC_ARRAY=entries)
        self.add_completeness(field, null, m if entries else 0, 0 if entries else m, self.control.passes(everybody))

    def per_patient(self, field):
        patients = defaultdict(Counter)
        for record in self.records:
            if record[self.patient_key] is not None:
                patients[record[self.patient_key]][record[field]] += 1
        return patients.values()

    @staticmethod
    def nulls_first(value):
        return (value is not None, b"" if value is None else value.encode())

    def demographic_categorical(self, field):
        patterns = Counter()
        for counts in self.per_patient(field):
            n = sum(counts.values())
            values = sorted(counts, key=self.nulls_first)
            patterns[tuple((v, (20 * counts[v] + n) // (2 * n)) for v in values)] += 1
        for pattern, patients in patterns.items():
            weight = self.control.round(patients)
            if patients >= self.control.min_frequency and weight > 0:
                self.add(field, "DEMOGRAPHIC_CATEGORICAL", VALUE_STRING_ARRAY=[v for v, _ in pattern],
                         WEIGHT_ARRAY=[tenths / 10 for _, tenths in pattern], WEIGHT=float(weight))

    def demographic_date(self, field):
        modes = defaultdict(list)
        for counts in self.per_patient(field):
            n = sum(counts.values())
            mode = min(counts, key=lambda v: (-counts[v], self.nulls_first(v)))
            modes[mode].append((2000000 * counts[mode] + n) // (2 * n))
        for mode, shares in modes.items():
            weight = self.control.round(len(shares))
            if len(shares) >= self.control.min_frequency and weight > 0:
                hundredths = (2 * sum(shares) + 10000 * len(shares)) // (20000 * len(shares))
                self.add(field, "DEMOGRAPHIC_DATE", VALUE_STRING=mode, VALUE_NUMERIC=hundredths / 100, WEIGHT=float(weight))

    def relationship(self):
        keys = defaultdict(set)
        for record in self.records:
            if record[self.patient_key] is not None:
                found = keys[record[self.patient_key]]
                if record[self.primary_key] is not None:
                    found.add(record[self.primary_key])
        cells = sorted(Counter(len(k) for k in keys.values()).items(), reverse=True)
        least = self.control.min_frequency
        released = []  # [cardinality or None for a mean, patients, rows]
        pool = [0, 0]
        for cardinality, patients in cells:
            if self.control.reference or (patients >= least and pool == [0, 0]):
                released.append([cardinality, patients, patients * cardinality])
                continue
            pool = [pool[0] + patients, pool[1] + patients * cardinality]
            if pool[0] >= 2 * least:
                released.append([None, *pool])
                pool = [0, 0]
        if pool[0] > 0:
            if released:
                last = released[-1]
                released[-1] = [None, last[1] + pool[0], last[2] + pool[1]]
            elif pool[0] >= least:
                released.append([None, *pool])
        weights = Counter()
        for cardinality, patients, rows in released:
            if cardinality is None:
                cardinality = (2 * rows + patients) // (2 * patients)
                unit = 10 ** max(len(str(cardinality)) - 2, 0)
                cardinality = (2 * cardinality + unit) // (2 * unit) * unit
            weights[cardinality] += patients if self.control.reference else self.control.round(patients)
        for cardinality, weight in weights.items():
            if weight > 0:
                self.add(self.primary_key, "RELATIONSHIP", VALUE_STRING=self.patient_key, VALUE_NUMERIC=float(cardinality),
                         WEIGHT=float(weight))

    def rows(self, present):
        methods = {"CONTINUOUS": self.continuous, "DEMOGRAPHIC_CATEGORICAL": self.demographic_categorical,
                   "DEMOGRAPHIC_DATE": self.demographic_date}
        for name, field in self.fields.items():
            value_type = field.get("values")
            if value_type is None or name not in present:
                continue
            if value_type in methods:
                methods[value_type](name)
            else:
                self.frequency(name, value_type)
        self.relationship()
        return sorted(self.out, key=sort_key)


# ---- canonical order --------------------------------------------------------------------------------------------------

def sort_key(row):
    def scalar(value):
        if value is None:
            return (0,)
        return (1, value.encode() if isinstance(value, str) else value)

    def array(values):
        return (0,) if values is None else (1, [scalar(v) for v in values])

    return tuple(array(row[c]) if c.endswith("_ARRAY") else scalar(row[c]) for c in COLUMNS)


def recompute(path, dataset_name, table, control):
    dataset = load_dataset(dataset_name)
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        header = [name.upper() for name in next(reader)]
        types = {f["name"]: f["type"] for f in dataset["fields"]}
        records = [{name: read_value(text, types[name]) for name, text in zip(header, record)} for record in reader]
    return Table(table, dataset, control, records).rows(set(header))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--min-frequency", type=int, default=5)
    parser.add_argument("--rounding", type=int, default=5)
    parser.add_argument("--control", choices=["full", "reference"], default="full")
    arguments = parser.parse_args()
    control = Control(arguments.min_frequency, arguments.rounding, arguments.control == "reference")
    for row in recompute(arguments.file, arguments.dataset, arguments.table, control):
        json.dump(row, sys.stdout, default=str)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
