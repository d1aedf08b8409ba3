#!/usr/bin/env python3
"""Prints tests/crypto/format_vectors.h: sealed bytes of both cipher suites.

A second implementation of crypto/FORMAT.md, from its text alone. Suite 1:
hashlib for BLAKE2b, libsodium through ctypes for XChaCha20-Poly1305. Suite 2:
hmac and hashlib for HMAC and HKDF, OpenSSL through ctypes for AES-256-GCM,
where Hizo uses OpenSSL for SHA-256 and libsodium for GCM. All inputs are
fixed, so that the output is too.
"""

import ctypes
import ctypes.util
import hashlib
import hmac
import struct

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
openssl = ctypes.CDLL(ctypes.util.find_library("crypto"))
for function in (openssl.EVP_CIPHER_CTX_new, openssl.EVP_aes_256_ecb,
                 openssl.EVP_aes_256_gcm):
    function.restype = ctypes.c_void_p
P = 2**130 - 5


def lp(part):
    return struct.pack(">I", len(part)) + part


def fields_of(label, parts):
    return label + b"\0" + b"".join(lp(p) for p in parts)


class Suite1:
    number, prefix = 1, ""

    @staticmethod
    def mac(key, message, size=32):
        return hashlib.blake2b(message, key=key, digest_size=size).digest()

    @classmethod
    def prf(cls, key, label, *parts):
        return cls.mac(key, fields_of(label, parts))

    derive = prf

    @classmethod
    def expand(cls, key, info):
        return cls.mac(key, info, 64)

    @staticmethod
    def seal(key, aad, nonce, plaintext):
        out = ctypes.create_string_buffer(len(plaintext) + 16)
        sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            out, None, plaintext, ctypes.c_ulonglong(len(plaintext)), aad,
            ctypes.c_ulonglong(len(aad)), None, nonce, key)
        return nonce + out.raw

    @staticmethod
    def salamander(key1, key2, aad):
        return salamander(key1, key2, aad)

    @staticmethod
    def marked(wrapped):
        return wrapped


class Suite2:
    number, prefix = 2, "Aes"

    @staticmethod
    def mac(key, message):
        return hmac.new(key, message, "sha256").digest()

    @classmethod
    def prf(cls, key, label, *parts):
        return cls.mac(key, fields_of(label, parts))

    @classmethod
    def derive(cls, key, label, *parts):
        return cls.expand(key, fields_of(label, parts))[:32]

    @classmethod
    def expand(cls, key, info):
        first = cls.mac(key, info + b"\1")
        return first + cls.mac(key, first + info + b"\2")

    @classmethod
    def seal(cls, key, aad, nonce, plaintext):
        return nonce + gcm(message_key(key, nonce), nonce[12:], aad, plaintext)

    @staticmethod
    def salamander(key1, key2, aad):
        return gcm_salamander(key1, key2, aad)

    @staticmethod
    def marked(wrapped):
        return b"\2" + wrapped


# --- XAES-256-GCM ----------------------------------------------------------


def evp(cipher, key, iv):
    context = ctypes.c_void_p(openssl.EVP_CIPHER_CTX_new())
    openssl.EVP_EncryptInit_ex(context, ctypes.c_void_p(cipher()), None, key, iv)
    openssl.EVP_CIPHER_CTX_set_padding(context, 0)
    return context


def update(context, data, out):
    count = ctypes.c_int()
    openssl.EVP_EncryptUpdate(context, out, ctypes.byref(count), data,
                              len(data))


def aes(key, block):
    context = evp(openssl.EVP_aes_256_ecb, key, None)
    out = ctypes.create_string_buffer(32)
    update(context, block, out)
    openssl.EVP_CIPHER_CTX_free(context)
    return out.raw[:16]


