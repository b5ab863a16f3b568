"""make bench: kernels alone; adg beside what people use, interleaved in one run; how it scales. Tables on the screen, raw results in build/bench.

    bench/run.py [--part kernels|rivals|scaling] [--rows 1000000] [--repeat 3] [--threads N] [--table sparse|dense|FOLDER:TABLE] [--only WORD]...
                 [--most-rows 10000000]

Measured are core-seconds (user and system time, from the kernel), wall time and peak memory: of `adg generate` and `adg scrape` as whole
processes; of the rivals (bench/rivals.py) for their work alone, without loading what they start from. They write the very rows that adg has generated, or
read them. The sparse table is hes_apc with the values of a published extract, of which more than half the columns are null throughout; the dense one has
values in nearly all columns. Both are drawn by profile reference, which is set against coherent in the end. Machines are shared and noisy: only the ratios of one run mean something. Output goes to memory-backed
storage where there is some.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADG = ROOT / "build" / "release" / "adg"
SHARED = Path(os.environ.get("ADG_SHARED", ROOT.parent / "shared"))
EXTRACT = SHARED / "data" / "hes_extract" / "artificial_hes_apc_0102_truncated.csv"


def measure(command, output=subprocess.DEVNULL):
    """core-seconds, wall seconds and peak memory in MB of a process"""
    started = time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdout=output, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(str(c) for c in command)}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024


def rival(work, source, target, threads):
    command = [sys.executable, ROOT / "bench" / "rivals.py", work, source, target, threads]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{work} failed:\n{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    return result["core_seconds"], result["seconds"], result["peak_mb"]


def metadata(kind, folder):
    """(metadata folder, table) of the table that is measured"""
    if ":" in kind:
        return kind.rsplit(":", 1)
    scrape = [ADG, "scrape", "--dataset", "hes_apc", "--meta", folder / "metadata"]
    if kind == "sparse" and EXTRACT.exists():
        measure([*scrape, "--source", EXTRACT.parent, "--table", f"hes_apc_0102={EXTRACT}"])
        return folder / "metadata", "hes_apc_0102"
    tool = [sys.executable, ROOT / "tests" / "tools" / "make_source.py", "--dataset", "hes_apc", "--out", folder / "source", "--format", "parquet"]
    subprocess.run([str(c) for c in tool], check=True)
    measure([*scrape, "--source", folder / "source"])
    shutil.rmtree(folder / "source")
    return folder / "metadata", "hes_apc_2021"


# name of the work, and of the work whose core-seconds are set against it
RATIOS = [("adg generate, Parquet", "DuckDB COPY, Parquet zstd, from text columns"), ("adg generate, Parquet", "DuckDB COPY, Parquet zstd, from ENUM columns"),
          ("adg generate, Parquet", "Polars write, Parquet zstd 1, from Enum columns"), ("adg generate, Parquet", "NumPy draws, PyArrow writes Parquet zstd 1"),
          ("adg generate, CSV", "DuckDB COPY, CSV"), ("adg generate, CSV", "Polars write, CSV"), ("adg generate, CSV", "NumPy draws, PyArrow writes CSV"),
          ("adg scrape from Parquet", "DuckDB group by, a query per column"), ("adg scrape from Parquet", "Polars group by, a query per column"),
          ("adg scrape from CSV", "DuckDB one pass over the CSV"),
          ("adg generate, Parquet, one thread, coherent", "adg generate, Parquet, one thread"), ("adg generate, CSV, coherent", "adg generate, CSV")]


def works(arguments, threads, folder):
    meta, table = metadata(arguments.table, folder)
    out, name = folder / "out", f"artificial_{table}"
    dataset = table.rsplit("_", 1)[0]
    generate = [ADG, "generate", "--dataset", dataset, "--meta", meta, "--allow-unreleased", "--table", table, "--rows", arguments.rows, "--profile"]
    coherent, generate = [*generate, "coherent"], [*generate, "reference"]
    measure([*generate, "--out", folder / "rows"])
    measure([*generate, "--out", folder / "rows", "--format", "csv"])
    parquet, csv = folder / "rows" / f"{name}.parquet", folder / "rows" / f"{name}.csv"
    target = folder / "rival"
    scrape = [ADG, "scrape", "--dataset", dataset, "--source", folder / "rows", "--meta", folder / "scraped", "--threads", threads]
    print(f"{table}, {arguments.rows:,} rows, {threads} threads; Parquet {parquet.stat().st_size / 1e6:.1f} MB, CSV {csv.stat().st_size / 1e6:.1f} MB\n")
    return {
        "adg generate, Parquet": lambda: measure([*generate, "--threads", threads, "--out", out]),
        "adg generate, Parquet, one thread": lambda: measure([*generate, "--threads", 1, "--out", out]),
        "adg generate, Parquet, one thread, coherent": lambda: measure([*coherent, "--threads", 1, "--out", out]),
        "adg generate, Parquet, zstd throughout": lambda: measure([*generate, "--threads", threads, "--out", out, "--compression", "zstd"]),
        "adg generate, Parquet, uncompressed": lambda: measure([*generate, "--threads", threads, "--out", out, "--compression", "none"]),
        "DuckDB COPY, Parquet zstd, from text columns": lambda: rival("duckdb-parquet-text", parquet, target, threads),
        "DuckDB COPY, Parquet zstd, from ENUM columns": lambda: rival("duckdb-parquet-enum", parquet, target, threads),
        "Polars write, Parquet zstd 1, from Enum columns": lambda: rival("polars-parquet", parquet, target, threads),
        "NumPy draws, PyArrow writes Parquet zstd 1": lambda: rival("numpy-parquet", parquet, target, threads),
        "adg generate, CSV": lambda: measure([*generate, "--threads", threads, "--out", out, "--format", "csv"]),
        "adg generate, CSV, coherent": lambda: measure([*coherent, "--threads", threads, "--out", out, "--format", "csv"]),
        "DuckDB COPY, CSV": lambda: rival("duckdb-csv", parquet, target, threads),
        "Polars write, CSV": lambda: rival("polars-csv", parquet, target, threads),
        "NumPy draws, PyArrow writes CSV": lambda: rival("numpy-csv", parquet, target, threads),
        "adg scrape from Parquet": lambda: measure([*scrape, "--table", f"{table}={parquet}"]),
        "DuckDB group by, a query per column": lambda: rival("duckdb-group", parquet, "-", threads),
        "Polars group by, a query per column": lambda: rival("polars-group", parquet, "-", threads),
        "adg scrape from CSV": lambda: measure([*scrape, "--table", f"{table}={csv}"]),
        "DuckDB one pass over the CSV": lambda: rival("duckdb-csv-count", csv, "-", threads),
    }


def run(arguments, threads, folder):
    work = {name: f for name, f in works(arguments, threads, folder).items() if any(word.lower() in name.lower() for word in arguments.only or [""])}
    samples = {name: [] for name in work}
    for _ in range(arguments.repeat):
        for name, measured in work.items():
            cores, wall, memory = measured()
            samples[name].append({"core_seconds_per_million_rows": cores / arguments.rows * 1e6, "rows_per_second": arguments.rows / wall, "peak_mb": memory})
    print(f"{'':<50}{'core-s per':>12}{'':>14}{'peak':>9}\n{'':<50}{'million rows':>12}{'rows/s':>14}{'MB':>9}")
    for name, runs in samples.items():
        middle = {k: statistics.median(r[k] for r in runs) for k in runs[0]}
        print(f"{name:<50}{middle['core_seconds_per_million_rows']:>12.2f}{middle['rows_per_second']:>14,.0f}{middle['peak_mb']:>9.0f}")
    print("\ncore-seconds of the second over the first, medians of pairs (smallest to largest)")
    for ours, theirs in RATIOS:
        if ours in samples and theirs in samples:
            ratios = [b["core_seconds_per_million_rows"] / a["core_seconds_per_million_rows"] for a, b in zip(samples[ours], samples[theirs])]
            print(f"  {statistics.median(ratios):5.1f}  ({min(ratios):.1f} to {max(ratios):.1f})  {ours}: {theirs}")
    return samples


def kernels():
    """bench/kernels.c for every instruction set that the processor has: values and gigabytes a second"""
    build = ROOT / "build" / "release"
    subprocess.run(["cmake", "--build", str(build), "--target", "adg_kernels"], check=True, stdout=subprocess.DEVNULL)
    found = {}
    for cpu in ("scalar", "neon") if platform.machine() == "aarch64" else ("scalar", "avx2", "avx512"):
        lines = subprocess.run([str(build / "adg_kernels")], env={**os.environ, "ADG_CPU": cpu}, check=True, capture_output=True, text=True).stdout.splitlines()
        chosen = lines[0].split()[0]
        for line in lines[1:]:
            found.setdefault(line[:44].strip(), {})[chosen] = [float(n) for n in line[44:].split()]
    sets = list(dict.fromkeys(cpu for values in found.values() for cpu in values))
    print(f"{'million values/s, GB/s written':<44}" + "".join(f"{cpu:>18}" for cpu in sets))
    for name, values in found.items():
        print(f"{name:<44}" + "".join(f"{values[cpu][0]:>10,.0f}{values[cpu][1]:>8.1f}" for cpu in sets))
    print()
    return found


def machine():
    """what the kernel says of the processor"""
    try:
        return next(line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("kernels", "rivals", "scaling"), help="all of them when left out")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--table", default="sparse", help="sparse, dense, or METADATA_FOLDER:TABLE")
    parser.add_argument("--only", action="append", help="only what has this word, or another given so, in its name")
    parser.add_argument("--most-rows", type=int, default=10_000_000, help="of the scaling tables")
    arguments = parser.parse_args()
    results = {}
    if arguments.part in (None, "kernels"):
        results["kernels"] = kernels()
    if arguments.part in (None, "rivals"):
        folder = Path(tempfile.mkdtemp(prefix="adg-bench-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        try:
            results["rivals"] = run(arguments, arguments.threads, folder)
        finally:
            shutil.rmtree(folder)
    if arguments.part in (None, "scaling"):
        from scaling import scaling
        print()
        results["scaling"] = scaling(arguments.most_rows, arguments.threads)
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    record = {"commit": commit, "machine": machine(), "processors": os.cpu_count(), **vars(arguments), "results": results}
    (out / f"{time.strftime('%Y%m%dT%H%M%S')}.json").write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
