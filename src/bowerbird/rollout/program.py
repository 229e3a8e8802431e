"""The program tier: a scaffold that is Python, in a sandbox of its own, and the host's answers to its calls.

    program (no files, no network) ──{"call": "llm", "args": ...}──▶ host ──▶ effects
                                   ◀──────{"value": ...}───────────

Whatever the program does ends in a `Draft`: it may loop, crash, flood, forge a message or never submit.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, cast

from bowerbird.inference.chat import Chat
from bowerbird.rollout.budget import Budget
from bowerbird.rollout.effects import Effect, Heard, Reply, Run, Speak
from bowerbird.rollout.host import Exhausted, Host, Refused, short
from bowerbird.rollout.tools import use
from bowerbird.types import JsonValue, TaskView

_MOST_CALLS = 10_000  # of the host, free ones included
_MESSAGE_BYTES = 1 << 18
_ROLES = ("system", "user", "assistant")


@cache
def command() -> tuple[str, ...]:
    """What runs a program inside its sandbox."""
    text = files("bowerbird.rollout.inside").joinpath("program.py").read_text()
    return ("python3", "-I", "-S", "-B", "-c", text)


def run_program(task: TaskView, source: str, chat: Chat, budget: Budget, seed: int) -> Run:
    """Run `source`, which defines `run(h)`. Never raises for what it or the model did."""
    host = Host(task, chat, budget, seed)
    heard = cast(Heard, (yield Speak(json.dumps(source).encode())))
    try:
        for _ in range(_MOST_CALLS):
            if heard.line is None or host.submitted:
                break
            answer = yield from _answer(host, heard.line)
            if not host.submitted:
                heard = cast(Heard, (yield Speak(json.dumps(answer).encode())))
    except Exhausted as spent:
        host.log.append({"event": "exhausted", "what": str(spent)})
    if heard.line is None and heard.end is not None:
        said = short(heard.end.stderr.decode("utf-8", "replace"), 2000)
        host.log.append({"event": "program", "exit": heard.end.exit_code, "slow": heard.end.timed_out, "said": said})
    return host.draft()


def _answer(host: Host, line: bytes) -> Generator[Effect, Reply, dict[str, JsonValue]]:
    try:
        message = json.loads(line)
        name, args = str(message["call"]), dict(message["args"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return {"error": "that is no host call"}
    try:
        return {"value": (yield from _call(host, name, args))}
    except Refused as refused:
        return {"error": str(refused)}
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        return {"error": f"{name}: wrong arguments ({type(error).__name__}: {error})"}


def _call(host: Host, name: str, args: Mapping[str, Any]) -> Generator[Effect, Reply, JsonValue]:
    """One host call. Raises KeyError, TypeError or ValueError for arguments that it does not take."""
    match name:
        case "task":
            return _task(host.task)
        case "llm":
            messages = _messages(args["messages"])
            limit, stop = int(args.get("max_tokens") or 0), str(args.get("stop") or "")
            return (yield from host.llm(messages, max_tokens=limit, stop=stop, temperature=str(args["temperature"])))
        case "tool":
            return (yield from use(host, str(args["name"]), dict(args["args"])))
        case "read":
            return (yield from host.read(str(args["path"])))
        case "write":
            return (yield from host.write(str(args["path"]), str(args["text"])))
        case "list":
            return (yield from host.list(str(args["path"])))
        case "run":
            ran = yield from host.run(str(args["command"]), float(args["timeout"]))
            return {"exit": ran.exit_code, "output": ran.output}
        case "visible_tests":
            passed, text = yield from host.visible_tests()
            return {"passed": passed, "text": text}
        case "snapshot":
            return (yield from host.snapshot())
        case "restore":
            return (yield from host.restore(int(args["number"])))
        case "note_get":
            return host.notes.get(str(args["name"]), "")
        case "note_put":
            return host.note(str(args["name"]), str(args["text"]))
        case "budget":
            return host.left()
        case "submit":
            return host.submit(args.get("paths"))
        case _:
            raise Refused(f"there is no host call {name!r}")


def _task(task: TaskView) -> dict[str, JsonValue]:
    return {"instruction": task.instruction, "submission": list(task.submission), "files": sorted(task.workspace)}


def _messages(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    messages = [{"role": str(m["role"]), "content": str(m["content"])} for m in found]
    if not messages or any(m["role"] not in _ROLES for m in messages) or messages[-1]["role"] != "user":
        raise Refused(f"messages have the roles {', '.join(_ROLES)}, and the last is the user's")
    if sum(len(m["content"]) for m in messages) > _MESSAGE_BYTES:
        raise Refused(f"messages are at most {_MESSAGE_BYTES} characters together")
    return messages
