#!/usr/bin/env python3
"""Open metadata from its sources: distributions of every field of every table, one JSON object per line, for 'adg compose'.

The format of the sources is described in README.md. Python 3.11 and its standard library are enough. What comes out depends on the sources
alone: weights are whole numbers, made with additions, multiplications and divisions that every machine rounds the same way.
"""
import argparse
import csv
import datetime
import json
import math
import re
import sys
import tomllib
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist

HERE = Path(__file__).resolve().parent
EVIDENCE = ("published", "derived", "illustrative")
MIN_FREQUENCY, ROUNDING = 5, 5
ATTRIBUTION = ("Contains public sector information licensed under the Open Government Licence v3.0 (NHS England, NHS Digital, Office for "
               "National Statistics). Made from published figures; no record of a patient was used.")
FIXED_HOLIDAYS = ((12, 25), (12, 26), (1, 1))  # bank holidays that have a day of the year
OLDEST_BAND_YEARS = 10  # over which a last age band, "90+", falls off


class SourceError(Exception):
    """What is wrong with the sources, for whoever edits them."""


def rounded(count):
    """A count after disclosure control: 0 below the threshold, else to the nearest ROUNDING, half up."""
    return 0 if count < MIN_FREQUENCY else ROUNDING * math.floor(count / ROUNDING + 0.5)


# ---- tables and years -----------------------------------------------------------------------------------------------


class Table:
    """One table: its name, its year as '0102', and the calendar year in which it begins."""

    def __init__(self, name):
        self.name = name
        self.fyear = name.rsplit("_", 1)[1]
        self.year = 2000 + int(self.fyear[:2])

    def fill(self, text):
        return text.replace("{fyear}", self.fyear).replace("{year}", str(self.year))


def read_definition(path):
    """Tables and sampled fields (name: value type) of a definition. Only lines of the shape that ours have are read."""
    text = path.read_text()
    tables = re.findall(r"^  - (\w+)$", text.split("\ntables:\n")[1].split("\nfields:\n")[0], re.M)
    fields = dict(re.findall(r"^  - \{name: (\w+), type: [^}]*?values: (\w+)\}", text, re.M))
    if not tables or not fields:
        raise SourceError(f"{path.name}: expected tables and fields")
    return [Table(name) for name in tables], fields


def expand(names):
    """'DIAG_4_{01..20}' is twenty names, in order; a list is its elements' names."""
    if isinstance(names, list):
        return [name for item in names for name in expand(item)]
    found = re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", names)
    if not found:
        return [names]
    before, first, last, after = found.groups()
    return [f"{before}{i:0{len(first)}d}{after}" for i in range(int(first), int(last) + 1)]


def covers(entry, table, tables):
    """Whether the entry's years ("0102-1213") hold for the table."""
    if "years" not in entry:
        return True
    known = {t.fyear: i for i, t in enumerate(tables)}
    first, _, last = entry["years"].partition("-")
    last = last or first
    if first not in known or last not in known or known[first] > known[last]:
        raise SourceError(f"years {entry['years']!r}: expected the first and the last of the dataset's years")
    return known[first] <= known[table.fyear] <= known[last]


