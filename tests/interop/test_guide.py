"""The snippets of docs/hes-guide.md, run as they are printed."""
import re
import shutil
import subprocess
import sys

import duckdb
import pytest
from conftest import ADG, ROOT

GUIDE = (ROOT / "docs" / "hes-guide.md").read_text()
LANGUAGES = ("python", "sql", "r")


def snippets(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the guide's own commands have been run."""
    path = tmp_path_factory.mktemp("guide")
    commands = re.findall(r"^    build/release/adg (generate .*--rows.*)$", GUIDE, re.M)
    assert len(commands) == 2
    for command in commands:
        subprocess.run([ADG, *command.split()], cwd=path, check=True, capture_output=True)
    return path


def test_every_snippet_is_run_here():
    assert sum(len(snippets(language)) for language in LANGUAGES) == GUIDE.count("```") / 2 > 5


@pytest.mark.parametrize("code", [code for code in snippets("python") if "pyspark" not in code])
def test_pandas(folder, code):
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\S+ +\d+$", done.stdout, re.M), done.stdout


@pytest.mark.parametrize("code", snippets("sql"))
def test_duckdb(folder, code, monkeypatch):
    monkeypatch.chdir(folder)
    assert len(duckdb.sql(code).fetchall()) >= 1


@pytest.mark.parametrize("code", snippets("r"))
def test_r(folder, code):
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    done = subprocess.run(["Rscript", "-e", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"\d", done.stdout), done.stderr


@pytest.mark.parametrize("code", [code for code in snippets("python") if "pyspark" in code])
def test_spark(folder, code):
    if subprocess.run([sys.executable, "-c", "import pyspark"], capture_output=True).returncode != 0 or shutil.which("java") is None:
        pytest.skip("Spark is not installed")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and "TRETSPEF" in done.stdout, done.stderr
