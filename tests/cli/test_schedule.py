"""Schedules for systemd, Databricks and Airflow, each checked with its own tool."""
import ast
import datetime
import functools
import itertools
import os
import random
import re
import subprocess

import pytest
import yaml
from databricks.bundles.jobs import Job

PYTHON_WITH_AIRFLOW = os.environ.get("ADG_AIRFLOW")  # Airflow is too large to be installed for one test: a Python that has it


@pytest.fixture
def project(adg, tmp_path):
    folder = tmp_path / "50% of $a project"
    adg("project", "init", folder, "--name", "clinic", check=0)

    def write(out="out", form="systemd", **schedules):
        """Writes the schedules, of which some are replaced before; the files."""
        text = (folder / "project.yaml").read_text()
        for job, schedule in schedules.items():
            before, part = text.split(f"\n  {job}:\n")
            part = re.sub(r"    schedule: .*\n", "" if schedule is None else f'    schedule: "{schedule}"\n', part, count=1)
            text = f"{before}\n  {job}:\n{part}"
        (folder / "project.yaml").write_text(text)
        done = adg("job", "schedule", "--env", "prod", "--format", form, "--out", tmp_path / out, "--project", folder, "--program", "/opt/adg $1/adg", check=0)
        files = {p.name: p.read_text() for p in (tmp_path / out).iterdir()}
        assert sorted(done.stdout.splitlines()) == sorted(files)
        return files

    write.folder, write.out = folder, tmp_path / "out"
    return write


# ---- systemd ----------------------------------------------------------------------------------------------------------

def test_units(project):
    files = project()
    assert set(files) == {f"adg-clinic-prod-{job}.{kind}" for job in ("scrape", "review", "generate", "qa", "publish") for kind in ("service", "timer")}
    service = files["adg-clinic-prod-scrape.service"]
    assert 'ExecStart="/opt/adg $$1/adg" job run scrape --env prod\n' in service and "User=adg-meta\nUMask=0002\n" in service
    assert f"WorkingDirectory={str(project.folder).replace('%', '%%')}\n" in service
    assert [files[f"adg-clinic-prod-{job}.service"].split("User=")[1].split()[0] for job in ("review", "generate", "qa", "publish")] == [
        "adg-meta", "adg-generator", "adg-generator", "adg-publish"]
    assert "OnCalendar=*-*-08 01:00:00 UTC\n" in files["adg-clinic-prod-generate.timer"]


