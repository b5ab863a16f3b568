"""Review, signatures, release store and the generator's lock: what is changed, forged or missing is refused, with what does not match."""
import ctypes
import datetime
import fcntl
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from conftest import ADG, DEFINITION, HEADER, lines, run_and_kill

DEFINITION_WITH_REVIEW = DEFINITION.replace("tables:", """review:
  excluded_fields: [NHS_NUMBER]
  organisation_fields: [CODE]
  checklist: [Have you read the rarest values?, Is it safe?]
tables:""").replace("fields:\n", "fields:\n  - {name: NOTE, type: string, values: CATEGORICAL}\n")
PEOPLE = {"reviewer": ("Ann Reviewer", "ann@example.org"), "approver": ("Bob Approver", "bob@example.org")}
SECRET = {**os.environ, "ADG_PASSPHRASE": "a passphrase"}


def utc(minutes=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M")


def sign_command(place, role, meta=None, **changes):
    name, email = PEOPLE[role]
    options = {"meta": meta or place.meta, "role": role, "key": place.keys / role, "name": name, "email": email, **changes}
    return ["sign", "--checklist-confirmed", *(w for k, v in options.items() if v is not None for w in (f"--{k}", v))]


def release_command(place, **changes):
    options = {"meta": place.meta, "to": place.store, "trust": place.trust, "confirm-utc": utc(), **changes}
    return ["release", *(w for k, v in options.items() for w in (f"--{k}", v))]


def scrape(adg, folder, notes):
    """A metadata folder of the small dataset, whose field NOTE has the given values, each of ten people."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clinic.yaml").write_text(DEFINITION_WITH_REVIEW)
    (folder / "source").mkdir(exist_ok=True)
    rows = [f"{line},{notes[i // 10 % len(notes)]}" for i, line in enumerate(lines(max(2000, 10 * len(notes)), max(1000, 10 * len(notes))))]
    (folder / "source" / "visits.csv").write_text("\n".join([HEADER + ",NOTE", *rows]) + "\n")
    adg("scrape", "--dataset", folder / "clinic.yaml", "--source", folder / "source", "--meta", folder / "meta", check=0)
    return folder / "meta"


@pytest.fixture(scope="module")
def ready(adg, tmp_path_factory):
    """Keys, trusted folders, a signed metadata folder and a store with its release: made once, copied by each test."""
    folder = tmp_path_factory.mktemp("governance")
    place = SimpleNamespace(keys=folder / "keys", trust=folder / "trust", meta=folder / "meta", store=folder / "store", folder=folder)
    place.keys.mkdir()
    scrape(adg, folder, ["a"])
    for role in PEOPLE:
        adg("keygen", "--key", place.keys / role, check=0, env=SECRET)
        (place.trust / role).mkdir(parents=True)
        shutil.copy(place.keys / f"{role}.pub", place.trust / role)
    adg("review", "--meta", place.meta, check=0)
    for role in PEOPLE:
        adg(*sign_command(place, role), check=0, env=SECRET)
    adg(*release_command(place), check=0)
    return place


@pytest.fixture
def place(ready, tmp_path):
    shutil.copytree(ready.folder, tmp_path / "g")
    return SimpleNamespace(**{name: tmp_path / "g" / path.relative_to(ready.folder) for name, path in vars(ready).items()})


def generate(place, *more):
    return ["generate", "--dataset", place.folder / "clinic.yaml", "--meta", place.store, "--trust", place.trust, "--rows", 100, "--out",
            place.folder / "out", *more]


def release_folder(place):
    return next(p for p in place.store.iterdir() if p.is_dir())


def test_the_chain(place, adg):
    for role in PEOPLE:
        done = subprocess.run(["minisign", "-V", "-p", place.keys / f"{role}.pub", "-x", place.meta / f"{role}.minisig", "-m",
                               place.meta / "manifest.json"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        comment = json.loads(done.stdout.split("Trusted comment: ")[1])
        assert (comment["role"], comment["name"], comment["email"]) == (role, *PEOPLE[role]) and comment["checklist"]["confirmed"] == 2
    log = adg("releases", "--store", place.store, "--trust", place.trust, check=0).stdout.splitlines()
    assert log[0].startswith("RELEASE_TIMESTAMP_UTC,SOURCE_DATABASE_NAME,TARGET_DATABASE_NAME,TABLE_NAME,REVIEWER_NAME,REVIEWER_EMAIL,"
                             "REVIEWED_DATE,APPROVER_NAME,APPROVER_EMAIL,APPROVED_DATE,")
    assert [line.split(",")[1:6] for line in log[1:]] == [["meta", "store", "visits", *PEOPLE["reviewer"]]]
    adg(*generate(place), check=0)
    entry = json.loads((place.folder / "out" / "provenance.json").read_text())["files"]["artificial_visits.parquet"]
    assert entry["released"] and entry["manifest_sha256"] == release_folder(place).name and entry["seed"] == "1"
    adg("generate", "--dataset", place.folder / "clinic.yaml", "--meta", place.meta, "--allow-unreleased", "--rows", 100, "--out",
        place.folder / "own", check=0)
    entry = json.loads((place.folder / "own" / "provenance.json").read_text())["files"]["artificial_visits.parquet"]
    assert not entry["released"] and "released_utc" not in entry


@pytest.mark.skipif("asan" in ADG, reason="the sanitizers need libraries")
def test_the_static_program(place, adg):
    """Needs nothing of the machine: no interpreter is in its headers."""
    static = ADG + "-static"
    header = open(static, "rb").read(4096)
    at, size, count = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
    kinds = {struct.unpack_from("<I", header, at + i * size)[0] for i in range(count)}
    assert 1 in kinds and 3 not in kinds  # PT_LOAD, PT_INTERP

    def run(*arguments, env=None):
        done = subprocess.run([static, *map(str, arguments)], capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr
        return done

    for file in ("review.json", "reviewer.minisig", "approver.minisig"):
        (place.meta / file).unlink()
    run("review", "--meta", place.meta, "--report", place.folder / "review.html")
    run("keygen", "--key", place.keys / "new", env=SECRET)
    for role in PEOPLE:
        run(*sign_command(place, role), env=SECRET)
    run(*release_command(place, to=place.folder / "other"))
    run("releases", "--store", place.folder / "other", "--trust", place.trust)
    place.store = place.folder / "other"
    run(*generate(place))
    made = (place.folder / "out" / "artificial_visits.parquet").read_bytes()
    shutil.rmtree(place.folder / "out")
    adg(*generate(place), check=0)
    assert (place.folder / "out" / "artificial_visits.parquet").read_bytes() == made
    run("publish", "--data", place.folder / "out", "--to", place.folder / "published", "--allow-unchecked")
    assert subprocess.run([static, "scrape"], capture_output=True).returncode == 2
    assert "no engine" in run("--version").stdout
    for out in "postgresql://x/y", "duckdb:x", "adbc:x":
        done = subprocess.run([static, "generate", "--dataset", "hes", "--meta", "open", "--rows", "1", "--out", out], capture_output=True, text=True)
        assert done.returncode == 2 and "writes to no database" in done.stderr


def on_terminal(arguments, conversation, env):
    """Runs adg with a terminal of its own; `conversation` is pairs of a prompt and what is typed at it. Returns exit code and screen."""
    try:
        ours, theirs = os.openpty()
    except OSError:
        pytest.skip("there are no terminals here (/dev/pts)")
    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    done = subprocess.Popen([ADG, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal, env=env)
    screen = b""
    try:
        for prompt, typed in conversation:
            at = len(screen)
            while prompt.encode() not in screen[at:]:
                assert select.select([ours], [], [], 60)[0], (prompt, screen)
                screen += os.read(ours, 4096)
            os.write(ours, typed.encode())
        code = done.wait(timeout=60)
        while select.select([ours], [], [], 0)[0]:
            screen += os.read(ours, 4096)
        echo = termios.tcgetattr(theirs)[3] & termios.ECHO
    finally:
        done.kill()
        os.close(ours)
        os.close(theirs)
    assert echo, "the terminal shows nothing any more"
    return code, screen.decode()


def test_signing_on_a_terminal(place, adg):
    env = {k: v for k, v in os.environ.items() if k != "ADG_PASSPHRASE"}
    command = [w for w in sign_command(place, "reviewer") if w != "--checklist-confirmed"]
    secret = ("Passphrase: ", "a passphrase\n")
    (place.meta / "approver.minisig").unlink()
    before = (place.meta / "reviewer.minisig").read_bytes()
    code, screen = on_terminal(command, [secret, ("Have you read the rarest values?", "yes\n"), ("Is it safe?", "no\n")], env)
    assert code == 3 and "question 2" in screen and "a passphrase" not in screen
    code, screen = on_terminal(command, [("Passphrase: ", "wrong\n")], env)
    assert code == 3 and "passphrase" in screen
    code, screen = on_terminal(command, [("Passphrase: ", "\x03")], env)
    assert code != 0
    code, screen = on_terminal(command, [("Passphrase: ", "x" * 2000 + "\n")], env)
    assert code == 2 and "at most" in screen
    assert (place.meta / "reviewer.minisig").read_bytes() == before
    code, screen = on_terminal(command, [secret, ("Have you read the rarest values?", "yes\n"), ("Is it safe?", "yes\n")], env)
    assert code == 0, screen
    comment = json.loads(next(line for line in (place.meta / "reviewer.minisig").read_text().splitlines() if line.startswith("trusted")).split(": ", 1)[1])
    assert comment["checklist"] == {"confirmed": 2, "asked": "question by question"}
    code, screen = on_terminal(["keygen", "--key", place.keys / "typed"], [("Passphrase: ", "one\n"), ("Once more: ", "two\n")], env)
    assert code == 2 and not (place.keys / "typed").exists()
    code, screen = on_terminal(["keygen", "--key", place.keys / "typed"], [("Passphrase: ", "one\n"), ("Once more: ", "one\n")], env)
    assert code == 0 and (place.keys / "typed").stat().st_mode & 0o777 == 0o600


def test_keys_of_the_standard_program(place, adg):
    made = subprocess.run(["minisign", "-G", "-p", place.folder / "k.pub", "-s", place.folder / "k"], input="pass\npass\n", text=True,
                          capture_output=True)
    assert made.returncode == 0
    shutil.copy(place.folder / "k.pub", place.trust / "reviewer")
    adg(*sign_command(place, "reviewer", key=place.folder / "k"), check=0, env={**os.environ, "ADG_PASSPHRASE": "pass"})
    adg(*release_command(place, to=place.folder / "other"), check=0)
    assert "passphrase" in adg(*sign_command(place, "reviewer"), check=3, env={**os.environ, "ADG_PASSPHRASE": "wrong"}).stderr
    adg("keygen", "--key", place.keys / "reviewer", check=1, env=SECRET)  # keys are never overwritten


FILES = ["metadata.parquet", "definition.yaml", "manifest.json", "review.json", "reviewer.minisig", "approver.minisig"]


def change_one_byte(path):
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    data[at] = data[at] ^ 1 if data[at] not in b"\n" else ord(" ")
    path.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_one_byte_changed(name, place, adg):
    change_one_byte(release_folder(place) / name)
    done = adg(*generate(place), check=3)
    assert not (place.folder / "out").exists() and done.stderr.startswith("adg generate: ")
    assert any(word in done.stderr for word in (name, "signature")), done.stderr
    adg("releases", "--store", place.store, "--trust", place.trust, check=3)
    change_one_byte(place.meta / name)
    adg(*release_command(place, to=place.folder / "new"), check=3)
    assert not (place.folder / "new" / "releases.csv").exists()


def test_the_log(place, adg):
    log = place.store / "releases.csv"
    text = log.read_text()
    for changed in (text.replace("Ann", "Eve"), text.replace("visits", "others"), text[:-2] + "\n", text.splitlines()[0] + "\n", "", "x" + text):
        log.write_text(changed)
        assert "releases.csv" in adg(*generate(place), check=3).stderr
        adg("releases", "--store", place.store, check=3)
    log.unlink()
    adg(*generate(place), check=3)


def test_signatures_in_the_wrong_place(place, adg):
    folder = release_folder(place)
    one, other = ((folder / f"{role}.minisig").read_bytes() for role in PEOPLE)
    (folder / "reviewer.minisig").write_bytes(other)
    (folder / "approver.minisig").write_bytes(one)
    assert "reviewer.minisig" in adg(*generate(place), check=3).stderr
    (folder / "reviewer.minisig").write_bytes(one)
    assert "approver.minisig" in adg(*generate(place), check=3).stderr
    (folder / "approver.minisig").unlink()
    assert "approver" in adg(*generate(place), check=3).stderr


def test_trust(place, adg):
    shutil.copy(place.keys / "reviewer.pub", place.trust / "approver")
    assert "two keys" in adg(*generate(place), check=3).stderr
    (place.trust / "approver" / "reviewer.pub").unlink()
    (place.trust / "approver" / "approver.pub").unlink()
    assert "no public key" in adg(*generate(place), check=3).stderr
    shutil.rmtree(place.trust / "approver")
    assert "missing" in adg(*generate(place), check=3).stderr
    adg(*generate(place, "--allow-unreleased"), check=2)


def test_two_people(place, adg):
    (place.meta / "approver.minisig").unlink()
    for changes in ({"name": "ann reviewer "}, {"email": "ANN@example.org"}, {"key": place.keys / "reviewer"}):
        assert "two people" in adg(*sign_command(place, "approver", **changes), check=3, env=SECRET).stderr
    (place.meta / "reviewer.minisig").unlink()
    assert "has not signed" in adg(*sign_command(place, "approver"), check=3, env=SECRET).stderr
    assert not (place.meta / "approver.minisig").exists()


def test_days_and_clocks(place, adg):
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime("%Y-%m-%d")
    assert "future" in adg(*sign_command(place, "reviewer", date=tomorrow), check=3, env=SECRET).stderr
    adg(*sign_command(place, "reviewer", date="2026-02-30"), check=2, env=SECRET)
    for minutes in (11, -12):
        assert "600 s" in adg(*release_command(place, to=place.folder / "new", **{"confirm-utc": utc(minutes)}), check=3).stderr
    adg(*release_command(place, to=place.folder / "new", **{"confirm-utc": "now"}), check=2)


def test_signing_needs_a_passed_review_of_these_bytes(place, adg):
    for role in PEOPLE:
        (place.meta / f"{role}.minisig").unlink()
    review = json.loads((place.meta / "review.json").read_text())
    (place.meta / "review.json").write_text(json.dumps(review, indent=1) + "\n ")
    assert "not what the checks give" in adg(*sign_command(place, "reviewer"), check=3, env=SECRET).stderr
    (place.meta / "review.json").unlink()
    assert "adg review" in adg(*sign_command(place, "reviewer"), check=3, env=SECRET).stderr
    done = adg("sign", "--meta", place.meta, "--role", "reviewer", "--key", place.keys / "reviewer", "--name", "A", "--email", "a@b.c", check=2,
               env=SECRET, stdin=subprocess.DEVNULL)
    assert "checklist" in done.stderr


def test_nothing_leads_out_of_a_folder(place, adg):
    folder = release_folder(place)
    shutil.move(folder / "metadata.parquet", place.folder / "elsewhere")
    (folder / "metadata.parquet").symlink_to(place.folder / "elsewhere")
    assert "symbolic link" in adg(*generate(place), check=3).stderr
    (folder / "metadata.parquet").unlink()
    shutil.move(place.folder / "elsewhere", folder / "metadata.parquet")
    (folder / "thesis.txt").write_text("years of work")
    assert "foreign" in adg(*generate(place), check=3).stderr
    (folder / "thesis.txt").unlink()
    (place.store / "notes.txt").write_text("")
    assert "foreign" in adg("releases", "--store", place.store, check=3).stderr


def test_releases_stay(place, adg):
    adg(*release_command(place), check=1)  # the store holds this one
    first = release_folder(place).name
    second = scrape(adg, place.folder / "second", ["b", "c"])
    adg("review", "--meta", second, check=0)
    for role in PEOPLE:
        adg(*sign_command(place, role, meta=second), check=0, env=SECRET)
    name = adg(*release_command(place, meta=second), check=0).stdout.strip()
    log = adg("releases", "--store", place.store, "--trust", place.trust, check=0).stdout
    assert first in log and name in log and log.index(first) < log.index(name)
    for release, notes in ((None, {"b", "c"}), (first, {"a"}), (name, {"b", "c"})):
        adg(*generate(place, *(["--release", release] if release else [])), check=0)
        found = pq.read_table(place.folder / "out" / "artificial_visits.parquet")["NOTE"]
        assert set(found.drop_null().unique().to_pylist()) == notes
    adg(*generate(place, "--release", "0" * 64), check=3)


def test_names_that_would_break_the_log(place, adg):
    """A line break in a name of a folder: refused, and the store is as it was."""
    broken = place.folder / "me\nta"
    second = scrape(adg, place.folder / "second", ["b", "c"])
    adg("review", "--meta", second, check=0)
    for role in PEOPLE:
        adg(*sign_command(place, role, meta=second), check=0, env=SECRET)
    second.rename(broken)
    before = (place.store / "releases.csv").read_bytes()
    assert "control character" in adg(*release_command(place, meta=broken), check=4).stderr
    assert (place.store / "releases.csv").read_bytes() == before
    adg(*generate(place), check=0)


def test_interrupted_releases(place, adg):
    """Killed at any moment: the log is not there or it is whole, and the next release tidies up."""
    store = place.folder / "new"
    took = time.perf_counter()
    adg(*release_command(place, to=store), check=0)
    took = time.perf_counter() - took
    complete = adg("releases", "--store", store, "--trust", place.trust, check=0).stdout
    outcomes = []
    for seconds in [*(took * i / 12 for i in range(12)), 60]:
        shutil.rmtree(store, ignore_errors=True)
        killed = run_and_kill(release_command(place, to=store), seconds)
        log = (store / "releases.csv").exists()
        assert log or killed
        outcomes.append(log)
        if log:
            assert len(adg("releases", "--store", store, "--trust", place.trust, check=0).stdout.splitlines()) == len(complete.splitlines())
        adg(*release_command(place, to=store), check=1 if log else 0)
        assert len(list(store.iterdir())) == 2  # the release and the log
    assert not outcomes[0] and outcomes[-1]  # killed before anything was written; let run to its end
    shutil.rmtree(store)
    store.mkdir()
    (store / (".release-" + "0" * 64)).mkdir()
    (store / ("1" * 64)).mkdir()
    (store / ".releases.csv.abc.tmp").write_text("half")
    name = adg(*release_command(place, to=store), check=0).stdout.strip()
    assert sorted(p.name for p in store.iterdir()) == sorted([name, "releases.csv"])


def test_two_releases_at_once(place):
    store = place.folder / "new"
    both = [subprocess.Popen([ADG, *map(str, release_command(place, to=store))], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    codes = sorted(process.wait(timeout=60) for process in both)
    for process in both:
        process.communicate()
    assert codes == [0, 1]
    assert len((store / "releases.csv").read_text().splitlines()) == 2


# ---- checks -----------------------------------------------------------------------------------------------------------

# 943 476 5919 is the NHS Data Dictionary's example of a valid number; 943 476 5918 has a wrong check digit
PLANTED = {"nhs_number": ["9434765919", "943 476 5919"], "email": ["someone@example.org"], "phone": ["07700900123", "+44 7700 900123", "020 7946 0018"],
           "postcode": ["SW1A 1AA", "M1 1AA", "EC1A1BB"]}
CLEAN = [f"A{i:02}.{i % 10}" for i in range(30)] + [f"E010{i:05}" for i in range(30)] + ["9434765918", "RW3", "RXH01", "Y00001", "A81001"]


@pytest.mark.parametrize("check", PLANTED)
def test_planted_personal_data_is_found(check, adg, tmp_path):
    for number, value in enumerate(PLANTED[check]):
        meta = scrape(adg, tmp_path / str(number), [*CLEAN, value])
        done = adg("review", "--meta", meta, check=3)
        assert value not in done.stderr + done.stdout
        text = (meta / "review.json").read_text()
        review = json.loads(text)
        assert review["result"] == "fail" and value not in text
        failing = [f for f in review["findings"] if f["fails"]]
        assert [(f["check"], f["field"]) for f in failing] == [(check, "NOTE")]
        row = pq.read_table(meta / "metadata.parquet").to_pylist()[failing[0]["row"] - 1]
        assert row["VALUE_STRING"] == value


def test_ordinary_codes_raise_no_finding(adg, tmp_path):
    icd = [f"{chr(65 + i % 26)}{i // 26 % 100:02}{i % 10}" for i in range(2500)]
    opcs = [f"{chr(65 + i % 24)}{i // 24 % 100:02}.{i % 9 + 1}" for i in range(2500)]
    organisations = [f"R{chr(65 + i % 26)}{chr(65 + i // 26 % 26)}{i % 100:02}" for i in range(2500)]
    lsoa = [f"E0100{i:04}" for i in range(2500)]
    codes = sorted({*icd, *opcs, *organisations, *lsoa})
    assert len(codes) > 9000
    meta = scrape(adg, tmp_path / "codes", codes)
    adg("review", "--meta", meta, check=0)
    shown = {f["check"] for f in json.loads((meta / "review.json").read_text())["findings"] if f.get("field") == "NOTE"}
    assert shown <= {"ratio"}


def test_what_is_shown(adg, tmp_path):
    meta = scrape(adg, tmp_path, [*CLEAN, "Robinson", "one two three four", "x" * 40, "left knee"])
    adg("review", "--meta", meta, check=0)
    review = json.loads((meta / "review.json").read_text())
    assert {f["check"] for f in review["findings"] if f.get("field") == "NOTE"} == {"letters", "free_text", "whitespace", "length"}


def test_controls_that_fail(small_meta, adg):
    adg(*small_meta.scrape, "--control", "reference", check=0)
    assert "control" in adg("review", "--meta", small_meta.meta, check=3).stderr
    adg(*small_meta.scrape, "--min-frequency", 2, "--rounding", 1, check=0)
    assert "weights" in adg("review", "--meta", small_meta.meta, check=3).stderr
    adg(*small_meta.scrape, check=0)
    change_one_byte(small_meta.meta / "definition.yaml")
    assert "hashes" in adg("review", "--meta", small_meta.meta, check=3).stderr


def test_dominance(adg, tmp_path):
    """Ten people of one visit each, and then ten of whom one has 900: the mean of the group gives 900 away."""
    (tmp_path / "clinic.yaml").write_text(DEFINITION)
    (tmp_path / "source").mkdir()
    visits = [(f"A{i}", 1) for i in range(100)] + [(f"B{i}", 2 + i) for i in range(9)] + [("C", 900)]
    rows = [f"{n},{person},A,30,2021-01-01,3,1,011960" for n, person in enumerate(p for p, count in visits for _ in range(count))]
    (tmp_path / "source" / "visits.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    adg("scrape", "--dataset", tmp_path / "clinic.yaml", "--source", tmp_path / "source", "--meta", tmp_path / "meta", check=0)
    groups = [(r["VALUE_NUMERIC"], r["WEIGHT"]) for r in pq.read_table(tmp_path / "meta" / "metadata.parquet").to_pylist()
              if r["VALUE_TYPE"] == "RELATIONSHIP"]
    assert groups == [(1, 100), (95, 10)]  # (900 + 2 + ... + 10) / 10 = 95.4
    assert "dominance" in adg("review", "--meta", tmp_path / "meta", check=3).stderr


# ---- publishing -------------------------------------------------------------------------------------------------------

@pytest.fixture
def checked(place, adg):
    """A data folder of released metadata that QA has passed."""
    adg(*generate(place, "--seed", 3), "--rows", 500, check=2)  # --rows twice is refused
    command = generate(place)
    command[command.index("--rows") + 1] = 5000
    adg(*command, check=0)
    adg("qa", "--dataset", place.folder / "clinic.yaml", "--meta", place.store, "--data", place.folder / "out", check=0)
    return place


def publish(place, *more):
    return ["publish", "--data", place.folder / "out", "--to", place.folder / "public", *more]


def test_publishing(checked, adg):
    done = adg(*publish(checked), check=0)
    assert done.stdout == "visits\tartificial_visits.parquet\n"
    public = checked.folder / "public"
    assert sorted(p.name for p in public.iterdir()) == ["NOTICE.html", "NOTICE.md", "artificial_visits.parquet", "provenance.json"]
    assert all(p.stat().st_mode & 0o777 == 0o444 for p in public.iterdir())
    assert (public / "artificial_visits.parquet").read_bytes() == (checked.folder / "out" / "artificial_visits.parquet").read_bytes()
    notice = (public / "NOTICE.md").read_text()
    assert "Nobody is in them" in notice and "artificial_visits.parquet" in notice and "released 20" in notice
    assert "<script" not in (public / "NOTICE.html").read_text() and "http" not in (public / "NOTICE.html").read_text()
    adg(*publish(checked), check=0)  # again: replaced


def test_what_is_not_published(checked, adg):
    out = checked.folder / "out"
    assert "no table" in adg(*publish(checked, "--include", "others"), check=4).stderr
    assert "no table is left" in adg(*publish(checked, "--exclude", "visits"), check=4).stderr
    adg(*publish(checked, "--include", "visits,,visits"), check=2)
    change_one_byte(out / "artificial_visits.parquet")
    assert "has not passed" in adg(*publish(checked), check=3).stderr
    assert not (checked.folder / "public").exists()
    assert "unchecked" in adg(*publish(checked, "--allow-unchecked"), check=0).stderr
    (out / "qa.json").unlink()
    adg(*publish(checked), check=3)
    (out / "provenance.json").unlink()
    adg(*publish(checked, "--allow-unchecked"), check=4)


def test_publishing_parts(checked, adg):
    out = checked.folder / "parts"
    command = generate(checked, "--shard")
    command[command.index("--rows") + 1], command[command.index("--out") + 1] = 5000, out
    adg(*command, "0/2", check=0)
    base = ["publish", "--data", out, "--to", checked.folder / "public", "--allow-unchecked"]
    assert "1 of 2 parts" in adg(*base, check=4).stderr
    adg(*command, "1/2", check=0)
    adg("qa", "--dataset", checked.folder / "clinic.yaml", "--meta", checked.store, "--data", out, check=0)
    adg(*base[:-1], check=0)
    assert sorted(p.name for p in (checked.folder / "public" / "artificial_visits").iterdir()) == [
        "part-00000-of-00002.parquet", "part-00001-of-00002.parquet"]


def test_publishing_fewer_parts(checked, adg):
    """Parts of an earlier run with more of them do not stay, and what only looks like a part is none."""
    out, public = checked.folder / "parts", checked.folder / "public"
    command = generate(checked, "--shard")
    command[command.index("--out") + 1] = out
    for count in (3, 2):
        shutil.rmtree(out, ignore_errors=True)
        for part in range(count):
            adg(*command, f"{part}/{count}", check=0)
        (out / "artificial_visits" / f"part-00000-of-0000{count + 1}.parquet.bak").write_text("half")
        (public / ".artificial_visits.new").mkdir(parents=True, exist_ok=True)
        (public / ".artificial_visits.new" / "part-00009-of-00010.parquet").write_text("of a run that was killed")
        adg("publish", "--data", out, "--to", public, "--allow-unchecked", check=0)
        assert sorted(p.name for p in (public / "artificial_visits").iterdir()) == [f"part-0000{i}-of-0000{count}.parquet" for i in range(count)]
        assert sorted(p.name for p in public.iterdir()) == ["NOTICE.html", "NOTICE.md", "artificial_visits", "provenance.json"]
    (out / "artificial_visits" / "part-00002-of-00003.parquet").write_text("of another run")
    assert "more than one run" in adg("publish", "--data", out, "--to", public, "--allow-unchecked", check=4).stderr


# ---- the reviewer's page ----------------------------------------------------------------------------------------------

def test_report(adg, tmp_path):
    awkward = ["<script>alert(1)</script>", "</script><b>&amp;", "x" * 1_000_000, "é" * 150]
    meta = scrape(adg, tmp_path, [*CLEAN, *awkward, *(f"B{i:03}" for i in range(60))])
    adg("review", "--meta", meta, "--report", tmp_path / "report.html", "--json", tmp_path / "copy.json", check=0)
    page = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in page and "://" not in page.replace("http://www.w3.org/2000/svg", "") and len(page) < 200_000
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    note = next(f for f in data["fields"] if f["field"] == "NOTE")
    rows = [r for r in pq.read_table(meta / "metadata.parquet").to_pylist() if r["FIELD_NAME"] == "NOTE" and r["VALUE_TYPE"] == "CATEGORICAL"]
    assert note["values"] == len(rows) and note["records"] == sum(r["WEIGHT"] for r in rows)
    assert len(note["commonest"]) == len(note["rarest"]) == 50
    assert [w for _, w in note["commonest"]] == sorted((r["WEIGHT"] for r in rows), reverse=True)[:50]
    assert any(v and "1000000 bytes" in v for v in note["longest"]) and awkward[0] in note["longest"]
    assert data["checklist"] == ["Have you read the rarest values?", "Is it safe?"]
    assert (tmp_path / "copy.json").read_bytes() == (meta / "review.json").read_bytes()


def test_a_folder_that_is_replaced_between_check_and_use(place, adg):
    """A release's folder changes places with a forged one all the time: what is generated is from the signed one, or nothing is."""
    adg(*generate(place), check=0)
    genuine = (place.folder / "out" / "artificial_visits.parquet").read_bytes()
    shutil.rmtree(place.folder / "out")
    real = release_folder(place)
    forged = place.store / "forged"  # within the store: the kernel lets the process read both
    shutil.copytree(real, forged)
    other = scrape(adg, place.folder / "other", ["b"])  # another value in one field
    shutil.copy(other / "metadata.parquet", forged / "metadata.parquet")
    stopped, swaps = threading.Event(), [0]

    def swap():
        exchange = ctypes.CDLL(None, use_errno=True).renameat2  # RENAME_EXCHANGE: neither path is ever missing
        while not stopped.is_set():
            assert exchange(-100, os.fsencode(real), -100, os.fsencode(forged), 2) == 0
            swaps[0] += 1

    thread = threading.Thread(target=swap)
    thread.start()
    codes = []
    try:
        for _ in range(40):
            done = adg(*generate(place))
            codes.append(done.returncode)
            if done.returncode == 0:
                assert (place.folder / "out" / "artificial_visits.parquet").read_bytes() == genuine
                shutil.rmtree(place.folder / "out")
            else:
                assert done.returncode == 3 and "metadata.parquet" in done.stderr
                assert not (place.folder / "out").exists()
    finally:
        stopped.set()
        thread.join()
    assert swaps[0] > 1000 and {0, 3} == set(codes)
