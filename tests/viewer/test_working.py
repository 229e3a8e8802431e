"""What an agent does, as a person reads it."""

from bowerbird.rollout.effects import Act, Ask, Heard, Snapshot, Speak, Write
from bowerbird.rollout.session import Session
from bowerbird.sandbox import Execution
from bowerbird.types import Completion, Sampling
from bowerbird.viewer.working import WorkView


def test_effects_are_told_before_and_after_and_nothing_reaches_the_terminal_unescaped() -> None:
    lines: list[str] = []
    view = WorkView(lines.append)
    said = Completion((), (), (), (), (), (), Sampling(), "stop", "I look.\x1b[2J\n```sh\nls\n```")
    for effect, reply in (
        (Ask(()), (said,)),
        (Act(Session().argv("ls -l", "mark")), Execution(1, b"a\nb\n", b"\x1b]0;title\x07")),
        (Act(("python3", "run_tests.py")), Execution(None, b"", b"", timed_out=True)),
        (Write("a.py", b"x"), True),
        (Snapshot(), 1),
        (Speak(b"{}"), Heard(None, Execution(1, b"", b"NameError: x\n"))),
    ):
        view(effect, None)
        view(effect, reply)
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\x07" not in text
    wanted = ["model ...", "  I look.", "$ ls -l", "  | a", "  exit 1", "$ python3 run_tests.py", "stopped", "snapshot"]
    for shown in (*wanted, "write a.py (1 bytes)", "  | NameError: x"):
        assert shown in text, shown
