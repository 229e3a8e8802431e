"""Other spellings of a text: what it says backwards, in rot13, base64, base32, base85, hexadecimal, escapes or
character codes, plain or compressed.

Bounded in every direction, so that a megabyte of anything costs about a second at the very most. A cipher with a key
of its own is out of reach.
"""

import base64
import binascii
import bz2
import codecs
import contextlib
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import islice

MAX_TEXT = 1 << 20  # characters of one text that are looked at
_MAX_RUNS = 256  # encoded pieces of one text that are decoded
_MAX_PLAIN = 1 << 18  # bytes that one piece may unpack to
_MAX_ALL = 1 << 22  # characters that all spellings of one text may have together
_MAX_SLOW = 1 << 16  # characters of one piece where the decoder is written in Python
_DEPTH = 3  # encodings inside encodings

# Pieces that follow each other, wrapped in lines or in a program's quotes, belong together.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}+(?:['\"\\\s]{1,8}+[A-Za-z0-9+/_-]{4,}+)*+={0,2}")
_BASE32 = re.compile(r"[A-Z2-7]{24,}+(?:\s{1,8}+[A-Z2-7]{2,}+)*+")
_BASE85 = re.compile(r"[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{24,}+")
_ASCII85 = re.compile(r"[!-uz]{24,}+")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s:,]{0,2}+){12,}+")
_CODES = re.compile(r"\d{1,3}(?:\s{0,4}+,\s{0,4}+\d{1,3}){11,}+")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-3][0-7]{2}))")
_LINE_END = re.compile(r"(?<!\\)\\++[nrt]")
_GAP = re.compile(r"['\"\\\s]+")


def _inflate(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _MAX_PLAIN)


_MAGIC: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    *[(magic, _inflate) for magic in (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")],
    (b"\x1f\x8b", lambda data: zlib.decompressobj(31).decompress(data, _MAX_PLAIN)),
    (b"BZh", lambda data: bz2.BZ2Decompressor().decompress(data, _MAX_PLAIN)),
    (b"\xfd7zXZ\x00", lambda data: lzma.LZMADecompressor(memlimit=1 << 26).decompress(data, _MAX_PLAIN)),
)


def decodings(text: str) -> Iterator[tuple[str, str]]:
    """(how, text) for every other spelling, e.g. ("base64, packed", "def f..."). The text itself is not among them."""
    left = _MAX_ALL
    for how, found in _all(_LINE_END.sub("\n", text[:MAX_TEXT])):
        left -= len(found)
        if left < 0:
            return
        yield how, found


def _is_noise(data: bytes) -> bool:
    readable = sum(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:4096])
    return len(data) >= 24 and readable < 0.75 * min(len(data), 4096)


def _all(text: str) -> Iterator[tuple[str, str]]:
    mirrored = (("reversed", text[::-1]), ("rot13", codecs.encode(text, "rot13")))
    yield from mirrored
    yield from _pieces(text, _DEPTH)
    for how, whole in mirrored:
        yield from ((f"{how}, {inner}", found) for inner, found in _pieces(whole, 1))


def _pieces(text: str, depth: int) -> Iterator[tuple[str, str]]:
    """Encoded pieces of `text`, and what is encoded inside them."""
    if depth == 0:
        return
    if _ESCAPE.search(text):
        yield "escapes", _ESCAPE.sub(_character, text)
    for how, decode, pattern in _CODINGS:
        for match in islice(pattern.finditer(text), _MAX_RUNS):
            for data in decode(match[0]):
                packed, plain = _unpacked(data)
                if not packed and _is_noise(plain):
                    continue
                found = plain.decode("utf-8", "replace")
                yield how + packed, found
                yield f"{how}{packed}, reversed", found[::-1]
                yield f"{how}{packed}, rot13", codecs.encode(found, "rot13")
                yield from ((f"{how}{packed}, {inner}", deeper) for inner, deeper in _pieces(found, depth - 1))


def _unpacked(data: bytes) -> tuple[str, bytes]:
    for magic, unpack in _MAGIC:
        if data.startswith(magic):
            try:
                return ", packed", unpack(data)
            except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
                break
    return "", data


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    return chr(int(digits, 16)) if digits else chr(int(match[3], 8))


def _base64(text: str) -> Iterator[bytes]:
    """Of the whole run, and of it without its first words: what stands before data may look like data."""
    words = _GAP.split(text.rstrip("=").replace("-", "+").replace("_", "/"))
    for start in range(min(len(words), 3)):
        plain = "".join(words[start:])
        plain = plain[:-1] if len(plain) % 4 == 1 else plain
        yield binascii.a2b_base64(plain + "=" * (-len(plain) % 4))


def _base32(text: str) -> Iterator[bytes]:
    plain = "".join(text.split())
    plain = plain[:-1] if len(plain) % 8 in (1, 3, 6) else plain
    yield base64.b32decode(plain + "=" * (-len(plain) % 8))


def _base85(text: str) -> Iterator[bytes]:
    yield from _slow(base64.b85decode, text)


def _ascii85(text: str) -> Iterator[bytes]:
    yield from _slow(base64.a85decode, text.strip("'\""))


def _slow(decode: Callable[[str], bytes], text: str) -> Iterator[bytes]:
    """Most runs of these wide alphabets encode nothing, and say so."""
    with contextlib.suppress(ValueError):
        yield decode(text[:_MAX_SLOW])


def _hex(text: str) -> Iterator[bytes]:
    yield bytes.fromhex(re.sub(r"0x|[^0-9A-Fa-f]", "", text))


def _codes(text: str) -> Iterator[bytes]:
    yield bytes(code for code in map(int, re.findall(r"\d+", text)) if code < 256)


_CODINGS: tuple[tuple[str, Callable[[str], Iterator[bytes]], re.Pattern[str]], ...] = (
    ("base64", _base64, _BASE64),
    ("base32", _base32, _BASE32),
    ("base85", _base85, _BASE85),
    ("ascii85", _ascii85, _ASCII85),
    ("hexadecimal", _hex, _HEX),
    ("character codes", _codes, _CODES),
)
