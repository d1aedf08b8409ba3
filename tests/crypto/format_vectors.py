#!/usr/bin/env python3
"""Prints tests/crypto/format_vectors.h: sealed bytes for format_test.cc.

A second implementation of crypto/FORMAT.md, from its text alone: hashlib for
BLAKE2b, libsodium through ctypes for XChaCha20-Poly1305. All inputs are fixed,
so that the output is too.
"""

import ctypes
import ctypes.util
import hashlib
import struct

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
P = 2**130 - 5


def lp(part):
    return struct.pack(">I", len(part)) + part


def blake(key, message, size=32):
    return hashlib.blake2b(message, key=key, digest_size=size).digest()


def prf(key, label, *parts):
    return blake(key, label + b"\0" + b"".join(lp(p) for p in parts))


def seal(key, aad, nonce, plaintext):
    out = ctypes.create_string_buffer(len(plaintext) + 16)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, None, plaintext, ctypes.c_ulonglong(len(plaintext)), aad,
        ctypes.c_ulonglong(len(aad)), None, nonce, key)
    return nonce + out.raw


def pad32(plaintext):
    assert len(plaintext) < 256
    padded = plaintext + b"\x80"
    return padded + bytes(-len(padded) % 32)


def fill(seed, size):
    return hashlib.shake_128(seed).digest(size)


# --- sealed rows -----------------------------------------------------------


class Place:
    def __init__(self, header):
        self.tenant = struct.pack(">I", 7)
        self.subject = fill(b"subject", 16)
        self.klass = struct.pack(">H", 2)
        self.record = fill(b"record", 16)
        self.bytes = (header + lp(self.tenant) + lp(self.subject) +
                      lp(self.klass) + lp(self.record))


HEADER = bytes([1, 1]) + struct.pack(">HHHII", 0, 2, 0, 3, 20260101)


def record_keys(dek, place):
    both = blake(dek, b"hizo/record/v1\0" + place.bytes, 64)
    return both[:32], both[32:]


def field_data(place, number, version):
    return (b"hizo/field/v1\0" + place.bytes +
            struct.pack(">HQ", number, version))


def row_of(dek, place, version, epoch, fields):
    """`fields` is a list of (number, version, sealed)."""
    _, commit_key = record_keys(dek, place)
    stamp = struct.pack(">QQ", version, epoch)
    count = struct.pack(">H", len(fields))
    table = [struct.pack(">HQI", n, v, len(s)) for n, v, s in fields]
    committed = b"".join(t + s[:24] + s[-16:]
                         for t, (_, _, s) in zip(table, fields))
    commitment = blake(commit_key, b"hizo/row/v1\0" + place.bytes + stamp +
                       count + committed)
    return (HEADER + stamp + commitment + count + b"".join(table) +
            b"".join(s for _, _, s in fields))


def golden_row():
    place = Place(HEADER)
    dek = fill(b"dek", 32)
    key, _ = record_keys(dek, place)
    fields = []
    for number, version, text in [(1, 4, b"Ada"), (2, 5, b""),
                                  (9, 5, b"x" * 40)]:
        nonce = fill(b"nonce %d" % number, 24)
        fields.append((number, version,
                       seal(key, field_data(place, number, version), nonce,
                            pad32(text))))
    return dek, place, row_of(dek, place, 5, 0x0102030405060708, fields)


# --- one ciphertext, two keys ----------------------------------------------


def stream(key, nonce, size):
    """The XChaCha20 stream from block 0 on."""
    subkey = ctypes.create_string_buffer(32)
    sodium.crypto_core_hchacha20(subkey, nonce[:16], key, None)
    out = ctypes.create_string_buffer(size)
    sodium.crypto_stream_chacha20_ietf(out, ctypes.c_ulonglong(size),
                                       bytes(4) + nonce[16:], subkey)
    return out.raw


def poly_key(key, nonce):
    block = stream(key, nonce, 32)
    r = int.from_bytes(block[:16], "little")
    return (r & 0x0ffffffc0ffffffc0ffffffc0fffffff,
            int.from_bytes(block[16:], "little"))


def poly_blocks(aad, ciphertext):
    text = (aad + bytes(-len(aad) % 16) + ciphertext +
            bytes(-len(ciphertext) % 16) +
            struct.pack("<QQ", len(aad), len(ciphertext)))
    return [int.from_bytes(text[i:i + 16], "little") + 2**128
            for i in range(0, len(text), 16)]


def evaluate(blocks, r):
    total = 0
    for block in blocks:
        total = (total + block) * r % P
    return total


