#!/usr/bin/env python3
"""The late-comer: has every row that either store ever held, and slots.

    attacker.py ROWS SLOT... [--passphrase TEXT] [--break bucket|page]
        [--old SLOT...]

ROWS holds everything that was ever written into the stores, each row as
store u8 ("K" or "D"), u32 size, key, u32 size, value. SLOT are root slot
files. Everything known is tried on everything there is until nothing new
opens; then each key of a person and each index entry that opened is printed:

    dek SUBJECT CLASS GENERATION
    index SUBJECT VALUE

Written from crypto/FORMAT.md and service/vault/FORMAT.md; shares nothing with
Hizo but libsodium. Suite 1 only.

--passphrase opens roots that are sealed with it; sealed roots are passed over
otherwise.

--break adds the rows that a wrong seal would have written, made with the roots
in the --old slots: "bucket" leaves a bucket its key, "page" a page. With either
the attacker must get in, or it would prove nothing.
"""

import ctypes
import ctypes.util
import hashlib
import struct
import sys
from collections import defaultdict

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
PAGE_KEYS = 256


def lp(part):
    return struct.pack(">I", len(part)) + part


def prf(key, label, *parts):
    message = label + b"\0" + b"".join(lp(p) for p in parts)
    return hashlib.blake2b(message, key=key, digest_size=32).digest()


def unseal(key, data, sealed):
    if len(sealed) < 40:
        return None
    nonce, rest = sealed[:24], sealed[24:]
    out = ctypes.create_string_buffer(len(rest))
    size = ctypes.c_ulonglong()
    failed = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, ctypes.byref(size), None, rest, ctypes.c_ulonglong(len(rest)),
        data, ctypes.c_ulonglong(len(data)), nonce, key)
    return None if failed else out.raw[:size.value]


def seal(key, data, plain):
    nonce = bytes(range(24))
    out = ctypes.create_string_buffer(len(plain) + 16)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, None, plain, ctypes.c_ulonglong(len(plain)), data,
        ctypes.c_ulonglong(len(data)), None, nonce, key)
    return nonce + out.raw


def keys_in(block):
    return [block[i * 32:(i + 1) * 32] for i in range(PAGE_KEYS)]


def derived(passphrase, passes, kibibytes, salt):
    argon2id13 = 2
    key = ctypes.create_string_buffer(32)
    failed = sodium.crypto_pwhash(
        key, ctypes.c_ulonglong(32), passphrase,
        ctypes.c_ulonglong(len(passphrase)), salt, ctypes.c_ulonglong(passes),
        ctypes.c_size_t(kibibytes * 1024), argon2id13)
    assert not failed
    return key.raw


def root_of(block, passphrase):
    if block[9] == 0:
        return block[40:72]
    if passphrase is None:
        return None
    passes, kibibytes = struct.unpack(">II", block[40:48])
    key = derived(passphrase, passes, kibibytes, block[48:64])
    return unseal(key, block[:40], block[64:136])


def roots_in(slots, passphrase):
    roots = {}
    for slot in slots:
        with open(slot, "rb") as file:
            data = file.read()
        for at in (0, 4096):
            block = data[at:at + 4096]
            if block[:8] == b"HIZOSLT1":
                epoch = struct.unpack(">Q", block[32:40])[0]
                root = root_of(block, passphrase)
                if root is not None:
                    roots.setdefault(epoch, set()).add(root)
    return roots


def read_rows(path):
    rows = []
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        store = data[at:at + 1]
        size = struct.unpack(">I", data[at + 1:at + 5])[0]
        key = data[at + 5:at + 5 + size]
        at += 5 + size
        size = struct.unpack(">I", data[at:at + 4])[0]
        value = data[at + 4:at + 4 + size]
        at += 4 + size
        rows.append((store, key, value))
    return rows


def undone(value):
    """The rows of before that an undo row holds."""
    at = 1 + 8
    while at + 4 <= len(value):
        size = struct.unpack(">I", value[at:at + 4])[0]
        key = value[at + 4:at + 4 + size]
        at += 4 + size + 1
        size = struct.unpack(">I", value[at:at + 4])[0]
        yield key, value[at + 4:at + 4 + size]
        at += 4 + size


