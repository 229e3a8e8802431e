"""Packages that a task requires: installed from wheels, shown to commands and to verifiers, and never built."""

import zipfile
from pathlib import Path

import pytest

from bowerbird.rewards.oracle import OracleVerifier
from bowerbird.rewards.verifiers.hardened import PytestVerifier
from bowerbird.sandbox import Base, LocalSandbox
from bowerbird.sandbox.packages import _LINE, install
from bowerbird.types import Case, SandboxError, VerifierSpec

pytestmark = pytest.mark.sandbox


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Those of one package, tripler, whose wheel and whose sources lie on disk."""
    monkeypatch.setenv("BOWERBIRD_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "tripler-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tripler.py", "def triple(x):\n    return 3 * x\n\ndef main():\n    print(triple(7))\n")
        info = "tripler-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tripler\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntriple = tripler:main\n")
        names = ("tripler.py", *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")))
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    (tmp_path / "onlysource-1.0.tar.gz").write_bytes(b"")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return f"tripler==1.0  # {tmp_path.name}\n"


def test_commands_import_them_and_run_their_scripts(sandbox: LocalSandbox, requirements: str) -> None:
    with sandbox.open({}, base=Base(requirements=requirements)) as workspace:
        done = workspace.run(["python3", "-c", "import tripler; print(tripler.triple(5))"])
        assert done.stdout == b"15\n", done.stderr
        assert workspace.run(["triple"]).stdout == b"21\n"
        assert workspace.run(["sh", "-c", "echo >/opt/packages/tripler.py"]).exit_code != 0
    with sandbox.open({}) as workspace:
        assert workspace.run(["python3", "-c", "import tripler"]).exit_code != 0


def test_verifiers_have_them_too(sandbox: LocalSandbox, requirements: str) -> None:
    answer = {"solution.py": b"import tripler\n\ndef six(x):\n    return 2 * tripler.triple(x)\n"}
    oracle = VerifierSpec("t", "oracle", "six", (Case((2,), 12),), requirements=requirements)
    assert OracleVerifier(sandbox).verify(oracle, answer).reward == 1.0
    tests = b"import tripler\nfrom solution import six\n\ndef test_six():\n    assert six(1) == 2 * tripler.triple(1)\n"
    for isolation in ("process", "none"):
        spec = VerifierSpec(
            task_id="t",
            kind="pytest",
            entry_point="",
            cases=(),
            timeout_s=60.0,
            files={"tests/test_six.py": tests},
            expected_tests=("test_six.py::test_six",),
            isolation=isolation,
            requirements=requirements,
        )
        assert PytestVerifier(sandbox).verify(spec, answer).failure is None


def test_they_are_installed_once(requirements: str) -> None:
    first = install(requirements, (3, 11))
    (first / "tripler.py").touch()
    stamp = (first / "tripler.py").stat().st_mtime_ns
    assert install(requirements, (3, 11)) == first
    assert (first / "tripler.py").stat().st_mtime_ns == stamp
    assert install(requirements, (3, 12)) != first


@pytest.mark.parametrize(
    "line",
    [
        "--no-binary :all:",
        "--index-url https://elsewhere.test/${HOME}",
        "-e .",
        "./local",
        "tripler @ file:///tmp/x.tar.gz",
        "git+https://elsewhere.test/x",
        "https://elsewhere.test/x.whl",
        "-r other.txt",
        "tripler; python_version > '${HOME}'",
        "tripler \\",
        "tripler==1.0 bad syntax",
    ],
)
def test_a_line_is_a_name_with_versions_and_nothing_else(sandbox: LocalSandbox, requirements: str, line: str) -> None:
    with pytest.raises(SandboxError, match="NAME, versions and markers only"):
        sandbox.open({}, base=Base(requirements=f"{requirements}{line}\n"))


@pytest.mark.parametrize(
    "line", ["a", "a-b_c.d[x, y] >= 1.0, < 2", "a==1.*", "a ~= 2.1 ; python_version < '3.12' and os_name == 'posix'"]
)
def test_ordinary_lines_are_taken(line: str) -> None:
    assert _LINE.fullmatch(line)


def test_only_pythons_own_scripts_are_changed(sandbox: LocalSandbox, requirements: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tripler-1.0-py3-none-any.whl", "a") as wheel:
        script = zipfile.ZipInfo("tripler-1.0.data/scripts/shell-tool")
        script.external_attr = 0o100755 << 16
        wheel.writestr(script, "#!/bin/sh\necho from a shell\n")
    with sandbox.open({}, base=Base(requirements=requirements)) as workspace:
        assert workspace.run(["shell-tool"]).stdout == b"from a shell\n"


@pytest.mark.parametrize("wanted", ["nowhere==9", "onlysource==1.0"])
def test_what_cannot_be_had_as_a_wheel_says_so(sandbox: LocalSandbox, requirements: str, wanted: str) -> None:
    lines = requirements.replace("tripler==1.0", wanted)
    with pytest.raises(SandboxError, match="wheels only"):
        sandbox.open({}, base=Base(requirements=lines))
