"""Checks our password hashes with Debian's python3-bcrypt, and makes some.

Reads lines `PASSWORD_HEX PEPPER_HEX STORED` from standard input. For each it
prints `right` if bcrypt takes the stored hash for that of the password and not
for that of another, else `wrong`; then a line with a bcrypt hash of the plain
password as this library makes it, under each of its two names.
"""

import base64
import hashlib
import hmac
import sys

import bcrypt


def phrase(password: bytes, pepper: bytes) -> bytes:
    return base64.b64encode(hmac.new(pepper, password, hashlib.sha384).digest())


for line in sys.stdin:
    password_hex, pepper_hex, stored = line.split()
    password = bytes.fromhex(password_hex)
    pepper = bytes.fromhex(pepper_hex)
    scheme, _, ours = stored.split("$", 2)
    assert scheme == "v1"
    ours = ours.encode()
    right = bcrypt.checkpw(phrase(password, pepper), ours)
    other = bcrypt.checkpw(phrase(password + b"x", pepper), ours)
    print("right" if right and not other else "wrong")
    # bcrypt itself takes no NUL.
    plain = password.replace(b"\0", b"0")
    for prefix in (b"2a", b"2b"):
        salt = bcrypt.gensalt(rounds=4, prefix=prefix)
        print(plain.hex(), bcrypt.hashpw(plain, salt).decode())
