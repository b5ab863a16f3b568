"""make demo: from record-level tables to signed metadata to published artificial tables, end to end."""
import datetime
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "demo"
ADG = ROOT / "build" / "release" / "adg"
PATIENTS = "50000"
PEOPLE = {"reviewer": "Robin Reviewer", "approver": "Alex Approver"}
SHOWN = {  # table: the fields compared
    "hes_apc_2021": ["ADMIMETH", "CLASSPAT", "SEX", "EPIDUR"],
    "hes_op_2021": ["ATTENDED", "FIRSTATT"],
    "hes_ae_2021": ["AEARRIVALMODE", "SEX"],
}


def step(title, *command):
    print(f"\n{title}\n  $ {' '.join(str(c).replace(str(ROOT) + '/', '') for c in command)}", flush=True)
    started = time.monotonic()
    subprocess.run([str(c) for c in command], check=True, cwd=ROOT, env={**os.environ, "ADG_PASSPHRASE": "demonstration"})
    print(f"  ({time.monotonic() - started:.1f} s)", flush=True)


def shares(connection, file, field):
    rows = connection.execute(
        f"select {field}, count(*) / sum(count(*)) over () from read_parquet('{file}') group by 1 order by 2 desc, 1 limit 4"
    ).fetchall()
    return {value: share for value, share in rows}


def compare(connection, table, fields):
    before, after = OUT / "source" / f"{table}.parquet", OUT / "artificial" / "parquet" / f"artificial_{table}.parquet"
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
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "keys").mkdir(parents=True)
    (OUT / "artificial").mkdir()
    step("1. A HES-like source (made up; it stands for the sensitive data)", sys.executable, "tests/tools/make_source.py",
         "--out", OUT / "source", "--format", "parquet", "--agree")
    step("2. Scrape: aggregates only, suppressed and rounded", ADG, "scrape", "--dataset", "hes", "--source", OUT / "source",
         "--meta", OUT / "metadata")
    step("3. Review: every check; a page for the reviewer", ADG, "review", "--meta", OUT / "metadata", "--report", OUT / "review.html")
    for role, name in PEOPLE.items():
        step(f"4. The {role} signs (a throw-away key)", ADG, "keygen", "--key", OUT / "keys" / role)
        (OUT / "trust" / role).mkdir(parents=True)
        shutil.copy(OUT / "keys" / f"{role}.pub", OUT / "trust" / role)
        step("", ADG, "sign", "--meta", OUT / "metadata", "--role", role, "--key", OUT / "keys" / role, "--name", name, "--email",
             f"{role}@example.org", "--checklist-confirmed")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
    step("5. Release", ADG, "release", "--meta", OUT / "metadata", "--to", OUT / "store", "--trust", OUT / "trust", "--confirm-utc", now)
    for format_ in ("parquet", "csv"):
        step(f"6. Generate artificial tables ({format_}), from the released metadata alone", ADG, "generate", "--dataset", "hes", "--meta",
             OUT / "store", "--trust", OUT / "trust", "--patients", PATIENTS, "--format", format_, "--out", OUT / "artificial" / format_)
    step("7. Hold them against the metadata: every distribution, and a page", ADG, "qa", "--dataset", "hes", "--meta", OUT / "store", "--data",
         OUT / "artificial" / "parquet", "--report", OUT / "qa.html")
    step("8. Publish", ADG, "publish", "--data", OUT / "artificial" / "parquet", "--to", OUT / "public")
    print("\n9. Before and after")
    connection = duckdb.connect()
    for table, fields in SHOWN.items():
        compare(connection, table, fields)
    print("\nLook at")
    for path in sorted(OUT.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            print(f"  {path.relative_to(ROOT)}  ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
