"""project.yaml: what is refused, with line and column; what is proved; the page."""
import re
import shutil
import subprocess

import pytest


@pytest.fixture
def project(tmp_path, adg):
    """edit(old, new, ...) changes the example; its folder."""
    folder = tmp_path / "hospital"
    adg("project", "init", folder, check=0)
    file = folder / "project.yaml"

    def edit(*pairs):
        text = file.read_text()
        for old, new in zip(pairs[::2], pairs[1::2]):
            assert old in text, old
            text = text.replace(old, new, 1)
        file.write_text(text)
        return folder

    edit.folder, edit.file = folder, file
    return edit


def line_of(file, text):
    """Line and column of its first appearance, as messages have them."""
    before = file.read_text().split(text)[0]
    return f"{file}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "


def test_the_example(project, adg):
    done = adg("project", "check", project.folder, check=0)
    assert "project hospital\n" in done.stdout and done.stderr == ""
    for line in ["  source -[scrape]-> metadata", "  -[review]<-> metadata", "  metadata -[release]-> store", "  store -[generate]-> artificial",
                 "  store -[qa]<-> artificial", "  artificial -[publish]-> published", "environment prod", "  published (published): prod/published"]:
        assert line + "\n" in done.stdout
    assert done.stdout.endswith("isolated: nothing gets from a source to artificial or published data but through a release\n")
    assert adg("project", "check", check=0, cwd=project.folder).stdout == done.stdout


def test_init(tmp_path, adg, clinic):
    adg("project", "init", tmp_path / "a", check=0)
    before = (tmp_path / "a" / "project.yaml").read_text()
    assert "is there already" in adg("project", "init", tmp_path / "a", check=1).stderr
    assert (tmp_path / "a" / "project.yaml").read_text() == before
    adg("project", "init", tmp_path / "b", "--dataset", clinic.definition, "--name", "clinic", check=0)
    assert "project: clinic\n" in (tmp_path / "b" / "project.yaml").read_text()
    assert f"dataset: '{clinic.definition}'" in (tmp_path / "b" / "project.yaml").read_text()
    adg("project", "check", tmp_path / "b", check=0)
    adg("project", "init", tmp_path / "c", "--dataset", "hes_nothing", check=4)
    assert not (tmp_path / "c").exists()
    adg("project", "init", tmp_path / "missing" / "d", check=1)
    adg("project", "init", tmp_path / "odd name.1", check=0)
    assert "project: odd_name_1\n" in (tmp_path / "odd name.1" / "project.yaml").read_text()


@pytest.mark.parametrize("words", [[], ["init"], ["check", "a", "b"], ["list"], ["init", "a", "--report", "r"], ["check", "--dataset", "hes"],
                                   ["init", "a", "--name", "a b"], ["check", "--name", "x"]])
def test_usage(words, adg):
    done = adg("project", *words, check=2)
    assert done.stdout == "" and "Try 'adg project --help'" in done.stderr


