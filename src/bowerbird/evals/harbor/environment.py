"""The local sandbox as an environment of Harbor's: no image, no network, the host's Python and tools read-only.

Every folder that Harbor or a task writes to (the working folder, /logs, /tests, /solution, ...) is a folder of its own
on the host, bound at its place. One sandbox serves all commands, so that what an agent leaves running (a server, a
terminal) is there for its next command. It is ended, and everything in it, when the tests come and before their reward
is read, since nothing of the agent's may touch either; and where another folder is to be bound.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from harbor.environments.base import BaseEnvironment, ExecResult
from harbor.environments.capabilities import EnvironmentCapabilities, EnvironmentResourceCapabilities

from bowerbird.evals.harbor.dockerfile import Recipe, read_dockerfile
from bowerbird.evals.harbor.session import Session
from bowerbird.sandbox import LocalSandbox
from bowerbird.sandbox.beneath import open_beneath, parts_of, write_beneath
from bowerbird.sandbox.workspace import LocalWorkspace
from bowerbird.types import Executable, TaskError, mode_of, with_mode

_LONGEST_S = 3600.0  # of a command that nobody gave a limit
_MOST_TAKEN = 1 << 30  # bytes out of one folder
_SYSTEM = {
    "usr",
    "bin",
    "sbin",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "etc",
    "proc",
    "dev",
    "sys",
    "tmp",
    "work",
    "opt",
    ".",
    "..",
}
_ALWAYS = ("logs", "tests", "solution")


class LocalEnvironment(BaseEnvironment):  # type: ignore[misc]
    """Raises TaskError, when it is made, for a task whose Dockerfile needs an image."""

    def __init__(self, *args: Any, hide: Sequence[str] = (), **more: Any) -> None:
        """`hide`: folders of the host that look empty inside, wherever they show."""
        super().__init__(*args, **more)
        self._hide = [Path(folder) for folder in hide]
        self._sandbox: LocalSandbox | None = None
        self._workspace: LocalWorkspace | None = None
        self._session: Session | None = None
        self._roots: dict[str, Path] = {}

    @staticmethod
    def type() -> str:
        return "bowerbird-local"

    @property
    def capabilities(self) -> EnvironmentCapabilities:
        return EnvironmentCapabilities(disable_internet=True)

    @classmethod
    def resource_capabilities(cls) -> EnvironmentResourceCapabilities:
        return EnvironmentResourceCapabilities()

    def _recipe(self) -> Recipe:
        file = Path(self.environment_dir) / "Dockerfile"
        if not file.is_file():
            raise TaskError(f"{file}: missing; the local environment reads the working folder and the files from it")
        return read_dockerfile(file.read_text())

    def _validate_definition(self) -> None:
        self._recipe()

    async def start(self, force_build: bool) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        recipe = self._recipe()
        self._sandbox = LocalSandbox(watch="off", workspace_bytes=4 << 30, hide=self._hide)
        self._workspace = self._sandbox.open({})
        self._session = Session(self._workspace, self._sandbox.python)
        self._folder, self._variables = recipe.folder, recipe.variables
        for name in (PurePosixPath(recipe.folder).parts[1], *_ALWAYS):
            self._root(name)
        for folder in ("/logs/agent", "/logs/verifier", "/logs/artifacts", recipe.folder):
            self._put(f"{folder}/.keep", b"")
        for source, target in recipe.copies:
            self._copy(Path(self.environment_dir) / source, target)

    async def stop(self, delete: bool) -> None:
        if self._sandbox is not None:
            await asyncio.to_thread(self._end_session)
            await asyncio.to_thread(self._sandbox.close)

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.end()

    async def exec(
        self,
        command: str,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        timeout_sec: int | None = None,
        user: str | int | None = None,
    ) -> ExecResult:
        assert self._session is not None
        merged = self._variables | (self._merge_env(env) or {})
        argv, seconds = ("/bin/bash", "-c", command), float(timeout_sec or _LONGEST_S)
        done = await asyncio.to_thread(self._session.run, argv, cwd or self._folder, merged, seconds)
        if done.timed_out:
            raise TimeoutError(f"{command[:80]!r} did not end within {seconds:.0f} s")
        out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
        return ExecResult(stdout=out, stderr=err, return_code=done.exit_code if done.exit_code is not None else 137)

    async def upload_file(self, source_path: Path | str, target_path: str) -> None:
        source = Path(source_path)
        await asyncio.to_thread(self._put, target_path, _content(source))

    async def upload_dir(self, source_dir: Path | str, target_dir: str) -> None:
        await asyncio.to_thread(self._put_all, Path(source_dir), target_dir)

    def _put_all(self, source: Path, target: str) -> None:
        for file in sorted(source.rglob("*")):
            if file.is_file():
                where = f"{target.rstrip('/')}/{file.relative_to(source)}"
                self._put(where, _content(file))

    async def download_file(self, source_path: str, target_path: Path | str) -> None:
        await asyncio.to_thread(self._take, source_path, Path(target_path))

    def _take(self, source: str, target: Path) -> None:
        root, inside = self._found(source)
        _save(target, _read(root, inside))

    async def download_dir(self, source_dir: str, target_dir: Path | str) -> None:
        await asyncio.to_thread(self._take_all, source_dir, Path(target_dir))

    def _take_all(self, source: str, target: Path) -> None:
        root, inside = self._found(f"{source}/.")
        top = root / inside
        if top.resolve() != root.resolve() / inside:
            raise TaskError(f"{source}: a link is in the way")
        left = _MOST_TAKEN
        for file in sorted(top.rglob("*")):
            if file.is_file() and not file.is_symlink() and file.name != ".keep":
                if (left := left - file.stat().st_size) < 0:  # sparse files are large, and take no room inside
                    raise TaskError(f"{source}: more than {_MOST_TAKEN >> 20} MiB")
                there = target / file.relative_to(top)
                _save(there, _read(root, str(file.relative_to(root))))

    # -- folders -----------------------------------------------------------------------------------

    def _root(self, name: str) -> Path:
        """The folder on the host that stands at /`name` inside, made and bound when it is first asked for."""
        if name in _SYSTEM:
            raise TaskError(f"/{name} cannot be written to in the local environment")
        if name not in self._roots:
            assert self._workspace is not None
            self._end_session()
            self._roots[name] = self._workspace.bind(f"/{name}")
        return self._roots[name]

    def _split(self, path: str) -> tuple[str, str]:
        """The folder at the top that `path` lies in, and the path within it."""
        pure = PurePosixPath(path if path.startswith("/") else f"{self._folder}/{path}")
        if len(pure.parts) < 2 or ".." in pure.parts:
            raise TaskError(f"{path!r} is no place in the environment")
        return pure.parts[1], "/".join(pure.parts[2:])

    def _place(self, path: str) -> tuple[Path, str]:
        """The host's folder, and the path within it."""
        name, inside = self._split(path)
        return self._root(name), inside

    def _found(self, path: str) -> tuple[Path, str]:
        """The same, to be read. What the tests left is read when nothing runs that could change it."""
        name, inside = self._split(path)
        if name not in self._roots:
            raise FileNotFoundError(path)
        if name == "logs" and inside.split("/")[0] == "verifier":
            self._end_session()
        return self._roots[name], inside

    def _put(self, target: str, data: bytes) -> None:
        root, inside = self._place(target)
        if target.startswith("/tests/"):
            self._end_session()
        if parts_of(inside) is None:
            raise TaskError(f"{target!r} is no file's place")
        folder = _opened(root)
        try:
            assert self._workspace is not None
            write_beneath(folder, inside, data, self._workspace.owner)
        finally:
            os.close(folder)

    def _copy(self, source: Path, target: str) -> None:
        if not source.resolve().is_relative_to(Path(self.environment_dir).resolve()):
            raise TaskError(f"{source}: outside of the build context")
        if source.is_dir():
            self._put_all(source, target)
        else:
            name = f"{target}{source.name}" if target.endswith("/") else target
            self._put(name, _content(source))


def _content(file: Path) -> bytes:
    return with_mode(file.read_bytes(), file.stat().st_mode)


def _save(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    if isinstance(data, Executable):
        target.chmod(mode_of(data))


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _read(root: Path, inside: str) -> bytes:
    """A regular file, never through a link. Raises OSError."""
    folder = _opened(root)
    try:
        with os.fdopen(open_beneath(folder, inside), "rb") as file:
            return with_mode(file.read(), os.fstat(file.fileno()).st_mode)
    finally:
        os.close(folder)
