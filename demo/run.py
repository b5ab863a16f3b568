"""make demo: from record-level tables to disclosure-controlled metadata to artificial tables, end to end."""
import subprocess
import sys
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "demo"
ADG = ROOT / "build" / "release" / "adg"
PATIENTS = "50000"
SHOWN = {  # table: the fields compared
    "hes_apc_2021": ["ADMIMETH", "CLASSPAT", "SEX", "EPIDUR"],
    "hes_op_2021": ["ATTENDED", "FIRSTATT"],
    "hes_ae_2021": ["AEARRIVALMODE", "SEX"],
}


def step(title, *command):
    print(f"\n{title}\n  $ {' '.join(str(c).replace(str(ROOT) + '/', '') for c in command)}", flush=True)
    started = time.monotonic()
    subprocess.run([str(c) for c in command], check=True, cwd=ROOT)
    print(f"  ({time.monotonic() - started:.1f} s)", flush=True)


def shares(connection, file, field):
    rows = connection.execute(
        f"select {field}, count(*) / sum(count(*)) over () from read_parquet('{file}') group by 1 order by 2 desc, 1 limit 4"
    ).fetchall()
    return {value: share for value, share in rows}


def compare(connection, table, fields):
    before, after = OUT / "source" / f"{table}.parquet", OUT / "artificial" / f"artificial_{table}.parquet"
    for field in fields:
        if field.endswith("DUR"):
            query = f"select quantile_cont({field}, [0.25, 0.5, 0.75]), avg(({field} is null)::int) from read_parquet(?)"
            print(f"  {table:<14} {field:<14} quartiles and null share")
            for name, file in (("source", before), ("artificial", after)):
                quartiles, nulls = connection.execute(query, [str(file)]).fetchone()
                print(f"    {name:<10}  {quartiles}  null {nulls:.3f}")
            continue
        source, artificial = shares(connection, before, field), shares(connection, after, field)
        print(f"  {table:<14} {field:<14} share in source / artificial")
        for value, share in source.items():
            found = artificial.get(value)
            shown = "null" if value is None else repr(value)
            print(f"    {shown:<12} {share:7.3f}   {found:7.3f}" if found is not None else f"    {shown:<12} {share:7.3f}   (rarer)")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    step("1. A HES-like source (made up; it stands for the sensitive data)", sys.executable, "tests/tools/make_source.py",
         "--out", OUT / "source", "--format", "parquet")
    step("2. Scrape: aggregates only, suppressed and rounded", ADG, "scrape", "--dataset", "hes", "--source", OUT / "source",
         "--meta", OUT / "metadata")
    for format_ in ("parquet", "csv"):
        step(f"3. Generate artificial tables ({format_}), from the metadata alone", ADG, "generate", "--dataset", "hes", "--meta",
             OUT / "metadata", "--allow-unreleased", "--patients", PATIENTS, "--format", format_, "--out", OUT / "artificial")
    print("\n4. Before and after")
    connection = duckdb.connect()
    for table, fields in SHOWN.items():
        compare(connection, table, fields)
    print("\nLook at")
    for path in sorted(OUT.glob("*/*")):
        if path.is_file() and not path.name.startswith("."):
            print(f"  {path.relative_to(ROOT)}  ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