def gcm(key, iv, aad, plaintext):
    context = evp(openssl.EVP_aes_256_gcm, key, iv)
    out = ctypes.create_string_buffer(len(plaintext) + 16)
    tag = ctypes.create_string_buffer(16)
    if aad:
        update(context, aad, None)
    update(context, plaintext, out)
    openssl.EVP_EncryptFinal_ex(context, tag, ctypes.byref(ctypes.c_int()))
    openssl.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, tag)
    openssl.EVP_CIPHER_CTX_free(context)
    return out.raw[:len(plaintext)] + tag.raw


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def message_key(key, nonce):
    """AES key of one message: CMAC of 00 01 58 00 salt and 00 02 58 00 salt."""
    top = int.from_bytes(aes(key, bytes(16)), "big")
    subkey = ((top << 1) % 2**128 ^ (0x87 if top >> 127 else 0)).to_bytes(
        16, "big")
    return b"".join(
        aes(key, xor(subkey, bytes([0, i]) + b"X\0" + nonce[:12]))
        for i in (1, 2))


def multiply(x, y):
    """In GCM's field, whose first bit is the constant."""
    product = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            product ^= y
        y = y >> 1 ^ (0xe1 << 120 if y & 1 else 0)
    return product


def power(x, exponent):
    result = 1 << 127
    for bit in bin(exponent)[2:]:
        result = multiply(result, result)
        if bit == "1":
            result = multiply(result, x)
    return result


def gcm_salamander(key1, key2, aad):
    """As salamander below. GCM's tag is linear in the ciphertext: one block
    that is free makes the tags of two keys equal."""
    for i in range(10**6):
        nonce = fill(b"gcm salamander %d" % i, 24)
        keys = [message_key(k, nonce) for k in (key1, key2)]
        streams = [gcm(k, nonce[12:], b"", bytes(96))[:96] for k in keys]
        if streams[0][-1] == streams[1][-1]:
            break
    body = (bytes(16) + fill(b"gcm salamander body", 79) +
            bytes([streams[0][-1] ^ 0x80]))
    text = (aad + bytes(-len(aad) % 16) + body +
            struct.pack(">QQ", 8 * len(aad), 8 * len(body)))
    blocks = [int.from_bytes(text[i:i + 16], "big")
              for i in range(0, len(text), 16)]
    free = len(blocks) - 1 - 6
    hashes = [int.from_bytes(aes(k, bytes(16)), "big") for k in keys]
    total = 0
    for k in keys:
        total ^= int.from_bytes(aes(k, nonce[12:] + bytes([0, 0, 0, 1])), "big")
    for h in hashes:
        value = 0
        for block in blocks:
            value = multiply(value ^ block, h)
        total ^= value
    exponent = len(blocks) - free
    divisor = power(hashes[0], exponent) ^ power(hashes[1], exponent)
    chosen = multiply(total, power(divisor, 2**128 - 2)).to_bytes(16, "big")
    body = chosen + body[16:]
    sealed = [nonce + gcm(k, nonce[12:], aad, xor(body, s))
              for k, s in zip(keys, streams)]
    assert sealed[0] == sealed[1]
    return sealed[0]


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


def header_of(suite):
    return (bytes([1, suite.number]) +
            struct.pack(">HHHII", 0, 2, 0, 3, 20260101))


def record_keys(suite, dek, place):
    both = suite.expand(dek, b"hizo/record/v1\0" + place.bytes)
    return both[:32], both[32:]


def field_data(place, number, version):
    return (b"hizo/field/v1\0" + place.bytes +
            struct.pack(">HQ", number, version))


def row_of(suite, dek, place, version, epoch, fields):
    """`fields` is a list of (number, version, sealed)."""
    _, commit_key = record_keys(suite, dek, place)
    stamp = struct.pack(">QQ", version, epoch)
    count = struct.pack(">H", len(fields))
    table = [struct.pack(">HQI", n, v, len(s)) for n, v, s in fields]
    committed = b"".join(t + s[:24] + s[-16:]
                         for t, (_, _, s) in zip(table, fields))
    commitment = suite.mac(commit_key, b"hizo/row/v1\0" + place.bytes + stamp +
                           count + committed)
    return (header_of(suite) + stamp + commitment + count + b"".join(table) +
            b"".join(s for _, _, s in fields))


