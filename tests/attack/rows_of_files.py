#!/usr/bin/env python3
"""What RocksDB's files hold: every row of every version that can be read in
them, whatever the database that they were of would still show.

    rows_of_files.py DIRECTORY > ROWS

DIRECTORY has copies of files, each called <store>-<anything>.sst or
<store>-<anything>.log, where <store> is K, D or R (a replica, which has the
rows of both behind a letter). They are read by RocksDB's own sst_dump and ldb.
ROWS is what attacker.py reads: store, size, key, size, value.
"""

import os
import re
import struct
import subprocess
import sys

SST = re.compile(rb"^'([0-9A-F]*)' seq:\d+, type:(\d+) => ([0-9A-F]*)$")
LOG = re.compile(rb"PUT\((\d+)\) : 0x([0-9A-F]*) : 0x([0-9A-F]*)")
PUT = 1


def run(*arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False).stdout


def rows_of_table(path):
    dump = run("sst_dump", "--file=" + path, "--command=scan", "--output_hex")
    for line in dump.split(b"\n"):
        found = SST.match(line)
        if found and int(found[2]) == PUT:
            yield bytes.fromhex(found[1].decode()), bytes.fromhex(
                found[3].decode())


def rows_of_log(path):
    dump = run("ldb", "dump_wal", "--walfile=" + path, "--print_value")
    for found in LOG.finditer(dump):
        yield bytes.fromhex(found[2].decode()), bytes.fromhex(
            found[3].decode())


def main():
    directory = sys.argv[1]
    seen = set()
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        of = rows_of_table if name.endswith(".sst") else rows_of_log
        for key, value in of(path):
            store = name[:1].encode()
            if store == b"R":
                if key[:1] not in b"kd":
                    continue
                store, key = key[:1].upper(), key[1:]
            if (store, key, value) in seen:
                continue
            seen.add((store, key, value))
            sys.stdout.buffer.write(store + struct.pack(">I", len(key)) + key +
                                    struct.pack(">I", len(value)) + value)


main()