def test_units_are_verified_by_systemd(adg, project, tmp_path):
    program = tmp_path / "adg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    adg("job", "schedule", "--env", "prod", "--format", "systemd", "--out", project.out, "--project", project.folder, "--program", program, check=0)
    units = sorted(map(str, project.out.iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    (project.out / "adg-clinic-prod-qa.timer").write_text("[Timer]\nOnCalendar=never\n")
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert "never" in done.stderr  # what is wrong is found


def test_jobs_of_one_schedule_follow_each_other(project):
    files = project(qa="0 1 8 * *", publish="0 1 8 * *")
    assert "OnSuccess=adg-clinic-prod-qa.service\n" in files["adg-clinic-prod-generate.service"]
    assert "OnSuccess=adg-clinic-prod-publish.service\n" in files["adg-clinic-prod-qa.service"]
    assert "OnSuccess" not in files["adg-clinic-prod-publish.service"] + files["adg-clinic-prod-scrape.service"]
    assert {n for n in files if n.endswith("timer")} == {f"adg-clinic-prod-{job}.timer" for job in ("scrape", "review", "generate")}


@functools.cache
def fields_of(cron):
    fields = []
    for text, first, last in zip(cron.split(), (0, 0, 1, 1, 0), (59, 23, 31, 12, 7)):
        chosen = set()
        for part in text.split(","):
            span, _, step = part.partition("/")
            low, high = (first, last) if span == "*" else (int(span.split("-")[0]), int(span.split("-")[-1]))
            chosen |= set(range(low, high + 1, int(step or 1)))
        fields.append(chosen)
    return fields


def fits_day(cron, when):
    """Cron's rule, from its description: a day fits by date or by weekday where both are restricted."""
    _, _, day, month, weekday = fields_of(cron)
    by_date, by_weekday = when.day in day, bool({when.isoweekday() % 7, when.isoweekday()} & weekday)
    star = cron.split()[2].startswith("*") or cron.split()[4].startswith("*")
    return when.month in month and (by_date and by_weekday if star else by_date or by_weekday)


def fits(cron, when):
    return when.minute in fields_of(cron)[0] and when.hour in fields_of(cron)[1] and fits_day(cron, when)


def test_calendars_are_those_of_cron(project):
    """The next starts that systemd computes are the minutes that cron's rule gives."""
    draw = random.Random(11)
    crons = ["0 1 1 * *", "*/15 6-8 * * 1-5", "30 4 13 * 5", "0 0 29 2 *", "5 0 */9 1,7 *", "0 12 * * 0", "0 12 * * 7", "0 3 31 * 1,3"]
    crons += [f"{draw.choice(['0', '*/30', '7,52'])} {draw.choice(['3', '*/8', '1-4'])} {draw.choice(['*', '1', '10-12', '31'])} "
              f"{draw.choice(['*', '2,8', '*/5'])} {draw.choice(['*', '0', '2-4', '6'])}" for _ in range(12)]
    for number, cron in enumerate(crons):
        timer = project(out=f"out{number}", scrape=cron)["adg-clinic-prod-scrape.timer"]
        days = (datetime.datetime(2027, 3, 1) + datetime.timedelta(days=d) for d in range(3 * 365))
        minutes = (day + datetime.timedelta(minutes=m) for day in days if fits_day(cron, day) for m in range(24 * 60))
        expected = list(itertools.islice((when for when in minutes if fits(cron, when)), 4))
        given = []
        for line in re.findall(r"OnCalendar=(.*)", timer):
            out = subprocess.run(["systemd-analyze", "calendar", "--iterations=4", "--base-time=2027-02-28 23:59:59 UTC", line],
                                 capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
            given += [datetime.datetime.strptime(t, "%Y-%m-%d %H:%M:%S") for t in re.findall(r"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", out)]
        assert sorted(set(given))[:len(expected)] == expected, cron


# ---- Databricks -------------------------------------------------------------------------------------------------------

def test_bundle(project):
    """Its jobs are what Databricks' own package takes for jobs; one principal and cluster for each scope."""
    files = project(form="databricks", qa="0 1 8 * *")
    bundle = yaml.safe_load(files["databricks.yml"])
    jobs = bundle["resources"]["jobs"]
    assert bundle["bundle"] == {"name": "adg_clinic"} and bundle["targets"] == {"prod": {"default": True}}
    for job in jobs.values():
        assert Job.from_dict(job).as_dict() == job
    assert {n: [t["task_key"] for t in job["tasks"]] for n, job in jobs.items()} == {
        "meta_scrape": ["scrape"], "meta_review": ["review"], "generator_generate": ["generate", "qa"], "publish_publish": ["publish"]}
    assert jobs["generator_generate"]["tasks"][1]["depends_on"] == [{"task_key": "generate"}]
    assert {n: job["run_as"]["service_principal_name"] for n, job in jobs.items()} == {n: "${var.principal_%s}" % n.split("_")[0] for n in jobs}
    assert set(bundle["variables"]) == {f"{kind}_{scope}" for kind in ("principal", "cluster") for scope in ("meta", "generator", "publish")}
    assert jobs["meta_scrape"]["schedule"] == {"quartz_cron_expression": "0 0 1 1 * ?", "timezone_id": "UTC"}
    task = jobs["meta_scrape"]["tasks"][0]["spark_python_task"]
    assert task["parameters"] == ["/opt/adg $1/adg", str(project.folder), "scrape", "prod"]
    with pytest.raises(ValueError):
        Job.from_dict({**jobs["meta_scrape"], "max_concurrent_run": 1})


def test_the_bundle_runs_a_job(project, tmp_path):
    files = project(form="databricks")
    (tmp_path / "run_job.py").write_text(files["run_job.py"])
    program = tmp_path / "adg"
    program.write_text('#!/bin/sh\necho "$PWD: $*"\nexit $CODE\n')
    program.chmod(0o755)
    for code in (0, 3):
        done = subprocess.run(["python3", tmp_path / "run_job.py", program, project.folder, "scrape", "prod"], capture_output=True, text=True,
                              env={**os.environ, "CODE": str(code)})
        assert done.stdout == f"{project.folder}: job run scrape --env prod\n\n" and (done.returncode == 0) == (code == 0)


# ---- Airflow ----------------------------------------------------------------------------------------------------------

def test_dags_as_python(project):
    """What the file says, read as Python; test_dags_in_airflow has Airflow read it."""
    text = project(form="airflow", qa="0 1 8 * *")["adg_clinic_prod.py"]
    tree = ast.parse(text)
    values = {n.targets[0].id: ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign)}
    assert values == {"ADG": "/opt/adg $1/adg", "PROJECT": str(project.folder)}
    dags = [{k.arg: ast.unparse(k.value) for k in n.items[0].context_expr.keywords} for n in tree.body if isinstance(n, ast.With)]
    assert [(d["dag_id"], d["schedule"], d["catchup"]) for d in dags] == [
        (f"'adg_clinic_prod_{job}'", f"'{cron}'", "False") for job, cron in
        (("scrape", "0 1 1 * *"), ("review", "0 5 1 * *"), ("generate", "0 1 8 * *"), ("publish", "0 7 8 * *"))]


@pytest.mark.skipif(PYTHON_WITH_AIRFLOW is None, reason="ADG_AIRFLOW names no Python with apache-airflow 3 (pip install apache-airflow==3.3.2)")
def test_dags_in_airflow(project, tmp_path):
    project(form="airflow", qa="0 1 8 * *")
    code = ("import sys\nfrom airflow.dag_processing.dagbag import DagBag\nbag = DagBag(sys.argv[1])\nassert not bag.import_errors, bag.import_errors\n"
            "for n, d in sorted(bag.dags.items()):\n    print(n, d.schedule, [(t.task_id, t.run_as_user, sorted(t.upstream_task_ids)) for t in d.tasks])\n")
    done = subprocess.run([PYTHON_WITH_AIRFLOW, "-c", code, project.out], capture_output=True, text=True, env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "home")})
    assert done.returncode == 0, done.stderr
    assert "adg_clinic_prod_generate 0 1 8 * * [('generate', 'adg-generator', []), ('qa', 'adg-generator', ['generate'])]\n" in done.stdout


# ---- bad input --------------------------------------------------------------------------------------------------------

def test_what_cannot_be_scheduled(adg, project, tmp_path):
    project(scrape="0 0 1 * 1")
    base = ["job", "schedule", "--project", project.folder, "--out", tmp_path / "none"]
    assert "job scrape: a schedule of days" in adg(*base, "--env", "prod", "--format", "databricks", check=4).stderr
    adg(*base, "--env", "production", "--format", "systemd", check=2)
    adg(*base, "--env", "prod", "--format", "cron", check=2)
    adg(*base, "--env", "prod", "--format", "systemd", "--program", "adg", check=2)
    assert "backslashes" in adg(*base, "--env", "prod", "--format", "systemd", "--program", "/opt/a\\dg", check=4).stderr
    adg(*base[:-1], tmp_path / "none" / "deeper", "--env", "prod", "--format", "systemd", check=1)
    for job in ("scrape", "review", "generate", "qa", "publish"):
        text = (project.folder / "project.yaml").read_text()
        (project.folder / "project.yaml").write_text(re.sub(r"    schedule: .*\n", "", text))
    assert "no job in" in adg(*base, "--env", "prod", "--format", "systemd", check=4).stderr
    assert not (tmp_path / "none").exists()
