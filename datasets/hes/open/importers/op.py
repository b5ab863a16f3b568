"""Figures of outpatients. Their names end in _op."""
import math
from collections import Counter, defaultdict
from statistics import NormalDist

from .common import count, figure, read


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
