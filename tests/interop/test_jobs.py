"""Jobs of a project: confined to what the file grants, run to the end, skipped, killed, waited for."""
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import ADG, DEFINITION, HEADER, ROOT, lines
from load import into_postgresql
from servers import PASSWORD
from servers import environment as of_a_client
from servers import postgresql  # noqa: F401 fixture

ENVIRONMENT = {**os.environ, "ADG_PASSPHRASE": "correct horse", "LSAN_OPTIONS": f"suppressions={ROOT / 'tests' / 'lsan.supp'}"}
JOBS = ["scrape", "review", "release", "generate", "migrate", "qa", "publish"]
GRANTS = {"scrape": ("source", "metadata"), "review": ("", "metadata"), "release": ("metadata", "store"), "generate": ("store", "artificial"),
          "migrate": ("", "artificial"), "qa": ("store", "artificial"), "publish": ("artificial", "published")}


def adg(*words, check=None, program=ADG, **options):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=300, **{"env": ENVIRONMENT, **options})
    if check is not None:
        assert done.returncode == check, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")


class Project:
    """A project in a folder, and what people do for it."""

    def __init__(self, folder):
        self.folder, self.keys = folder, folder.parent / "keys"

    def start(self, job, *sets, environment="dev", check=0, **options):
        sets = [*sets, f"confirm_utc={now()}"] if job == "release" else sets
        words = ["job", "run", job, "--env", environment, "--project", self.folder, "--sandbox", "required"]
        done = adg(*words, *(w for s in sets for w in ("--set", s)), check=check, **options)
        record = json.loads(done.stdout)
        assert record["job"] == job and record["environment"] == environment
        return record

    def trust(self, environment="dev"):
        for role in ["reviewer", "approver"]:
            folder = self.folder / "trust" / environment / role
            folder.mkdir(parents=True, exist_ok=True)
            if not (self.keys / role).exists():
                self.keys.mkdir(exist_ok=True)
                adg("keygen", "--key", self.keys / role, check=0)
            shutil.copy(self.keys / f"{role}.pub", folder)

    def sign(self, environment="dev"):
        for role in ["reviewer", "approver"]:
            adg("sign", "--meta", self.folder / environment / "metadata" / "scraped", "--role", role, "--key", self.keys / role, "--name", role, "--email",
                f"{role}@example.org", "--date", "2026-01-02", "--checklist-confirmed", check=0)

    def tree(self, environment="dev", *parts):
        """Every file of an environment and what is in it; two releases of one thing differ in when they were."""
        root = self.folder.joinpath(environment, *parts)
        return {str(p.relative_to(root)): hashlib.sha256(re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[0-9a-f]{64}", b"", p.read_bytes())).hexdigest()
                for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A small project with a source in dev and prod, and the same, with metadata of dev signed and released. Keys take seconds to open, so
    this is done once, and copied."""
    root = tmp_path_factory.mktemp("clinic")
    definition = root / "clinic.yaml"
    definition.write_text(DEFINITION)
    adg("project", "init", root / "p", "--dataset", definition, check=0)
    project = Project(root / "p")
    for environment, rows in [("dev", 2000), ("prod", 3000)]:
        (project.folder / "source" / environment).mkdir(parents=True)
        (project.folder / "source" / environment / "visits.csv").write_text("\n".join([HEADER, *lines(rows)]) + "\n")
        (project.folder / "source" / environment / "more_visits.csv").write_text("\n".join([HEADER, *lines(1000)]) + "\n")
        project.trust(environment)
    text = (project.folder / "project.yaml").read_text()
    (project.folder / "project.yaml").write_text(text.replace("patients: 10000", "patients: 400"))
    shutil.copytree(root / "p", root / "new")
    assert [project.start(job)["status"] for job in ["scrape", "review"]] == ["success"] * 2
    project.sign()
    assert project.start("release")["status"] == "success"
    return root


def copy_of(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "p")
    (tmp_path / "keys").symlink_to(folder.parent / "keys")
    return Project(tmp_path / "p")


@pytest.fixture
def clinic_project(signed, tmp_path):
    return copy_of(signed / "new", tmp_path)


@pytest.fixture
def released(signed, tmp_path):
    """Scraped, reviewed, signed and released in dev."""
    return copy_of(signed / "p", tmp_path)


def through(project, environment="dev", sign=True):
    """From the source to published data; each job's status."""
    found = {}
    for job in ["scrape", "review", "release", "generate", "migrate", "qa", "publish"]:
        if job == "release" and sign:
            project.sign(environment)
        found[job] = project.start(job, environment=environment)["status"]
    return found


# ---- from the source to published data --------------------------------------------------------------------------------

def test_through_and_again(clinic_project):
    project = clinic_project
    assert through(project) == dict.fromkeys(JOBS, "success")
    made = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted((project.folder / "dev").rglob("*")) if p.is_file()}
    assert {"artificial_visits.parquet", "artificial_more_visits.parquet", "NOTICE.md", "NOTICE.html", "provenance.json"} == {
        p.name for p in (project.folder / "dev" / "published").iterdir()}
    again = through(project, sign=False)
    assert [again[job] for job in ["scrape", "release", "generate", "qa", "publish"]] == ["skipped"] * 5
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted((project.folder / "dev").rglob("*")) if p.is_file()}
    assert {p: content for p, (_, content) in after.items()} == {p: content for p, (_, content) in made.items()}
    unchanged = [p for p in made if made[p][0] == after[p][0]]
    assert set(made) - set(unchanged) <= {project.folder / "dev" / "metadata" / "review.html", project.folder / "dev" / "metadata" / "scraped" / "review.json"}
    assert set(through(project, sign=False).values()) == {"skipped"}