# ---- the file ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("old, new, at, message", [
    ("project: hospital", "project: two words", "two words", "expected the name of the project"),
    ("project: hospital", "projekt: hospital", "projekt", "expected one of the keys project, places, environments, jobs"),
    ("project: hospital", "project: a\nproject: b", "project: b", "expected each key once"),
    ("project: hospital", "---\nproject: hospital", "---", "expected one document"),
    ("project: hospital", "project: &a hospital", "&a", "expected no anchor"),
    ("  metadata: metadata\n", "  metadata: meta\n", "meta\n  store", "expected what the place holds as one of source, metadata, store, artificial, published"),
    ("  store: store\n", "  metadata: store\n", "metadata: store", "expected each name once, found metadata again"),
    ("  store: store\n", "  sto-re: store\n", "sto-re", "expected a name"),
    ("      store: dev/store\n", "", "source: source/dev", "expected an address for every place: store has none"),
    ("      store: dev/store\n", "      store: dev/store\n      shop: x\n", "shop", "expected the name of a place"),
    ("      store: dev/store\n", "      store: [dev/store]\n", "[dev/store]", "expected a folder: one line of text"),
    ("      store: dev/store\n", "      store: s3://bucket/store\n", "s3://", "expected a folder: only a source may be a database"),
    ("    trust: trust/dev\n", "", None, None),
    ("reads: [source]", "reads: source", "source\n    writes", "expected places as a list"),
    ("reads: [source]", "reads: [sauce]", "sauce", "expected the name of a place, as the key places has it: this one is unknown"),
    ("reads: [source]", "reads: [source, source]", "source]\n    writes", "expected each place once, found source again"),
    ("concurrency: 1", "concurrency: 0", "0\n    schedule", "expected the concurrency: a number from 1 to 10"),
    ("concurrency: 1", "concurrency: 11", "11\n    schedule", "expected the concurrency: a number from 1 to 10"),
    ("concurrency: 1", "concurrency: two", "two\n    schedule", "expected the concurrency: a number from 1 to 10"),
    ("  migrate:\n", "  scrape:\n", None, "expected each name once, found scrape again"),
    ("  migrate:\n", "  mig:\n", "mig:", "expected the key does, or the name of the job, as one of scrape, review, release, generate, qa, publish, migrate"),
    ("  migrate:\n", "  mig:\n    does: migration\n", "migration", "expected what the job does as one of"),
    ("    amends: [metadata]\n", "    amend: [metadata]\n", "amend:", "expected one of the keys does, reads, writes, amends"),
    ("patients: 10000", "patients: 0", "0, seed", "expected patients as a whole number from 1"),
    ("patients: 10000", "patients: -5", "-5", "expected patients as a whole number from 1"),
    ("patients: 10000", "patients: many", "many", "expected patients as a whole number from 1"),
    ("patients: 10000", "patients: 10, rows: 10", "rows", "expected patients or rows, found both"),
    ("patients: 10000", "people: 10000", "people: 10000", "expected a parameter that generate has: this one is unknown"),
    ("seed: 1", "seed: 18446744073709551616", "18446744073709551616", "expected seed as a whole number from 0 to 2^64 - 1"),
    ("profile: coherent", "profile: nice", "nice", "expected profile as one of coherent, reference"),
    ("profile: coherent, exclude: []", "profile: coherent, exclude: hes_apc_2021", "hes_apc_2021", "expected names of tables as a list"),
    ("profile: coherent, exclude: []", "profile: coherent, exclude: ['a b']", "'a b'", "expected exclude as names of tables"),
    ("    writes: [store]\n", "    writes: [store]\n    parameters: {confirm_utc: 2026-01-01 10:00}\n", "confirm_utc: 2026", "a person says it each time"),
    ("    writes: [store]\n", "    writes: [store]\n    schedule: '0 0 * * *'\n", "'0 0 * * *'", "expected no schedule: a person starts a release"),
    ('schedule: "0 1 1 * *"', 'schedule: monthly', "monthly", "expected a minute (0 to 59)"),
    ('schedule: "0 1 1 * *"', 'schedule: "0 1 1 *"', None, "expected a day of the week (0 to 7)"),
    ('schedule: "0 1 1 * *"', 'schedule: "0 1 1 * * *"', None, "expected five fields"),
    ('schedule: "0 1 1 * *"', 'schedule: "60 1 1 * *"', '"60 1', "expected a minute (0 to 59)"),
    ('schedule: "0 1 1 * *"', 'schedule: "0 1 31 2 *"', "31 2", "expected a day that one of the months has"),
])
def test_a_bad_file(old, new, at, message, project, adg):
    done = adg("project", "check", project(old, new), check=4)
    if message is None:
        message = "expected the key trust here"
        assert line_of(project.file, "places:\n      source: source/dev") in done.stderr
    elif at is not None:
        assert line_of(project.file, at) in done.stderr, done.stderr
    assert message in done.stderr and str(project.file) + ":" in done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1


def test_the_column_within_a_schedule(project, adg):
    """The message points at the field, not at the text that holds it."""
    done = adg("project", "check", project('schedule: "0 1 1 * *"', 'schedule: "0 25 1 * *"'), check=4)
    assert line_of(project.file, "25 1 * *") in done.stderr


def test_a_secret(project, adg):
    done = adg("project", "check", project("source: source/dev", "source: postgresql://me:hunter2@host/db"), check=4)
    assert "without a secret in its address" in done.stderr and "hunter2" not in done.stderr
    for address in ["postgresql://me@host/db", "sc://host:15002", "duckdb:records.duckdb"]:
        text = project.file.read_text()
        project.file.write_text(re.sub(r"source: (source/dev|postgresql|sc:|duckdb:).*", f"source: {address}", text, count=1))
        adg("project", "check", project.folder, check=0)


def test_no_project(tmp_path, adg):
    assert "project.yaml" in adg("project", "check", tmp_path, check=1).stderr


