"""When a running request ends."""

import numpy as np
import pytest

from bowerbird.inference.fake import byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.inference.row import Row
from bowerbird.types import Sampling


@pytest.mark.parametrize(
    ("prompt", "text", "taken"),
    [
        ("x", "```a```b", "```a```"),
        ("x", "<think>```a```</think>```b```c", "<think>```a```</think>```b```"),
        ("x", "<think>```a```b", "<think>```a```b"),
        ("x<think>\n", "```a```</think>```b```c", "```a```</think>```b```"),
        ("x<think>\n", "```a```b", "```a```b"),
    ],
)
def test_a_stop_text_counts_in_the_answer_and_not_in_its_reasoning(prompt: str, text: str, taken: str) -> None:
    chat = byte_chat()
    asked = tuple(chat.encode(prompt))
    row = Row(1, Request(asked, Sampling(1.0, 0.0, 100, 0), stop="```", stop_count=2), np.random.default_rng(0), None)
    for token in chat.encode(text):
        if not row.finish:
            row.took(token, -0.5, 0, chat.end_ids, chat.decode)
    assert chat.decode(row.ids) == taken
