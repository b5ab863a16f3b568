"""How adg scales: with rows and with threads, for every dataset, format and stage.

    bench/scaling.py [--most-rows 10000000] [--threads N]       (run.py calls this, too)

Each line is one run in a process of its own. Rows go up by tens from 10^4; a scrape, which takes an order of magnitude longer, up to a tenth of
that. What would not fit the storage is left out.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run import ADG, ROOT, measure

TABLES = {"hes_apc": "hes_apc_2021", "hes_op": "hes_op_2021", "hes_ae": "hes_ae_2021"}
LARGEST_ROW = 800  # bytes of CSV


def metadata(dataset, folder):
    tool = [sys.executable, ROOT / "tests" / "tools" / "make_source.py", "--dataset", dataset, "--out", folder / "source", "--format", "parquet"]
    subprocess.run([str(c) for c in tool], check=True, stdout=subprocess.DEVNULL)
    measure([ADG, "scrape", "--dataset", dataset, "--meta", folder / dataset, "--source", folder / "source"])
    shutil.rmtree(folder / "source")
    return folder / dataset


class Scaling:
    def __init__(self, folder, threads):
        self.folder, self.threads, self.results = folder, threads, []
        print(f"{'':<10}{'':<10}{'':<9}{'':>12}{'':>9}{'core-s per':>12}{'':>14}{'':>10}{'peak':>8}")
        print(f"{'dataset':<10}{'stage':<10}{'format':<9}{'rows':>12}{'threads':>9}{'million':>12}{'rows/s':>14}{'MB/s':>10}{'MB':>8}")

    def note(self, dataset, stage, form, rows, threads, measured, size):
        cores, wall, peak = measured
        self.results.append({"dataset": dataset, "stage": stage, "format": form, "rows": rows, "threads": threads, "bytes": size,
                             "core_seconds": cores, "seconds": wall, "peak_mb": peak})
        print(f"{dataset:<10}{stage:<10}{form:<9}{rows:>12,}{threads:>9}{cores / rows * 1e6:>12.2f}{rows / wall:>14,.0f}{size / wall / 1e6:>10.0f}{peak:>8.0f}",
              flush=True)

    def generate(self, meta, dataset, form, rows, threads):
        """the file, which the caller removes"""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        table = TABLES[dataset]
        measured = measure([ADG, "generate", "--dataset", dataset, "--meta", meta, "--allow-unreleased", "--table", table, "--rows", rows, "--out", out,
                            "--format", form, "--threads", threads])
        path = out / f"artificial_{table}.{form}"
        self.note(dataset, "generate", form, rows, threads, measured, path.stat().st_size)
        return path

    def scrape(self, dataset, path, form, rows):
        scraped = self.folder / "scraped"
        shutil.rmtree(scraped, ignore_errors=True)
        measured = measure([ADG, "scrape", "--dataset", dataset, "--source", path.parent, "--meta", scraped, "--table", f"{TABLES[dataset]}={path}",
                            "--threads", self.threads])
        self.note(dataset, "scrape", form, rows, self.threads, measured, path.stat().st_size)

    def run(self, most_rows):
        for dataset in TABLES:
            meta = metadata(dataset, self.folder)
            for form in ("parquet", "csv"):
                rows = 10_000
                while rows <= most_rows and rows * LARGEST_ROW < shutil.disk_usage(self.folder).free:
                    path = self.generate(meta, dataset, form, rows, self.threads)
                    if 10 * rows <= most_rows:
                        self.scrape(dataset, path, form, rows)
                    rows *= 10
                threads = 1
                while threads <= self.threads and self.threads > 1:
                    self.generate(meta, dataset, form, min(1_000_000, most_rows), threads)
                    threads *= 2
            shutil.rmtree(self.folder / "out")
        return self.results


def scaling(most_rows, threads):
    folder = Path(tempfile.mkdtemp(prefix="adg-scaling-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        return Scaling(folder, threads).run(most_rows)
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most-rows", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    scaling(arguments.most_rows, arguments.threads)


if __name__ == "__main__":
    main()
