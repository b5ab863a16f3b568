"""PostgreSQL and Spark Connect for tests: started where nobody else is, on the loopback, and stopped again."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a secret of the test"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def package_folder(name):
    return Path(__import__(name).__file__).parent


def driver_path():
    return f"{package_folder('adbc_driver_postgresql')}:{package_folder('adbc_driver_spark')}"


def environment(**more):
    """Of a command that connects: drivers, the password, and nothing that the machine's own says of databases."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ADBC_", "ADG_", "DATABRICKS"))}
    return {**kept, "ADBC_DRIVER_PATH": driver_path(), "PGPASSWORD": PASSWORD, **more}


def wait_for(port, process, seconds):
    until = time.time() + seconds
    while time.time() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process is None or process.poll() is None, "the server ended"
        time.sleep(0.2)
    raise AssertionError("the server does not answer")


@contextlib.contextmanager
def postgresql_server():
    """A cluster of its own; as root it belongs to nobody, as PostgreSQL wants it."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    folder = Path(tempfile.mkdtemp(prefix="adg-postgresql-"))
    as_whom = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    if as_whom:
        shutil.chown(folder, "nobody", "nogroup")
    port = free_port()

    def run(program, *arguments):
        subprocess.run([programs / program, "-D", folder / "data", *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, **as_whom)

    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    run("initdb", "-U", "adg", "--locale=C.UTF-8", "-E", "UTF8", "--auth-local=trust", "--auth-host=scram-sha-256",
        f"--pwfile={folder / 'password'}")

    def start():
        run("pg_ctl", "-w", "-l", folder / "log", "-o",
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c log_statement=all", "start")

    start()
    try:
        yield SimpleNamespace(port=port, folder=folder, log=folder / "log", host="127.0.0.1", restart=start,
                              uri=lambda database="postgres", user="adg": f"postgresql://{user}@127.0.0.1:{port}/{database}")
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@contextlib.contextmanager
def spark_server():
    """Spark Connect in local mode, from the pyspark package; it logs its plans in folder `events`."""
    folder = Path(tempfile.mkdtemp(prefix="adg-spark-"))
    (folder / "events").mkdir()
    port = free_port()
    settings = {"spark.connect.grpc.binding.port": port, "spark.connect.grpc.binding.address": "127.0.0.1", "spark.ui.enabled": "false",
                "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.sql.shuffle.partitions": 2,
                "spark.sql.warehouse.dir": folder / "warehouse", "spark.driver.memory": "2g",
                "spark.sql.catalogImplementation": "in-memory", "spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file:{folder / 'events'}",
                "spark.eventLog.rolling.enabled": "false", "spark.eventLog.compress": "false",
                # short work: compiling it takes longer than doing it
                "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1", "spark.sql.codegen.wholeStage": "false"}
    options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([package_folder("pyspark") / "bin" / "spark-submit", "--master", "local[2]", *options, "--class",
                                    "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"],
                                   cwd=folder, stdout=log, stderr=log, start_new_session=True,
                                   env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable,
                                        "SPARK_HOME": str(package_folder("pyspark"))})
    try:
        wait_for(port, process, 180)
        yield SimpleNamespace(port=port, folder=folder, log=folder / "log", uri=f"sc://127.0.0.1:{port}", pid=process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql():
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def spark():
    with spark_server() as server:
        yield server
