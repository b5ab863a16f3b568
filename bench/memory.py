"""Peak memory of `adg generate` for 1 and for 10 million patients: it must not grow with the rows.

    bench/memory.py METADATA_FOLDER DATASET TABLE [PATIENTS ...]

The peak is the kernel's for the whole process (maximum resident set). Files go to memory-backed storage where there is some, and
are removed after each run.
"""
import os
import shutil
import sys
import tempfile
from pathlib import Path

from run import ADG, measure


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    meta, dataset, table = sys.argv[1:4]
    first = None
    for patients in [int(n) for n in sys.argv[4:]] or [1_000_000, 10_000_000]:
        folder = Path(tempfile.mkdtemp(prefix="adg-memory-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        try:
            seconds, _, peak = measure([ADG, "generate", "--dataset", dataset, "--meta", meta, "--allow-unreleased", "--quiet",
                                        "--patients", patients, "--table", table, "--out", folder])
        finally:
            shutil.rmtree(folder)
        first = first or peak
        print(f"{patients:>12,} patients  {peak:8.1f} MB  {100 * (peak / first - 1):+5.1f} %  {seconds:8.1f} core-seconds")


main()
