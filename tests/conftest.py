"""What every test gets: no hub, few threads, and one real sandbox for those that ask."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from bowerbird.sandbox.protocol import Sandbox

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports a library that reads it
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The same examples every time, and no deadline: a busy machine is not a bug.
settings.register_profile("bowerbird", deadline=None, derandomize=True)
settings.load_profile("bowerbird")


@pytest.fixture(scope="session")
def sandbox() -> Iterator["Sandbox"]:
    """The local back end. A machine that has none fails these tests: nothing is skipped."""
    from bowerbird.sandbox.local import LocalSandbox

    local = LocalSandbox()
    yield local
    local.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of random weights, small enough for unit tests."""
    from bowerbird.inference.tiny import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("tiny"))
