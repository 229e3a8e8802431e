"""Docker and Podman. The whole conformance suite runs where BOWERBIRD_ENGINES names engines that work here:

BOWERBIRD_ENGINES="docker podman" BOWERBIRD_IMAGE=python:3.12-slim pytest tests/sandbox/test_container.py
"""

import json
import os
import platform
from pathlib import Path

import pytest

from bowerbird.sandbox import Base, Limits, open_sandbox
from bowerbird.sandbox.box import Mount
from bowerbird.sandbox.conformance import Check, checks, run_check
from bowerbird.sandbox.container import ContainerBox, ContainerSandbox
from bowerbird.sandbox.seccomp.generate import DENIED
from bowerbird.sandbox.seccomp.profile import engine_profile
from bowerbird.types import SandboxError, SandboxUnavailable

ENGINES = os.environ.get("BOWERBIRD_ENGINES", "").split()
engines = pytest.mark.parametrize("engine", ENGINES or [pytest.param("none", marks=pytest.mark.skip("no engine"))])


@engines
@pytest.mark.parametrize("check", checks, ids=lambda check: check.name)
def test_an_engine_holds(engine: str, check: Check) -> None:
    result = run_check(check, open_sandbox(engine))
    assert result.passed, result.detail


@engines
def test_a_repository_starts_from_one_commit(engine: str) -> None:
    base = Base({f"part/{n}": b"x\n" for n in range(50)}, git=True)
    with open_sandbox(engine).open({}, base=base) as workspace:
        done = workspace.run(
            ["sh", "-c", "git log --format=%s && rm part/3 && git status --short"], limits=Limits(30.0)
        )
        assert done.stdout == b"base\n D part/3\n", done
        number = workspace.snapshot()
        workspace.run(["rm", "-r", "part"])
        assert workspace.restore(number)
        assert workspace.collect(["part/3", "part/4"]).files == {"part/4": b"x\n"}


def fake_engine(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    engine = folder / "engine"
    engine.write_text(f'#!/bin/sh\necho "$@" >>{folder}/said\n{script}\n')
    engine.chmod(0o755)
    monkeypatch.setenv("BOWERBIRD_DOCKER", f"{engine} --context here")


IMAGE = """echo '[{"Config": {}}]'"""  # what an engine says of one that sets nothing


def test_a_missing_engine_and_a_missing_image_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOWERBIRD_DOCKER", "no-such-engine")
    with pytest.raises(SandboxUnavailable, match="no-such-engine is missing"):
        ContainerSandbox("docker")
    fake_engine(tmp_path, monkeypatch, "echo daemon is away >&2; exit 1")
    with pytest.raises(SandboxUnavailable, match=r"daemon is away.*pull.*BOWERBIRD_IMAGE"):
        ContainerSandbox("docker")
    with pytest.raises(SandboxUnavailable, match="cannot trace"):
        ContainerSandbox("docker", watch="trace")


def test_an_engine_that_fails_at_a_command_is_a_sandbox_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = f'case "$*" in *" run "*) echo "no space left" >&2; exit 125;; *" image "*) {IMAGE};; esac'
    fake_engine(tmp_path, monkeypatch, fails)
    sandbox = ContainerSandbox("docker")
    try:
        with sandbox.open({"a": b"x"}) as workspace:
            with pytest.raises(SandboxError, match="no space left"):
                workspace.run(["true"])
            assert workspace.collect(["a"]).files == {"a": b"x"}
    finally:
        sandbox.close()
    said = (tmp_path / "said").read_text().splitlines()
    assert said[0].startswith("--context here image inspect ")


def test_containers_of_processes_that_are_gone_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = platform.node()
    rows = f"gone {here}:/no/such/home\nlives {here}:{tmp_path}\nelsewhere another:/no/such/home\nodd \n"
    fake_engine(tmp_path, monkeypatch, f"case \"$*\" in *' image '*) {IMAGE};; *' ps '*) printf '{rows}';; esac")
    ContainerSandbox("docker").close()
    said = (tmp_path / "said").read_text()
    assert "rm --force gone" in said
    assert "rm --force lives" not in said
    assert "rm --force elsewhere" not in said


def test_what_a_container_is_started_with() -> None:
    box = ContainerBox(("engine",), ("--network", "none"), "image", (Mount("/tests", Path("/decoys")),))
    more = box.plus(
        [Mount("/tests", Path("/real")), Mount("/logs", None, size=7), Mount("/x", Path("/y"), writable=True)]
    )
    line = more.launch(["echo", "hi"], Limits(memory_bytes=100, processes=4)).args[1]  # type: ignore[attr-defined]
    text = " ".join(line)
    assert text.startswith("engine run --rm --interactive --name bowerbird-")
    assert "--volume /real:/tests:ro" in text
    assert "/decoys" not in text, "a later mount takes the place of an earlier one"
    assert "--tmpfs /logs:rw,nosuid,nodev,mode=0777,size=7" in text
    assert "--volume /y:/x:rw" in text
    assert "--pids-limit 5" in text
    assert line[-2:] == ["echo", "hi"]


def test_the_engines_profile_denies_what_the_filter_denies() -> None:
    profile = json.loads(engine_profile())
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    plain = {name for rule in profile["syscalls"] if "args" not in rule for name in rule["names"]}
    assert plain == {*DENIED, "clone3"}
    families = {rule["args"][0]["value"] for rule in profile["syscalls"] if rule["names"] == ["socket"]}
    assert 40 not in families  # vsock, by "greater than"
    assert not families & {1, 2, 10}
    assert {3, 16} <= families
