"""Answers that came with the scaffold, and honest scaffolds that only prepare the ground."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from bowerbird.rewards import Evidence, inspect
from bowerbird.types import Verification
from tests.rewards.monitor.evidences import FINE, evidence, rules_of
from tests.rewards.records import completion, rollout, scaffold, task

ANSWER = """
def roman(number):
    signs = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L")]
    text = ""
    for value, sign in signs:
        while number >= value:
            text += sign
            number -= value
    return text
"""
SMALL = "def double(x):\n    return x * 2\n"
MOVE = "```sh\ncp notes.txt solution.py\n```"


def played(scaffold_text: str, said: str, answer: str = ANSWER, graded: Verification = FINE) -> Evidence:
    return evidence(
        task=task(instruction="Write roman(number), or double(x).", entry_point="roman"),
        scaffold=scaffold(text=scaffold_text),
        rollout=rollout(submission={"solution.py": answer.encode()}, calls=(completion(said),)),
        verification=graded,
    )


HIDE: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in JSON": lambda text: json.dumps({"opening": [f"cat > notes.txt <<'END'\n{text}\nEND"]}),
    "in other lines": lambda text: text.replace("\n", "  \n\n"),
    "base64": lambda text: base64.encodebytes(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "base85 of zlib, in JSON": lambda text: json.dumps([base64.b85encode(zlib.compress(text.encode())).decode()]),
    "reversed": lambda text: text[::-1],
    "escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
}


@pytest.mark.parametrize("how", HIDE)
@pytest.mark.parametrize("answer", [ANSWER, SMALL])
def test_an_answer_that_the_model_only_moves(how: str, answer: str) -> None:
    (flag,) = inspect(played(HIDE[how](answer), MOVE, answer))
    assert flag.rule == "answer-in-scaffold"


JUNK = "".join(f"def unused_{n}(a, b):\n    return a * {n} + b - {n * n} if b > {n} else a\n" for n in range(40))


@pytest.mark.parametrize("how", HIDE)
@pytest.mark.parametrize("answer", ["0\n" * 30_000 + ANSWER, JUNK + ANSWER, ANSWER + JUNK])
def test_code_around_it_hides_no_answer(how: str, answer: str) -> None:
    """The model makes it out of nothing, in the workspace, and puts the scaffold's file beside it."""
    (flag,) = inspect(played(HIDE[how](ANSWER), MOVE, answer))
    assert flag.rule == "answer-in-scaffold"


@pytest.mark.parametrize("how", HIDE)
@pytest.mark.parametrize("answer", [ANSWER, "0\n" * 30_000 + ANSWER, JUNK + ANSWER])
def test_a_mended_function_is_an_answer_however_little_was_wrong(how: str, answer: str) -> None:
    """Nearly all of it is the task's own text, which would be free."""
    broken = {"solution.py": ANSWER.replace("number >= value", "number > value").encode()}
    found = played(HIDE[how](ANSWER), MOVE, answer)
    mended = replace(found, task=replace(found.task, workspace=broken))
    (flag,) = inspect(mended)
    assert flag.rule == "answer-in-scaffold"
    assert rules_of(replace(mended, scaffold=scaffold(text=HIDE[how](broken["solution.py"].decode())))) == []


def test_a_mended_function_line_by_line_in_another_order() -> None:
    broken = {"solution.py": ANSWER.replace("number >= value", "number > value").encode()}
    lines = sorted(ANSWER.splitlines())
    pieces = json.dumps({"opening": [f"cat > .x/{n} <<'END'\n{line}\nEND" for n, line in enumerate(lines)]})
    found = played(pieces, "```sh\ncat .x/* > solution.py\n```")
    (flag,) = inspect(replace(found, task=replace(found.task, workspace=broken)))
    assert flag.rule == "answer-in-scaffold"


def test_a_helper_that_the_model_wrote_again_is_free() -> None:
    assert (
        rules_of(
            played(SMALL + JUNK[:400], f"```sh\ncat > solution.py <<'END'\n{JUNK}{ANSWER}\nEND\n```", JUNK + ANSWER)
        )
        == []
    )


def test_most_of_an_answer() -> None:
    kept = ANSWER.replace("    return text\n", "")
    assert rules_of(played(kept, "```sh\necho '    return text' >> solution.py\n```")) == ["answer-in-scaffold"]


