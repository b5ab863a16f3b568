#!/usr/bin/env python3
"""Core-seconds of client and server: adg generate into PostgreSQL beside psql's \\copy of the CSV, which has to be made first. Starts a server of its own.

    build/venv/bin/python bench/postgresql_load.py [rows] [repeats]
"""
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))
from servers import environment, postgresql_server  # noqa: E402

ADG = os.environ.get("ADG", ROOT / "build" / "release" / "adg")
TABLE = "hes_apc_2021"


def server_seconds(leader):
    """Of the server's processes, also of those that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == leader:
            ticks += sum(map(int, fields[11:15]))  # its own and its children's that have ended
        elif int(fields[1]) == leader:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(leader, *command):
    """Core-seconds of client and server, and the clock's."""
    before, began = server_seconds(leader), os.times().elapsed
    process = subprocess.Popen([*map(str, command)], env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, server_seconds(leader) - before, os.times().elapsed - began


def main():
    rows, repeats = (int(a) for a in (*sys.argv[1:], *("100000", "5")[len(sys.argv) - 1:]))
    generate = [ADG, "generate", "--dataset", "hes_apc", "--meta", "open", "--table", TABLE, "--rows", rows, "--quiet"]
    with postgresql_server() as server, tempfile.TemporaryDirectory() as folder:
        leader = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1", server.uri(), "-c"]
        file = Path(folder) / f"artificial_{TABLE}.csv"
        csv = [*generate, "--format", "csv", "--out", folder]
        ways = {"adg to CSV": csv, "psql \\copy of the CSV": [*psql, f"\\copy artificial_{TABLE} from '{file}' (format csv, header)"]}
        for connections in 1, 2, 4:
            ways[f"adg, {connections} connection{'s' * (connections > 1)}"] = [*generate, "--out", server.uri(), "--if-exists", "overwrite",
                                                                             "--connections", connections]
        measured = {way: [] for way in ways}
        measure(leader, *csv)
        measure(leader, *generate, "--out", server.uri())
        for _ in range(repeats):
            for way, command in ways.items():
                if command[0] == "psql":
                    subprocess.run([*psql, f"truncate artificial_{TABLE}"], check=True, env=environment())
                measured[way].append(measure(leader, *command))
                subprocess.run([*psql, "checkpoint"], check=True, env=environment())
        print(f"{rows} rows of {TABLE}, {file.stat().st_size / 1e6:.0f} MB; medians of {repeats}: core-seconds of client, server and both; seconds")
        for way, figures in measured.items():
            client, at_server, clock = (statistics.median(f) for f in zip(*figures))
            print(f"{way:24} {client:6.2f} {at_server:6.2f} {statistics.median(c + s for c, s, _ in figures):6.2f} {clock:6.2f}")


main()