def test_what_changes_is_done_anew(released):
    project = released
    for job in JOBS[:3]:  # under other paths than those of the fixture
        project.start(job)
    for job in JOBS[3:]:
        project.start(job)
    first = project.tree("dev", "artificial")
    # a parameter
    assert project.start("generate", "seed=2")["status"] == "success"
    assert project.tree("dev", "artificial") != first
    assert project.start("generate", "seed=2")["status"] == "skipped"
    assert project.start("generate")["status"] == "success"
    # a result that is gone or damaged
    table = project.folder / "dev" / "artificial" / "artificial_visits.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    assert project.start("generate")["status"] == "success"
    (project.folder / "dev" / "published" / "NOTICE.md").unlink()
    assert project.start("publish")["status"] == "success"
    # the source
    assert project.start("scrape")["status"] == "skipped"
    with open(project.folder / "source" / "dev" / "visits.csv", "a") as file:
        file.write("999999999,P1,A,20,2021-03-01,1,1,011960\n")
    assert project.start("scrape")["status"] == "success"


def test_what_a_run_says(signed, released):
    project = released
    record = project.start("generate", "patients=300", "exclude=more_visits", "format=csv")
    log = Path(record["log"]).read_text()
    words = log.splitlines()[0]
    assert words == "adg generate --dataset {0} --meta {1}/dev/store --trust {1}/trust/dev --out {1}/dev/artificial --exclude more_visits --patients 300 " \
        "--seed 1 --profile coherent --format csv".format(signed / "clinic.yaml", project.folder)
    assert record["command"] == words.split() and record["parameters"]["patients"] == "300" and record["parameters"]["exclude"] == ["more_visits"]
    [child] = record["children"]
    content = (project.folder / "dev" / "artificial" / "artificial_visits.csv").read_bytes()
    assert child["table"] == "visits" and child["rows"] == content.count(b"\n") - 1 and child["bytes"] == len(content)
    assert child["sha256"] == hashlib.sha256(content).hexdigest() and 0 <= child["seconds"] <= record["seconds"]
    assert record["exit_code"] == 0 and record["message"] == "done"
    # the same words, on their own, do the same
    shutil.rmtree(project.folder / "dev" / "artificial")
    adg(*words.split()[1:], check=0)
    assert (project.folder / "dev" / "artificial" / "artificial_visits.csv").read_bytes() == content
    record = project.start("generate", "patients=", "rows=50", "include=visits,more_visits", "exclude=visits")
    assert [c["rows"] for c in record["children"]] == [50] and record["children"][0]["table"] == "more_visits"
    assert pq.read_metadata(project.folder / "dev" / "artificial" / "artificial_more_visits.parquet").num_rows == 50
    record = project.start("qa", check=4)
    assert record["status"] == "failed" and record["exit_code"] == 4 and "do not fit the metadata" in record["message"] or record["children"]