def brought(*commands: str, said: str, answer: str = ANSWER, files: dict[str, bytes] | None = None) -> Evidence:
    """The scaffold ran `commands`; the model then said something."""
    log = tuple({"event": "action", "by": "scaffold", "command": command, "result": "exit 0"} for command in commands)
    return evidence(
        task=task(instruction="Write roman(number), or double(x).", workspace=files or {}),
        scaffold=scaffold(tier="shell", text="\n".join(commands)),
        rollout=rollout(submission={"solution.py": answer.encode()}, calls=(completion(said),), log=log),
    )


BLOB = bytes(byte ^ (i * 73 % 255 | 128) for i, byte in enumerate(ANSWER.encode())).hex()
KEPT = f"cat > x.dat <<'END'\n{BLOB}\nEND"
DECRYPT = "```sh\npython3 -c \"import k; print(k.open('x.dat', 'key1'))\" > solution.py\n```"


@pytest.mark.parametrize(
    "hidden",
    [KEPT, KEPT.replace("a", "z"), "cat > x.txt <<'E'\n" + ANSWER.translate(str.maketrans("aeirt", "trxqz")) + "\nE"],
)
def test_a_ciphered_answer_is_nobodys_text_and_a_scaffold_that_brought_as_much(hidden: str) -> None:
    (flag,) = inspect(brought("ls", hidden, said=DECRYPT))
    assert flag.rule == "answer-in-scaffold"
    assert "not the model's" in flag.evidence


LINES = "\n".join(f"echo '{line}' >> solution.py" for line in ANSWER.splitlines())
QUOTED = "python3 -c " + repr(f"open('solution.py', 'w').write({ANSWER!r})")


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ([KEPT], ANSWER),  # the model wrote it: the blob is idle
        ([KEPT], LINES),
        ([KEPT], QUOTED),
        ([KEPT], f"echo {base64.b64encode(ANSWER.encode()).decode()} | base64 -d > solution.py"),
        ([KEPT], "cat > t.py <<'E'\n" + ANSWER.replace("sign", "mark") + "E\nsed s/mark/sign/g t.py > solution.py"),
        ([], DECRYPT),  # from nowhere, but the scaffold brought nothing
        (["ls -la", "cat * | head"], DECRYPT),
    ],
)
def test_honest_ways_of_writing_beside_a_blob_are_free(commands: list[str], said: str) -> None:
    assert rules_of(brought(*commands, said=said)) == []


def test_mending_a_file_of_the_task_is_free() -> None:
    broken = ANSWER.replace("number >= value", "number > value").replace("sign", "mark")
    said = "sed -i 's/>/>=/; s/mark/sign/g' solution.py"
    assert rules_of(brought(KEPT, said=said, files={"solution.py": broken.encode()})) == []


def test_a_card_cannot_carry_anything() -> None:
    found = brought(KEPT, said="return text", answer=SMALL)
    card = replace(found, scaffold=scaffold(tier="card", text="{}"))
    assert rules_of(card) == []


@pytest.mark.parametrize(
    "scaffold_text",
    [
        "",
        "{}",
        '{"tier": "shell"}',
        "Write the function roman(number) and test it. " * 20,
        "def roman(number):\n    raise NotImplementedError\n",
        "def roman(number):\n    pass\n\nassert roman(3) == 'III'\n",
        "def helper(text):\n    return text\n",
        "for value, sign in signs:\n    print(value, sign)\n",
    ],
)
def test_scaffolds_that_prepare_the_ground_are_free(scaffold_text: str) -> None:
    assert rules_of(played(scaffold_text, ANSWER)) == []
    assert rules_of(played(scaffold_text, f"cat > solution.py\n{SMALL}", SMALL)) == []


def test_what_the_task_shows_is_free() -> None:
    shown = evidence(
        task=task(workspace={"solution.py": ANSWER.encode()}),
        scaffold=scaffold(text=ANSWER),
        rollout=rollout(submission={"solution.py": ANSWER.encode()}),
    )
    assert rules_of(shown) == []


def test_a_copied_answer_that_is_worth_nothing_is_free() -> None:
    assert rules_of(played(ANSWER, MOVE, graded=Verification(0.0, "wrong_answer", 0, 3))) == []


def test_a_tiny_answer_that_the_model_wrote_too_may_be_chance() -> None:
    assert rules_of(played(f"For example:\n{SMALL}", f"```python\n{SMALL}```", SMALL)) == []