def golden_row(suite):
    place = Place(header_of(suite))
    dek = fill(b"dek", 32)
    key, _ = record_keys(suite, dek, place)
    fields = []
    for number, version, text in [(1, 4, b"Ada"), (2, 5, b""),
                                  (9, 5, b"x" * 40)]:
        nonce = fill(b"nonce %d" % number, 24)
        fields.append((number, version,
                       suite.seal(key, field_data(place, number, version),
                                  nonce, pad32(text))))
    return dek, place, row_of(suite, dek, place, 5, 0x0102030405060708, fields)


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


def salamander_row(suite):
    place = Place(header_of(suite))
    deks = [fill(b"salamander dek 1", 32), fill(b"salamander dek 2", 32)]
    keys = [record_keys(suite, dek, place)[0] for dek in deks]
    aad = field_data(place, 1, 1)
    sealed = suite.salamander(keys[0], keys[1], aad)
    return deks, keys, aad, row_of(suite, deks[0], place, 1, 9,
                                   [(1, 1, sealed)])


# --- key tree, index, note -------------------------------------------------


def golden_wrap(suite):
    store_id, salt = fill(b"store", 16), fill(b"salt", 32)
    root, tenant_key, key = (fill(s, 32) for s in (b"root", b"tenant", b"key"))
    name, detail, epoch = b"\x00name", b"detail", 6
    bucket = int.from_bytes(suite.prf(salt, b"hizo/bucket/v1", name)[:2], "big")
    # In this tree the key of a bucket is its number, 16 times over.
    wrapping = suite.derive(struct.pack(">H", bucket) * 16, b"hizo/wrap/v1",
                            name, tenant_key)
    aad = b"hizo/key/v1\0" + store_id + lp(name) + lp(detail)
    sealed = suite.marked(suite.seal(wrapping, aad, fill(b"wrap nonce", 24),
                                     key))
    check = suite.prf(root, b"hizo/rootcheck/v1", store_id,
                      struct.pack(">Q", epoch))
    return [("StoreId", store_id), ("StoreSalt", salt), ("Root", root),
            ("TenantKey", tenant_key), ("WrappedKey", key), ("Wrap", sealed),
            ("RootCheck", check), ("Bucket", struct.pack(">H", bucket))]


def golden_index(suite):
    key, kind = fill(b"shard", 32), struct.pack(">BH", 1, 3)
    text, subject = b"ada@example.com", fill(b"subject", 16)
    tag = suite.prf(key, b"hizo/tag/v1", kind, text)[:16]
    route = suite.prf(key, b"hizo/route/v1", kind, text)[:2]
    sealed = suite.seal(suite.derive(key, b"hizo/index-seal/v1"),
                        b"hizo/index/v1\0" + lp(b"row key"),
                        fill(b"index nonce", 24), pad32(subject + text))
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


def vectors_of(suite):
    dek, place, row = golden_row(suite)
    deks, keys, aad, two_key_row = salamander_row(suite)
    vectors = [("Dek", dek), ("Subject", place.subject),
               ("RecordId", place.record), ("Row", row),
               ("SalamanderDek1", deks[0]), ("SalamanderDek2", deks[1]),
               ("SalamanderFieldKey1", keys[0]),
               ("SalamanderFieldKey2", keys[1]), ("SalamanderData", aad),
               ("SalamanderRow", two_key_row)]
    vectors += golden_wrap(suite) + golden_index(suite)
    if suite is Suite1:
        vectors += golden_slot()
    vectors.append(("Prf", suite.prf(dek, b"label", b"ab", b"c")))
    vectors.append(("Derived", suite.derive(dek, b"label", b"ab", b"c")))
    return [(suite.prefix + name, value) for name, value in vectors]


def main():
    # What is the same in both suites, keys and places, is written once.
    vectors, seen = [], set()
    for name, value in vectors_of(Suite1) + vectors_of(Suite2):
        if value not in seen:
            vectors.append((name, value))
            seen.add(value)
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
