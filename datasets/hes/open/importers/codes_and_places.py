"""Figures that all datasets use: codes of diagnoses and procedures, places, organisations."""
import re
from collections import Counter, defaultdict

from .common import count, figure, read

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
