"""Bad input and bad circumstances: a clear message, the right exit code, nothing half-written, no source value shown."""
import fcntl
import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ADG, run, run_and_kill

SECRET = "SECRETVALUE"


def no_leftovers(clinic):
    assert sorted(p.name for p in clinic.folder.iterdir()) in (["clinic.yaml", "source"], ["clinic.yaml", "meta", "source"])


def refused(clinic, adg, content, *message, code=4, options=()):
    clinic.write(content)
    done = adg(*clinic.scrape, *options, check=code)
    for part in message:
        assert part in done.stderr, done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert not clinic.meta.exists()
    no_leftovers(clinic)


def text(clinic, *more):
    return "\n".join([clinic.header, *clinic.lines(50), *more]) + "\n"


def test_files_that_are_no_table(clinic, adg):
    refused(clinic, adg, "", "visits.csv: line 1", "header")
    refused(clinic, adg, text(clinic, f"51,{SECRET}"), "visits.csv: line 52", "expected 8 fields", "found 2")
    refused(clinic, adg, text(clinic).replace(",", ";"), "no column for the key VISIT", "delimiter")
    refused(clinic, adg, text(clinic).encode() + b"1,P1,\xff\xfe,1,,,,\n", "line 52", "UTF-8")
    refused(clinic, adg, text(clinic).encode() + b"1,P1,a\0b,1,,,,\n", "line 52", "NUL")
    refused(clinic, adg, text(clinic, f'1,P1,"{SECRET},1,,,,'), "line 52", "quote")
    refused(clinic, adg, text(clinic, f'1,P1,"a"{SECRET},1,,,,'), "line 52", "closing quote")
    refused(clinic, adg, text(clinic).replace("CODE,AGE", "CODE,code", 1), "different names", "columns 3 and 4")
    refused(clinic, adg, f"{SECRET},{SECRET}2\n1,2\n", "no column for the key VISIT or for PERSON", "2 of its 2 columns")
    refused(clinic, adg, text(clinic).replace("PERSON", "PERSONX", 1), "no column for the key")


def test_unknown_and_missing_columns(clinic, adg):
    content = text(clinic).replace("AGE,SEEN", "AGEX,SEENX", 1)
    refused(clinic, adg, content, "AGEX, SEENX", "--skip-unknown")
    done = adg(*clinic.scrape, "--skip-unknown", check=0)
    assert "columns of table visits are missing: AGE, SEEN" in done.stderr
    table = json.loads((clinic.meta / "manifest.json").read_text())["tables"][0]
    assert table["skipped_columns"] == ["AGEX", "SEENX"] and table["missing_columns"] == ["AGE", "SEEN"]


def test_unreadable_values(clinic, adg):
    bad = text(clinic, f"51,P1,A,{SECRET},2021-02-30,1.5,1,011960")
    refused(clinic, adg, bad, "line 52", "field AGE", "expected integer, found text", options=["--strict"])
    done = adg(*clinic.scrape, check=0)
    assert "field AGE: fewer than 5 values cannot be read as integer" in done.stderr and "line 52: text" in done.stderr
    assert "field SEEN" in done.stderr and "field WAIT" in done.stderr and SECRET not in done.stderr and "1.5" not in done.stderr


def test_awkward_tables_are_scraped(clinic, adg):
    awkward = [
        clinic.header + "\n",                                                       # header only
        clinic.header + "\n1,P1,A,30,2021-01-01,3,1,011960\n",                      # one row
        "\n".join([clinic.header, *(f"{i},,A,30,2021-01-01,3,1,011960" for i in range(50))]) + "\n",  # no patients
        "\n".join([clinic.header, *clinic.lines(100_000, people=1)]) + "\n",        # one patient
        "\n".join([clinic.header, *(f"{i},P{i},,,,,," for i in range(50))]) + "\n",  # columns of nulls
        "\ufeff" + "\r\n".join([clinic.header.lower(), *clinic.lines(50), ""]),      # byte order mark, CR LF, lower case
        text(clinic, *(f'{i},P{i},"a,""b""\nc",30,2021-01-01,3,1,011960' for i in range(51, 60))),
        text(clinic, "51,P1," + "x" * 1_000_000 + ",30,2021-01-01,3,1,011960"),
    ]
    for content in awkward:
        clinic.write(content)
        adg(*clinic.scrape, check=0)
        no_leftovers(clinic)
    clinic.write(awkward[6])
    adg(*clinic.scrape, check=0)
    codes = {r["VALUE_STRING"] for r in pq.read_table(clinic.meta / "metadata.parquet").to_pylist() if r["FIELD_NAME"] == "CODE"}
    assert 'a,"b"\nc' in codes


