"""The structure of the source: who may include whom, who may print, and what C code may know."""
import csv
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ADG_SHARED", ROOT.parent / "shared"))

# Each room and the rooms below it that it may know (core and itself always).
MAY_INCLUDE = {
    "core": set(),
    "yaml": set(),
    "dataset": {"yaml"},
    "parquet": {"dataset"},
    "metadata": {"parquet", "dataset"},
    "delta": {"dataset"},
    "engine": set(),
    "scrape": {"engine", "metadata", "delta", "dataset"},
    "classify": {"scrape", "engine", "dataset"},
    "migrate": {"scrape", "load", "sink", "block", "engine", "delta", "dataset"},
    "govern": {"metadata", "delta", "dataset"},
    "project": {"yaml", "engine", "dataset"},
    "schedule": {"project"},
    "promote": {"project", "govern", "metadata"},
    "sample": set(),
    "block": {"dataset"},
    "generate": {"sample", "metadata", "dataset", "block"},
    "sink": {"block", "parquet", "dataset"},
    "qa": {"engine", "metadata", "delta", "dataset"},
    "report": {"govern", "qa", "project", "metadata", "dataset"},
    "run": {"generate", "sink", "block", "metadata", "delta", "dataset"},
    "load": {"run", "engine", "generate", "sink", "block", "dataset"},
}


def sources(*folders):
    for folder in folders:
        yield from sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".c", ".h"))


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def test_rooms_include_only_rooms_below():
    wrong = []
    for path in sources("src"):
        room = path.relative_to(ROOT / "src").parts[0]
        assert room in MAY_INCLUDE, f"a room that design and test do not know: {room}"
        for included in re.findall(r'#include "([a-z_]+)/', path.read_text()):
            if included in MAY_INCLUDE and included not in MAY_INCLUDE[room] | {room, "core"}:
                wrong.append(f"{path.relative_to(ROOT)} includes {included}/")
    assert not wrong


def test_only_the_engine_knows_adbc():
    assert [p for p in sources("src", "cli", "include", "duckdb", "python") if "adbc.h" in p.read_text() and p.parent.name != "engine"] == []


def test_only_the_command_line_prints_or_exits():
    calls = re.compile(r"\b(printf|puts|putchar|exit|_exit|abort|fprintf\s*\(\s*std(?:out|err)|perror)\s*\(")
    assert [str(p) for p in sources("src", "duckdb", "python") if calls.search(without_comments(p.read_text()))] == []


def test_allocation_goes_through_the_hook():
    calls = re.compile(r"(?<![A-Za-z0-9_])(malloc|calloc|realloc|strdup|strndup|asprintf)\s*\(")
    allowed = {"memory.c"}
    assert [str(p) for p in sources("src", "cli", "duckdb", "python") if p.name not in allowed and calls.search(without_comments(p.read_text()))] == []


def test_files_stay_readable():
    assert [(p.name, n) for p in sources("src", "cli", "duckdb", "python") if (n := len(p.read_text().splitlines())) > 700] == []


def test_no_field_name_of_hes_in_c():
    spec = SHARED / "spec" / "hes_fields.csv"
    if not spec.exists():
        pytest.skip(f"{spec} is absent")
    with open(spec, newline="") as file:
        fields = {row["field"] for row in csv.DictReader(file)}
    found = []
    for path in sources("src", "cli", "include", "duckdb", "python"):
        words = set(re.findall(r"[A-Z][A-Z0-9_]{2,}", without_comments(path.read_text())))
        found += [(path.name, word) for word in words & fields]
    assert not found
