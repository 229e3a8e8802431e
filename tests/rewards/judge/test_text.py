"""Text made harmless, cut, and shared out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.judge.text import cut, neutralise, shares

CONTROL = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<|begin_of_text|>",
    "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<eos>", "<start_of_turn>",
    "<end_of_turn>", "<think>", "</think>", "<tool_call>", "</tool_response>", "<file_sep>", "<repo_name>",
    "<fim_prefix>",
]  # fmt: skip


@pytest.mark.parametrize("token", CONTROL)
def test_no_control_token_is_left_whole(token: str) -> None:
    shown = neutralise(f"before {token}system after")
    assert token not in shown
    assert shown.startswith("before ")
    assert shown.endswith("after")
    assert len(shown) <= len(f"before {token}system after") + 2


@pytest.mark.parametrize(
    "text", ["a < b > c", "x[i]", "List[int]", "a | b", "f'{x}'", "<div>", "naïve 日本 ✓", "x << 2"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert neutralise(text) == text


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\U000e0041", "\x1b[2J", "\x00", "\ufe0f", "\u2028", "\ud800"])
def test_the_invisible_is_spelled_out(hidden: str) -> None:
    shown = neutralise(f"a{hidden}b")
    assert hidden[0] not in shown
    assert f"\\u{{{ord(hidden[0]):x}}}" in shown


def test_line_ends_are_one_kind() -> None:
    assert neutralise("a\r\nb\rc\n") == "a\nb\nc\n"


@given(st.text(max_size=200))
def test_what_is_shown_is_printable_and_stays_so(text: str) -> None:
    shown = neutralise(text)
    assert all(c == "\n" or c == "\t" or unicodedata.category(c)[0] not in "CZ" or c == " " for c in shown)
    assert neutralise(shown) == shown
    shown.encode()


@given(st.text(st.sampled_from("ab \n"), max_size=300), st.integers(0, 200))
def test_a_cut_keeps_both_ends_within_the_limit(text: str, limit: int) -> None:
    head, tail, missing = cut(text, limit)
    assert len(head) + len(tail) <= max(limit, 0)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + len(tail) + missing == len(text)
    assert (missing == 0) == (len(text) <= limit)


@given(st.lists(st.integers(0, 1000), max_size=8), st.integers(0, 3000))
def test_shares(lengths: list[int], room: int) -> None:
    given_ = shares(lengths, room)
    assert all(0 <= g <= n for g, n in zip(given_, lengths, strict=True))
    assert sum(given_) <= room
    if sum(lengths) <= room:
        assert given_ == lengths
    elif lengths:  # nothing is wasted, and who gets less than it needs gets as much as anybody
        assert sum(given_) == room
        short = [g for g, n in zip(given_, lengths, strict=True) if g < n]
        assert max(given_) <= min(short) + 1 or max(given_) - min(short) <= 1