def test_a_field_of_33000_codes(clinic, adg):
    """Each code has five people: all survive. Of the 33,000 more that have four, none does."""
    rows = [f"{n * 33_000 + i},P{n}_{i},C{i:05},30,2021-01-01,3,1,011960" for n in range(5) for i in range(33_000)]
    rows += [f"{165_000 + n * 33_000 + i},Q{n}_{i},D{i:05},30,2021-01-01,3,1,011960" for n in range(4) for i in range(33_000)]
    clinic.write("\n".join([clinic.header, *rows]) + "\n")
    adg(*clinic.scrape, check=0)
    found = [(r["VALUE_STRING"], r["WEIGHT"]) for r in pq.read_table(clinic.meta / "metadata.parquet").to_pylist()
             if r["FIELD_NAME"] == "CODE" and r["VALUE_TYPE"] == "CATEGORICAL"]
    assert found == [(f"C{i:05}", 5) for i in range(33_000)]
    out = clinic.folder / "out"
    adg(*generate(clinic, "--rows", 200_000, "--out", out), check=0)
    codes = pq.read_table(out / "artificial_visits.parquet", columns=["CODE"])["CODE"].drop_null().unique()
    assert len(codes) > 32_000  # 200,000 x share of filled / 33,000: some 5 rows each, e^-5 of them are missed


def test_every_kind_of_source_gives_the_same_bytes(clinic, adg):
    content = text(clinic, *(f"{i},P{i},- ,{i % 4},1801-01-01,{i},2," for i in range(51, 400)))
    clinic.write(content)
    adg(*clinic.scrape, check=0)
    expected = (clinic.meta / "metadata.parquet").read_bytes()
    (clinic.source / "visits.csv").unlink()
    rows = [line.split(",") for line in content.splitlines()]
    types = [pa.int64(), pa.string(), pa.string(), pa.int32(), pa.date32(), pa.float64(), pa.string(), pa.string()]
    table = pa.table([pa.array([r[i] or None for r in rows[1:]]).cast(t) for i, t in enumerate(types)], names=rows[0])
    forms = {
        "visits.csv.gz": lambda p: p.write_bytes(gzip.compress(content.encode())),
        "visits.parquet": lambda p: pq.write_table(table, p),
        "visits": lambda p: (p.mkdir(), pq.write_table(table.slice(0, 100), p / "a.parquet"), pq.write_table(table.slice(100), p / "b.parquet")),
    }
    for name, make in forms.items():
        path = clinic.source / name
        make(path)
        adg(*clinic.scrape, check=0)
        assert (clinic.meta / "metadata.parquet").read_bytes() == expected, name
        subprocess.run(["rm", "-r", path], check=True)
    (clinic.source / "visits.csv.gz").write_bytes(gzip.compress(content.encode())[:-20])
    adg(*clinic.scrape, check=4)


def test_adding_a_table(small_meta, adg):
    small_meta.write("\n".join([small_meta.header, *small_meta.lines(100)]) + "\n", "more_visits.csv")
    before = (small_meta.meta / "metadata.parquet").read_bytes()
    adg(*small_meta.scrape, "--table", "more_visits", "--add", check=0)
    tables = {r["TABLE_NAME"] for r in pq.read_table(small_meta.meta / "metadata.parquet").to_pylist()}
    assert tables == {"visits", "more_visits"}
    adg(*small_meta.scrape, "--table", "visits", check=0)
    assert (small_meta.meta / "metadata.parquet").read_bytes() == before
    adg(*small_meta.scrape, "--table", "more_visits", "--add", "--min-frequency", 8, check=4)
    (small_meta.meta / "review.json").write_text("{}")
    (small_meta.source / "more_visits.csv").write_text("no such table")  # which is not even looked at
    assert "review.json" in adg(*small_meta.scrape, "--table", "more_visits", "--add", check=3).stderr


