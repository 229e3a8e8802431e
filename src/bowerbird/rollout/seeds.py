"""Seeds from names: every random draw has one of its own, so that no draw depends on the order of others."""

import hashlib


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for `names` under `seed`; different names give independent seeds."""
    text = "/".join(str(part) for part in (seed, *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
