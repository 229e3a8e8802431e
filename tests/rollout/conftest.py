"""A task and a chat for rollouts without a model."""

from pathlib import Path

import pytest

from bowerbird.inference.chat import Chat
from bowerbird.inference.loading import load_tokenizer
from bowerbird.types import Case, TaskView


@pytest.fixture(scope="session")
def chat(tiny: Path) -> Chat:
    return Chat(load_tokenizer(str(tiny)))


@pytest.fixture
def task() -> TaskView:
    examples = (Case((1,), 8), Case((0,), 7))
    return TaskView("t", "add", "Write a Python function `add_7(x)` that returns x plus 7.", "add_7", examples)
