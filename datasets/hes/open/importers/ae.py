"""Figures of accident and emergency. Their names begin with ae_."""
import datetime
import math
import re
from collections import Counter, defaultdict
from statistics import NormalDist

from .common import HERE, count, figure, read

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