def test_a_run_that_fails(clinic_project):
    record = clinic_project.start("review", check=1)
    assert record["status"] == "failed" and record["exit_code"] == 1 and record["message"].startswith("adg review: ")
    record = clinic_project.start("generate", check=3)
    assert record["status"] == "failed" and "is no release store" in record["message"]
    assert record["message"] in Path(record["log"]).read_text()
    clinic_project.start("scrape")
    clinic_project.start("review")
    record = clinic_project.start("release", check=3)
    assert "there is no reviewer.minisig" in record["message"]


def test_names_with_blanks_and_quotes(signed, tmp_path):
    """The log's first line is what a shell takes."""
    (tmp_path / "it's here").mkdir()
    record = copy_of(signed / "new", tmp_path / "it's here").start("scrape")
    assert shlex.split(Path(record["log"]).read_text().splitlines()[0]) == record["command"] and "it's here/p/source/dev" in record["command"][5]


def test_a_start_that_fails(released):
    """Before the command: the run has its record."""
    (released.folder / "dev" / "artificial").write_text("a file where a folder is wanted")
    done = adg("job", "run", "generate", "--env", "dev", "--project", released.folder, check=1)
    assert done.stdout == "" and "artificial" in done.stderr
    assert status(released)[1] == "failed"
    history = adg("job", "history", "generate", "--env", "dev", "--project", released.folder, check=0).stdout
    assert done.stderr.strip().removeprefix("adg job: ") in history


@pytest.mark.parametrize("job, sets, message", [
    ("release", [], "job release needs a value: --set confirm_utc=..."),
    ("release", ["confirm_utc=now"], 'expected confirm_utc as "YYYY-MM-DD HH:MM"'),
    ("generate", ["patients=0"], "expected patients as a whole number from 1"),
    ("generate", ["patients=1.5"], "expected patients as a whole number from 1"),
    ("generate", ["patients=9223372036854775808"], "expected patients as a whole number from 1"),
    ("generate", ["patients="], "job generate needs a value: --set rows=..."),
    ("generate", ["patients=1", "rows=1"], "patients or rows, not both"),
    ("generate", ["seed=1", "seed=2"], "seed is given twice"),
    ("generate", ["seed"], "expected PARAMETER=VALUE"),
    ("generate", ["people=3"], "job generate has the parameters dataset, include, exclude, patients, rows, seed"),
    ("generate", ["include=visits", "exclude=visits"], "every table that is included is also excluded"),
    ("generate", ["include=a b"], "expected include as names of tables"),
    ("generate", ["dataset="], "job generate needs a value: --set dataset=..."),
    ("scrape", ["dataset=--help"], "expected dataset as one line of text that begins with no dash"),
    ("generate", ["dataset=source/dev"], "a definition file is named in project.yaml"),
    ("generate", ["dataset=/etc/passwd"], "a definition file is named in project.yaml"),
    ("review", ["dataset=hes"], "job review has no parameters"),
    ("nothing", [], "has no job 'nothing'; it has scrape, review, release"),
])
def test_bad_values(job, sets, message, clinic_project):
    words = [w for s in sets for w in ("--set", s)]
    done = adg("job", "run", job, "--env", "dev", "--project", clinic_project.folder, *words, check=2)
    assert message in done.stderr and done.stdout == "" and not (clinic_project.folder / ".adg").exists()


@pytest.mark.parametrize("words", [[], ["start", "x"], ["run", "--env", "dev"], ["run", "scrape"], ["run", "a", "b", "--env", "dev"], ["list", "x"],
                                   ["list", "--env", "dev"], ["status", "--env", "dev", "--set", "a=b"], ["history", "--env", "dev"],
                                   ["run", "scrape", "--env", "dev", "--timeout", "3"], ["wait", "scrape", "--env", "dev", "--sandbox", "off"]])
def test_usage(words, clinic_project):
    done = adg("job", *words, *(["--project", clinic_project.folder] if words else []), check=2)
    assert done.stdout == "" and "Try 'adg job --help'" in done.stderr


def test_unknown_environment(clinic_project):
    done = adg("job", "run", "scrape", "--env", "test", "--project", clinic_project.folder, check=2)
    assert "has no environment 'test'; it has dev, staging, prod" in done.stderr


