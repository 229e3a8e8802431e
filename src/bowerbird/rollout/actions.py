"""The action in a model's answer: a fenced block whose first word is a tool, or a tool call of its chat template."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bowerbird.rollout.tools import TOOLS

_SHELLS = ("sh", "bash", "shell", "console")
_BLOCK = re.compile(r"^(?P<fence>`{3,})(?P<head>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE)
_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Action:
    """A tool and its arguments by name."""

    tool: str
    args: Mapping[str, Any]


def parse_action(answer: str) -> Action | None:
    """The first action in an answer; None where there is none, and the model is done."""
    if call := _CALL.search(answer):
        return _of_call(call[1])
    for block in _BLOCK.finditer(answer):
        if action := _of_block(block["head"].strip(), block["body"]):
            return action
    return None


def _of_call(text: str) -> Action:
    try:
        found = json.loads(text)
        args = found.get("arguments", found.get("parameters", {}))
        return Action(str(found["name"]), dict(json.loads(args) if isinstance(args, str) else args))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return Action("", {"problem": f"the tool call is no JSON object with name and arguments: {error}"})


def _of_block(head: str, body: str) -> Action | None:
    """A block in no tool's name (Python to look at, say) is no action."""
    name, _, argument = head.partition(" ")
    if name in _SHELLS:
        return Action("shell", {"command": body})
    tool = TOOLS.get(name)
    if tool is None:
        return None
    args = {tool.argument: argument.strip()} if tool.argument else {}
    return Action(name, args | ({tool.body: body} if tool.body else {}))
