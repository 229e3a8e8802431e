"""The folder on the host that holds all workspaces of one process, and its removal, also after a kill."""

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from bowerbird.sandbox.beneath import remove_tree
from bowerbird.sandbox.interpreter import world_reachable
from bowerbird.types import SandboxUnavailable

PREFIX = "bowerbird-sandbox-"


def make_home() -> tuple[Path, int]:
    """A private folder of this process in the temporary folder, and the lock that says we live."""
    wanted = Path(tempfile.gettempdir())
    choices = [wanted] if os.geteuid() != 0 else [wanted, Path("/tmp"), Path("/var/tmp")]
    for base in choices:
        if not base.is_dir() or (os.geteuid() == 0 and not world_reachable(base)):
            continue  # root drops its uid, and then has to walk there
        sweep_dead(base)
        try:
            home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        except OSError as error:
            raise SandboxUnavailable(f"cannot write to {base}: {error.strerror}; set TMPDIR") from error
        lock = os.open(home / "new", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets go when we die
        (home / "new").rename(home / "lock")  # no one may find it unlocked
        home.chmod(0o711)
        return home, lock
    raise SandboxUnavailable("no temporary folder that any user can walk to: set TMPDIR, for instance to /var/tmp")


def sweep_dead(base: Path) -> None:
    """Remove what a killed process of ours left behind."""
    for home in base.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if home.stat(follow_symlinks=False).st_uid != os.geteuid():
                continue
            lock = os.open(home / "lock", os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(home)
            finally:
                os.close(lock)


def remove(folder: Path) -> None:
    """Remove a folder that nothing runs in any more. Raises OSError."""
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            remove_tree(parent, folder.name)
    finally:
        os.close(parent)


def remove_home(home: Path, lock: int, maker: int) -> None:
    """Remove the folder and let the lock go, in the process that made them."""
    if os.getpid() != maker:  # a forked child must not take it from its parent
        return
    with contextlib.suppress(OSError):
        remove(home)
    os.close(lock)
