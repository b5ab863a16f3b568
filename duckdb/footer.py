#!/usr/bin/env python3
"""Makes a DuckDB extension of a shared object: the same bytes, and behind them a footer.

The footer is a custom section of WebAssembly, so that extensions for that platform stay valid: its head, then eight fields of 32 bytes and 256
bytes for a signature, which this extension has not. DuckDB reads it before it loads the file.
"""
import argparse
from pathlib import Path

PLATFORMS = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}
HEAD = b"\x00\x93\x04\x10duckdb_signature\x80\x04"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--version", required=True, help="of the extension")
    parser.add_argument("--api", required=True, help="the version of DuckDB's C API that it was written against")
    parser.add_argument("--processor", required=True, choices=PLATFORMS)
    arguments = parser.parse_args()
    fields = ["", "", "", "C_STRUCT", arguments.version, arguments.api, PLATFORMS[arguments.processor], "4"]
    footer = HEAD + b"".join(f.encode().ljust(32, b"\0") for f in fields) + bytes(256)
    arguments.out.write_bytes(arguments.library.read_bytes() + footer)


if __name__ == "__main__":
    main()