def test_list(clinic_project):
    text = adg("job", "list", "--project", clinic_project.folder, check=0).stdout
    job = text[text.index("generate\n"):text.index("migrate\n")]
    for line in ["reads: store", "writes: artificial", "parameter patients: 400", "parameter rows", "parameter profile: coherent", "concurrency: 1",
                 "schedule: 0 1 8 * *"]:
        assert f"  {line}\n" in job
    assert "  parameter confirm_utc (with every start)\n" in text


# ---- scraping and generating without some tables ----------------------------------------------------------------------

def test_exclude(signed, clinic_project):
    folder = clinic_project.folder
    record = clinic_project.start("scrape", "exclude=visits")
    assert [c["table"] for c in record["children"]] == ["more_visits"]
    meta = folder / "dev" / "metadata" / "scraped"
    assert json.loads((meta / "manifest.json").read_text())["tables"][0]["name"] == "more_visits"
    definition, source = signed / "clinic.yaml", folder / "source" / "dev"
    scrape = ["scrape", "--dataset", definition, "--source", source, "--meta", folder / "m"]
    assert "no table" in adg(*scrape, "--exclude", "visits,more_visits", check=4).stderr
    assert "nothing" in adg(*scrape, "--exclude", "nothing", check=4).stderr
    assert "exclude each other" in adg(*scrape, "--exclude", "visits", "--table", "visits", check=2).stderr
    assert "names of tables" in adg(*scrape, "--exclude", "visits,", check=2).stderr
    assert adg(*scrape, "--exclude", "more_visits", check=0).stdout == "visits\n"
    adg(*scrape, check=0)
    generate = ["generate", "--dataset", definition, "--meta", folder / "m", "--allow-unreleased", "--rows", "100", "--out", folder / "o"]
    assert "but excluded ones" in adg(*generate, "--exclude", "visits,more_visits", check=4).stderr
    assert "nothing" in adg(*generate, "--exclude", "nothing", check=4).stderr
    assert "exclude each other" in adg(*generate, "--exclude", "visits", "--table", "visits", check=2).stderr
    adg(*generate, "--exclude", "more_visits", check=0)
    only = (folder / "o" / "artificial_visits.parquet").read_bytes()
    assert sorted(p.name for p in (folder / "o").iterdir()) == ["artificial_visits.parquet", "provenance.json"]
    adg(*generate, check=0)
    assert (folder / "o" / "artificial_visits.parquet").read_bytes() == only


# ---- several starts ---------------------------------------------------------------------------------------------------