class Attacker:

    def __init__(self, rows):
        self.spaces = defaultdict(set)
        for store, key, value in rows:
            if store == b"K":
                self.add(key, value)
        meta = next(iter(self.spaces[b"M"]))[1]
        assert meta[0] == 1, "only suite 1"
        self.store_id, self.salt = meta[1:17], meta[17:49]
        self.page_keys = defaultdict(set)  # by page
        self.bucket_keys = defaultdict(set)  # by bucket
        self.leaves = defaultdict(set)  # by row key
        self.deks = {}  # (subject, class, generation) -> keys
        self.indexed = set()
        self.opened = {}  # pages: (level, index, epoch) -> block
        self.tried = set()

    def add(self, key, value):
        self.spaces[key[:1]].add((key, value))
        if key[:1] == b"U":
            for before in undone(value):
                if before[1]:
                    self.add(*before)

    def page_data(self, level, index, epoch):
        return (b"hizo/page/v1\0" + self.store_id +
                struct.pack(">BHQ", level, index, epoch))

    def open_pages(self, roots):
        for key, value in self.spaces[b"P"]:
            level, index = struct.unpack(">BH", key[1:4])
            epoch = struct.unpack(">Q", value[:8])[0]
            known = ({r for of in roots.values() for r in of}
                     if level == 0 else self.page_keys[index])
            for parent in list(known):
                if (parent, value) in self.tried:
                    continue
                self.tried.add((parent, value))
                block = unseal(parent, self.page_data(level, index, epoch),
                               value[8:])
                if block is None:
                    continue
                self.opened[(level, index, epoch)] = block
                for i, child in enumerate(keys_in(block)):
                    if level == 0:
                        self.page_keys[i].add(child)
                    else:
                        self.bucket_keys[index * 256 + i].add(child)

    def bucket_of(self, name):
        return struct.unpack(">H", prf(self.salt, b"hizo/bucket/v1",
                                       name)[:2])[0]

    def unwrap(self, name, detail, mixed, wrap):
        """`wrap` under any key that is known; `mixed` are tenant keys."""
        data = b"hizo/key/v1\0" + self.store_id + lp(name) + lp(detail)
        for bucket_key in self.bucket_keys[self.bucket_of(name)]:
            for tenant_key in mixed:
                if (bucket_key, tenant_key, wrap) in self.tried:
                    continue
                self.tried.add((bucket_key, tenant_key, wrap))
                wrapping = prf(bucket_key, b"hizo/wrap/v1", name, tenant_key)
                key = unseal(wrapping, data, wrap)
                if key is not None:
                    return key
        return None

    def open_leaves(self):
        for key, value in self.spaces[b"L"]:
            tenant, kind = struct.unpack(">IB", key[1:6])
            plain = tenant == 0 or kind == 1
            own = b"L" + struct.pack(">IB", tenant, 1)
            mixed = [b""] if plain else list(self.leaves[own])
            opened = self.unwrap(key, b"leaf", mixed, value)
            if opened is not None:
                self.leaves[key].add(opened)

    def deks_of(self, key, row):
        if row[:1] != b"\1":
            return
        tenant, subject = key[3:7], key[7:23]
        name = b"K" + tenant + subject
        own = b"L" + tenant + b"\1"
        for i in range(row[1]):
            entry = row[2 + i * 79:2 + (i + 1) * 79]
            dek = self.unwrap(name, entry[:7], list(self.leaves[own]),
                              entry[7:])
            if dek is not None:
                number, generation = struct.unpack(">HI", entry[:6])
                self.deks.setdefault((subject, number, generation),
                                     set()).add(dek)

    def open_deks(self):
        for key, value in self.spaces[b"K"]:
            self.deks_of(key, value)
        for key, value in self.spaces[b"E"]:
            if value[:2] == b"\1\1":
                self.deks_of(key, value[2:])
            elif value[:2] == b"\1\3":
                self.deks_of(key, value[10:])

    def open_index(self):
        for key, value in self.spaces[b"X"]:
            kind, tenant, route = key[1:3], key[3:7], key[7:9]
            leaf = b"L" + tenant + b"\5" + kind + route
            for shard in self.leaves[leaf]:
                if (shard, key, value) in self.tried:
                    continue
                self.tried.add((shard, key, value))
                entry = unseal(prf(shard, b"hizo/index-seal/v1"),
                               b"hizo/index/v1\0" + lp(key), value)
                if entry is not None:
                    # Behind the value, 0x80 and zeros up to a size.
                    found = entry[16:].rstrip(b"\0")[:-1]
                    self.indexed.add((entry[:16], found))

    def run(self, roots):
        before = -1
        while before != len(self.tried):
            before = len(self.tried)
            self.open_pages(roots)
            self.open_leaves()
            self.open_deks()
            self.open_index()


def broken(rows, roots, old_roots, what):
    """Rows that a seal would have written that leaves keys what they were."""
    now = max(roots)
    latest = Attacker(rows)
    latest.run(roots)
    past = Attacker(rows)
    past.run(old_roots)
    made = []
    if what == "page":
        for (level, _, epoch), block in past.opened.items():
            if level == 0 and epoch < now:
                for root in roots[now]:
                    made.append((0, 0, root, block))
    if what == "bucket":
        for (level, index, _), block in past.opened.items():
            if level == 1:
                for parent in latest.page_keys[index]:
                    made.append((1, index, parent, block))
    return rows + [
        (b"K", b"P" + struct.pack(">BH", level, index),
         struct.pack(">Q", now) +
         seal(parent, latest.page_data(level, index, now), block))
        for level, index, parent, block in made
    ]


def main():
    arguments = sys.argv[1:]
    old, what = [], None
    if "--old" in arguments:
        at = arguments.index("--old")
        arguments, old = arguments[:at], arguments[at + 1:]
    if "--break" in arguments:
        at = arguments.index("--break")
        what = arguments[at + 1]
        del arguments[at:at + 2]
    passphrase = None
    if "--passphrase" in arguments:
        at = arguments.index("--passphrase")
        passphrase = arguments[at + 1].encode()
        del arguments[at:at + 2]
    rows = read_rows(arguments[0])
    roots = roots_in(arguments[1:], passphrase)
    if what is not None:
        rows = broken(rows, roots, roots_in(old, passphrase), what)
    attacker = Attacker(rows)
    attacker.run(roots)
    for subject, number, generation in sorted(attacker.deks):
        print("dek", subject.hex(), number, generation)
    for subject, value in sorted(attacker.indexed):
        print("index", subject.hex(), value.decode())


main()
