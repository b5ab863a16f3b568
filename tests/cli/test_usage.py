"""The contract of the command line: help, version, exit codes, and what is refused before anything is opened."""
import os
import subprocess
from pathlib import Path

import pytest
from conftest import ADG

COMMANDS = ["dataset", "classify", "scrape", "import-metadata", "migrate", "review", "keygen", "sign", "release", "releases", "generate", "qa", "publish",
            "compose"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command, adg):
    done = adg(command, "--help", check=0)
    assert done.stdout.startswith(f"usage: adg {command}") and done.stderr == ""


def test_help_and_version(adg):
    assert all(c in adg("--help", check=0).stdout for c in COMMANDS)
    assert "adg 0.1.0" in adg("--version", check=0).stdout


@pytest.mark.parametrize("arguments", [
    [], ["nonsense"], ["scrape"], ["scrape", "--dataset", "hes_apc", "--source", "x"], ["scrape", "--bogus"],
    ["scrape", "--dataset", "hes_apc", "--source", "x", "--meta", "m", "--min-frequency", "0"],
    ["scrape", "--dataset", "hes_apc", "--source", "x", "--meta", "m", "--control", "weak"],
    ["scrape", "--dataset", "hes_apc", "--source", "x", "--meta", "m", "--table", "hes_apc_2021", "--table", "hes_apc_2021=y"],
    ["scrape", "--dataset", "none.yaml", "--source", "x", "--meta", "m", "--table", "t", "--table", "t"],
    ["scrape", "--dataset", "hes_apc", "--source", "duckdb:none", "--meta", "m", "--table", "hes_apc_2021=a..b"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--patients", "1"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "0"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "-1"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1x"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--shard", "3/3"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--profile", "other"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--if-exists", "append"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--if-exists", "maybe"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--format", "delta", "--shard", "0/1"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "-", "--rows", "1", "--format", "delta", "--table", "t"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "-", "--table", "t", "--rows", "1", "--if-exists", "ignore"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--threads", "0"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--seed", "18446744073709551616"],
    ["generate", "--dataset", "hes_apc", "--meta", "m", "--out", "o", "--rows", "1", "--sandbox", "maybe"],
    ["classify"], ["classify", "a.csv", "b.csv"], ["classify", "a.csv", "--rows", "0"], ["classify", "a.csv", "--dataset", "no name"],
    ["classify", "a.csv", "--table", ""], ["classify", "a.csv", "--threads", "2"], ["classify", "a.csv", "--sandbox", "maybe"],
    ["migrate"], ["migrate", "metadata", "--dataset", "hes_apc", "--meta", "m"], ["migrate", "other", "f", "--dataset", "hes_apc", "--meta", "m"],
    ["migrate", "metadata", "f", "--meta", "m"], ["dataset"], ["dataset", "show"], ["import-metadata", "--dataset", "hes_apc", "--meta", "m"],
])
def test_wrong_usage_is_2(arguments, adg, tmp_path):
    done = adg(*arguments, check=2, cwd=tmp_path)
    assert done.stdout == "" and done.stderr != "" and list(tmp_path.iterdir()) == []


def test_an_unknown_instruction_set_is_2(adg, instruction_sets):
    """Neither a word that is none, nor one for another processor."""
    assert instruction_sets in (["scalar", "avx2", "avx512"], ["scalar", "neon"])
    for word in ["", "avx", "avx2", "avx512", "neon", "scalar"]:
        done = adg("dataset", "list", check=0 if word in instruction_sets else 2, env={**os.environ, "ADG_CPU": word})
        assert (done.stderr == "") == (word in instruction_sets)


def test_unreleased_metadata_is_refused(adg, tmp_path):
    done = adg("generate", "--dataset", "hes_apc", "--meta", tmp_path, "--out", tmp_path / "o", "--rows", 1, check=3)
    assert "--allow-unreleased" in done.stderr


def test_dataset_commands(adg, tmp_path):
    assert "hes_apc\t20 tables\t193 fields" in adg("dataset", "list", check=0).stdout
    shown = adg("dataset", "show", "hes_ae", check=0).stdout
    assert "field\tARRIVALAGE_CALC\tdouble\tderived\tage_fraction_of_category(ARRIVALAGE)" in shown
    bad = tmp_path / "bad.yaml"
    bad.write_text("dataset: d\nid: 1\nprimary_key: K\ntables: [t]\nfields:\n  - {name: K, type: lung, pattern: '1'}\n")
    done = adg("dataset", "check", bad, check=4)
    assert f"{bad}:6:21: expected a type" in done.stderr
    assert "there is no dataset" in adg("dataset", "show", "nonsense", check=4).stderr


def test_output_that_cannot_be_written_is_1():
    with open("/dev/full", "w") as full:
        assert subprocess.run([ADG, "dataset", "show", "hes_apc"], stdout=full, stderr=subprocess.DEVNULL).returncode == 1


def test_example_runs(tmp_path, small_meta):
    example = Path(ADG).parent / "example"
    done = subprocess.run([example, small_meta.definition, small_meta.meta, "visits"], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8 and lines[0].startswith("block 0, row 0: ") and lines[4].startswith("block 1, row 0: ")
