"""A published version without a learner."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bowerbird.types import PolicyVersion


@pytest.fixture
def published(tmp_path: Path) -> Callable[[Path, int], PolicyVersion]:
    def publish(checkpoint: Path, number: int) -> PolicyVersion:
        target = tmp_path / "versions" / str(number)
        shutil.copytree(checkpoint, target)
        (target / "COMPLETE").touch()
        return PolicyVersion(number, str(target))

    return publish