def long_run(project, *sets, rows=30_000_000):
    """A generate that goes on for a while, as soon as its record is there."""
    process = subprocess.Popen([ADG, "job", "run", "generate", "--env", "dev", "--project", project.folder, "--set", f"rows={rows}", "--set", "threads=1", *sets],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    for _ in range(500):
        found = status(project)
        if found[1] == "running":
            return process, found[0]
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("the run did not begin")


def status(project, job="generate"):
    name, run, state, *_ = adg("job", "status", job, "--env", "dev", "--project", project.folder, check=0).stdout.split("\t")
    assert name == job
    return run, state


def test_a_second_start(released):
    process, run = long_run(released)
    try:
        second = released.start("generate")
        assert second["status"] == "running" and second["run"] == run
        assert adg("job", "wait", "generate", "--env", "dev", "--project", released.folder, "--timeout", "1", check=1).stderr == f"adg job: run {run} goes on still\n"
        # another environment's job is another one
        assert released.start("generate", environment="prod", check=3)["status"] == "failed"
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    record = json.loads(output)
    assert process.returncode == 1 and record["status"] == "failed" and "stopped by a signal" in record["message"]
    assert [p.name for p in (released.folder / "dev" / "artificial").iterdir()] == []
    waited = adg("job", "wait", "generate", "--env", "dev", "--project", released.folder, check=1)
    assert json.loads(waited.stdout) == record
    assert released.start("generate")["status"] == "success"
    history = [line.split("\t")[1] for line in adg("job", "history", "generate", "--env", "dev", "--project", released.folder, check=0).stdout.splitlines()]
    assert history == ["failed", "success"]


def test_concurrency(released):
    """Two at a time, of a job that may: the second is started. That they then want one folder is theirs to settle."""
    file = released.folder / "project.yaml"
    file.write_text(file.read_text().replace("  generate:\n", "  generate:\n    concurrency: 2\n"))
    process, run = long_run(released)
    try:
        second = json.loads(adg("job", "run", "generate", "--env", "dev", "--project", released.folder, "--set", "seed=2").stdout)
        assert second["run"] != run and (second["status"] == "success" or "another adg run is writing" in second["message"])
        slots = released.folder / ".adg" / "runs" / "dev" / "generate"
        assert (slots / "slot-1").read_text() == run and (slots / "slot-2").read_text() == second["run"]
        assert status(released)[1] != "running"  # of the last run
    finally:
        process.kill()
        process.communicate()


def test_a_killed_run(released):
    """What is left of it says so; its child goes with it, and its slot is free."""
    process, run = long_run(released)
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    for _ in range(200):
        if all(not Path(f"/proc/{c}").exists() for c in child):
            break
        time.sleep(0.05)
    assert len(child) == 1 and not Path(f"/proc/{child[0]}").exists()
    assert status(released) == (run, "failed")
    waited = adg("job", "wait", "generate", "--env", "dev", "--run", run, "--project", released.folder, check=1)
    assert json.loads(waited.stdout)["message"] == "the run was killed; start it again"
    assert adg("job", "wait", "generate", "--env", "dev", "--run", "nothing", "--project", released.folder, check=4).stdout == ""


@pytest.mark.parametrize("job", JOBS)
def test_killed_and_started_again(job, signed, released, tmp_path):
    """At whatever moment: the same in the end as if nothing had happened."""
    project = released
    if job in ("scrape", "review"):
        shutil.rmtree(project.folder / "dev")
        for earlier in JOBS[:JOBS.index(job)]:
            project.start(earlier)
    elif job == "release":
        shutil.rmtree(project.folder / "dev" / "store")
    else:
        for earlier in JOBS[3:JOBS.index(job)]:
            project.start(earlier)
    shutil.rmtree(project.folder / ".adg", ignore_errors=True)
    shutil.copytree(project.folder, tmp_path / "saved")
    started = time.monotonic()
    project.start(job)
    took = time.monotonic() - started
    expected = project.tree()
    confirm = ["--set", f"confirm_utc={now()}"] if job == "release" else []
    for part in [0.1, 0.3, 0.5, 0.7, 0.9]:
        shutil.rmtree(project.folder / ".adg")
        shutil.rmtree(project.folder / "dev")
        if (tmp_path / "saved" / "dev").exists():
            shutil.copytree(tmp_path / "saved" / "dev", project.folder / "dev")
        process = subprocess.Popen([ADG, "job", "run", job, "--env", "dev", "--project", project.folder, *confirm], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        time.sleep(took * part)
        process.kill()
        process.wait()
        for _ in range(200):  # the child needs a moment to die, too
            record = project.start(job)
            if record["status"] != "running":
                break
            time.sleep(0.05)
        assert record["status"] in ("success", "skipped"), record
        found = {name: content for name, content in project.tree().items() if not name.endswith(".adg.lock")}
        assert found == expected, f"{job} killed after {part} of its time"


# ---- what a job can touch ---------------------------------------------------------------------------------------------

SHIM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "WHEN KIND ERRNO PATH" to standard error, for every path of the environment's lists. */
static void try_list(const char *when, const char *variable, int flags)
{
    char paths[65536], line[8192];
    snprintf(paths, sizeof paths, "%s", getenv(variable) != NULL ? getenv(variable) : "");
    for (char *path = strtok(paths, ":"); path != NULL; path = strtok(NULL, ":")) {
        int fd = open(path, flags, 0600), error = fd < 0 ? errno : 0;
        int length = snprintf(line, sizeof line, "shim %s %s %d %s\n", when, variable, error, path);
        if (write(2, line, (size_t)length) < 0) {
            abort();
        }
        if (fd >= 0) {
            close(fd);
        }
    }
}

static void try_everything(const char *when)
{
    char line[128], *words[] = {"/bin/true", NULL};
    try_list(when, "SHIM_READ", O_RDONLY);
    try_list(when, "SHIM_WRITE", O_WRONLY | O_CREAT);
    int fd = socket(AF_INET, SOCK_STREAM, 0), socket_error = fd < 0 ? errno : 0;
    execv("/bin/true", words);
    int length = snprintf(line, sizeof line, "shim %s others %d %d\n", when, socket_error, errno);
    if (write(2, line, (size_t)length) < 0) {
        abort();
    }
}

static int is_job;

/* Before the command has said a word: what confines it here is the project alone. */
__attribute__((constructor)) static void begin(int argc, char **argv)
{
    is_job = argc > 1 && strcmp(argv[1], "job") != 0;
    if (is_job) {
        try_everything("first");
    }
}

/* And when it is done. */
__attribute__((destructor)) static void end(void)
{
    if (is_job) {
        try_everything("last");
    }
}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The program with its engine beside it, and a library that a job may load, since it lies where the engine does."""
    root = tmp_path_factory.mktemp("installed")
    (root / "bin").mkdir()
    (root / "lib" / "adg").mkdir(parents=True)
    shutil.copy(ADG, root / "bin" / "adg")
    (root / "shim.c").write_text(SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", root / "lib" / "adg" / "shim.so", root / "shim.c"], check=True)
    return root / "bin" / "adg", root / "lib" / "adg" / "shim.so"


def test_every_job_of_the_example_stays_in_its_places(installed, signed, made_source, tmp_path):
    """The HES example: each job, before and after its own confinement, with every place and file of the project."""
    program, shim = installed
    adg("project", "init", tmp_path / "p", check=0)
    project = Project(tmp_path / "p")
    (tmp_path / "keys").symlink_to(signed / "keys")
    (project.folder / "source").mkdir()
    shutil.copytree(made_source("hes_ae"), project.folder / "source" / "dev")
    project.trust()
    places = {"source": project.folder / "source" / "dev"}
    for name in ["metadata", "store", "artificial", "published"]:
        places[name] = project.folder / "dev" / name
        places[name].mkdir(parents=True)
    for name, place in places.items():
        (place / ".probe").write_text(name)  # a dot: no job takes it for its own
    (tmp_path / "outside").write_text("outside")
    for job in JOBS:
        if job == "release":
            project.sign()
        if job in ("release", "generate"):
            (places["store"] / ".probe").unlink(missing_ok=True)  # a store holds nothing that is not its own
        reads, writes = GRANTS[job]
        others = {"file": project.folder / "project.yaml", "outside": tmp_path / "outside", "key": project.keys / "reviewer",
                  "trust": project.folder / "trust" / "dev" / "reviewer" / "reviewer.pub", "state": project.folder / ".adg" / "runs" / "dev"}
        readable = {**{name: place for name, place in places.items()}, **others}
        writable = {**{name: place / ".written" for name, place in places.items() if name not in ("store",)}, "store": places["store"] / ".releases.csv.probe",
                    "beside": project.folder / "dev" / "beside", "outside": tmp_path / "outside", "file": project.folder / "project.yaml",
                    "trust": project.folder / "trust" / "dev" / "reviewer" / "mine.pub"}
        environment = {**ENVIRONMENT, "LD_PRELOAD": str(shim), "SHIM_READ": ":".join(map(str, readable.values())),
                       "SHIM_WRITE": ":".join(map(str, writable.values())), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        record = project.start(job, *(["patients=500"] if job == "generate" else []), program=program, env=environment)
        assert record["status"] == "success"
        tries = [line.split() for line in Path(record["log"]).read_text().splitlines() if line.startswith("shim ")]
        for path in writable.values():
            if path.name in (".written", ".releases.csv.probe"):
                path.unlink(missing_ok=True)
        assert [t for t in tries if t[2] == "others"] == [["shim", "first", "others", "1", "13"], ["shim", "last", "others", "1", "1"]], job
        found = {(when, kind, path): int(error) for _, when, kind, error, *path_words in tries if kind != "others" for path in [" ".join(path_words)]}
        assert len(found) == 2 * (len(readable) + len(writable))
        for name, path in readable.items():
            may = name in (reads, writes) or (name == "trust" and job in ("release", "generate"))
            assert found["first", "SHIM_READ", str(path)] == (0 if may else 13), (job, name)
            assert may or found["last", "SHIM_READ", str(path)] == 13, (job, name)
        for name, path in writable.items():
            assert found["first", "SHIM_WRITE", str(path)] == (0 if name == writes else 13), (job, name)
            assert name == writes or found["last", "SHIM_WRITE", str(path)] == 13, (job, name)
    assert (tmp_path / "outside").read_text() == "outside" and not (project.folder / "dev" / "beside").exists()


def test_a_source_outside_its_place(clinic_project):
    """A link in the source that leads out of it leads nowhere."""
    source = clinic_project.folder / "source" / "dev"
    shutil.move(source / "visits.csv", clinic_project.folder.parent / "visits.csv")
    (source / "visits.csv").symlink_to(clinic_project.folder.parent / "visits.csv")
    record = clinic_project.start("scrape", check=1)
    assert "Permission denied" in record["message"] or "cannot be" in record["message"]


def test_a_source_in_duckdb(clinic_project):
    """A database that lies in a file; whether it is the same as before is not known, so it is always done."""
    import duckdb

    database = clinic_project.folder / "records.duckdb"
    connection = duckdb.connect(str(database))
    connection.execute(f"create table visits as select * from read_csv('{clinic_project.folder}/source/dev/visits.csv', all_varchar=true)")
    connection.close()
    file = clinic_project.folder / "project.yaml"
    file.write_text(file.read_text().replace("source: source/dev", "source: duckdb:records.duckdb"))
    for _ in range(2):
        record = clinic_project.start("scrape")
        assert record["status"] == "success" and [c["table"] for c in record["children"]] == ["visits"]
    assert record["command"][5] == f"duckdb:{database}"


def test_a_source_in_postgresql(clinic_project, postgresql):  # noqa: F811
    """The one job that may reach a server, and it alone; the password comes from the environment and stands nowhere."""
    folder = clinic_project.folder
    into_postgresql(postgresql.uri(), folder / "source" / "dev" / "visits.csv", "visits", None, schema="public")
    into_postgresql(postgresql.uri(), folder / "source" / "dev" / "more_visits.csv", "more_visits", None, schema="public")
    clinic_project.start("scrape")
    expected = (folder / "dev" / "metadata" / "scraped" / "metadata.parquet").read_bytes()
    file = folder / "project.yaml"
    file.write_text(file.read_text().replace("source: source/dev", f"source: {postgresql.uri()}"))
    for _ in range(2):
        record = clinic_project.start("scrape", env={**ENVIRONMENT, **of_a_client()})
        assert record["status"] == "success" and sorted(c["table"] for c in record["children"]) == ["more_visits", "visits"]
    assert (folder / "dev" / "metadata" / "scraped" / "metadata.parquet").read_bytes() == expected
    for path in (folder / ".adg").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()
    wrong = clinic_project.start("scrape", check=1, env={**ENVIRONMENT, **of_a_client(PGPASSWORD="wrong")})
    assert wrong["status"] == "failed" and "wrong" not in wrong["message"]


def test_the_script_of_the_guide(clinic_project):
    """For dev and prod, from the source to published data, and again."""
    script = re.search(r"```sh\n(.*?)```", (ROOT / "docs" / "projects.md").read_text(), re.S).group(1)
    (clinic_project.folder.parent / "bin").mkdir()
    (clinic_project.folder.parent / "bin" / "adg").symlink_to(Path(ADG).resolve())
    environment = {**ENVIRONMENT, "PATH": f"{clinic_project.folder.parent / 'bin'}:{os.environ['PATH']}"}
    trees = []
    for name in ["dev", "dev", "prod"]:
        subprocess.run(["sh", "-c", script, "sh", name], cwd=clinic_project.folder, env=environment, check=True, capture_output=True, timeout=600)
        trees.append({p: p.read_bytes() for p in sorted((clinic_project.folder / name).rglob("*")) if p.is_file()})
    assert trees[0] == trees[1] and len(list((clinic_project.folder / "dev" / "store").iterdir())) == 2
    tables = [(clinic_project.folder / name / "published" / "artificial_visits.parquet").read_bytes() for name in ["dev", "prod"]]
    assert tables[0] != tables[1]  # each of its own source
    assert {p: p.read_bytes() for p in trees[0]} == trees[0]  # what happens in prod is nothing to dev
