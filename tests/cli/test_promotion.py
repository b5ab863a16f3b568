"""Projects from one environment to another: what an archive holds, what an import changes, and what is refused."""
import fcntl
import hashlib
import io
import json
import os
import pty
import select
import shutil
import subprocess
import tarfile
import time
from types import SimpleNamespace

import pytest
from conftest import ADG, run_and_kill
from test_governance import PEOPLE, SECRET, release_command, scrape, sign_command


def release(adg, folder, keys, trust, store, notes):
    """Scraped, reviewed, signed and released; the name of the release."""
    place = SimpleNamespace(meta=scrape(adg, folder, notes), keys=keys, trust=trust, store=store)
    adg("review", "--meta", place.meta, check=0)
    for role in PEOPLE:
        adg(*sign_command(place, role), check=0, env=SECRET)
    return adg(*release_command(place), check=0).stdout.strip()


def make_project(adg, folder, trust):
    adg("project", "init", folder, "--dataset", "hes", "--name", "clinic", check=0)
    text = (folder / "project.yaml").read_text().replace("dataset: hes", "dataset: definitions/clinic.yaml")
    (folder / "project.yaml").write_text(text)
    for environment in ("dev", "staging", "prod"):
        shutil.copytree(trust, folder / "trust" / environment)


@pytest.fixture(scope="module")
def ready(adg, tmp_path_factory):
    """Project p with a release in dev; folder q, where the same people are trusted and no project is yet."""
    folder = tmp_path_factory.mktemp("promotion")
    keys, trust, p, q = folder / "keys", folder / "trust", folder / "p", folder / "q"
    keys.mkdir()
    for role in PEOPLE:
        adg("keygen", "--key", keys / role, check=0, env=SECRET)
        (trust / role).mkdir(parents=True)
        shutil.copy(keys / f"{role}.pub", trust / role)
    make_project(adg, p, trust)
    (p / "dev").mkdir()
    first = release(adg, folder / "work", keys, trust, p / "dev" / "store", ["a"])
    (p / "definitions").mkdir()
    shutil.copy(folder / "work" / "clinic.yaml", p / "definitions")
    for secret in (p / "source" / "dev" / "visits.csv", p / "dev" / "metadata" / "scraped" / "metadata.parquet", p / "dev" / "artificial" / "a.csv",
                   p / "dev" / "store" / first / "report.html", p / "dev" / "store" / ("0" * 64) / "metadata.parquet"):
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("SECRET")
    shutil.copytree(p / "trust", q / "trust")
    adg("project", "export", "--env", "dev", "--project", p, "--to", folder / "one.tar", check=0)
    second = release(adg, folder / "more", keys, trust, p / "dev" / "store", ["b"])
    (p / "project.yaml").write_text((p / "project.yaml").read_text() + "# the second version\n")
    adg("project", "export", "--env", "dev", "--project", p, "--to", folder / "two.tar", check=0)
    return SimpleNamespace(folder=folder, p=p, q=q, one=folder / "one.tar", two=folder / "two.tar", first=first, second=second)


@pytest.fixture
def place(ready, tmp_path):
    shutil.copytree(ready.q, tmp_path / "q")
    return SimpleNamespace(**{**vars(ready), "q": tmp_path / "q"})


def import_(place, archive, *more):
    return ["project", "import", archive, "--env", "prod", "--project", place.q, "--sandbox", "required", *more]


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".adg.lock"}


def contents(archive):
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}


def header(name, size):
    """A header of POSIX ustar, written from its description."""
    fields = name.encode().ljust(100, b"\0") + b"0000644\0" + 2 * b"0000000\0" + b"%011o\0" % size + b"%011o\0" % 0
    rest = b"0" + 100 * b"\0" + b"ustar\0" + b"00" + 64 * b"\0" + 2 * b"0000000\0" + 167 * b"\0"
    return fields + b"%06o\0 " % sum(fields + 8 * b" " + rest) + rest


