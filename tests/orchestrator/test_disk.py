"""A run stops while its last checkpoint still fits."""

from pathlib import Path

import pytest

from bowerbird.orchestrator.disk import Room, room
from bowerbird.orchestrator.run import heed_room
from bowerbird.types import RunError

MIB = 1 << 20


class Listener:
    def __init__(self) -> None:
        self.said: list[str] = []

    def says(self, text: str) -> None:
        self.said.append(text)

    def phase(self, name: str, done: int, total: int) -> None: ...

    def stepped(self, report: object, steps: int) -> None: ...


def numbered(folder: Path, number: int, mib: int, whole: bool = True) -> Path:
    (folder / str(number)).mkdir(parents=True)
    (folder / str(number) / "weights").write_bytes(bytes(mib * MIB))
    if whole:
        (folder / str(number) / "COMPLETE").touch()
    return folder


def test_the_need_is_the_newest_version_and_checkpoint(tmp_path: Path) -> None:
    versions, checkpoints = numbered(tmp_path / "versions", 1, 9), tmp_path / "checkpoints"
    assert room(versions, checkpoints, 0).need == 5 * 9 * MIB + 64 * MIB
    numbered(versions, 2, 2)
    numbered(checkpoints, 2, 3)
    numbered(checkpoints, 3, 50, whole=False)
    assert room(versions, checkpoints, 0).need == 5 * MIB + 64 * MIB
    assert room(versions, checkpoints).free > 0


def test_it_is_said_first_and_then_the_run_stops() -> None:
    listener = Listener()
    heed_room(Room(40, 10), 3, Path("runs/a"), listener)
    assert not listener.said
    heed_room(Room(39, 10), 3, Path("runs/a"), listener)
    assert "GiB free" in listener.said[0]
    with pytest.raises(RunError, match=r"step 3, which is saved.*--resume runs/a"):
        heed_room(Room(19, 10), 3, Path("runs/a"), listener)
