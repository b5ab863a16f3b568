#!/usr/bin/env python3
"""Makes figures/*.csv from the published files: python3 import_figures.py PUBLISHED [FILE]... [--out FOLDER]

Run by hand, by whoever has the published files, when a source changes; the build needs its results only. One function for each file of
figures/: it takes the folder of the published files and gives rows, the header first. Counts stay as they are published (whole numbers);
what a function assumes is said in its docstring, and again in the note of the field that uses it. Python 3.11 and its standard library.
"""
import argparse
import csv
import datetime
import math
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import NormalDist

HERE = Path(__file__).resolve().parent
FIGURES = {}  # file name: the function that makes it


def figure(name):
    def register(function):
        FIGURES[name] = function
        return function
    return register


def read(data, path):
    """The rows of a published file, as dictionaries."""
    with open(data / path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def count(text):
    """A published count; suppressed and missing ones are 0."""
    return int(float(text)) if text not in ("", "-", "*", None) else 0


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


# ---- clinical codes -------------------------------------------------------------------------------------------------


def codes_by_year(data, path, code, first, last):
    """One row for each code, one column for each year in which it was used."""
    years, counts = range(first, last + 1), defaultdict(Counter)
    for row in read(data, path):
        if row["code"] != "NULL" and int(row["year_start"]) in years:
            counts[row["code"]][int(row["year_start"])] += count(row["count"])
    return [[code, *years], *([c, *(counts[c][y] or "" for y in years)] for c in sorted(counts))]


@figure("icd10.csv")
def icd10(data):
    """Diagnoses in any position. Codes of three characters are padded with X in the source, as they are in HES (I10X)."""
    return codes_by_year(data, "published/icd10_usage.csv", "icd10", 2012, 2020)


@figure("opcs4.csv")
def opcs4(data):
    """Procedures in any position, four characters without a point, as in HES."""
    return codes_by_year(data, "published/opcs4_usage.csv", "opcs4", 2012, 2020)


# ---- places ---------------------------------------------------------------------------------------------------------


@figure("lsoa11.csv")
def lsoa11(data):
    """Small areas of the census of 2011, with their population of 2017."""
    return [["lsoa11", "population"], *sorted((r["lsoa11"], count(r["population_2017"])) for r in read(data, "reference/lsoa11.csv"))]


@figure("lsoa01.csv")
def lsoa01(data):
    """Small areas of the census of 2001, with the population of 2017 of what they became in 2011."""
    people = Counter()
    for row in read(data, "reference/lsoa11.csv"):
        people[row["lsoa01"] or row["lsoa11"]] += count(row["population_2017"])
    return [["lsoa01", "population"], *sorted(people.items())]


@figure("msoa11.csv")
def msoa11(data):
    people = Counter()
    for row in read(data, "reference/lsoa11.csv"):
        people[row["msoa11"]] += count(row["population_2017"])
    return [["msoa11", "population"], *sorted(people.items())]


@figure("constituencies.csv")
def constituencies(data):
    """The 529 English constituencies of before 2010, which HES numbers; all weigh the same, as they have about the same number of electors."""
    return [["pcon", "weight"], *([f"{number:03d}", 1] for number in range(1, 530))]


# Primary care trusts of October 2006 to March 2013: code, strategic health authority, area team of 2013, and the local authorities of
# 2021 in which they lie: number of the code after E0, or a range of numbers. A part of an authority carries its share (0.37*80025).
PRIMARY_CARE_TRUSTS = """
5D9 Q30 Q45 60001           | 5KM Q30 Q45 60002           | 5QR Q30 Q45 60003           | 5E1 Q30 Q45 60004           | 5J9 Q30 Q45 60005
5ND Q30 Q45 60047           | TAC Q30 Q49 60057           | 5D7 Q30 Q49 80021           | 5D8 Q30 Q49 80022           | 5KG Q30 Q49 80023
5KL Q30 Q49 80024           | 5KF Q30 Q49 80037           | 5NE Q31 Q49 70026-70031     | 5J2 Q31 Q44 60007           | 5CC Q31 Q47 60008
5HP Q31 Q47 60009           | 5NP Q31 Q44 60049 0.34*60050 | 5NN Q31 Q44 0.66*60050     | 5NK Q31 Q44 80015           | 5NH Q31 Q47 70117 70120 70122 70124 70125
5NG Q31 Q47 70118 70123 70126 70127 | 5NF Q31 Q47 70119 70121 70128 | 5HQ Q31 Q46 80001    | 5JX Q31 Q46 80002           | 5NT Q31 Q46 80003
5J5 Q31 Q46 80004           | 5NQ Q31 Q46 80005           | 5F5 Q31 Q46 80006           | 5F7 Q31 Q46 80007           | 5LH Q31 Q46 80008
5NR Q31 Q46 80009           | 5HG Q31 Q46 80010           | 5J4 Q31 Q48 80011           | 5NL Q31 Q48 80012           | 5NM Q31 Q48 80013 60006
5NJ Q31 Q48 80014           | 5NX Q32 Q50 60010           | 5NW Q32 Q50 60011           | TAN Q32 Q50 60012           | 5EF Q32 Q50 60013
5NV Q32 Q50 60014 70163-70169 | 5JE Q32 Q51 80016         | 5N5 Q32 Q51 80017           | 5H8 Q32 Q51 80018           | 5N4 Q32 Q51 80019
5NY Q32 Q52 80032           | 5J6 Q32 Q52 80033           | 5N2 Q32 Q52 80034           | 5N1 Q32 Q52 80035           | 5N3 Q32 Q52 80036
5N7 Q33 Q55 60015           | 5N6 Q33 Q55 70032-70039     | 5EM Q33 Q55 60018           | 5ET Q33 Q51 70171           | 5N8 Q33 Q55 70170 70172-70176
5PC Q33 Q59 60016           | 5PA Q33 Q59 60017 70129-70135 | 5N9 Q33 Q59 70136-70142   | 5PD Q33 Q58 60061 60062     | 5CN Q34 Q53 60019
5MK Q34 Q60 60020           | 5M2 Q34 Q60 60051           | 5PJ Q34 Q60 60021           | 5PH Q34 Q60 70195 70198     | 5PK Q34 Q60 70192-70194 70196 70197 70199
5PG Q34 Q54 0.37*80025      | 5M1 Q34 Q54 0.36*80025      | 5MX Q34 Q54 0.27*80025      | 5MD Q34 Q53 80026           | 5PE Q34 Q54 80027
5PF Q34 Q54 80028           | TAM Q34 Q54 80029           | 5M3 Q34 Q54 80030           | 5MV Q34 Q54 80031           | 5PM Q34 Q53 70218-70222
5PL Q34 Q53 70234-70239     | 5PN Q35 Q56 60031           | 5PP Q35 Q56 70008-70012     | 5PQ Q35 Q56 70143 70144 70146-70149 | 5PR Q35 Q56 70145 0.47*70244
5PT Q35 Q56 70200 70202 70203 70245 0.53*70244 | 5GC Q35 Q58 60032 | 5P2 Q35 Q58 60055 60056 | 5P3 Q35 Q58 70095 70099 70241-70243 | 5P4 Q35 Q58 70096 70098 70102 70103 70240
5P1 Q35 Q57 60033 70069 70075 | 5PY Q35 Q57 60034 70066 70068 | 5PX Q35 Q57 70067 70070 70074 | 5PW Q35 Q57 70071 70076 | 5PV Q35 Q57 70072 70073 70077
5C2 Q36 Q71 90002           | 5A9 Q36 Q71 90003           | TAK Q36 Q71 90004           | 5K5 Q36 Q71 90005           | 5A7 Q36 Q71 90006
5K7 Q36 Q71 90007           | 5K9 Q36 Q71 90008           | 5HX Q36 Q71 90009           | 5C1 Q36 Q71 90010           | 5A8 Q36 Q71 90011
5C3 Q36 Q71 90012 90001     | 5H1 Q36 Q71 90013           | 5C9 Q36 Q71 90014           | 5K6 Q36 Q71 90015           | 5A4 Q36 Q71 90016
5AT Q36 Q71 90017           | 5HY Q36 Q71 90018           | 5K8 Q36 Q71 90019           | 5LA Q36 Q71 90020           | 5A5 Q36 Q71 90021
5LD Q36 Q71 90022           | 5LF Q36 Q71 90023           | 5M7 Q36 Q71 90024 90029     | 5C5 Q36 Q71 90025           | 5NA Q36 Q71 90026
5M6 Q36 Q71 90027           | 5LE Q36 Q71 90028           | 5C4 Q36 Q71 90030           | 5NC Q36 Q71 90031           | 5LG Q36 Q71 90032
5LC Q36 Q71 90033           | 5L3 Q37 Q67 60035           | 5QA Q37 Q67 70105 70106 70108 70112-70114 | 5P9 Q37 Q67 70107 70109-70111 70115 70116 | 5LQ Q37 Q68 60043
5P7 Q37 Q68 70061 70063 70065 | 5P8 Q37 Q68 70062 70064   | 5P6 Q37 Q68 70223-70229     | 5P5 Q37 Q68 70207-70217     | 5QG Q38 Q69 60036 60039 60040
5QF Q38 Q69 60037 60038 60041 | 5CQ Q38 Q58 60042         | 5QD Q38 Q69 60060           | 5QE Q38 Q69 70177-70181     | 5FE Q38 Q70 60044
5L1 Q38 Q70 60045           | 5QT Q38 Q70 60046           | 5QC Q38 Q70 70084-70094     | 5FL Q39 Q64 60022           | 5QJ Q39 Q65 60023
5M8 Q39 Q65 60024           | 5A3 Q39 Q65 60025           | 5F1 Q39 Q66 60026           | TAL Q39 Q66 60027           | 5K3 Q39 Q64 60030
5QP Q39 Q66 60052 60053     | 5QK Q39 Q64 60054           | 5QN Q39 Q70 60058           | 5QM Q39 Q70 60059           | 5QH Q39 Q64 70078-70083
5QQ Q39 Q66 70040-70047     | 5QL Q39 Q65 70187-70189 70246
"""

# Counties that still have districts: code of HES, nine characters of the ONS, and the districts.
COUNTIES = """
12 E10000003 70008-70012 | 16 E10000006 70026-70031 | 17 E10000007 70032-70039 | 18 E10000008 70040-70047 | 21 E10000011 70061-70065
22 E10000012 70066-70077 | 23 E10000013 70078-70083 | 24 E10000014 70084-70094 | 26 E10000015 70095-70103 70240-70243 | 29 E10000016 70105-70116
30 E10000017 70117-70128 | 31 E10000018 70129-70135 | 32 E10000019 70136-70142 | 33 E10000020 70143-70149 | 36 E10000023 70163-70169
37 E10000024 70170-70176 | 38 E10000025 70177-70181 | 40 E10000027 70187-70189 70246 | 41 E10000028 70192-70199 | 42 E10000029 70200-70206 70244 70245
43 E10000030 70207-70217 | 44 E10000031 70218-70222 | 45 E10000032 70223-70229 | 47 E10000034 70234-70239
11 E10000002 60060 | 34 E10000021 60061 60062
"""

# Strategic health authority: region as one letter and as nine characters.
REGIONS = {"Q30": ("A", "E12000001"), "Q31": ("B", "E12000002"), "Q32": ("D", "E12000003"), "Q33": ("E", "E12000004"), "Q34": ("F", "E12000005"),
           "Q35": ("G", "E12000006"), "Q36": ("H", "E12000007"), "Q37": ("J", "E12000008"), "Q38": ("J", "E12000008"), "Q39": ("K", "E12000009")}
# Area team of 2013: the local office that followed it in April 2015.
LOCAL_OFFICES = {"Q44": "Q75", "Q45": "Q74", "Q46": "Q83", "Q47": "Q84", "Q48": "Q75", "Q49": "Q74", "Q50": "Q72", "Q51": "Q72", "Q52": "Q72",
                 "Q53": "Q77", "Q54": "Q77", "Q55": "Q76", "Q56": "Q79", "Q57": "Q79", "Q58": "Q78", "Q59": "Q78", "Q60": "Q76", "Q64": "Q82",
                 "Q65": "Q80", "Q66": "Q80", "Q67": "Q81", "Q68": "Q81", "Q69": "Q82", "Q70": "Q70", "Q71": "Q71"}


def commissioning_regions(area_team, region):
    """Commissioning region of 2013 and NHS region of 2019."""
    number = int(area_team[1:])
    first = "Y56" if number == 71 else "Y54" if number <= 52 else "Y55" if number <= 60 else "Y57"
    return first, {"A": "Y63", "B": "Y62", "D": "Y63", "E": "Y60", "F": "Y60", "G": "Y61", "H": "Y56", "J": "Y59", "K": "Y58"}[region]


def authorities(words):
    """(code of an authority, share of it) for '70008-70012' and '0.37*80025'."""
    for word in words:
        share, _, numbers = word.rpartition("*")
        first, _, last = numbers.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"E{number // 10000:02d}{number % 10000:06d}", float(share or 1)


def table_of(text):
    return [entry.split() for line in text.strip().splitlines() for entry in line.split("|")]


@figure("local_authorities.csv")
def local_authorities(data):
    """Local authorities of 2021 with their population of 2017, and every larger area of HES that can be told from them; an authority that
    lies in several primary care trusts has a row for each."""
    people = Counter()
    for row in read(data, "reference/lsoa11.csv"):
        people[row["ltla21"]] += count(row["population_2017"])
    counties = {code: (old, new) for old, new, *words in table_of(COUNTIES) for code, _ in authorities(words)}
    rows, seen = [], Counter()
    for pct, sha, team, *words in table_of(PRIMARY_CARE_TRUSTS):
        for code, share in authorities(words):
            if code not in people:
                continue  # a number that was given to no authority, or to one that is gone
            seen[code] += share
            region, region_ons = REGIONS[sha]
            county, county_ons = counties.get(code, ("00", "E99999999"))
            rows.append([code, pct, sha, region, region_ons, county, county_ons, team, LOCAL_OFFICES[team], *commissioning_regions(team, region),
                         round(people[code] * share)])
    wrong = [code for code in people if round(seen[code], 6) != 1]
    if wrong:
        raise SystemExit(f"local authorities without a primary care trust: {', '.join(sorted(wrong))}")
    return [["ltla21", "pct06", "sha06", "gor", "region", "county", "county_ons", "area_team", "local_office", "region13", "region19", "population"],
            *sorted(rows)]


# ---- organisations --------------------------------------------------------------------------------------------------


@figure("gp_practices.csv")
def gp_practices(data):
    return [["gpprac", "ccg", "patients"],
            *sorted((r["gpprac"], r["ccg"], count(r["registered_patients"])) for r in read(data, "reference/gp_practices_2021.csv"))]


@figure("ccg.csv")
def ccg(data):
    patients = Counter()
    for row in read(data, "reference/gp_practices_2021.csv"):
        patients[row["ccg"]] += count(row["registered_patients"])
    return [["ccg", "patients"], *sorted(patients.items())]


def provider_episodes(data):
    """Episodes of 2024-25 by provider (three characters, without the -X of merged organisations), and those of England that no provider of
    the table has: the independent sector and whoever is suppressed."""
    rows = read(data, "published/apc_2024_25_provider_icb.csv")
    episodes = Counter()
    for row in rows:
        if row["type"] == "Provider":
            episodes[row["code"][:3]] += count(row["fce"])
    england = next(count(row["fce"]) for row in rows if row["type"] == "National")
    return episodes, england - sum(episodes.values())


def sites_by_parent(data):
    sites = defaultdict(list)
    for row in read(data, "reference/hospital_sites.csv"):
        sites[row["parent_code"]].append((row["site_code"], row["name"]))
    return sites


def independents(sites, trusts, rest):
    """What no trust of the table has, spread over the independent providers by their number of sites."""
    numbers = {parent: len(found) for parent, found in sites.items() if parent not in trusts and re.match("[AN]", parent)}
    return {parent: round(rest * n / sum(numbers.values())) for parent, n in numbers.items()}


@figure("providers.csv")
def providers(data):
    """Episodes of 2024-25; region and integrated care board of the trusts of 2021."""
    trusts = {r["procode3"]: r for r in read(data, "reference/nhs_trusts.csv")}
    episodes, rest = provider_episodes(data)
    everybody = {**independents(sites_by_parent(data), episodes, rest), **episodes}
    return [["procode3", "region", "icb", "fce"],
            *([c, trusts.get(c, {}).get("region", ""), trusts.get(c, {}).get("icb", ""), everybody[c]] for c in sorted(everybody))]


@figure("sites.csv")
def sites(data):
    """A provider's episodes spread over its sites: the n-th of them has 1 / n^2 of the first. Acute hospitals, told by their names, come
    first, then the order of the codes; a provider without a known site has one, its code and 00."""
    def place(site):
        acute = re.search(r"infirmary|royal|general|university|queen|king|saint|st\.? ", site[1], re.I)
        small = re.search(r"community|clinic|centre|unit|day|dental|mental", site[1], re.I)
        return (bool(small), not acute, site[0])
    episodes, rest = provider_episodes(data)
    by_parent = sites_by_parent(data)
    rows = []
    for parent, fce in {**independents(by_parent, episodes, rest), **episodes}.items():
        ordered = sorted(by_parent.get(parent) or [(parent + "00", "")], key=place)
        power = 2 if parent in episodes else 0  # chains of private hospitals are of a size
        total = sum(1 / n**power for n in range(1, len(ordered) + 1))
        rows += [[code, parent, round(fce / n**power / total)] for n, (code, _) in enumerate(ordered, 1)]
    return [["sitetret", "procode3", "fce"], *sorted(rows)]


@figure("icb.csv")
def icb(data):
    return [["icb", "fce"], *sorted((r["code"], count(r["fce"])) for r in read(data, "published/apc_2024_25_provider_icb.csv") if r["type"] == "ICB")]


# ---- admitted patient care ------------------------------------------------------------------------------------------


def treatment_functions(data):
    """Sums of the two years before the pandemic, by treatment function."""
    sums = defaultdict(Counter)
    for row in read(data, "published/hes_monthly_treatment_function_2018_21.csv"):
        if row["PARTYEAR"] in ("201899", "201999"):
            for column in ("FCE", "Total_Appointments"):
                sums[row["TRETSPEF"]][column] += count(row[column])
    return sums


@figure("tretspef.csv")
def tretspef(data):
    sums = treatment_functions(data)
    return [["tretspef", "fce", "appointments"], *([c, sums[c]["FCE"], sums[c]["Total_Appointments"]] for c in sorted(sums))]


# Main specialty of the consultants who work under a treatment function, where it has not the same code.
MAIN_SPECIALTIES = {"&": "&", "106": "100", "108": "110", "111": "110", "144": "140", "241": "420", "242": "420", "306": "301", "307": "302", "308": "303",
                    "309": "303", "316": "313", "318": "314", "319": "300", "322": "303", "323": "300", "324": "303", "327": "320", "328": "300",
                    "329": "300", "331": "320", "341": "340", "342": "340", "343": "340", "344": "340", "345": "314", "346": "314", "348": "300",
                    "422": "420", "424": "420", "503": "502", "811": "810", "812": "810", "840": "950", "920": "430"}


def main_specialty(treatment_function, allowed):
    """The code itself where consultants have it, else the one above, else the specialty that its first digits tell."""
    first = treatment_function[:2]
    for code in (treatment_function, MAIN_SPECIALTIES.get(treatment_function)):
        if code in allowed:
            return code
    return {"10": "100", "16": "160", "17": "170", "21": "171", "22": "171", "25": "420", "26": "420", "28": "420", "29": "420", "65": "950", "66": "950",
            "72": "710"}[first]


@figure("mainspef_apc.csv")
def mainspef_apc(data):
    allowed = {r["code"] for r in read(data, "reference/hes_allowed_values.csv") if (r["dataset"], r["field"]) == ("APC", "MAINSPEF")}
    sums = Counter()
    for code, counts in treatment_functions(data).items():
        sums[main_specialty(code, allowed)] += counts["FCE"]
    return [["mainspef", "fce"], *sorted(sums.items())]


BORN_IN_YEAR, UNDER_ONE = 0.42, 0.66  # shares of the band 0 - 4: live births (Z38), and everybody in the first year of life


@figure("ages_apc.csv")
def ages_apc(data):
    """Episodes of 2024-25 by age and sex. The youngest band is split: as many births as Z38 codes, the rest of the first year, 1 to 4."""
    rows = [["age", "male", "female", "total"]]
    for row in read(data, "published/apc_2024_25_summary_table_2.csv"):
        band, counts = row["Age (years)"].replace(" ", ""), [count(row[c]) for c in ("Male", "Female", "Total")]
        if band == "0-4":
            parts = [("birth", BORN_IN_YEAR), ("0", UNDER_ONE - BORN_IN_YEAR), ("1-4", 1 - UNDER_ONE)]
            rows += [[name, *(round(c * share) for c in counts)] for name, share in parts]
        elif re.match(r"\d", band):
            rows.append([band, *counts])
    return rows


@figure("ethnos_apc.csv")
def ethnos_apc(data):
    """Admissions of 2024-25 by ethnic group, split into categories as outpatient attendances of the same year are."""
    fae = {}
    for row in csv.reader(open(data / "published/apc_2024_25_summary_table_4.csv", newline="")):
        if len(row) > 1 and row[1].isdigit():
            fae.setdefault(row[0], int(row[1]))
    groups = {"White": "ABC", "Mixed": "DEFG", "Asian": "HJKLR", "Black": "MNP", "Any other ethnic group": "S", "Unknown": ("Z", "99")}
    attendances = {r["Ethnic Category"]: count(r["All Attendances "]) for r in read(data, "published/op_2024_25_ethnos.csv") if r["Ethnic Category"]}
    rows = []
    for group, codes in groups.items():
        total = sum(attendances[c] for c in codes)
        rows += [[c, round(fae[group] * attendances[c] / total)] for c in codes]
    return [["ethnos", "fae"], *rows]


def summary(data, table):
    """The year rows of a national summary table, by the year in which they begin."""
    with open(data / f"published/apc_2024_25_summary_table_{table}.csv", newline="") as file:
        rows = [row for row in csv.reader(file) if re.match(r"\d{4}-\d\d$", row[0])]
    return {int(row[0][:4]): [float(cell) for cell in row[1:]] for row in rows if int(row[0][:4]) <= 2020}


def extract(data):
    return read(data, "hes_extract/artificial_hes_apc_0102_truncated.csv")


def flag_by_year(data, field, share):
    """Records of the extract (2001) and of 2015 on with the values 1 and 0."""
    old = Counter(row[field] for row in extract(data))
    years = {year: share(*counts[:4]) for year, counts in summary(data, 1).items()}
    return [[field.lower(), 2001, *years], ["0", old["0"], *(round(1000000 * (1 - s)) for s in years.values())],
            ["1", old["1"], *(round(1000000 * s) for s in years.values())]]


@figure("fae.csv")
def fae(data):
    """Admission episodes among finished episodes, of a million."""
    return flag_by_year(data, "FAE", lambda fces, faes, elective, emergency: faes / fces)


@figure("fae_emergency.csv")
def fae_emergency(data):
    """Emergency admissions among finished episodes, of a million."""
    return flag_by_year(data, "FAE_EMERGENCY", lambda fces, faes, elective, emergency: emergency / fces)


@figure("classpat.csv")
def classpat(data):
    """Day cases and other finished episodes. Of the others a hundredth are mothers and babies who use delivery facilities only."""
    old = Counter(row["CLASSPAT"] for row in extract(data))
    years = summary(data, 5)
    return [["classpat", 2001, *years], ["1", old["1"], *(round(0.99 * y[0]) for y in years.values())], ["2", old["2"], *(round(y[1]) for y in years.values())],
            ["5", old["5"], *(round(0.01 * y[0]) for y in years.values())]]


# Shares of elective, emergency and other admissions by method. Before April 2013 28 stands for 2A to 2D.
ADMISSION_METHODS = {"elective": {"11": 0.47, "12": 0.26, "13": 0.27},
                     "emergency": {"21": 0.695, "22": 0.085, "23": 0.012, "24": 0.05, "25": 0.001, "28": 0.03, "2A": 0.085, "2B": 0.014, "2C": 0.001, "2D": 0.027},
                     "other": {"31": 0.36, "32": 0.04, "81": 0.27, "82": 0.303, "83": 0.005, "84": 0.0002, "89": 0.0003, "98": 0.017, "99": 0.0045}}


@figure("admimeth.csv")
def admimeth(data):
    """Admissions by method: those of the extract (2001), and from 2015 on the published groups, split. The share of planned admissions (13)
    among elective ones is that of 2024-25. The column 2012 is 2015 with the codes of before April 2013, 2013 is 2015."""
    old = Counter(row["ADMIMETH"] for row in extract(data))
    years = {}
    for year, (fces, faes, elective, emergency) in summary(data, 1).items():
        groups = {"elective": elective, "emergency": emergency, "other": faes - elective - emergency}
        years[year] = {code: round(groups[group] * share) for group, codes in ADMISSION_METHODS.items() for code, share in codes.items()}
    before = dict(years[2015])
    before["28"] += sum(before.pop(code) for code in ("25", "2A", "2B", "2C", "2D"))
    columns = {2001: old, 2012: before, 2013: years[2015], **years}
    codes = sorted({code for column in columns.values() for code in column})
    return [["admimeth", *columns], *([code, *(column.get(code) or "" for column in columns.values())] for code in codes)]


# Fields whose distribution is the extract's, with codes as they stand there.
EXTRACT_FIELDS = ["ADMISORC", "DISDEST", "DISMETH", "EPIORDER", "EPITYPE", "ETHNOS", "MAINSPEF", "PCTCODE_HIS", "PCTORIG_HIS",
                  "PCTTREAT", "PROCODE3", "PROCODE5", "PURCODE", "RESCTY", "RESGOR", "RESLADST", "RESPCT_HIS", "RESSTHA_HIS", "SITETRET", "SPELBGIN", "SPELEND", "STHATRET",
                  "TRETSPEF", "WAITLIST"]


@figure("extract_apc.csv")
def extract_apc(data):
    """Records of the published extract of artificial HES by code: one column for each field, empty where the field has no such code."""
    rows = extract(data)
    counts = {field: Counter(row[field] for row in rows if row[field]) for field in EXTRACT_FIELDS}
    codes = sorted({code for counter in counts.values() for code in counter})
    return [["code", *EXTRACT_FIELDS], *([code, *(counts[field][code] or "" for field in EXTRACT_FIELDS)] for code in codes)]


# ---- outpatients ----------------------------------------------------------------------------------------------------
# Figures of hes_op.toml alone; their names end in _op.


def extract_of_op(data):
    return read(data, "hes_extract/artificial_hes_op_0304_truncated.csv")


def extract_counts(data, field):
    return Counter(row[field] for row in extract_of_op(data) if row[field])


# Fields with many codes; the extract's counts of short lists stand in hes_op.toml itself.
EXTRACT_FIELDS_OP = ["PCTCODE_HIS", "RESPCT_HIS", "PCTTREAT", "PURCODE", "RESSTHA_HIS", "STHATRET", "PROCODE5", "PROCODET", "SITETRET", "RESCTY", "RESLADST"]


@figure("extract_op.csv")
def extract_op(data):
    """Records of the published extract of artificial HES (1,000 appointments) by code: one column for each field."""
    counts = {field: extract_counts(data, field) for field in EXTRACT_FIELDS_OP}
    codes = sorted({code for counter in counts.values() for code in counter})
    return [["code", *EXTRACT_FIELDS_OP], *([code, *(counts[field][code] or "" for field in EXTRACT_FIELDS_OP)] for code in codes)]


@figure("tretspef_op.csv")
def tretspef_op(data):
    """Appointments by treatment function: of the extract, and of the financial years that are published month by month."""
    years = {"extract": extract_counts(data, "TRETSPEF"), 2018: Counter(), 2019: Counter(), 2020: Counter()}
    for row in read(data, "published/hes_monthly_treatment_function_2018_21.csv"):
        years[2000 + int(row["FY_Start_Date"][-2:])][row["TRETSPEF"]] += count(row["Total_Appointments"])
    codes = sorted({code for counter in years.values() for code in +counter})
    return [["tretspef", *years], *([code, *(counter[code] or "" for counter in years.values())] for code in codes)]


# Main specialties that came after the last table, and the one that had their patients before.
LATER_MAIN_SPECIALTIES = {"107": "100", "317": "313", "500": "501"}


@figure("mainspef_op.csv")
def mainspef_op(data):
    """Appointments of the extract and attendances of 2024-25 by main specialty."""
    attendances = Counter()
    for row in read(data, "published/op_2024_25_mainspef_age_sex.csv"):
        if (row["sex"], row["age"]) == ("All", "Total") and row["mainspef"] != "All":
            attendances[LATER_MAIN_SPECIALTIES.get(row["mainspef"], row["mainspef"])] += count(row["attendances"])
    old = extract_counts(data, "MAINSPEF")
    return [["mainspef", "extract", "attendances"], *([code, old[code] or "", attendances[code] or ""] for code in sorted({*old, *attendances}))]


@figure("ethnos_op.csv")
def ethnos_op(data):
    """Attendances of 2024-25 by ethnic category."""
    return [["ethnos", "attendances"], *([r["Ethnic Category"], count(r["All Attendances "])] for r in read(data, "published/op_2024_25_ethnos.csv")
                                         if r["Ethnic Category"] and r["All Attendances "])]


# Appointments in the first year of life by HES's codes for it; follow-up of newborns gathers around six weeks.
FIRST_YEAR = {"7001": 0.01, "7002": 0.03, "7003": 0.10, "7004": 0.26, "7005": 0.22, "7006": 0.20, "7007": 0.18}


def ages_of_band(band):
    """Ages of a band with their shares: equal, and from 90 on each a fifth less than the one before."""
    first, _, last = band.rstrip("+").partition("-")
    shares = {int(first) + i: 0.8**i for i in range(16)} if band.endswith("+") else dict.fromkeys(range(int(first), int(last or first) + 1), 1)
    return {str(age): share / sum(shares.values()) for age, share in shares.items()}


@figure("ages_op.csv")
def ages_op(data):
    """Appointments by age, of a million with a known age. Two publications give bands: one for the year itself, by month, and one for
    2024-25, which also tells the first year of life apart. Taken is the mean of their shares."""
    latest, years = {}, {2018: Counter(), 2019: Counter(), 2020: Counter()}
    for row in read(data, "published/op_2024_25_mainspef_age_sex.csv"):
        if (row["mainspef"], row["sex"]) == ("All", "All") and row["age"] not in ("Total", "Unknown"):
            latest[row["age"].replace("90-120", "90+")] = count(row["attendances"])
    babies = latest["0"] / (latest["0"] + latest["1-4"])
    for row in read(data, "published/hes_monthly_age_bands_2018_21.csv"):
        band = row["Age_Band"].partition(".")[2].replace(" ", "")
        if band != "unknown":
            for name, share in ({"0": babies, "1-4": 1 - babies} if band == "0-4" else {band: 1}).items():
                years[int(row["FY_Start_Date"][-4:])][name] += share * count(row["Total_Appointments"])
    rows = []
    for band in latest:
        shares = [(year[band] / sum(year.values()) + latest[band] / sum(latest.values())) / 2 for year in years.values()]
        ages = FIRST_YEAR if band == "0" else ages_of_band(band)
        rows += [[age, *(round(1000000 * share * part) for share in shares)] for age, part in ages.items()]
    return [["apptage", *years], *sorted(rows, key=lambda row: int(row[0]))]


# Appointments in millions, as the annual publications round them: all, attended, did not attend, cancelled by the patient, cancelled by the
# hospital (2008-09 and 2018-19 from the growth to later years that they print); first appointments' share of the
# attended, and, assumed, the share that was by telephone or video.
ATTENDANCE = {2008: (74.9, 60.6, 6.00, 4.00, 3.86, 0.309, 0.005), 2009: (84.2, 67.4, 6.65, 4.84, 4.84, 0.305, 0.010),
              2012: (94.1, 75.5, 6.90, 5.80, 5.80, 0.302, 0.025), 2018: (123.4, 96.4, 7.92, 9.00, 9.66, 0.316, 0.039),
              2019: (124.9, 96.4, 7.70, 9.34, 10.84, 0.322, 0.050), 2020: (101.9, 78.4, 5.64, 4.58, 12.60, 0.302, 0.270)}
# ATENTYPE: first, subsequent, not known which, first and subsequent by telephone or video.
ATTENDANCE_TYPES = {"attended": ("1", "2", "3", "21", "22"), "missed": ("4", "5", "6", "24", "25"), "patient": ("7", "8", "9", "27", "28"),
                    "hospital": ("10", "11", "12", "30", "31")}
# First appointments' share of those that did not take place, and of each group the share of which that is not known.
FIRST = {"missed": 0.30, "patient": 0.31, "hospital": 0.27}
NOT_KNOWN = {"attended": 0.001, "missed": 0.01, "patient": 0.01, "hospital": 0.01}


@figure("attended_op.csv")
def attended_op(data):
    """ATTENDED (and ATTENDANCE, which follows from it), of 100,000 appointments. Late arrivals (6) are the extract's share."""
    old = extract_counts(data, "ATTENDED")
    late = old["6"] / (old["5"] + old["6"])
    years = {2003: {code: 100 * number for code, number in old.items()}}
    for year, (total, attended, missed, patient, hospital, *_) in ATTENDANCE.items():
        groups = {"2": patient, "3": 0.99 * missed, "4": hospital, "5": (1 - late) * attended, "6": late * attended, "7": 0.01 * missed,
                  "9": total - attended - missed - patient - hospital}
        years[year] = {code: round(100000 * number / total) for code, number in groups.items()}
    return [["attended", "attendance", *years], *([code, int(code in "56"), *(column.get(code) or "" for column in years.values())] for code in "2345679")]


@figure("atentype_op.csv")
def atentype_op(data):
    """ATENTYPE (and FIRSTATT, which follows from it), of 100,000 appointments."""
    years = {2003: {code: 100 * number for code, number in extract_counts(data, "ATENTYPE").items()}}
    for year, (total, attended, missed, patient, hospital, first, tele) in ATTENDANCE.items():
        groups, column = {"attended": attended, "missed": missed, "patient": patient, "hospital": hospital}, {}
        for group, number in groups.items():
            share, known = {"attended": first, **FIRST}[group], number * (1 - NOT_KNOWN[group])
            parts = (known * share * (1 - tele), known * (1 - share) * (1 - tele), number - known, known * share * tele, known * (1 - share) * tele)
            column.update(zip(ATTENDANCE_TYPES[group], parts))
        column["13"] = total - sum(groups.values())
        years[year] = {code: round(100000 * number / total) for code, number in column.items()}
    firstatt = {code: first for codes in ATTENDANCE_TYPES.values() for code, first in zip(codes, "12934")} | {"13": "9"}
    return [["atentype", "firstatt", *years],
            *([code, firstatt[code], *(column.get(code) or "" for column in years.values())] for code in sorted(firstatt, key=int))]


def attendances_by_organisation(data, breakdown, code):
    """Attendances seen or missed in 2020-21; suppressed numbers (below 8) count as 0."""
    sums = Counter()
    for row in read(data, "published/hes_monthly_provider_2018_21.csv"):
        if row["Organisation breakdown"] == breakdown:
            sums[row[code]] += sum(count(row[f"All specialties: {what}"]) for what in (
                "First attendances seen total", "First attendances DNA", "Subsequent attendances seen", "Subsequent attendances DNA"))
    return sums


@figure("providers_op.csv")
def providers_op(data):
    """Providers of the extract and of 2020-21. Trusts have three characters (PROCODE5 adds 00), sites of the independent sector five
    (PROCODE3 are the first three); sites with fewer than 1,000 attendances are left out."""
    rows = [[code, code[:3], code.ljust(5, "0"), "", number] for code, number in attendances_by_organisation(data, "Provider", "Org Code").items()
            if number >= 1000]
    rows += [[code, code, "", number, ""] for code, number in extract_counts(data, "PROCODE3").items()]
    return [["procodet", "procode3", "procode5", "extract", "attendances"], *sorted(rows)]


@figure("ccg_op.csv")
def ccg_op(data):
    return [["ccg", "attendances"], *sorted([*item] for item in (+attendances_by_organisation(data, "CCG", "Org Code")).items())]


@figure("distance_op.csv")
def distance_op(data):
    """Distances in steps of 0.1 km up to 150 km, of a million: lognormal curves with the median and the ninth decile of the extract. SITEDIST
    has a zero before the point and PROVDIST has none, as there."""
    rows = defaultdict(lambda: ["", "", "", ""])
    for place, field in ((0, "SITEDIST"), (2, "PROVDIST")):
        values = sorted(float(row[field]) for row in extract_of_op(data) if row[field])
        median, decile = values[len(values) // 2], values[len(values) * 9 // 10]
        curve = NormalDist(math.log(median), math.log(decile / median) / NormalDist().inv_cdf(0.9))
        for step in range(1, 1501):
            number = round(1000000 * (curve.cdf(math.log(step / 10 + 0.05)) - curve.cdf(math.log(step / 10 - 0.05))))
            if number >= 10:
                rows[step][place:place + 2] = f"{step / 10:g}".removeprefix("0" if place else "-"), number
    return [["sitedist", "sitedist_weight", "provdist", "provdist_weight"], *(rows[step] for step in sorted(rows))]


@figure("pcon_op.csv")
def pcon_op(data):
    """The 533 English constituencies of 2010 to 2024: E14000530 to E14001062, and three characters, counted on from A01, for the older field."""
    return [["pcon", "pcon_ons", "weight"], *([f"{'ABCDEF'[i // 99]}{i % 99 + 1:02d}", f"E14{530 + i:06d}", 1] for i in range(533))]


# ---- accident and emergency -----------------------------------------------------------------------------------------

# Trusts that have merged since 2016: their integrated care board today.
AE_FORMER_TRUSTS = {
    "R1J": "QR1", "RA3": "QUY", "RBA": "QSL", "RC1": "QHG", "RDD": "QH8", "RE9": "QHM", "RGQ": "QJG", "RJF": "QJ2", "RLN": "QHM",
    "RM2": "QOP", "RNL": "QHM", "RQ6": "QYG", "RQ8": "QH8", "RQQ": "QUE", "RR1": "QHL", "RW3": "QOP", "RY1": "QYG",
}

# Integrated care boards by government office region and strategic health authority of 2006 to 2013.
AE_BOARD_REGIONS = {"A Q30": "QHM", "B Q31": "QE1 QOP QYG", "D Q32": "QF7 QOQ QWO", "E Q33": "QJ2 QJM QK1 QPM QT1", "F Q34": "QGH QHL QNC QOC QUA QWU",
                    "G Q35": "QH8 QHG QJG QM7 QMM QUE", "H Q36": "QKK QMF QMJ QRV QWE", "J Q37": "QKS QNX QXU", "J Q38": "QNQ QRL QU9",
                    "K Q39": "QJK QOX QR1 QSL QT6 QUY QVV"}
AE_REGIONS_2013 = {"Y62": "Y54", "Y63": "Y54", "Y60": "Y55", "Y61": "Y55", "Y56": "Y56", "Y58": "Y57", "Y59": "Y57"}
AE_YEARS = [2016, 2017, 2018]


def ae_attendances(data):
    """Attendances of the monthly returns: (year, organisation, type of department, month) and the count. The year is that in which it begins."""
    counts = Counter()
    for row in read(data, "published/ae_attendances_2016_19.csv"):
        year, month = int(row["period"][:4]), int(row["period"][5:7])
        counts[year - (month < 4), row["org_code"], row["type"], month] += count(row["attendances"])
    return counts


@figure("ae_providers.csv")
def ae_providers(data):
    """Attendances by organisation, with its regions. Codes of six characters are walk-in centres run as general practices: in HES they are
    part of another provider, and left out."""
    trusts = read(data, "reference/nhs_trusts.csv")
    boards = {**{row["procode3"]: row["icb"] for row in trusts}, **AE_FORMER_TRUSTS}
    regions = {row["icb"]: row["region"] for row in trusts}
    places = {board: codes.split() for codes, names in AE_BOARD_REGIONS.items() for board in names.split()}
    sums = defaultdict(Counter)
    for (year, code, _, _), attendances in ae_attendances(data).items():
        if len(code) <= 5:
            sums[code][year] += attendances
    rows = [["provider", "procode3", "procode5", "icb", "region19", "region13", "sha06", "gor", *AE_YEARS]]
    for code, years in sorted(sums.items()):
        board = boards.get(code, "")
        gor, sha = places.get(board, ("", ""))
        region = regions.get(board, "")
        if any(years.values()):
            rows.append([code, code[:3], code if len(code) == 5 else code + "00", board, region, AE_REGIONS_2013.get(region, ""), sha, gor,
                         *(years[year] or "" for year in AE_YEARS)])
    return rows


@figure("ae_department_types.csv")
def ae_department_types(data):
    """Attendances by type of department; other departments are four parts minor injury units, one part walk-in centres."""
    sums = Counter()
    for (year, _, kind, _), attendances in ae_attendances(data).items():
        sums[year, kind] += attendances
    parts = [("01", "1", 1), ("02", "2", 1), ("03", "other", 0.8), ("04", "other", 0.2)]
    return [["aedepttype", *AE_YEARS], *([code, *(round(sums[year, kind] * part) for year in AE_YEARS)] for code, kind, part in parts)]


@figure("ae_months.csv")
def ae_months(data):
    """Attendances by month, April first: what ARRIVALDATE's months are."""
    sums = Counter()
    for (year, _, _, month), attendances in ae_attendances(data).items():
        sums[year, month] += attendances
    return [["month", *AE_YEARS], *([month, *(sums[year, month] for year in AE_YEARS)] for month in (*range(4, 13), 1, 2, 3))]


# The published table ends with the hour from 15:00. The hours after that have what is left of the year's attendances. Their shape is ours; it meets the hours
# before and after, and puts 60% of the day between 09:00 and 18:00, as the HES A&E publication of 2012-13 has it.
AE_EVENING = {16: 6.10, 17: 6.00, 18: 5.75, 19: 5.20, 20: 4.55, 21: 3.75, 22: 2.95, 23: 2.27}


def ae_hours(data):
    """Arrivals of 2024-25 by hour, and by weekday and hour as far as they are published."""
    days = {}
    for row in read(data, "published/ecds_2024_25_time_of_day.csv"):
        if row["Measure Type"] == "Total":
            days[row["Reporting Period"]] = {int(hour[:2]): count(text) for hour, text in row.items() if hour[:2].isdigit()}
    hours = Counter()
    for arrivals in days.values():
        hours.update(arrivals)
    total = next(count(row["attendances"]) for row in read(data, "published/ecds_2024_25_source_arrival_discharge.csv")
                 if (row["period"], row["measure"]) == ("2024/25", "Arrival Mode Total"))
    left = total - sum(hours.values())
    for hour, share in AE_EVENING.items():
        hours[hour] = round(left * share / sum(AE_EVENING.values()))
    return hours, days


@figure("ae_arrival_hours.csv")
def ae_arrival_hours(data):
    hours, days = ae_hours(data)
    return [["hour", "arrivals", "basis", *days], *([f"{hour:02d}", hours[hour], "estimated" if hour in AE_EVENING else "published",
                                                     *(arrivals.get(hour, "") for arrivals in days.values())] for hour in range(24))]


# Minutes from arrival: median, 95th percentile (HES A&E clinical quality indicators, May 2011), share that happens in the minute of arrival.
AE_DELAYS = {"initial": (6, 71, 0.10), "treatment": (57, 195, 0.02), "conclusion": (110, 236, 0.01), "departure": (129, 260, 0.01)}
AE_ROUND_MINUTES = {0: 1.25, 30: 1.20, 15: 1.12, 45: 1.12}  # clerks round: so much more than at other minutes; other fives 1.06


def ae_minutes(hours):
    """Weights of the minutes of the day: straight lines through the middles of the hours, scaled so that each hour keeps its count."""
    minutes = []
    for minute in range(1440):
        at = (minute + 0.5) / 60 - 0.5
        before = math.floor(at)
        minutes.append(hours[before % 24] + (at - before) * (hours[(before + 1) % 24] - hours[before % 24]))
    for hour in range(24):
        part = minutes[hour * 60:hour * 60 + 60]
        minutes[hour * 60:hour * 60 + 60] = [weight * hours[hour] / sum(part) for weight in part]
    return minutes


def ae_delayed(arrivals, median, high, at_once):
    """Arrivals moved by a delay: at once, or lognormal with this median and 95th percentile, at most half a day."""
    sigma = math.log(high / median) / NormalDist().inv_cdf(0.95)
    below = [NormalDist().cdf(math.log((delay + 0.5) / median) / sigma) for delay in range(720)]
    delays = [(b - a) * (1 - at_once) / below[-1] for a, b in zip([0, *below], below)]
    delays[0] += at_once
    return [math.fsum(share * arrivals[(minute - delay) % 1440] for delay, share in enumerate(delays)) for minute in range(1440)]


@figure("ae_times.csv")
def ae_times(data):
    """Weights of the minutes of the day, of a million, for the five times of an attendance, heaped on round minutes inside each hour."""
    arrivals = ae_minutes(ae_hours(data)[0])
    columns = {"arrival": arrivals, **{name: ae_delayed(arrivals, *delay) for name, delay in AE_DELAYS.items()}}
    for name, weights in columns.items():
        heaped = [weight * AE_ROUND_MINUTES.get(minute % 60, 1.06 if minute % 5 == 0 else 1) for minute, weight in enumerate(weights)]
        columns[name] = []
        for hour in range(0, 1440, 60):
            scale = 1_000_000 * sum(weights[hour:hour + 60]) / sum(heaped[hour:hour + 60]) / sum(weights)
            columns[name] += [round(weight * scale) for weight in heaped[hour:hour + 60]]
    return [["time", *columns], *([f"{m // 60:02d}{m % 60:02d}", *(weights[m] for weights in columns.values())] for m in range(1440))]


def emergency_care(data, measure, field):
    """A measure of the Emergency Care Data Set by year, in codes of HES. ae_snomed_hes.csv, which is written by hand, says which wording is
    which code, and with what share where a wording is several codes."""
    published, years = Counter(), set()
    for row in read(data, "published/ecds_2024_25_source_arrival_discharge.csv"):
        if row["measure_type"] == measure and "/" in row["period"] and not row["measure"].endswith("Total"):
            published[row["measure"], int(row["period"][:4])] += count(row["attendances"])
            years.add(int(row["period"][:4]))
    mapping = [row for row in read(HERE, "ae_snomed_hes.csv") if row["measure"] == measure]
    missing = {wording for wording, _ in published} - {row["wording"] for row in mapping}
    if missing:
        raise SystemExit(f"ae_snomed_hes.csv has no code for {', '.join(sorted(missing))}")
    sums = Counter()
    for row in mapping:
        for year in years:
            sums[row["hes_code"], year] += float(row["share"]) * published[row["wording"], year]
    return [[field, *sorted(years)], *([code, *(round(sums[code, year]) or "" for year in sorted(years))] for code in sorted({c for c, _ in sums}))]


@figure("ae_arrival_mode.csv")
def ae_arrival_mode(data):
    return emergency_care(data, "Arrival Mode", "aearrivalmode")


@figure("ae_source.csv")
def ae_source(data):
    return emergency_care(data, "Attendance Source", "aerefsource")


@figure("ae_disposal.csv")
def ae_disposal(data):
    return emergency_care(data, "Discharge Destination", "aeattenddisp")


# Shares of attendances by age in per cent (a year of age, or first-last), for two years. 2010: the HES A&E publications of 2009-10 to 2011-12 (0-9: 14,
# 10-19: 13, 0-29: 44) and the monthly HES tables of March and November 2011 (0-16: 24.7, 17-39: 32.7, 40-59: 19.6, 60-79: 14.2, 80 and over: 8.2).
# 2020: 0-24: 26.9 (2020-21). Inside those groups the shape is ours: infants and people in their early twenties attend most.
AE_AGES = {
    "0": (2.45, 1.85), "1": (2.45, 1.65), "2": (1.80, 1.20), "3": (1.50, 0.95), "4": (1.30, 0.80), "5-9": (4.95, 3.25),
    "10-14": (6.75, 4.85), "15-16": (2.80, 2.00), "17-19": (3.95, 3.20), "20-24": (8.30, 7.15), "25-29": (7.45, 7.70),
    "30-34": (6.65, 7.45), "35-39": (6.55, 6.75), "40-44": (5.75, 6.00), "45-49": (5.30, 5.75), "50-54": (4.55, 6.00),
    "55-59": (4.00, 5.75), "60-64": (3.90, 5.00), "65-69": (3.40, 4.35), "70-74": (3.35, 4.65), "75-79": (3.55, 4.45),
    "80-84": (3.55, 3.95), "85-89": (2.95, 3.20), "90-94": (1.35, 1.65), "95-99": (0.35, 0.40), "100-104": (0.04, 0.045),
    "105-109": (0.003, 0.003),
}
# How far other years have come from the first to the second: 2014-15 had 53.7% under 40, 2019-20 had 32.1% under 25.
AE_AGES_BETWEEN = {2014: 0.44, 2019: 0.47}
# Infants by age: HES has codes for parts of the first year.
AE_INFANTS = {"7001": 0.004, "7002": 0.036, "7003": 0.110, "7004": 0.210, "7005": 0.205, "7006": 0.205, "7007": 0.230}


@figure("ae_ages.csv")
def ae_ages(data):
    """Single years of age, in per cent. Inside a band of several years the shares follow straight lines to the middles of the bands around it."""
    bands = []
    for band, shares in AE_AGES.items():
        first, _, last = band.partition("-")
        bands.append((int(first), int(last or first), [100 * share / sum(s[i] for s in AE_AGES.values()) for i, share in enumerate(shares)]))
    rate = [[(first + last) / 2] + [share / (last - first + 1) for share in shares] for first, last, shares in bands]
    rows = [[code] + [share * weight for weight in bands[0][2]] for code, share in AE_INFANTS.items()]
    for i, (first, last, shares) in enumerate(bands[1:], 1):
        cells = []
        for year, share in enumerate(shares, 1):
            line = [ae_between(rate, i, age, year) for age in range(first, last + 1)]
            cells.append([share * value / sum(line) for value in line])
        rows += [[str(age)] + [cell[age - first] for cell in cells] for age in range(first, last + 1)]
    parts = {2010: 0, **AE_AGES_BETWEEN, 2020: 1}
    return [["arrivalage", *parts], *([age, *(f"{old + (new - old) * part:.5f}" for part in parts.values())] for age, old, new in rows)]


def ae_between(rate, i, age, year):
    """The rate at an age of band i, on the line to the middle of the next band on that side."""
    middle = rate[i][0]
    other = i + 1 if age > middle else i - 1
    if age == middle or not 1 <= other < len(rate):
        return rate[i][year]
    part = (age - middle) / (rate[other][0] - middle)
    return rate[i][year] + part * (rate[other][year] - rate[i][year])


AE_LARGE_SITE = re.compile(r"general|universit|royal|infirmary|district|queen|king|st ", re.I)


@figure("ae_sites.csv")
def ae_sites(data):
    """Sites of treatment: a provider's attendances (2018-19, all departments) shared among its sites. Published is the provider's sum; a hospital with a
    name that large hospitals have counts 12, another hospital 3, any other site 1. A provider without a site in the list has one, 01."""
    totals, sites = Counter(), defaultdict(list)
    for (year, code, _, _), attendances in ae_attendances(data).items():
        if year == 2018 and len(code) == 3:
            totals[code] += attendances
    for row in read(data, "reference/hospital_sites.csv"):
        hospital = re.search("hospital|infirmary", row["name"], re.I)
        if len(row["site_code"]) == 5:
            sites[row["parent_code"]].append((row["site_code"], 12 if hospital and AE_LARGE_SITE.search(row["name"]) else 3 if hospital else 1))
    rows = []
    for provider, total in sorted(totals.items()):
        of = sorted(sites[provider]) or [(provider + "01", 1)]
        rows += [[code, provider, round(total * weight / sum(w for _, w in of))] for code, weight in of if total]
    return [["sitetret", "procode3", "attendances"], *rows]


@figure("ae_load_dates.csv")
def ae_load_dates(data):
    """Days on which a year's records were loaded: the first weekday from the 20th of each month on, for the attendances of the month before and some
    earlier ones; the last two take in late records. Nothing of this is published."""
    shares = [60, 75, 78, 80, 82, 82, 84, 82, 84, 84, 80, 88, 24, 17]
    years, table = range(2007, 2021), defaultdict(dict)
    for year in years:
        for month, share in enumerate(shares, 4):  # months since January of the year; May is 4
            day = datetime.date(year + month // 12, month % 12 + 1, 20)
            while day.isoweekday() > 5:
                day += datetime.timedelta(days=1)
            table[day.isoformat()][year] = share
    return [["date", *years], *([day, *(table[day].get(year, "") for year in years)] for day in sorted(table))]


# ---- all of them ----------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("published", type=Path, help="the folder of the published files")
    parser.add_argument("file", nargs="*", help="a file of figures/ (default: all of them)")
    parser.add_argument("--out", type=Path, default=HERE / "figures")
    arguments = parser.parse_args()
    for name in arguments.file or sorted(FIGURES):
        write(arguments.out / name, FIGURES[name](arguments.published))


if __name__ == "__main__":
    main()
