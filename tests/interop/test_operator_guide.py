"""The commands of docs/operator-guide.md, run as they are printed, one after the other."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
from conftest import ADG, ROOT

GUIDE = (ROOT / "docs" / "operator-guide.md").read_text()


def test_from_a_project_to_a_schedule(made_source, tmp_path):
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.S)
    assert len(blocks) == GUIDE.count("```") / 2 > 10
    place = tmp_path / "srv"
    (place / "hes" / "source").mkdir(parents=True)
    shutil.copytree(made_source("hes_apc", scale=0.2, codes=200), place / "hes" / "source" / "dev")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adg").symlink_to(Path(ADG).resolve())
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "ADG_PASSPHRASE": "a passphrase",
                   "LSAN_OPTIONS": f"suppressions={ROOT / 'tests' / 'lsan.supp'}"}
    done = subprocess.run(["sh", "-eux", "-c", "".join(blocks)], cwd=place, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "isolated: nothing gets from a source to artificial or published data but through a release" in done.stdout
    dev, prod = place / "hes" / "dev", tmp_path / "production" / "prod"
    table = "artificial_hes_apc_2021.parquet"
    assert pq.read_metadata(prod / "published" / table).num_rows > 2000
    assert (prod / "published" / table).read_bytes() == (dev / "published" / table).read_bytes()  # the same release, parameters and seed
    assert not (tmp_path / "production" / "source").exists() and not (prod / "metadata").exists()
    units = sorted(map(str, (tmp_path / "production" / "units").iterdir()))
    assert subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True).stderr == ""
    named = re.search(r"systemctl enable --now (.*)", GUIDE).group(1).split()
    assert set(named) == {Path(u).name for u in units if u.endswith(".timer")}
