#!/usr/bin/env python3
"""Makes figures/*.csv from the published files: python3 import_figures.py PUBLISHED [FILE]... [--out FOLDER]

Run by hand, by whoever has the published files, when a source changes; the build needs its results only. importers/ has one function for each file of
figures/: it takes the folder of the published files and gives rows, the header first. Counts stay as they are published (whole numbers);
what a function assumes is said in its docstring, and again in the note of the field that uses it. Python 3.11 and its standard library.
"""
import argparse
import csv
from pathlib import Path

from importers import ae, apc, codes_and_places, op  # noqa: F401 (each registers its figures)
from importers.common import FIGURES, HERE


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


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
