"""Figures of admitted patient care."""
import csv
import re
from collections import Counter, defaultdict

from .common import count, figure, read


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
