"""make bench: adg beside DuckDB, interleaved in one run; a table on the screen, raw results in build/bench.

    bench/run.py [--rows 1000000] [--repeat 3] [--scrape-scale 1.0]

What is measured: core-seconds (user and system time of the whole process, from the kernel) and wall time of `adg generate` to
Parquet and CSV and of `adg scrape` from Parquet and CSV; and of DuckDB writing the very same rows as Parquet, from a table of text columns
in its memory (zstd, same threads, preserve_insertion_order=false), the time of loading that table not counted. Machines are noisy:
only the ratios of one run mean something. Output goes to memory-backed storage where there is some.
"""
import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
ADG = ROOT / "build" / "release" / "adg"


def measure(command):
    """core-seconds, wall seconds and peak memory in MB of a process"""
    started = time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {command}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024


def duckdb_copy(source, target, threads):
    """the same for DuckDB's COPY of a table of text columns, in a process of its own"""
    done = subprocess.run([sys.executable, __file__, "--copy", str(source), str(target), str(threads)], capture_output=True, check=True)
    return json.loads(done.stdout)


def copy_here(source, target, threads):
    connection = duckdb.connect()
    connection.execute(f"set threads={threads}; set preserve_insertion_order=false")
    names = [r[0] for r in connection.execute("describe select * from read_parquet(?)", [str(source)]).fetchall()]
    text = ", ".join(f'cast("{n}" as varchar) as "{n}"' for n in names)
    connection.execute(f"create table t as select {text} from read_parquet('{source}')")
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    connection.execute(f"copy t to '{target}' (format parquet, compression zstd)")
    after = resource.getrusage(resource.RUSAGE_SELF)
    wall = time.monotonic() - started
    connection.close()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, after.ru_maxrss / 1024


def main():
    if sys.argv[1:2] == ["--copy"]:
        print(json.dumps(copy_here(*sys.argv[2:5])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scrape-scale", type=float, default=1.0, help="1: 200,000 rows of hes_apc")
    arguments = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    folder = Path(tempfile.mkdtemp(prefix="adg-bench-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        results = run(arguments, threads, folder)
    finally:
        shutil.rmtree(folder)
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    record = {"commit": commit, "machine": platform.machine(), "threads": threads, "rows": arguments.rows, "results": results}
    (out / f"{time.strftime('%Y%m%dT%H%M%S')}.json").write_text(json.dumps(record, indent=2))


def run(arguments, threads, folder):
    shared = Path(os.environ.get("ADG_SHARED", ROOT.parent / "shared")) / "data" / "hes_extract"
    tool = [sys.executable, ROOT / "tests" / "tools" / "make_source.py", "--dataset", "hes_apc", "--scale", arguments.scrape_scale]
    for form in ("parquet", "csv"):
        subprocess.run([str(c) for c in [*tool, "--format", form, "--out", folder / form]], check=True)
    scrape = [ADG, "scrape", "--dataset", "hes_apc", "--table", "hes_apc_2021", "--meta", folder / "meta"]
    scraped_rows = 200_000 * arguments.scrape_scale
    extract = shared / "artificial_hes_apc_0102_truncated.csv"
    if extract.exists():  # the widely known table; else the made-up one
        table = "hes_apc_0102"
        measure([ADG, "scrape", "--dataset", "hes_apc", "--source", shared, "--table", f"{table}={extract}", "--meta", folder / "generate"])
    else:
        table = "hes_apc_2021"
        measure([*scrape[:-1], folder / "generate", "--source", folder / "parquet"])
    generate = [ADG, "generate", "--dataset", "hes_apc", "--meta", folder / "generate", "--allow-unreleased", "--table", table, "--rows",
                arguments.rows, "--threads", threads, "--out", folder / "out"]
    parquet = folder / "out" / f"artificial_{table}.parquet"
    work = {
        "adg generate, Parquet auto": (lambda: measure(generate), arguments.rows),
        "adg generate, Parquet zstd": (lambda: measure([*generate, "--compression", "zstd"]), arguments.rows),
        "DuckDB COPY of the same rows, Parquet zstd": (lambda: duckdb_copy(parquet, folder / "duckdb.parquet", threads), arguments.rows),
        "adg generate, CSV": (lambda: measure([*generate, "--format", "csv"]), arguments.rows),
        "adg scrape from Parquet": (lambda: measure([*scrape, "--source", folder / "parquet"]), scraped_rows),
        "adg scrape from CSV": (lambda: measure([*scrape, "--source", folder / "csv"]), scraped_rows),
    }
    samples = {name: [] for name in work}
    for _ in range(arguments.repeat):
        for name, (measured, rows) in work.items():
            cores, wall, memory = measured()
            samples[name].append({"core_seconds_per_million_rows": cores / rows * 1e6, "rows_per_second": rows / wall, "peak_mb": memory})
    print(f"{'':<45}{'core-s per':>12}{'':>14}{'peak':>9}\n{'':<45}{'million rows':>12}{'rows/s':>14}{'MB':>9}")
    for name, runs in samples.items():
        middle = {k: statistics.median(r[k] for r in runs) for k in runs[0]}
        print(f"{name:<45}{middle['core_seconds_per_million_rows']:>12.2f}{middle['rows_per_second']:>14,.0f}{middle['peak_mb']:>9.0f}")
    base = samples["DuckDB COPY of the same rows, Parquet zstd"]
    for name in ("adg generate, Parquet auto", "adg generate, Parquet zstd"):
        ratios = [b["core_seconds_per_million_rows"] / r["core_seconds_per_million_rows"] for r, b in zip(samples[name], base)]
        print(f"DuckDB's core-seconds over those of {name}: {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
    return samples


if __name__ == "__main__":
    main()
