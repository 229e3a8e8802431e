"""The local sandbox as an environment of Harbor's: no image, no network, the host's Python and tools read-only.

Every folder that Harbor or a task writes to (the working folder, /logs, /tests, /solution, ...) is a folder of its own
on the host, bound at its place. One sandbox serves all commands, so that what an agent leaves running (a server, a
terminal) is there for its next command. It is ended, and everything in it, when the tests come, which nothing of the
agent's may touch; and where another folder is to be bound.
"""

import asyncio
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from harbor.environments.base import BaseEnvironment, ExecResult
from harbor.environments.capabilities import EnvironmentCapabilities, EnvironmentResourceCapabilities

from bowerbird.evals.harbor.dockerfile import Recipe, read_dockerfile
from bowerbird.evals.harbor.session import Session
from bowerbird.sandbox import LocalSandbox
from bowerbird.sandbox.beneath import open_beneath, parts_of, write_beneath
from bowerbird.sandbox.box import Mount
from bowerbird.types import TaskError

_LONGEST_S = 3600.0  # of a command that nobody gave a limit
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

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._sandbox: LocalSandbox | None = None
        self._workspace: Any = None
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
        self._sandbox = LocalSandbox(watch="off", workspace_bytes=4 << 30)
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
        self._put(target_path, Path(source_path).read_bytes(), executable=_executable(Path(source_path)))

    async def upload_dir(self, source_dir: Path | str, target_dir: str) -> None:
        for file in sorted(Path(source_dir).rglob("*")):
            if file.is_file():
                inside = file.relative_to(source_dir)
                self._put(f"{target_dir}/{inside}", file.read_bytes(), executable=_executable(file))

    async def download_file(self, source_path: str, target_path: Path | str) -> None:
        root, inside = self._place(source_path)
        Path(target_path).parent.mkdir(parents=True, exist_ok=True)
        Path(target_path).write_bytes(_read(root, inside))

    async def download_dir(self, source_dir: str, target_dir: Path | str) -> None:
        root, inside = self._place(f"{source_dir}/.")
        top = root / inside
        if top.resolve() != root.resolve() / inside:
            raise TaskError(f"{source_dir}: a link is in the way")
        for file in sorted(top.rglob("*")):
            if file.is_file() and not file.is_symlink() and file.name != ".keep":
                target = Path(target_dir) / file.relative_to(top)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_read(root, str(file.relative_to(root))))

    # -- folders -----------------------------------------------------------------------------------

    def _root(self, name: str) -> Path:
        """The folder on the host that stands at /`name` inside, made and bound when it is first asked for."""
        if name in _SYSTEM:
            raise TaskError(f"/{name} cannot be written to in the local environment")
        if name not in self._roots:
            folder = self._workspace.place / f"root-{name}"
            folder.mkdir(mode=0o700)
            if self._sandbox is not None and self._sandbox._ground.owner is not None:
                shutil.chown(folder, self._sandbox._ground.owner, self._sandbox._ground.owner)
            self._end_session()
            self._workspace.box = self._workspace.box.plus([Mount(f"/{name}", folder, writable=True)])
            self._roots[name] = folder
        return self._roots[name]

    def _place(self, path: str) -> tuple[Path, str]:
        """The host's folder, and the path within it."""
        pure = PurePosixPath(path if path.startswith("/") else f"{self._folder}/{path}")
        if len(pure.parts) < 2 or ".." in pure.parts:
            raise TaskError(f"{path!r} is no place in the environment")
        return self._root(pure.parts[1]), "/".join(pure.parts[2:])

    def _put(self, target: str, data: bytes, *, executable: bool = False) -> None:
        root, inside = self._place(target)
        if target.startswith("/tests/"):
            self._end_session()
        if parts_of(inside) is None:
            raise TaskError(f"{target!r} is no file's place")
        folder = _opened(root)
        try:
            owner = self._sandbox._ground.owner if self._sandbox is not None else None
            write_beneath(folder, inside, data, owner, 0o755 if executable else 0o644)
        finally:
            os.close(folder)

    def _copy(self, source: Path, target: str) -> None:
        if not source.resolve().is_relative_to(Path(self.environment_dir).resolve()):
            raise TaskError(f"{source}: outside of the build context")
        if source.is_dir():
            for file in sorted(source.rglob("*")):
                if file.is_file():
                    where = f"{target.rstrip('/')}/{file.relative_to(source)}"
                    self._put(where, file.read_bytes(), executable=_executable(file))
        else:
            name = f"{target}{source.name}" if target.endswith("/") else target
            self._put(name, source.read_bytes(), executable=_executable(source))


def _executable(file: Path) -> bool:
    return bool(file.stat().st_mode & 0o100)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _read(root: Path, inside: str) -> bytes:
    """A regular file, never through a link. Raises OSError."""
    folder = _opened(root)
    try:
        with os.fdopen(open_beneath(folder, inside), "rb") as file:
            return file.read()
    finally:
        os.close(folder)
