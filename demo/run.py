"""make demo: artificial HES from open metadata; then the whole chain, with that as the sensitive source: scrape, sign, release, generate, publish."""
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
LINES = 6  # of a command's result
ESTATE_PATIENTS = "2000"  # of each of the 52 tables
PEOPLE = {"reviewer": "Robin Reviewer", "approver": "Alex Approver"}
SHOWN = {  # the tables that stand for the sensitive source: the fields compared
    "hes_apc_1920": ["ADMIMETH", "CLASSPAT", "SEX", "EPIDUR"],
    "hes_op_1920": ["ATTENDED", "FIRSTATT"],
    "hes_ae_1920": ["AEARRIVALMODE", "SEX"],
}


RESULTS = {
    "open": "artificial HES from open metadata, 52 tables",
    "review.html": "what the reviewer reads",
    "metadata": "the metadata scraped from it, signed twice",
    "store": "the release store, with its log",
    "artificial": "artificial tables from the release, as Parquet and CSV",
    "qa.html": "those tables held against the metadata",
    "public": "what users get, with its notice",
}


def step(title, *command):
    print(f"\n{title}\n  $ {' '.join(str(c).replace(str(ROOT) + '/', '') for c in command)}", flush=True)
    started = time.monotonic()
    done = subprocess.run([str(c) for c in command], check=True, cwd=ROOT, env={**os.environ, "ADG_PASSPHRASE": "demonstration"},
                          stdout=subprocess.PIPE, text=True)
    lines = done.stdout.replace(f"{ROOT}/", "").splitlines()
    print("\n".join(lines if len(lines) <= LINES else [*lines[:LINES - 1], f"... and {len(lines) - LINES + 1} more"]))
    print(f"  ({time.monotonic() - started:.1f} s)", flush=True)


def show_rows(file):
    """Ten rows, of the columns that fit on a line."""
    columns = "PSEUDO_HESID, SEX, ETHNOS, STARTAGE, ADMIDATE, ADMIMETH, EPIDUR, DIAG_4_01, OPERTN_4_01, TRETSPEF, PROCODE3, LSOA11"
    rows = duckdb.execute(f"select {columns} from read_parquet(?) limit 10", [str(file)]).fetchall()
    cells = [columns.split(", "), *[["" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        print("  " + " ".join(value.ljust(width) for value, width in zip(row, widths)).rstrip())


def shares(connection, file, field):
    rows = connection.execute(
        f"select {field}, count(*) / sum(count(*)) over () from read_parquet('{file}') group by 1 order by 2 desc, 1 limit 4"
    ).fetchall()
    return {value: share for value, share in rows}


def compare(connection, table, fields):
    before, after = OUT / "source" / f"artificial_{table}.parquet", OUT / "artificial" / "parquet" / f"artificial_{table}.parquet"
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
    step("1. Artificial HES from what the NHS publishes: all 52 tables", ADG, "generate", "--dataset", "hes", "--meta", "open", "--patients",
         ESTATE_PATIENTS, "--out", OUT / "open")
    show_rows(OUT / "open" / "artificial_hes_apc_1920.parquet")
    step("   Three larger ones, which from here on stand for the sensitive data", ADG, "generate", "--dataset", "hes", "--meta", "open",
         "--patients", PATIENTS, "--seed", "2", "--out", OUT / "source", *[word for table in SHOWN for word in ("--table", table)])
    step("2. Scrape: aggregates only, suppressed and rounded", ADG, "scrape", "--dataset", "hes", "--source", OUT / "source",
         "--meta", OUT / "metadata",
         *[word for table in SHOWN for word in ("--table", f"{table}={OUT / 'source'}/artificial_{table}.parquet")])
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
    for path, what in RESULTS.items():
        files = [file for file in [OUT / path, *(OUT / path).rglob("*")] if file.is_file() and not file.name.startswith(".")]
        assert files, path
        print(f"  {(OUT / path).relative_to(ROOT)!s:<32} {what} ({len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
