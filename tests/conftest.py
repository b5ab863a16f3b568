"""What all tests share: the program under test, and the shared data where it is there."""
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture(scope="session")
def adg():
    return run


@pytest.fixture(scope="session")
def shared():
    if not SHARED.exists():
        pytest.skip(f"the shared data ({SHARED}) is absent")
    return SHARED


EXTRACTS = {
    "hes_apc": ("hes_apc_0102", "artificial_hes_apc_0102_truncated.csv"),
    "hes_op": ("hes_op_0304", "artificial_hes_op_0304_truncated.csv"),
}


@pytest.fixture(scope="session")
def scraped(shared, tmp_path_factory):
    """Metadata of an extract, by dataset and control; scraped once."""
    made = {}

    def scrape(dataset, control="full"):
        if (dataset, control) not in made:
            table, file = EXTRACTS[dataset]
            meta = tmp_path_factory.mktemp("meta") / "m"
            source = shared / "data" / "hes_extract"
            run("scrape", "--dataset", dataset, "--source", source, "--table", f"{table}={source / file}", "--meta", meta,
                "--control", control, check=0)
            made[dataset, control] = meta
        return made[dataset, control]

    return scrape
