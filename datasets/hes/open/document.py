#!/usr/bin/env python3
"""docs/open-metadata.md from the sources of the open metadata: for each field, what it rests on. Prints the page."""
import sys
from pathlib import Path

import build

TITLES = {"hes_apc": "Admitted patient care", "hes_op": "Outpatients", "hes_ae": "Accident and emergency"}


def cell(text):
    return " ".join(str(text).split()).replace("|", "\\|")


def names_of(entry):
    return entry["name"] if isinstance(entry["name"], list) else [entry["name"]]


def years_of(entry, tables):
    return entry.get("years", f"{tables[0].fyear}-{tables[-1].fyear}")


def sources_of(entry):
    return ", ".join(entry.get("source", [])) or "the data dictionary" if entry["evidence"] != "illustrative" else ", ".join(entry.get("source", []))


def counts(dataset):
    """{evidence: fields}: repeated positions are fields of their own; a field counts by what it rests on in its last years."""
    last = {}
    for entry in dataset.entries:
        for name in build.expand(entry["name"]):
            last[name] = entry["evidence"]
    return {evidence: sum(1 for found in last.values() if found == evidence) for evidence in build.EVIDENCE}


def section(dataset):
    name = dataset.source["dataset"]
    found = counts(dataset)
    yield f"## {TITLES[name]} (`{name}`)\n"
    yield (f"{len(dataset.fields)} sampled fields, repeated positions counted one by one: {found['published']} published, {found['derived']} derived from "
           f"published figures, {found['illustrative']} illustrative.\n")
    yield "| what | years | rests on | sources | how |"
    yield "|---|---|---|---|---|"
    whole = f"{dataset.tables[0].fyear}-{dataset.tables[-1].fyear}"
    for what, key in (("records of a table", "records"), ("people it is drawn from", "population"), ("records of a patient", "cardinality")):
        entry = dataset.source[key]
        yield f"| *{what}* | {whole} | {entry['evidence']} | {sources_of(entry)} | {cell(entry['note'])} |"
    for entry in dataset.entries:
        names = ", ".join(f"`{name}`" for name in names_of(entry))
        yield f"| {names} | {years_of(entry, dataset.tables)} | {entry['evidence']} | {sources_of(entry)} | {cell(entry['note'])} |"
    yield "\nEmpty:\n"
    yield "| fields | years | why |"
    yield "|---|---|---|"
    for entry in dataset.empty:
        yield f"| {', '.join(f'`{name}`' for name in names_of(entry))} | {years_of(entry, dataset.tables)} | {cell(entry['reason'])} |"
    for difference in dataset.source.get("difference", []):
        yield f"\nOtherwise than in the published extract, `{difference['name']}`: {cell(difference['note'])}"
    yield ""


def main():
    sources, datasets = build.read_datasets(build.HERE.parent)
    print("""# Open metadata: what each field rests on

This page is made by `datasets/hes/open/document.py` from the sources beside it.

`adg generate --meta open` draws every field from a distribution below. *Published*: counts of the very thing, by an official
publication. *Derived*: made from published figures, as the last column says; among them the artificial HES that NHS Digital published, whose
columns follow the real ones. *Illustrative*: the codes that the HES data dictionary allows, with weights that somebody who knows HES would
find plausible. Nothing here comes from records of patients, and no field knows of another one: a distribution of `DIAG_4_01` and one of `SEX` do not
say who has what.

A year without figures of its own has those of the nearest year that has some. The result is checked against the published tables by
`tests/interop/test_open.py`.
""")
    for dataset in sorted(datasets, key=lambda d: list(TITLES).index(d.source["dataset"])):
        print("\n".join(section(dataset)))
    print("## Sources\n")
    print("| source | title | publisher | year | licence |")
    print("|---|---|---|---|---|")
    for key, source in sorted(sources.items()):
        print(f"| {key} | [{cell(source['title'])}]({source['url']}) | {cell(source['publisher'])} | {cell(source['year'])} | {cell(source['licence'])} |")
    print("\n" + build.ATTRIBUTION)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
