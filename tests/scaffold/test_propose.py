"""Reading a scaffold out of an answer."""

import pytest

from bowerbird.config import ScaffoldConfig
from bowerbird.evals.arms import FIXED
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.scaffold.card import write_card
from bowerbird.scaffold.propose import read_proposal
from bowerbird.types import Sampling, TaskView

TASK = TaskView("t", "c", "Write f.", "f", ())
PROGRAM = "def run(h):\n    h.llm(h.task()['instruction'])\n"


@pytest.mark.parametrize(
    ("asked", "text", "valid"),
    [
        ("write", PROGRAM, True),
        ("write<think>\n", PROGRAM, False),
        ("write<think>\n", f"hm</think>{PROGRAM}", True),
        ("write", f"<think>hm</think>{PROGRAM}", True),
    ],
)
def test_a_draft_in_the_reasoning_is_no_scaffold(asked: str, text: str, valid: bool) -> None:
    chat = byte_chat()
    request = Request(chat.encode(asked), Sampling(1.0, max_tokens=500))
    (done,) = FakeSampler(chat, lambda _: text).generate([request])
    assert (read_proposal("s", TASK, None, done, chat, ScaffoldConfig(tier="program")).invalid is None) is valid


def test_under_a_grammar_there_is_no_reasoning() -> None:
    chat = byte_chat()
    request = Request(chat.encode("choose<think>\n"), Sampling(1.0, max_tokens=500))
    (done,) = FakeSampler(chat, lambda _: write_card(FIXED)).generate([request])
    assert read_proposal("s", TASK, None, done, chat, ScaffoldConfig()).invalid is None
