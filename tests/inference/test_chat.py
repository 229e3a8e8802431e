"""Answers with their reasoning taken off."""

import pytest

from bowerbird.inference.chat import spoken
from bowerbird.inference.fake import byte_chat


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("plain", "plain"),
        ("<think>hm</think>\nplain", "plain"),
        ("\n<think>\nhm\n</think>\n\nplain", "plain"),
        ("hm, as the template opened the block</think>plain", "plain"),
        ("<think>the word <think> in it</think>plain", "plain"),
        ("<think>never ended", ""),
        ("a <think> that is quoted", "a <think> that is quoted"),
        ("```sh\necho '<think> a </think> b'\n```", "```sh\necho '<think> a </think> b'\n```"),
        ("<think>a</think>say </think> twice", "say </think> twice"),
        ("", ""),
    ],
)
def test_reasoning_is_no_part_of_an_answer(text: str, answer: str) -> None:
    assert spoken(text) == answer


def test_a_template_may_open_the_reasoning() -> None:
    chat = byte_chat()
    asked = tuple(chat.encode("what?<think>\n"))
    assert chat.answer(asked, "hm</think>plain") == "plain"
    assert chat.answer(asked, "hm, and cut off") == ""
    assert chat.answer(tuple(chat.encode("what is <think>?")), "a tag") == "a tag"
