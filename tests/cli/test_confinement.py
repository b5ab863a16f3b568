"""What a running command can touch: a shim inside its process tries files and sockets, in the main and in other threads."""
import os
import subprocess

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from conftest import ADG

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One line to standard error: what came of each try. */
static void try_everything(const char *thread)
{
    const char *outside = getenv("SHIM_OUTSIDE"), *beside = getenv("SHIM_BESIDE");
    int read_fd = open(outside, O_RDONLY), read_error = read_fd < 0 ? errno : 0;
    int write_fd = open(beside, O_WRONLY | O_CREAT, 0600), write_error = write_fd < 0 ? errno : 0;
    int append_fd = open(outside, O_WRONLY | O_APPEND), append_error = append_fd < 0 ? errno : 0;
    int socket_fd = socket(AF_INET, SOCK_STREAM, 0), socket_error = socket_fd < 0 ? errno : 0;
    int unix_fd = socket(AF_UNIX, SOCK_STREAM, 0), unix_error = unix_fd < 0 ? errno : 0;
    char *arguments[] = {"/bin/true", NULL};
    execv("/bin/true", arguments);
    char line[256];
    int length = snprintf(line, sizeof line, "shim %s %d %d %d %d %d %d\n", thread, read_error, write_error, append_error, socket_error, unix_error, errno);
    if (write(2, line, (size_t)length) < 0) {
        abort();
    }
}

struct start {
    void *(*routine)(void *);
    void *argument;
};

static void *begin(void *context)
{
    struct start start = *(struct start *)context;
    free(context);
    try_everything("worker");
    return start.routine(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
    struct start *start = malloc(sizeof *start);
    *start = (struct start){routine, argument};
    try_everything("main");
    return real(thread, attributes, begin, start);
}
"""


# An older kernel: it states its version and refuses every right that came later (linux/Documentation/userspace-api/landlock.rst).
OLD_KERNEL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

long syscall(long number, ...)
{
    static const unsigned file_rights[] = {0, 13, 14, 15, 15, 16, 16};
    static const size_t sizes[] = {0, 8, 8, 8, 16, 16, 24};
    long (*real)(long, ...) = dlsym(RTLD_NEXT, "syscall"), a[6];
    int version = atoi(getenv("SHIM_LANDLOCK"));
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == 444 && version == 0) {
        errno = ENOSYS;
        return -1;
    }
    if (number == 444 && (uint32_t)a[2] == 1) {
        return version;
    }
    if (number == 444) {
        uint64_t asked[3] = {0};
        memcpy(asked, (void *)a[0], (size_t)a[1] < sizeof asked ? (size_t)a[1] : sizeof asked);
        if ((size_t)a[1] > sizes[version] || asked[0] >> file_rights[version] != 0) {
            errno = EINVAL;
            return -1;
        }
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
"""


def build(folder, text):
    (folder / "shim.c").write_text(text)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl", "-lpthread"], check=True)
    return folder / "shim.so"


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return build(tmp_path_factory.mktemp("shim"), SHIM)


@pytest.fixture(scope="module")
def old_kernel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("old_kernel"), OLD_KERNEL)