def make_archive(files, project="clinic", environment="dev"):
    manifest = {"format": 1, "adg": "0", "project": project, "environment": environment,
                "files": {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}}
    text = (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()
    members = [("MANIFEST.sha256", f"{hashlib.sha256(text).hexdigest()}  MANIFEST.json\n".encode()), ("MANIFEST.json", text), *sorted(files.items())]
    return b"".join(header(n, len(d)) + d + b"\0" * (-len(d) % 512) for n, d in members) + b"\0" * 1024


def payload(archive):
    return {n: d for n, d in contents(archive).items() if not n.startswith("MANIFEST")}


def test_what_is_in_an_archive(ready, adg, tmp_path):
    inside = contents(ready.two)
    names = {f"store/{r}/{f}" for r in (ready.first, ready.second)
             for f in ("manifest.json", "definition.yaml", "metadata.parquet", "review.json", "reviewer.minisig", "approver.minisig")}
    assert set(inside) == names | {"MANIFEST.json", "MANIFEST.sha256", "project/project.yaml", "project/definitions/clinic.yaml", "store/releases.csv"}
    assert b"SECRET" not in ready.two.read_bytes()
    assert inside["project/project.yaml"] == (ready.p / "project.yaml").read_bytes()
    manifest = json.loads(inside["MANIFEST.json"])
    assert (manifest["project"], manifest["environment"]) == ("clinic", "dev")
    assert manifest["files"] == {n: hashlib.sha256(d).hexdigest() for n, d in inside.items() if not n.startswith("MANIFEST")}
    version = adg("project", "export", "--env", "dev", "--project", ready.p, "--to", tmp_path / "again.tar", "--sandbox", "required", check=0).stdout.strip()
    assert inside["MANIFEST.sha256"] == f"{version}  MANIFEST.json\n".encode() and version == hashlib.sha256(inside["MANIFEST.json"]).hexdigest()
    assert (tmp_path / "again.tar").read_bytes() == ready.two.read_bytes()
    log = (ready.p / ".adg" / "versions.csv").read_text().splitlines()
    assert len(log) == 3 and log[2].split(",")[1:] == ["dev", version, "dev"]  # the second export of a version is not noted again


def test_into_an_empty_folder(place, adg):
    done = adg(*import_(place, place.one), check=0).stdout.splitlines()
    assert done[:-1] == [f"new\t{place.q}/{name}" for name in ("prod/store", "definitions/clinic.yaml", "project.yaml")]
    inside = payload(place.one)
    assert (place.q / "project.yaml").read_bytes() == inside["project/project.yaml"]
    assert {f"store/{n}": d for n, d in tree(place.q / "prod" / "store").items()} == {n: d for n, d in inside.items() if n.startswith("store/")}
    adg("generate", "--dataset", place.q / "definitions" / "clinic.yaml", "--meta", place.q / "prod" / "store", "--trust", place.q / "trust" / "prod",
        "--rows", 100, "--out", place.q / "out", check=0)
    before = tree(place.q)
    again = adg(*import_(place, place.one), check=0)
    assert again.stdout.splitlines() == done[-1:] and "nothing changes" in again.stderr and tree(place.q) == before


def test_what_is_overwritten_is_confirmed_and_kept(place, adg):
    adg(*import_(place, place.one), check=0)
    before = tree(place.q)
    for more, message in (([], "--confirm"), (["--confirm", "clinics"], "expected the project's name")):
        done = adg(*import_(place, place.two, *more), check=2, stdin=subprocess.DEVNULL)
        assert message in done.stderr and done.stdout.splitlines() == [f"replaced\t{place.q}/{name}" for name in ("prod/store", "project.yaml")]
        assert tree(place.q) == before
    done = adg(*import_(place, place.two, "--confirm", "clinic"), check=0)
    backups = sorted(p.name for p in [*place.q.glob("*.backup-*"), *(place.q / "prod").glob("*.backup-*")])
    assert [b.split(".backup-")[0] for b in backups] == ["project.yaml", "store"]
    stamp = backups[0].split("-")[-1]
    assert (place.q / f"project.yaml.backup-{stamp}").read_bytes() == before["project.yaml"]
    assert tree(place.q / "prod" / f"store.backup-{stamp}") == {n[11:]: d for n, d in before.items() if n.startswith("prod/store/")}
    back = adg(*import_(place, place.one, "--confirm", "clinic"), check=0).stdout.splitlines()
    assert f"backup\t{place.q}/prod/store/{place.second}" in back  # which the older version does not have
    assert len(list(place.q.glob("*.backup-*"))) == 2  # within a second, perhaps
    listed = [line.split("\t") for line in adg("project", "releases", "--project", place.q, check=0).stdout.splitlines()]
    assert [line[1:] for line in listed] == [["prod", back[-1], "dev"]]


def test_latest_first(place, adg):
    (place.q / ".adg").mkdir()
    adg(*import_(place, place.one), check=0)
    lines = ["UTC,ENVIRONMENT,VERSION,FROM", f"2020-01-01 00:00:00,staging,{'1' * 64},dev", f"2021-01-01 00:00:00,dev,{'2' * 64},dev",
             f"2022-01-01 00:00:00,staging,{'3' * 64},dev", f"2020-06-01 00:00:00,prod,{'4' * 64},staging"]
    (place.q / ".adg" / "versions.csv").write_text("\n".join(lines) + "\n")
    listed = [line.split("\t")[1:3] for line in adg("project", "releases", "--project", place.q, check=0).stdout.splitlines()]
    assert listed == [["staging", "3" * 64], ["dev", "2" * 64], ["prod", "4" * 64]]
    (place.q / ".adg" / "versions.csv").write_text("no such file\n")
    adg("project", "releases", "--project", place.q, check=4)
    adg("project", "releases", "--project", place.folder, check=1)


def test_asked_until_it_matches(place, adg):
    adg(*import_(place, place.one), check=0)
    main, terminal = pty.openpty()
    process = subprocess.Popen([ADG, *map(str, import_(place, place.two))], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(main, b"y\nCLINIC\nclinic\n")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err.count(b"Type the project's name") == 3 and out.startswith(b"replaced\t")
    before = tree(place.q)
    process = subprocess.Popen([ADG, *map(str, import_(place, place.one))], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(main, b"no\n\x04")  # the end of the input
    assert b"nothing was changed" in process.communicate(timeout=60)[1] and process.returncode == 1 and tree(place.q) == before
    os.close(main)
    os.close(terminal)


# ---- bad input --------------------------------------------------------------------------------------------------------

def refused(place, adg, data, code, message):
    """Nothing is changed by it, neither where a project is nor where none is."""
    archive = place.q.parent / "bad.tar"
    archive.write_bytes(data)
    before = tree(place.q)
    done = adg(*import_(place, archive, "--confirm", "clinic"), check=code)
    assert message in done.stderr and tree(place.q) == before and not (place.q / "prod").exists()


def test_a_changed_byte(place, adg):
    data = place.two.read_bytes()
    for at in range(300, len(data), len(data) // 40):
        changed = bytearray(data)
        changed[at] ^= 1
        archive = place.q.parent / "bad.tar"
        archive.write_bytes(changed)
        done = adg(*import_(place, archive), "--confirm", "clinic")
        assert done.returncode in (3, 4) and not (place.q / "project.yaml").exists(), at


def test_cut_off_and_no_archive(place, adg):
    data = place.two.read_bytes()
    for size in (0, 511, 512, len(data) // 2, len(data) - 512, len(data) - 1):
        refused(place, adg, data[:size], 4, "expected an archive of adg project export")
    refused(place, adg, data + b"\0" * 512, 4, "does not end where it should")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.add(place.p / "project.yaml", "project/project.yaml")
    refused(place, adg, made.getvalue(), 4, "expected an archive")
    adg(*import_(place, place.q / "none.tar"), check=1)


@pytest.mark.parametrize("name", ["project/../../escaped", "store/../../escaped", "../escaped", "/tmp/escaped", "project//escaped"])
def test_a_path_that_leaves_the_folder(name, place, adg):
    refused(place, adg, make_archive({**payload(place.two), name: b"x"}), 4, "leads out of its folder")


def test_whose_signatures_count_is_not_the_archives_to_say(place, adg):
    adg(*import_(place, place.one), check=0)
    (place.q / "mallory").mkdir()
    shutil.copytree(place.q / "trust" / "prod", place.q / "mallory" / "keys")
    (place.q / "trust" / "prod" / "approver" / "approver.pub").unlink()
    files = payload(place.two)
    named = files["project/project.yaml"].replace(b"trust: trust/prod", b"trust: mallory/keys")
    (place.q.parent / "bad.tar").write_bytes(make_archive({**files, "project/project.yaml": named}))
    before = tree(place.q)
    adg(*import_(place, place.q.parent / "bad.tar", "--confirm", "clinic"), check=3)
    assert tree(place.q) == before


@pytest.mark.parametrize("name", ["project/.adg/versions.csv", "other/file", "project/trust/prod/approver/mallory.pub", "project/source/prod/visits.csv"])
def test_a_file_that_the_project_does_not_name(name, place, adg):
    refused(place, adg, make_archive({**payload(place.two), name: b"x"}), 4, "no file that its project names")


def test_a_definition_that_is_none(place, adg):
    files = payload(place.two)
    for name, message in (("trust/prod/approver/mallory.pub", "ends in .yaml or .yml"), ("prod/store/mallory.yaml", "needs a folder of its own")):
        named = files["project/project.yaml"].replace(b"definitions/clinic.yaml", name.encode())
        refused(place, adg, make_archive({**files, "project/project.yaml": named, f"project/{name}": b"x"}), 4, message)


def test_another_project(place, adg):
    files = payload(place.two)
    refused(place, adg, make_archive(files, project="clinics"), 4, "names another project than its project.yaml")
    other = {**files, "project/project.yaml": files["project/project.yaml"].replace(b"project: clinic", b"project: ward")}
    make_project(adg, place.q.parent / "other", place.folder / "trust")
    shutil.copy(place.q.parent / "other" / "project.yaml", place.q)
    refused(place, adg, make_archive(other, project="ward"), 4, "has project clinic, the archive has project ward")


def test_a_forged_release(place, adg):
    """Hashes can be made anew by whoever changes a file; signatures cannot."""
    files = payload(place.two)
    name = f"store/{place.second}/metadata.parquet"
    refused(place, adg, make_archive({**files, name: files[name][:-9] + b"x" + files[name][-8:]}), 3, "does not match the hash")
    refused(place, adg, make_archive({n: d for n, d in files.items() if not n.endswith(f"{place.first}/approver.minisig")}), 3, "approver")
    shutil.rmtree(place.q / "trust" / "prod")
    shutil.copytree(place.folder / "trust", place.q / "trust" / "prod")
    (place.q / "trust" / "prod" / "approver" / "approver.pub").unlink()
    adg("keygen", "--key", place.q / "stranger", check=0, env=SECRET)
    shutil.move(place.q / "stranger.pub", place.q / "trust" / "prod" / "approver")
    refused(place, adg, place.two.read_bytes(), 3, "approver")


def test_no_project_without_store_or_file(place, adg):
    files = payload(place.two)
    refused(place, adg, make_archive({n: d for n, d in files.items() if not n.startswith("store/")}), 4, "no released metadata")
    refused(place, adg, make_archive({n: d for n, d in files.items() if n != "project/project.yaml"}), 4, "holds no project.yaml")
    broken = {**files, "project/project.yaml": b"project: clinic\nplaces: {store: shop}\n"}
    refused(place, adg, make_archive(broken), 4, "project.yaml:1:1: expected the key environments")
    around = files["project/project.yaml"].replace(b"    reads: [store]\n    writes: [artificial]", b"    reads: [source]\n    writes: [artificial]")
    assert around != files["project/project.yaml"]
    refused(place, adg, make_archive({**files, "project/project.yaml": around}), 3, "source")  # past the release
    adg("project", "import", place.two, "--env", "production", "--project", place.q, check=2)


def test_an_export_that_cannot_be(place, adg, tmp_path):
    p = tmp_path / "p"
    shutil.copytree(place.p, p)
    export = ["project", "export", "--env", "dev", "--project", p, "--to", tmp_path / "x.tar"]
    adg("project", "export", "--env", "nowhere", "--project", p, "--to", tmp_path / "x.tar", check=2)
    adg("project", "export", "--env", "prod", "--project", p, "--to", tmp_path / "x.tar", check=1)  # has no store
    text = (p / "project.yaml").read_text()
    (p / "project.yaml").write_text(text.replace("definitions/clinic.yaml", "../clinic.yaml"))
    assert "below the project's folder" in adg(*export, check=4).stderr
    (p / "project.yaml").write_text(text)
    metadata = p / "dev" / "store" / place.first / "metadata.parquet"
    metadata.write_bytes(metadata.read_bytes()[:-1])
    adg(*export, check=3)
    assert not (tmp_path / "x.tar").exists()


def test_one_import_at_a_time(place, adg):
    adg(*import_(place, place.one), check=0)
    before = tree(place.q)
    for lock in (place.q / ".adg" / ".adg.lock", place.q / "prod" / "store" / ".adg.lock"):
        with open(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert "another adg run" in adg(*import_(place, place.two, "--confirm", "clinic"), check=1).stderr
        lock.unlink()
        assert tree(place.q) == before
    adg(*import_(place, place.two, "--confirm", "clinic"), check=0)


def test_no_job_in_the_middle_of_an_import(place, adg):
    adg(*import_(place, place.one), check=0)
    (place.q / ".adg" / "import.json").write_text('{"stamp": "20260101000000", "items": []}')
    for command in (["job", "run", "generate"], ["project", "export", "--to", place.q.parent / "x.tar"]):
        assert "start it again" in adg(*command, "--env", "prod", "--project", place.q, check=1).stderr
    adg(*import_(place, place.one), check=0)
    adg("project", "export", "--env", "prod", "--project", place.q, "--to", place.q.parent / "x.tar", check=0)


def test_ended_from_another_folder(place, adg):
    """What was exchanged before the kill, and has not its backup's name yet, gets it, wherever the rerun is started."""
    adg(*import_(place, place.one), check=0)
    store, staging = place.q / "prod" / "store", place.q / "prod" / ".store.import"
    old = tree(store)
    staging.mkdir()
    assert "in the way" in adg(*import_(place, place.two, "--confirm", "clinic"), check=1).stderr and staging.exists() and tree(store) == old
    staging.rmdir()
    archive = tarfile.open(place.two)
    digest = hashlib.sha256("".join(f"{hashlib.sha256(d).hexdigest()}  {n[6:]}\n" for n, d in sorted(payload(place.two).items())
                                    if n.startswith("store/")).encode()).hexdigest()
    store.rename(staging)
    for member in archive.getmembers():
        if member.name.startswith("store/"):
            path = place.q / "prod" / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.extractfile(member).read())
    (place.q / ".adg" / "import.json").write_text(json.dumps({"stamp": "20260101000000", "items": [
        {"target": str(store), "folder": True, "digest": digest}]}))
    adg("project", "import", place.two, "--env", "prod", "--confirm", "clinic", cwd=place.q, check=0)
    assert tree(place.q / "prod" / "store.backup-20260101000000") == old and not staging.exists()


# ---- killed -----------------------------------------------------------------------------------------------------------

def test_killed_at_fifty_points(place, adg):
    """What was there is there, or is a backup; a rerun completes, and leaves one backup of each, whole."""
    adg(*import_(place, place.one), check=0)
    start = place.q.parent / "start"
    shutil.copytree(place.q, start)
    old, store = tree(start), {n[11:]: d for n, d in tree(start).items() if n.startswith("prod/store/")}
    command = import_(place, place.two, "--confirm", "clinic")
    took = time.perf_counter()
    adg(*command, check=0)
    took = time.perf_counter() - took
    new = {n: d for n, d in tree(place.q).items() if ".backup-" not in n and not n.startswith(".adg")}
    states = set()
    for point in range(50):
        shutil.rmtree(place.q)
        shutil.copytree(start, place.q)
        run_and_kill(command, took * point / 45)
        journal = place.q / ".adg" / "import.json"
        assert not journal.exists() or all(item["target"].startswith(str(place.q)) for item in json.loads(journal.read_text())["items"])
        kept = [place.q / "prod" / "store", *(place.q / "prod").glob("*store.*")]
        assert any(tree(folder) == store for folder in kept), point
        assert old["project.yaml"] in [p.read_bytes() for p in place.q.glob("*project.yaml*")] + [p.read_bytes() for p in place.q.glob(".project.yaml*")]
        states.add(((place.q / ".adg" / "import.json").exists(), tree(place.q / "prod" / "store") == store))
        adg(*command, check=0)
        after = tree(place.q)
        assert {n: d for n, d in after.items() if ".backup-" not in n and not n.startswith(".adg")} == new, point
        assert not (place.q / ".adg" / "import.json").exists() and not list(place.q.rglob("*.import"))
        backups = list((place.q / "prod").glob("store.backup-*"))
        assert [tree(folder) for folder in backups] == [store]
        assert [p.read_bytes() for p in place.q.glob("project.yaml.backup-*")] == [old["project.yaml"]]
        assert [p.name for p in (place.q / ".adg").iterdir()] == ["versions.csv"]
        assert len((place.q / ".adg" / "versions.csv").read_text().splitlines()) == 3
    assert {exchanged for _, exchanged in states} == {True, False} and (True, True) in states  # killed before, during and after
