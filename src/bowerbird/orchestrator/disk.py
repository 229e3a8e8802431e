"""Room on the disk, looked at before it runs out: a run that stops in time loses nothing, not even a step."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bowerbird.trainer.publish import complete

_SPARE = 1 << 26  # transcripts, records and metrics of some steps
_SCARCE = 4  # that many times the need, and it is said


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes free, and bytes that the next version and the next checkpoint take together: they are written beside those
    that they replace."""

    free: int
    need: int

    @property
    def short(self) -> bool:
        """Whether the run should stop now, while its last checkpoint can still be written."""
        return self.free < 2 * self.need

    @property
    def scarce(self) -> bool:
        return self.free < _SCARCE * self.need

    def __str__(self) -> str:
        return f"{self.free / 2**30:.1f} GiB free, and a version with a checkpoint takes {self.need / 2**30:.1f}"


def room(versions: Path, checkpoints: Path, free: int | None = None) -> Room:
    """As things stand beside these folders. A checkpoint, where there is none yet, is taken for four versions."""
    version = _size(versions)
    checkpoint = _size(checkpoints) or 4 * version
    return Room(shutil.disk_usage(versions).free if free is None else free, version + checkpoint + _SPARE)


def _size(folder: Path) -> int:
    """Bytes of the newest complete version or checkpoint; 0 without one."""
    newest = complete(folder)[-1:]
    return sum(file.stat().st_size for number in newest for file in (folder / str(number)).iterdir())