def run_with(shim, folder, *command):
    """What the shim says: (thread, error of reading, of creating beside, of appending, of both sockets, of a program) for each try."""
    (folder / "outside").mkdir(exist_ok=True)
    (folder / "outside" / "secret").write_text("secret")
    environment = {**os.environ, "LD_PRELOAD": str(shim), "SHIM_OUTSIDE": str(folder / "outside" / "secret"), "SHIM_BESIDE": str(folder / "beside"),
                   "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    done = subprocess.run([ADG, *map(str, command)], capture_output=True, text=True, env=environment, timeout=300)
    return done, {tuple([line.split()[1], *map(int, line.split()[2:])]) for line in done.stderr.splitlines() if line.startswith("shim ")}


REFUSED = (13, 13, 13, 1, 1, 1)  # EACCES of files; EPERM of sockets and programs


def test_generate(small_meta, shim):
    folder = small_meta.folder
    command = ["generate", "--dataset", small_meta.definition, "--meta", small_meta.meta, "--allow-unreleased", "--rows", 400_000, "--table", "visits",
               "--threads", 2, "--out", folder / "out", "--sandbox", "required"]
    done, tries = run_with(shim, folder, *command)
    assert done.returncode == 0, done.stderr
    assert tries == {("main", *REFUSED), ("worker", *REFUSED)}
    assert not (folder / "beside").exists() and (folder / "outside" / "secret").read_text() == "secret"
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["artificial_visits.parquet", "provenance.json"]


def test_scrape(small_meta, shim, adg):
    """From Parquet, whose engine starts threads."""
    text = pyarrow.csv.ConvertOptions(column_types={name: "string" for name in small_meta.header.split(",")})
    table = pyarrow.csv.read_csv(small_meta.source / "visits.csv", convert_options=text)
    pq.write_table(table, small_meta.source / "visits.parquet", row_group_size=500)
    expected = (small_meta.meta / "metadata.parquet").read_bytes()
    done, tries = run_with(shim, small_meta.folder, *small_meta.scrape, "--threads", 2, "--sandbox", "required")
    assert done.returncode == 0, done.stderr
    assert tries == {("main", *REFUSED), ("worker", *REFUSED)}
    assert not (small_meta.folder / "beside").exists()
    assert (small_meta.meta / "metadata.parquet").read_bytes() == expected


@pytest.mark.parametrize("to_file", [True, False])
def test_classify(small_meta, shim, to_file):
    """From Parquet; the draft to a file, and to standard output."""
    pq.write_table(pyarrow.csv.read_csv(small_meta.source / "visits.csv"), small_meta.source / "visits.parquet", row_group_size=500)
    (small_meta.folder / "drafts").mkdir()
    out = ["--out", small_meta.folder / "drafts" / "draft.yaml"] if to_file else []
    done, tries = run_with(shim, small_meta.folder, "classify", small_meta.source / "visits.parquet", *out, "--sandbox", "required")
    assert done.returncode == 0, done.stderr
    assert ("main", *REFUSED) in tries and {t[1:] for t in tries} == {REFUSED}
    assert not (small_meta.folder / "beside").exists()
    assert [p.name for p in (small_meta.folder / "drafts").iterdir()] == (["draft.yaml"] if to_file else [])
    assert (done.stdout == "") == to_file


def test_off_is_off(small_meta, shim):
    folder = small_meta.folder
    done, tries = run_with(shim, folder, "generate", "--dataset", small_meta.definition, "--meta", small_meta.meta, "--allow-unreleased", "--rows",
                           400_000, "--table", "visits", "--threads", 2, "--out", folder / "out", "--sandbox", "off")
    # the program that the shim starts takes the place of ours: that it could is what is seen
    assert done.returncode == 0 and tries == set() and (folder / "beside").exists()
    assert not (folder / "out" / "artificial_visits.parquet").exists()


def test_a_source_elsewhere_and_by_links(clinic, adg):
    """Sources are followed where they lead before the process is confined to them."""
    clinic.write("\n".join([clinic.header, *clinic.lines(100)]) + "\n", "real.csv")
    (clinic.folder / "elsewhere").mkdir()
    (clinic.source / "real.csv").rename(clinic.folder / "elsewhere" / "real.csv")
    (clinic.source / "visits.csv").symlink_to(clinic.folder / "elsewhere" / "real.csv")
    adg(*clinic.scrape, "--sandbox", "required", check=0)
    (clinic.source / "visits.csv").unlink()
    adg(*clinic.scrape, "--table", f"visits={clinic.folder / 'elsewhere' / 'real.csv'}", "--sandbox", "required", check=0)


@pytest.mark.parametrize("version, missing", [(0, ["Landlock,"]), (1, ["Landlock 2,", "Landlock 3,", "Landlock 6,"]), (2, ["Landlock 3,", "Landlock 6,"]),
                                              (3, ["Landlock 6,"]), (4, ["Landlock 6,"]), (5, ["Landlock 6,"]), (6, [])])
def test_older_kernels(version, missing, small_meta, old_kernel):
    """auto warns once about each promise that the kernel cannot keep, and keeps the others; required refuses."""
    command = ["generate", "--dataset", small_meta.definition, "--meta", small_meta.meta, "--allow-unreleased", "--rows", 100, "--table", "visits"]
    environment = {**os.environ, "LD_PRELOAD": str(old_kernel), "SHIM_LANDLOCK": str(version),
                   "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def generate(sandbox, out):
        return subprocess.run([ADG, *map(str, command), "--out", small_meta.folder / out, "--sandbox", sandbox], capture_output=True, text=True,
                              env=environment, timeout=300)

    done = generate("auto", "out")
    promises = [line for line in done.stderr.splitlines() if "this kernel cannot promise" in line]
    assert done.returncode == 0 and len(promises) == len(missing), done.stderr
    assert all(word in line for word, line in zip(missing, promises))
    done = generate("required", "refused")
    if missing:
        assert done.returncode == 1 and missing[0] in done.stderr and not (small_meta.folder / "refused").exists()
    else:
        assert done.returncode == 0, done.stderr
