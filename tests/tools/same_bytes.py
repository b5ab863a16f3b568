"""Whether two builds of the program write the same tables: same_bytes.py PROGRAM OTHER. Ends with 1 where they do not, and names the tables.

They may be for different processors, one of them run by an emulator; their compression library has to be the same version.
"""
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

# Every kind of column and of key; more than one row group and a last block that is not full, by two threads.
ASKED = {
    "one table of each dataset, coherent": ["--dataset", "hes", "--table", "hes_apc_2021", "--table", "hes_op_0304", "--table", "hes_ae_1213", "--patients", "20000"],
    "fields by themselves": ["--dataset", "hes_apc", "--table", "hes_apc_0102", "--rows", "140001", "--profile", "reference"],
}


def digests(program, arguments, out):
    """{file: SHA-256} of the tables"""
    subprocess.run([program, "generate", "--meta", "open", "--threads", "2", "--quiet", *arguments, "--out", str(out)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("artificial_*"))}


def main():
    programs = sys.argv[1:]
    if len(programs) != 2:
        sys.exit(__doc__)
    different = []
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in ASKED.items():
            for form in ("parquet", "csv", "arrow"):
                ours, theirs = (digests(program, [*arguments, "--format", form], Path(folder) / f"{len(name)}{form}{i}") for i, program in enumerate(programs))
                assert len(ours) == sum(word == "--table" for word in arguments)
                found = [table for table in ours | theirs if ours.get(table) != theirs.get(table)]
                print(f"{name}, {form}: {'not ' if found else ''}the same", flush=True)
                different += [f"{name}: {table}" for table in found]
    if different:
        sys.exit("not the same: " + ", ".join(different))


if __name__ == "__main__":
    main()