# ---- weights --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=None)
def read_figures(name):
    with open(HERE / "figures" / name, newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise SourceError(f"figures/{name}: no rows")
    return rows


def nearest_column(rows, year):
    years = sorted(int(column) for column in rows[0] if re.fullmatch(r"\d{4}", column))
    return str(min(years, key=lambda y: (abs(y - year), y)))


@lru_cache(maxsize=None)
def figures_weights(name, code, weight, match, prefix, suffix, first):
    """Weights of a figures file, by code; rows of the same code are added up."""
    weights = {}
    rows = read_figures(name)
    for column in (code, weight):
        if column not in rows[0]:
            raise SourceError(f"figures/{name}: no column {column}")
    for row in rows:
        text = row[weight]
        if text in ("", None) or (match and not re.search(match, row[code])):
            continue
        key = prefix + (row[code][:first] if first else row[code]) + suffix
        weights[key] = weights.get(key, 0) + (float(text) if "." in text else int(text))
    return {key: value for key, value in weights.items() if value > 0}


def weights_of(entry, table):
    """The relative weights that an entry gives: {code: weight}."""
    if ("values" in entry) == ("figures" in entry):
        raise SourceError("expected one of values and figures")
    if "values" in entry:
        weights = {table.fill(code): weight for code, weight in entry["values"].items()}
    else:
        column = entry["weight"]
        if column == "{year}":
            column = nearest_column(read_figures(entry["figures"]), table.year)
        weights = figures_weights(entry["figures"], entry["code"], column, entry.get("match", ""), entry.get("prefix", ""),
                                  entry.get("suffix", ""), entry.get("first", 0))
    if not weights or any(weight < 0 for weight in weights.values()):
        raise SourceError("expected weights, none below zero")
    return weights


def set_aside(weights, extra):
    """Shares of 1: those of `extra`, then the weights for what is left."""
    total, left = math.fsum(weights.values()), 1 - math.fsum(extra.values())
    if left < 0 or total <= 0:
        raise SourceError("extra: shares come to more than 1")
    shares = {code: weight / total * left for code, weight in weights.items()}
    for code, share in extra.items():
        shares[code] = shares.get(code, 0) + share
    return shares


# ---- distributions --------------------------------------------------------------------------------------------------


def counted(shares, records, filled):
    """Values and weights in the order of values, with the completeness of a field of which `filled` records have a value."""
    counts = [(value, share * filled) for value, share in shares.items()]
    weights = sorted((value, rounded(count)) for value, count in counts if rounded(count) > 0)
    null = rounded(records - filled)
    result = {"values": [value for value, _ in weights], "weights": [weight for _, weight in weights]}
    if null > 0:
        result["values"].insert(0, None)
        result["weights"].insert(0, null)
    result["completeness"] = [null, rounded(filled) if weights else 0]
    return result


def categorical(entry, table, records, value_type):
    shares = set_aside(weights_of(entry, table), {table.fill(code): share for code, share in entry.get("extra", {}).items()})
    if value_type == "DISCRETE":
        shares = {float(value): share for value, share in shares.items()}
    return counted(shares, records, records * (1 - entry.get("null", 0)))


def positions(entry, names, table, records):
    """One distribution per position; see README.md."""
    filled = entry["filled"] + [0] * (len(names) - len(entry["filled"]))
    if len(filled) != len(names):
        raise SourceError(f"filled: {len(entry['filled'])} shares for {len(names)} positions")
    weights = weights_of(entry, table)
    for number, name in enumerate(names, 1):
        at = {**entry.get("extra", {}), **entry.get("extra_at", {}).get(str(number), {})}
        instead = entry.get("instead", {}).get(str(number), {})
        present = filled[number - 1] + math.fsum(instead.values())
        if present > 1 + 1e-9:
            raise SourceError(f"position {number}: filled and instead come to more than 1")
        shares = {code: share * filled[number - 1] for code, share in set_aside(weights, at).items()}
        for code, share in instead.items():
            shares[code] = shares.get(code, 0) + share
        if present == 0:
            yield name, {"values": [], "weights": [], "completeness": [rounded(records), 0]}
        else:
            yield name, counted({code: share / present for code, share in shares.items() if share > 0}, records, records * present)


def month_range(table, offset):
    """First day of the month that is `offset` months after the table's April, and the first day of the next."""
    def first(months):
        return datetime.date(table.year + (3 + months) // 12, (3 + months) % 12 + 1, 1)
    return first(offset), first(offset + 1)


def weekday(day):
    """0: Monday. Bank holidays are Sundays."""
    return 6 if (day.month, day.day) in FIXED_HOLIDAYS else day.weekday()


def days_by_month(entry, table):
    """Shares of the days that are no sentinels, from shares of months and weekdays."""
    before, after, months, weekdays = entry.get("before", []), entry.get("after", []), entry["months"], entry["weekdays"]
    rest = 1 - math.fsum(entry.get("sentinels", {}).values()) - math.fsum(before) - math.fsum(after)
    if len(months) != 12 or len(weekdays) != 7 or rest <= 0:
        raise SourceError("expected 12 months, 7 weekdays, and something left for the year itself")
    by_month = {i: rest * weight / math.fsum(months) for i, weight in enumerate(months)}
    by_month.update({-1 - i: share for i, share in enumerate(before)})
    by_month.update({12 + i: share for i, share in enumerate(after)})
    shares = {}
    for offset, share in by_month.items():
        day, end = month_range(table, offset)
        days = [day + datetime.timedelta(n) for n in range((end - day).days)]
        weights = [weekdays[weekday(d)] for d in days]
        total = math.fsum(weights)
        for d, weight in zip(days, weights):
            if weight > 0 and share > 0:
                shares[d] = share * weight / total
    return shares


def days_earlier(entry, table, entries):
    """Shares of the days that are no sentinels: those of a later date less a length that is drawn independently of it, as profile coherent
    draws them. Days of the same week then divide by weekdays."""
    rule, weekdays, shares = entry["earlier"], entry["weekdays"], {}
    if "months" in entry or "before" in entry or "after" in entry or len(weekdays) != 7 or min(weekdays) <= 0:
        raise SourceError("earlier: expected 7 weekdays, none zero, and no months")
    lengths = length_shares(percentiles_of(entries[rule["by"]][0], entries))
    for later, share in sorted(valid_days(entries[rule["than"]][0], table, entries).items()):
        last = later.toordinal()
        for length, part in lengths.items():
            shares[last - length] = shares.get(last - length, 0) + share * part
    weeks = {}
    for ordinal, share in shares.items():
        weeks.setdefault((ordinal - 1) // 7, []).append((datetime.date.fromordinal(ordinal), share))
    result = {}
    for days in weeks.values():
        total = math.fsum(share for _, share in days) / math.fsum(weekdays[weekday(day)] for day, _ in days)
        result.update({day: total * weekdays[weekday(day)] for day, _ in days})
    return result


def valid_days(entry, table, entries):
    return days_earlier(entry, table, entries) if "earlier" in entry else days_by_month(entry, table)


def dates(entry, table, records, entries):
    shares, sentinels = valid_days(entry, table, entries), entry.get("sentinels", {})
    scale = (1 - math.fsum(sentinels.values())) / math.fsum(shares.values())
    shares = {**sentinels, **{day.isoformat(): share * scale for day, share in shares.items()}}
    return counted(shares, records, records * (1 - entry.get("null", 0)))


def lognormal_percentiles(median, mean, zero=0.0, above=0, most=None):
    """Percentiles 2 to 99 of a mixture of zeros and a lognormal distribution, in whole numbers."""
    if mean <= median or median <= 0:
        raise SourceError("lognormal: expected 0 < median < mean")
    sigma = math.sqrt(2 * math.log(mean / median))
    normal, result = NormalDist(), []
    for percentile in range(2, 100):
        p = (percentile / 100 - zero) / (1 - zero)
        value = 0 if p <= 0 else math.floor(median * math.exp(sigma * normal.inv_cdf(min(p, 1 - 1e-12))) + above + 0.5)
        result.append(value if most is None else min(value, most))
    return result


def percentiles_of(entry, entries):
    if len({"percentiles", "lognormal", "of"} & entry.keys()) != 1:
        raise SourceError("expected one of percentiles, lognormal and of")
    if "of" in entry:
        times = entry["of"]["times"]
        return [math.floor(times * value + 0.5) for value in percentiles_of(entries[entry["of"]["field"]][0], entries)]
    percentiles = entry.get("percentiles") or lognormal_percentiles(**entry["lognormal"])
    if len(percentiles) != 98 or percentiles != sorted(percentiles):
        raise SourceError("percentiles: expected 98 numbers, ascending")
    return percentiles


def length_shares(percentiles):
    """Shares of whole numbers as they are drawn from percentiles: an interval between neighbours, then a place in it, rounded."""
    shares = {}
    for low, high in zip(percentiles, percentiles[1:]):
        for value in range(low, high + 1):
            part = 1 if low == high else (min(value + 0.5, high) - max(value - 0.5, low)) / (high - low)
            shares[value] = shares.get(value, 0) + part / (len(percentiles) - 1)
    return shares


def continuous(entry, records, entries):
    percentiles = percentiles_of(entry, entries)
    filled = records * (1 - entry.get("null", 0))
    return {"percentiles": percentiles, "completeness": [rounded(records - filled), rounded(filled)]}


def person(entry, table, patients):
    mixed = entry.get("mixed", [])
    patterns = [(sorted(zip(m["values"], m["shares"])), m["weight"] * patients) for m in mixed]
    left = patients * (1 - math.fsum(m["weight"] for m in mixed))
    patterns += [([(code, 1.0)], share * left) for code, share in set_aside(weights_of(entry, table), entry.get("extra", {})).items()]
    return {"patterns": [{"values": [value for value, _ in pattern], "shares": [share for _, share in pattern], "weight": rounded(count)}
                         for pattern, count in sorted(patterns) if rounded(count) > 0]}


def years_of_age(code):
    """The single years of an age band, with their shares of it."""
    if code.endswith("+"):
        first, years = int(code[:-1]), OLDEST_BAND_YEARS
        falling = [years - i for i in range(years)]
        return [(first + i, weight / sum(falling)) for i, weight in enumerate(falling)]
    first, _, last = code.partition("-")
    ages = range(int(first), int(last or first) + 1)
    return [(age, 1 / len(ages)) for age in ages]


def months_of_birth(band, year):
    """The months in which people of an age band were born, as months since the year 0, with their shares of it. Ages are those at the
    end of September; who is born in the year itself ("birth") is born from April to March."""
    if band == "birth":
        return [(year * 12 + 3 + month, 1 / 12) for month in range(12)]
    return [(year * 12 + 8 - age * 12 - month, part / 12) for age, part in years_of_age(band) for month in range(12)]


def birth_months(entry, table, patients):
    shares = {}
    for band, share in set_aside(weights_of(entry, table), {}).items():
        for months, part in months_of_birth(band, table.year):
            key = f"{months % 12 + 1:02d}{months // 12:04d}"
            shares[key] = shares.get(key, 0) + share * part
    weights = sorted((value, rounded(share * patients)) for value, share in shares.items())
    kept = [(value, weight) for value, weight in weights if weight > 0]
    return {"values": [value for value, _ in kept], "incidences": [entry["incidence"]] * len(kept), "weights": [weight for _, weight in kept]}


# ---- a dataset ------------------------------------------------------------------------------------------------------


def value_of(section, table, what):
    if table.fyear not in section["values"]:
        raise SourceError(f"{what}: no value for {table.fyear}")
    return section["values"][table.fyear]


class Dataset:
    def __init__(self, path, definition, sources):
        self.name = path.name
        self.source = tomllib.loads(path.read_text())
        self.tables, self.fields = read_definition(definition)
        self.entries = self.source.get("field", [])
        self.empty = self.source.get("empty", [])
        for section in [self.source["records"], self.source["population"], self.source["cardinality"], *self.entries]:
            self.check_evidence(section, sources)

    def check_evidence(self, section, sources):
        where = f"{self.name}: {section.get('name', 'records, population or cardinality')}"
        if section.get("evidence") not in EVIDENCE:
            raise SourceError(f"{where}: evidence is one of {', '.join(EVIDENCE)}")
        if section["evidence"] != "illustrative" and not section.get("source"):
            raise SourceError(f"{where}: {section['evidence']} needs a source")
        for source in section.get("source", []):
            if source not in sources:
                raise SourceError(f"{where}: source {source} is not in sources.toml")
        if not section.get("note"):
            raise SourceError(f"{where}: a note says what was done")

    def entries_of(self, table):
        """{field: (entry, names of the entry)}; an entry without values is one of the empty ones."""
        found = {}
        for entry in self.entries + self.empty:
            names = expand(entry["name"])
            try:
                if not covers(entry, table, self.tables):
                    continue
            except SourceError as error:
                raise SourceError(f"{self.name}: {entry['name']}: {error}") from None
            for name in names:
                if name not in self.fields:
                    raise SourceError(f"{self.name}: {name}: the definition samples no such field")
                if name in found:
                    raise SourceError(f"{self.name}: {name}: two entries for {table.fyear}")
                found[name] = (entry, names)
        missing = [name for name in self.fields if name not in found]
        if missing:
            raise SourceError(f"{self.name}: no entry for {table.fyear}: {', '.join(missing)}")
        return found

    def distributions(self, table):
        """Every line of one table."""
        records = value_of(self.source["records"], table, "records")
        cardinality = set_aside({float(k): w for k, w in self.source["cardinality"]["values"].items()}, {})
        patients = records / math.fsum(count * share for count, share in cardinality.items())
        yield {"table": table.name, "population": value_of(self.source["population"], table, "population")}
        cells = sorted((count, rounded(share * patients)) for count, share in cardinality.items())
        yield {"table": table.name, "field": self.source["primary_key"], "type": "RELATIONSHIP", "key": self.source["patient_key"],
               "values": [int(count) for count, weight in cells if weight > 0], "weights": [weight for _, weight in cells if weight > 0]}
        entries = self.entries_of(table)
        for name, (entry, _) in entries.items():
            try:
                yield from self.field(name, table, records, patients, entries)
            except (SourceError, KeyError, ValueError, TypeError) as error:
                raise SourceError(f"{self.name}: {entry['name']} ({table.fyear}): {error!r}") from error

    def field(self, name, table, records, patients, entries):
        (entry, names), value_type = entries[name], self.fields[name]
        line = {"table": table.name, "field": name, "type": value_type}
        expected = {"DATE": "date", "CONTINUOUS": "continuous", "DEMOGRAPHIC_CATEGORICAL": "person", "DEMOGRAPHIC_DATE": "birth_month",
                    "DISCRETE": "discrete"}.get(value_type, "categorical")
        if "reason" in entry:
            if value_type.startswith("DEMOGRAPHIC"):
                return
            yield {**line, "completeness": [rounded(records), 0]}
            return
        if entry.get("type", "categorical") != expected:
            raise SourceError(f"type is {expected} in the definition")
        if "filled" in entry:
            if name == names[0]:
                for position, distribution in positions(entry, names, table, records):
                    yield {**line, "field": position, **distribution}
        elif expected == "date":
            yield {**line, **dates(entry, table, records, entries)}
        elif expected == "continuous":
            yield {**line, **continuous(entry, records, entries)}
        elif expected == "person":
            yield {**line, **person(entry, table, patients)}
        elif expected == "birth_month":
            yield {**line, **birth_months(entry, table, patients)}
        else:
            yield {**line, **categorical(entry, table, records, value_type)}


def read_datasets(definitions):
    sources = tomllib.loads((HERE / "sources.toml").read_text())
    return sources, [Dataset(path, definitions / f"{path.stem}.yaml", sources) for path in sorted(HERE.glob("hes_*.toml"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--definitions", type=Path, default=HERE.parent, help="the folder of the datasets' definitions")
    parser.add_argument("--table", action="append", help="only this table; may repeat")
    arguments = parser.parse_args()
    try:
        _, datasets = read_datasets(arguments.definitions)
        sys.stdout.write(json.dumps({"attribution": ATTRIBUTION}) + "\n")
        for dataset in datasets:
            for table in dataset.tables:
                if arguments.table is None or table.name in arguments.table:
                    for line in dataset.distributions(table):
                        sys.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    except SourceError as error:
        sys.exit(f"build.py: {error}")


if __name__ == "__main__":
    main()