def salamander(key1, key2, aad):
    """nonce, ciphertext of 96 bytes and tag that both keys open to padding."""
    for i in range(10**6):
        nonce = fill(b"salamander %d" % i, 24)
        streams = [stream(k, nonce, 64 + 96)[64:] for k in (key1, key2)]
        if streams[0][-1] == streams[1][-1]:
            break
    last = streams[0][-1] ^ 0x80  # the padding's mark under both
    (r1, s1), (r2, s2) = poly_key(key1, nonce), poly_key(key2, nonce)
    base = bytes(32) + fill(b"salamander body", 63) + bytes([last])
    blocks = poly_blocks(aad, base)
    at = len(blocks) - 1 - 6  # the first ciphertext block; it and the next vary
    for i in (at, at + 1):
        blocks[i] = 0
    powers = [(pow(r, len(blocks) - at, P), pow(r, len(blocks) - at - 1, P))
              for r in (r1, r2)]
    (a, b), (c, d) = powers
    inverse = pow((a * d - b * c) % P, -1, P)
    for i in range(10**6):
        tag = fill(b"salamander tag %d" % i, 16)
        number = int.from_bytes(tag, "little")
        e = ((number - s1) % 2**128 - evaluate(blocks, r1)) % P
        f = ((number - s2) % 2**128 - evaluate(blocks, r2)) % P
        x = (e * d - b * f) * inverse % P - 2**128
        y = (a * f - e * c) * inverse % P - 2**128
        if 0 <= x < 2**128 and 0 <= y < 2**128:
            body = (x.to_bytes(16, "little") + y.to_bytes(16, "little") +
                    base[32:])
            return nonce + body + tag
    raise AssertionError("no salamander")


def salamander_row():
    place = Place(HEADER)
    deks = [fill(b"salamander dek 1", 32), fill(b"salamander dek 2", 32)]
    keys = [record_keys(dek, place)[0] for dek in deks]
    aad = field_data(place, 1, 1)
    sealed = salamander(keys[0], keys[1], aad)
    return deks, keys, aad, row_of(deks[0], place, 1, 9, [(1, 1, sealed)])


# --- key tree, index, note -------------------------------------------------


def golden_wrap():
    store_id, salt = fill(b"store", 16), fill(b"salt", 32)
    root, tenant_key, key = (fill(s, 32) for s in (b"root", b"tenant", b"key"))
    name, detail, epoch = b"\x00name", b"detail", 6
    bucket = int.from_bytes(prf(salt, b"hizo/bucket/v1", name)[:2], "big")
    # In this tree the key of a bucket is its number, 16 times over.
    wrapping = prf(struct.pack(">H", bucket) * 16, b"hizo/wrap/v1", name,
                   tenant_key)
    aad = b"hizo/key/v1\0" + store_id + lp(name) + lp(detail)
    sealed = seal(wrapping, aad, fill(b"wrap nonce", 24), key)
    check = prf(root, b"hizo/rootcheck/v1", store_id, struct.pack(">Q", epoch))
    return [("StoreId", store_id), ("StoreSalt", salt), ("Root", root),
            ("TenantKey", tenant_key), ("WrappedKey", key), ("Wrap", sealed),
            ("RootCheck", check), ("Bucket", struct.pack(">H", bucket))]


def golden_index():
    key, kind = fill(b"shard", 32), struct.pack(">BH", 1, 3)
    text, subject = b"ada@example.com", fill(b"subject", 16)
    tag = prf(key, b"hizo/tag/v1", kind, text)[:16]
    route = prf(key, b"hizo/route/v1", kind, text)[:2]
    sealed = seal(prf(key, b"hizo/index-seal/v1"),
                  b"hizo/index/v1\0" + lp(b"row key"), fill(b"index nonce", 24),
                  pad32(subject + text))
    return [("ShardKey", key), ("IndexTag", tag), ("IndexRoute", route),
            ("IndexEntry", sealed)]


def golden_slot():
    def head(protection):
        return (b"HIZOSLT1" + bytes([1, protection]) + bytes(6) +
                fill(b"store", 16) + struct.pack(">Q", 6) + fill(b"root", 32))

    def checksum(start):
        block = start + bytes(4096 - 32 - len(start))
        return hashlib.blake2b(block, digest_size=32).digest()

    return [("SlotChecksum", checksum(head(0))), ("ProtectedBlock", head(9)),
            ("ProtectedChecksum", checksum(head(9)))]


def main():
    dek, place, row = golden_row()
    deks, keys, aad, two_key_row = salamander_row()
    vectors = [("Dek", dek), ("Subject", place.subject),
               ("RecordId", place.record), ("Row", row),
               ("SalamanderDek1", deks[0]), ("SalamanderDek2", deks[1]),
               ("SalamanderFieldKey1", keys[0]),
               ("SalamanderFieldKey2", keys[1]), ("SalamanderData", aad),
               ("SalamanderRow", two_key_row)]
    vectors += golden_wrap() + golden_index() + golden_slot()
    vectors.append(("Prf", prf(dek, b"label", b"ab", b"c")))
    print("// Made by tests/crypto/format_vectors.py, an independent encoder of "
          "the\n// formats of crypto/FORMAT.md. Do not edit.")
    print("#ifndef HIZO_TESTS_CRYPTO_FORMAT_VECTORS_H_")
    print("#define HIZO_TESTS_CRYPTO_FORMAT_VECTORS_H_\n")
    print("namespace hizo::crypto {\n")
    for name, value in vectors:
        text = value.hex()
        lines = [text[i:i + 72] for i in range(0, len(text), 72)]
        print("inline constexpr char kVector%s[] =" % name)
        print("\n".join('    "%s"' % line for line in lines) + ";")
    print("\n}  // namespace hizo::crypto\n")
    print("#endif  // HIZO_TESTS_CRYPTO_FORMAT_VECTORS_H_")


if __name__ == "__main__":
    main()
