"""`bowerbird sandbox check`."""

import pytest
from click.testing import CliRunner, Result

from bowerbird.cli import main
from bowerbird.sandbox import FakeSandbox, opening
from bowerbird.sandbox.conformance import checks


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sandbox", "check", *arguments])


def test_an_unknown_back_end() -> None:
    result = check("--backend", "moon")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr
        == "error: unknown sandbox 'moon': use one of docker, local, podman, or name your own as module:Class\n"
    )


@pytest.mark.sandbox
def test_quick() -> None:
    result = check("--quick")
    assert result.exit_code == 0, result.output
    assert result.stdout == "sandbox local: works\n"


def test_a_sandbox_that_contains_nothing_fails_every_guarantee_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake executes nothing, so it is no sandbox: the command must say so."""
    monkeypatch.setitem(opening.BACK_ENDS, "fake", FakeSandbox)
    result = check("--backend", "fake")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    rows = [line for line in lines if any(f"  {word}  " in line for word in ("holds", "FAILS", "skipped"))]
    assert len(rows) == len(checks)
    held = sum("  holds  " in line for line in rows)
    assert held < len(checks) / 2
    skipped = sum("  skipped  " in line for line in rows)
    assert lines[-1].startswith(f"{held} of {len(checks)} guarantees hold, {skipped} need a watcher")
