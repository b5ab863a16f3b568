"""What all tests share: the program under test, and the shared data where it is there."""
import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

ADG = os.environ.get("ADG", str(ROOT / "build" / "release" / "adg"))
SHARED = Path(os.environ.get("ADG_SHARED", ROOT.parent / "shared"))


def run(*arguments, check=None, **options):
    """Runs adg; check is the exit code that is expected."""
    done = subprocess.run([ADG, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)
    if check is not None:
        assert done.returncode == check, f"{arguments}: {done.returncode}, expected {check}\n{done.stdout}{done.stderr}"
    return done


def run_and_kill(arguments, seconds):
    """Runs adg and kills it after so many seconds; whether it was still running then."""
    process = subprocess.Popen([ADG, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        return True
    finally:
        process.wait()


@contextlib.contextmanager
def endless_runs(environment):
    """begin(uri, option...): starts a run into a database that would take an hour; none outlives the context. environment() is of the program."""
    with contextlib.ExitStack() as stack:
        def begin(uri, *options):
            process = stack.enter_context(subprocess.Popen(
                [ADG, "generate", "--dataset", "hes_op", "--meta", "open", "--out", uri, "--table", "hes_op_2021", "--rows", "100000000", *options],
                env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            return process
        yield begin


def peak_memory(*arguments):
    """Runs adg; the most memory it had, in bytes. A process of its own starts it: of a child the kernel tells no less than its parent had, and that
    may be this one, with all that tests have loaded."""
    measure = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
               "print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    return int(subprocess.run([sys.executable, "-c", measure, ADG, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="session")
def adg():
    return run


@pytest.fixture(scope="session")
def instruction_sets():
    """What ADG_CPU may be, by the program's own word for it: it may be one for another processor, in an emulator."""
    said = run("dataset", "list", check=2, env={**os.environ, "ADG_CPU": "?"}).stderr
    return re.search(r"ADG_CPU: expected (.*)", said)[1].replace(",", "").replace("or ", "").split()


@pytest.fixture(scope="session")
def shared():
    if not SHARED.exists():
        pytest.skip(f"the shared data ({SHARED}) is absent")
    return SHARED


EXTRACTS = {
    "hes_apc": ("hes_apc_0102", "artificial_hes_apc_0102_truncated.csv"),
    "hes_op": ("hes_op_0304", "artificial_hes_op_0304_truncated.csv"),
}
MADE_UP = {"hes_ae": "hes_ae_2021"}  # no extract was published: tests/tools/make_source.py makes the source
TABLES = {**{dataset: table for dataset, (table, _) in EXTRACTS.items()}, **MADE_UP}


@pytest.fixture(scope="session")
def made_source(tmp_path_factory):
    """Folders with made-up tables, by dataset, format and scale; made once."""
    made = {}

    def make(dataset, form="csv", scale=0.5, codes=2000):
        key = dataset, form, scale, codes
        if key not in made:
            made[key] = tmp_path_factory.mktemp("source")
            subprocess.run([sys.executable, ROOT / "tests" / "tools" / "make_source.py", "--out", made[key], "--dataset", dataset,
                            "--format", form, "--scale", str(scale), "--codes", str(codes)], check=True)
        return made[key]

    return make


@pytest.fixture(scope="session")
def scraped(shared, made_source, tmp_path_factory):
    """Metadata of an extract or of a made-up table, by dataset and control; scraped once."""
    made = {}

    def scrape(dataset, control="full"):
        if (dataset, control) not in made:
            meta = tmp_path_factory.mktemp("meta") / "m"
            if dataset in MADE_UP:
                source = made_source(dataset)
                chosen = []
            else:
                table, file = EXTRACTS[dataset]
                source = shared / "data" / "hes_extract"
                chosen = ["--table", f"{table}={source / file}"]
            run("scrape", "--dataset", dataset, "--source", source, *chosen, "--meta", meta, "--control", control, check=0)
            made[dataset, control] = meta
        return made[dataset, control]

    return scrape


# ---- a small dataset that is not HES ----------------------------------------------------------------------------------

DEFINITION = """dataset: clinic
id: 7
primary_key: VISIT
patient_key: PERSON
tables: [visits, more_visits]
fields:
  - {name: VISIT, type: long, pattern: '\\d{9}'}
  - {name: PERSON, type: string, pattern: 'P[0-9a-f]{12}'}
  - {name: CODE, type: string, values: CATEGORICAL}
  - {name: AGE, type: integer, values: CATEGORICAL}
  - {name: SEEN, type: date, values: DATE}
  - {name: WAIT, type: integer, values: CONTINUOUS}
  - {name: SEX, type: string, values: DEMOGRAPHIC_CATEGORICAL}
  - {name: MOB, type: string, values: DEMOGRAPHIC_DATE}
"""
HEADER = "VISIT,PERSON,CODE,AGE,SEEN,WAIT,SEX,MOB"


def lines(count, people=None):
    people = people or count // 2 or 1
    return [f"{i},P{i % people},{'ABC'[i % 3]},{i % 4 + 20},2021-03-{i % 9 + 1:02},{i % 50},{'12'[i % people % 2]},0119{60 + i % people % 3}"
            for i in range(count)]


@pytest.fixture
def clinic(tmp_path):
    """write(text) puts visits.csv into the source; scrape arguments; the paths."""
    definition = tmp_path / "clinic.yaml"
    definition.write_text(DEFINITION)
    source = tmp_path / "source"
    source.mkdir()
    meta = tmp_path / "meta"

    def write(content, name="visits.csv"):
        data = content if isinstance(content, bytes) else content.encode()
        (source / name).write_bytes(data)

    return SimpleNamespace(definition=definition, source=source, meta=meta, write=write, header=HEADER, lines=lines, folder=tmp_path,
                           scrape=["scrape", "--dataset", definition, "--source", source, "--meta", meta])


@pytest.fixture
def small_meta(clinic, adg):
    clinic.write("\n".join([HEADER, *lines(2000)]) + "\n")
    adg(*clinic.scrape, check=0)
    return clinic
