"""The registry of figures, and what reads published files."""
import csv
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
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
