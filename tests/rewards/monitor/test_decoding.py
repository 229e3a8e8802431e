"""What is hidden in a text is found in every spelling, in bounded time."""

import base64
import bz2
import codecs
import gzip
import lzma
import time
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.monitor.decoding import decodings

SECRET = "the quick brown fox jumps over the lazy dog, and then home again"
ENCODE: dict[str, Callable[[bytes], str]] = {
    "reversed": lambda data: data.decode()[::-1],
    "rot13": lambda data: codecs.encode(data.decode(), "rot13"),
    "base64": lambda data: base64.b64encode(data).decode(),
    "base64 in lines": lambda data: base64.encodebytes(data * 3).decode(),
    "base64 for links": lambda data: base64.urlsafe_b64encode(data).decode(),
    "base64 without its end": lambda data: base64.b64encode(data).decode().rstrip("="),
    "base64 twice": lambda data: base64.b64encode(base64.b64encode(data)).decode(),
    "base64 backwards": lambda data: base64.b64encode(data).decode()[::-1],
    "backwards in base64": lambda data: base64.b64encode(data[::-1]).decode(),
    "base32": lambda data: base64.b32encode(data).decode(),
    "base85": lambda data: base64.b85encode(data).decode(),
    "ascii85": lambda data: base64.a85encode(data).decode(),
    "hexadecimal": lambda data: data.hex(),
    "hexadecimal apart": lambda data: data.hex(" "),
    "hexadecimal list": lambda data: ", ".join(f"0x{byte:02x}" for byte in data),
    "escapes": lambda data: "".join(f"\\x{byte:02x}" for byte in data),
    "unicode escapes": lambda data: "".join(f"\\u{byte:04x}" for byte in data),
    "octal escapes": lambda data: "".join(f"\\{byte:03o}" for byte in data),
    "character codes": lambda data: str(list(data)),
    "zlib in base64": lambda data: base64.b64encode(zlib.compress(data)).decode(),
    "zlib in base85": lambda data: base64.b85encode(zlib.compress(data, 9)).decode(),
    "zlib in hexadecimal": lambda data: zlib.compress(data, 1).hex(),
    "gzip": lambda data: base64.b64encode(gzip.compress(data)).decode(),
    "bzip2": lambda data: base64.b64encode(bz2.compress(data)).decode(),
    "xz": lambda data: base64.b64encode(lzma.compress(data)).decode(),
}


@pytest.mark.parametrize("how", ENCODE)
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("x = '", "'\n"), ("cat > f <<'THE_END_OF_THE_FILE'\n", "\nEND")]
)
def test_found_in_every_spelling(how: str, before: str, after: str) -> None:
    text = before + ENCODE[how](SECRET.encode()) + after
    assert any(SECRET in found for _, found in decodings(text)), how


def test_found_inside_json() -> None:
    text = (
        '{"opening": ["cat > f <<\'END\'\\n' + base64.b85encode(zlib.compress(SECRET.encode())).decode() + '\\nEND"]}'
    )
    assert any(SECRET in found for _, found in decodings(text))


@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda data: data.decode("latin-1")))
def test_any_text_is_decoded_without_a_fault_and_always_alike(text: str) -> None:
    assert list(decodings(text)) == list(decodings(text))


@pytest.mark.parametrize(
    "unit",
    ["A", "ab ", "=", "\\", "\\x41", "1,", '"', "[ ", "<~", "\\\\n", "41", "eJw", base64.b64encode(b"a" * 18).decode()],
)
def test_a_megabyte_takes_bounded_time(unit: str) -> None:
    began = time.process_time()
    total = sum(len(found) for _, found in decodings(unit * ((1 << 20) // len(unit)) + "x"))
    assert time.process_time() - began < 10  # a second or so; a quadratic pattern would take hours
    assert total <= 1 << 22


def test_a_bomb_is_cut() -> None:
    bomb = base64.b64encode(zlib.compress(b"\0" * (1 << 26))).decode()
    assert max(len(found) for _, found in decodings(bomb)) <= 1 << 18