def test_two_that_add_at_once(small_meta, adg):
    """Neither loses the other's table: the second is told. A folder that is held is not replaced either."""
    small_meta.write("\n".join([small_meta.header, *small_meta.lines(100)]) + "\n", "more_visits.csv")
    before = sorted(p.name for p in small_meta.folder.iterdir())
    held = os.open(small_meta.meta, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(held, fcntl.LOCK_EX)
    for more in (["--add"], []):
        assert "another adg run is writing" in adg(*small_meta.scrape, "--table", "more_visits", *more, check=1).stderr
    os.close(held)
    both = [subprocess.Popen([ADG, *map(str, small_meta.scrape), "--table", table, "--add"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL) for table in ("more_visits", "visits")]
    codes = [process.wait(timeout=60) for process in both]
    assert set(codes) <= {0, 1}
    tables = {r["TABLE_NAME"] for r in pq.read_table(small_meta.meta / "metadata.parquet").to_pylist()}
    assert tables == ({"visits", "more_visits"} if codes[0] == 0 else {"visits"})
    assert sorted(p.name for p in small_meta.folder.iterdir()) == before


# ---- generating -------------------------------------------------------------------------------------------------------

def generate(clinic, *more):
    return ["generate", "--dataset", clinic.definition, "--meta", clinic.meta, "--allow-unreleased", "--table", "visits", *more]


def test_damaged_metadata(small_meta, adg):
    out = small_meta.folder / "out"
    original = (small_meta.meta / "metadata.parquet").read_bytes()
    for change in (lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:100] + bytes([b[100] ^ 1]) + b[101:]):
        (small_meta.meta / "metadata.parquet").write_bytes(change(original))
        done = adg(*generate(small_meta, "--rows", 10, "--out", out), check=4)
        assert "metadata.parquet" in done.stderr and not out.exists()
    (small_meta.meta / "metadata.parquet").write_bytes(original)
    (small_meta.meta / "definition.yaml").write_text(small_meta.definition.read_text() + "# changed\n")
    assert "another definition" in adg(*generate(small_meta, "--rows", 10, "--out", out), check=3).stderr


def test_foreign_metadata(small_meta, adg):
    path, out = small_meta.meta / "metadata.parquet", small_meta.folder / "out"
    table = pq.read_table(path)
    foreign = {
        "another table": pa.table({"A": [1, 2]}),
        "a column less": table.drop_columns(["WEIGHT"]),
        "a column more": table.append_column("EXTRA", pa.nulls(len(table), pa.string())),
        "another type": table.set_column(table.schema.get_field_index("WEIGHT"), "WEIGHT", table["WEIGHT"].cast(pa.string())),
        "a table that the dataset lacks": table.set_column(0, "TABLE_NAME", pa.array(["other"] * len(table))),
    }
    for what, content in foreign.items():
        pq.write_table(content, path, compression="none")
        done = adg(*generate(small_meta, "--rows", 10, "--out", out), check=4)
        assert "metadata.parquet" in done.stderr and not out.exists(), what


def test_table_without_rows(small_meta, adg):
    out = small_meta.folder / "out"
    done = adg("generate", "--dataset", small_meta.definition, "--meta", small_meta.meta, "--allow-unreleased", "--rows", 10, "--out", out, check=0)
    assert "more_visits" in done.stderr
    adg("generate", "--dataset", small_meta.definition, "--meta", small_meta.meta, "--allow-unreleased", "--rows", 10, "--out", out, "--table",
        "more_visits", check=4)


def test_too_few_identifiers(small_meta, adg):
    definition = small_meta.definition.read_text().replace("\\d{9}", "\\d{3}")
    small_meta.definition.write_text(definition)
    adg(*small_meta.scrape, check=0)
    out = small_meta.folder / "out"
    done = adg(*generate(small_meta, "--rows", 501, "--out", out), check=4)
    assert "VISIT" in done.stderr and not out.exists()


def test_output_folders(small_meta, adg):
    adg(*generate(small_meta, "--rows", 10, "--out", small_meta.folder / "no" / "such"), check=1)
    file = small_meta.folder / "file"
    file.write_text("")
    adg(*generate(small_meta, "--rows", 10, "--out", file), check=1)


def test_a_folder_that_is_read_only(small_meta, adg):
    folder = small_meta.folder / "frozen"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a read-only tmpfs cannot be mounted here")
    try:
        for command in (generate(small_meta, "--rows", 10, "--out", folder), generate(small_meta, "--rows", 10, "--out", folder / "new"),
                        [*small_meta.scrape[:-1], folder / "meta"]):
            done = adg(*command, check=1)
            assert "Read-only file system" in done.stderr and str(folder) in done.stderr
    finally:
        subprocess.run(["umount", folder], check=True)


def test_full_disk(small_meta, adg, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", full], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small tmpfs cannot be mounted here")
    try:
        done = adg(*generate(small_meta, "--rows", 1_000_000, "--out", full), check=1)
        assert "No space left" in done.stderr
        assert [p for p in full.iterdir() if not p.name.startswith(".adg.lock")] == []
    finally:
        subprocess.run(["umount", full], check=True)


def start(clinic, out):
    return subprocess.Popen([ADG, *map(str, generate(clinic, "--rows", 400_000_000, "--format", "csv", "--out", out))], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def wait_for_output(out):
    for _ in range(200):
        if out.exists() and any(p.suffix == ".tmp" for p in out.iterdir()):
            return
        time.sleep(0.05)
    raise AssertionError("nothing was written")


def test_two_runs_into_one_folder_and_sigterm(small_meta, adg):
    out = small_meta.folder / "out"
    first = start(small_meta, out)
    try:
        wait_for_output(out)
        assert "another adg run" in adg(*generate(small_meta, "--rows", 10, "--out", out), check=1).stderr
        maps = Path(f"/proc/{first.pid}/maps").read_text()
        assert "duckdb" not in maps and "libpq" not in maps and "libc.so" in maps
        first.send_signal(signal.SIGTERM)
        _, messages = first.communicate(timeout=60)
        assert first.returncode == 1 and "stopped by a signal" in messages
        assert not out.exists()
    finally:
        first.kill()
        first.wait()


def test_what_is_there_is_kept_where_asked(adg, small_meta, tmp_path):
    out = tmp_path / "out"
    adg(*generate(small_meta, "--rows", 10, "--out", out), check=0)
    before = (out / "artificial_visits.parquet").read_bytes()
    again = generate(small_meta, "--rows", 20, "--out", out)
    assert "--if-exists overwrite" in adg(*again, "--if-exists", "error", check=1).stderr
    assert sorted(p.name for p in out.iterdir()) == ["artificial_visits.parquet", "provenance.json"]
    adg(*again, "--if-exists", "ignore", check=0)
    assert (out / "artificial_visits.parquet").read_bytes() == before
    adg(*again, "--if-exists", "overwrite", check=0)
    assert (out / "artificial_visits.parquet").read_bytes() != before


def test_a_killed_run_vouches_for_nothing(small_meta, tmp_path):
    """Killed wherever: what provenance.json says of a file is true of it."""
    out = tmp_path / "out"
    rows = {}
    for i in range(25):
        rows[str(i)] = 1000 + i
        arguments = generate(small_meta, "--rows", 1000 + i, "--seed", i, "--out", out)
        if i < 24:
            run_and_kill(arguments, 0.004 * i)
        else:  # a machine may be too slow for any of those to end
            run(*arguments, check=0)
        described = json.loads((out / "provenance.json").read_text())["files"] if (out / "provenance.json").exists() else {}
        for name, entry in described.items():
            assert pq.read_metadata(out / name).num_rows == rows[entry["seed"]] == entry["rows"]
    assert [entry["seed"] for entry in described.values()] == ["24"]


def test_sigterm_while_scraping(clinic, adg):
    clinic.write("\n".join([clinic.header, *clinic.lines(600_000)]) + "\n")
    process = subprocess.Popen([ADG, *map(str, clinic.scrape)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        if any(p.name.startswith(".adg-spill") for p in clinic.folder.iterdir()):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 1 and "stopped by a signal" in messages
    assert not clinic.meta.exists()
    no_leftovers(clinic)


def test_foreign_files_beside_metadata_are_kept(small_meta, adg):
    (small_meta.meta / "thesis.txt").write_text("years of work")
    adg(*small_meta.scrape, check=1)
    assert (small_meta.meta / "thesis.txt").read_text() == "years of work"
