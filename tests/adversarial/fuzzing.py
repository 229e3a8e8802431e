"""What the fuzzed properties share: hostile texts, values and documents, and bounds.

How many examples there are is the hypothesis profile's affair: few and always the same in CI, many and new ones under
`scripts/fuzz`.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SECRET = "5b0c1c5e-hidden-answer-that-no-strategy-can-draw"
SECONDS = 5.0  # of processor time for one input: far above any honest use, far below a hang


def often(times: float = 1.0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """So many times the profile's number of examples."""
    count = max(1, round(settings.get_profile(settings.get_current_profile_name()).max_examples * times))
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=count, suppress_health_check=slow)


@contextmanager
def bounded() -> Iterator[None]:
    """What stands inside ends soon."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < SECONDS


PIECES = (
    "```", "```sh\n", "```python\n", "\n```", "{", "}", "[", "]", '"', "'", "\\", "\n", "\r", "\0", "\t", "#", "/",
    "..", "def f(x):\n    return x\n", "import os\n", "class A:\n", "from x import *\n", "<|im_end|>", "</think>",
    "[INST]", "\u202e", "\u200b", "\ufeff", "😀", "ﬁ", "<<'EOF'\n", "EOF\n", "<<", "$(", "`", "|", "| ",
    "[0123456789abcdef ends]", '{"decision": "veto"', '"abstain"', '"quotes": [', "NaN", "1e999", "-0.0", "null",
    "true", "9" * 400, "$tuple", '{"$int": "0x1"}', "/tests/test_hidden.py", "/proc/1/root/tests",
    "SGVsbG8gd29ybGQsIHRoaXMgaXMgYmFzZTY0", "48 65 6c 6c 6f 20 77 6f 72 6c 64 21 21", "\\x41\\x42", '"""', "'''",
    "passed", "task", "==", " in ", "case ",
)  # fmt: skip
texts = st.text(max_size=200) | st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=25).map("".join)
broken_texts = texts | st.text(st.characters(), max_size=40) | texts.map(lambda text: text + "\ud800")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
TAGS = ("$tuple", "$set", "$frozenset", "$dict", "$float", "$int", "$bytes", "$complex", "$other", "$std", "$ref", "a")
jsons = st.recursive(
    scalars | st.sampled_from(["nan", "inf", "0x1f", "-0x0", "00ff", "zz"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(TAGS) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@st.composite
def mangled(draw: st.DrawFn, documents: st.SearchStrategy[str]) -> bytes:
    """A document with a few bytes taken out, put in, or said twice: it gets further than noise does."""
    data = bytearray(draw(documents).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 9)))
        again = bytes(data[at : at + draw(st.integers(0, 60))])
        piece = st.binary(max_size=4) | st.sampled_from(PIECES).map(str.encode) | st.just(again * 2)
        data[at:end] = draw(piece)
    return bytes(data)


def lines_of(records: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[str]:
    """JSON values, one a line."""
    return st.lists(records, max_size=most).map(lambda rows: "".join(json.dumps(row) + "\n" for row in rows))