# ---- the proof --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("edits, code, message", [
    # around the release: the generator reads the source; a job copies metadata into the store; metadata are published; by way of an amending job
    (["    reads: [store]\n    writes: [artificial]", "    reads: [store, source]\n    writes: [artificial]"], 3, "dev/source -[generate]-> dev/artificial"),
    (["    reads: [store]\n    writes: [artificial]", "    reads: [store, metadata]\n    writes: [artificial]"], 3,
     "dev/source -[scrape]-> dev/metadata -[generate]-> dev/artificial"),
    (["    reads: [artificial]\n    writes: [published]", "    reads: [artificial, metadata]\n    writes: [published]"], 3,
     "dev/source -[scrape]-> dev/metadata -[publish]-> dev/published"),
    (["    reads: [store]\n    amends: [artificial]", "    reads: [store, source]\n    amends: [artificial]"], 3, "dev/source -[qa]-> dev/artificial"),
    (["    reads: [metadata]\n    writes: [store]", "    reads: [metadata]\n    writes: [store, artificial]",
      "    reads: [store]\n    writes: [artificial]", "    reads: [store]\n    writes: [published]"], 3,
     "dev/source -[scrape]-> dev/metadata -[release]-> dev/artificial"),
    # a job that reads the source and writes where a generator reads, release or not
    (["    reads: [metadata]\n    writes: [store]", "    reads: [metadata, source]\n    writes: [store]"], 3,
     "a job reads a source and writes where a generator reads: dev/source -[release]-> dev/store -[generate]->"),
    # two writers, in one environment and in two
    (["  qa:\n", "  import:\n    does: scrape\n    reads: [source]\n    writes: [metadata]\n  qa:\n"], 4,
     "two jobs write to one place: dev/scrape -> dev/metadata <- dev/import"),
    (["staging/metadata", "dev/metadata"], 4, "two jobs write to one place: dev/scrape -> dev/metadata <- staging/scrape"),
    # cycles, the second through a job that amends
    (["    reads: [store]\n    writes: [artificial]", "    reads: [store, published]\n    writes: [artificial]"], 4,
     "jobs go round in a cycle: dev/artificial -[publish]-> dev/published -[generate]-> dev/artificial"),
    (["    reads: [store]\n    amends: [artificial]", "    reads: [store, published]\n    amends: [artificial]"], 4,
     "jobs go round in a cycle: dev/artificial -[publish]-> dev/published -[qa]-> dev/artificial"),
    # sources are only read
    (["    amends: [metadata]\n", "    amends: [metadata, source]\n"], 4, "a source is only read: -[review]-> dev/source"),
    # addresses
    (["dev/artificial", "source/dev"], 4, "dev/artificial lies where dev/source lies"),
    (["dev/artificial", "source/dev/out"], 4, "dev/artificial lies where dev/source lies"),
    (["dev/artificial", "x/../source/./dev/"], 4, "dev/artificial lies where dev/source lies"),
    (["dev/artificial", "."], 4, "lies where"),
    (["dev/artificial", ".adg/runs"], 4, "dev/artificial lies where the project's own files lie"),
    (["trust: trust/dev", "trust: dev/store/keys"], 4, "the trusted keys of dev lie where dev/store lies"),
    (["dataset: hes, exclude", "dataset: source/dev/x.yaml, exclude"], 4, "job scrape: its definition lies where dev/source lies"),
    (["dataset: hes, patients", "dataset: ./source, patients"], 4, "job generate: its definition lies where dev/source lies"),
    # what commands need
    (["    reads: [source]\n    writes: [metadata]", "    reads: []\n    writes: [metadata]"], 4,
     "job scrape: expected one place of kind source under reads, as scrape needs it"),
    (["    amends: [metadata]\n", "    reads: [metadata]\n"], 4, "job review: expected one place of kind metadata under amends"),
])
def test_what_is_not_isolated(edits, code, message, project, adg):
    done = adg("project", "check", project(*edits), check=code)
    assert message in done.stderr and re.match(rf"adg project: {re.escape(str(project.file))}:\d+:\d+: ", done.stderr)
    assert done.stdout == ""
    # and no job of it runs
    assert adg("job", "run", "scrape", "--env", "dev", "--project", project.folder, check=code).stderr.replace("adg job", "adg project") == done.stderr
    assert not (project.folder / ".adg").exists()


def test_a_link_hides_nothing(project, adg):
    (project.folder / "source" / "dev").mkdir(parents=True)
    (project.folder / "elsewhere").symlink_to(project.folder / "source")
    done = adg("project", "check", project("dev/artificial", "elsewhere/dev/deeper"), check=4)
    assert "dev/artificial lies where dev/source lies" in done.stderr


def test_environments_may_share_a_source(project, adg):
    adg("project", "check", project("source/staging", "source/dev"), check=0)


# ---- the page ---------------------------------------------------------------------------------------------------------

def test_the_page(project, adg, tmp_path):
    page = tmp_path / "graph.html"
    adg("project", "check", project.folder, "--report", page, check=0)
    text = page.read_text()
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium here: the page was not drawn")
    drawn = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom", f"file://{page}"],
                           capture_output=True, text=True, timeout=120, check=True).stdout
    svg = re.search(r"<svg.*?</svg>", drawn, re.S).group(0)
    for name in ["source", "scrape", "metadata", "review", "release", "store", "generate", "artificial", "qa", "migrate", "publish", "published"]:
        assert f'class="name">{name}</text>' in svg
    for way in ["source \u2192 scrape", "scrape \u2192 metadata", "review amends metadata", "metadata \u2192 release", "artificial \u2192 publish"]:
        assert f"<title>{way}</title>" in svg
    assert svg.count('class="way') == 12 and "staging/metadata" in drawn
