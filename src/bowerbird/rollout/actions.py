"""The action in a model's answer: a fenced block whose first word is a tool, or a tool call of its chat template.

Templates differ in the form that they teach. These are read: JSON between <tool_call> tags (Qwen, Hermes), parameters
between tags there (Qwen3-Coder), [TOOL_CALLS] and a list (Mistral), and JSON that is the whole answer (Llama).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bowerbird.rollout.tools import Tool

_SHELLS = ("sh", "bash", "shell", "console")
_BLOCK = re.compile(r"^(?P<fence>`{3,})(?P<head>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE)
_CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_TAGGED = re.compile(r"<function=([^>\n]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_MISTRAL = "[TOOL_CALLS]"


@dataclass(frozen=True, slots=True)
class Action:
    """A tool and its arguments by name."""

    tool: str
    args: Mapping[str, Any]
    called: bool = False  # as a tool call: what comes of it is a tool's turn


def parse_action(answer: str, tools: Mapping[str, Tool]) -> Action | None:
    """The first action in an answer; None where there is none, and the model is done. Any call is one, and
    of the blocks those in the name of one of `tools`."""
    if call := _CALL.search(answer):
        return _of_tags(call[1]) or _of_json(call[1].strip())
    if _MISTRAL in answer:
        return _of_json(answer.partition(_MISTRAL)[2].strip())
    if answer.lstrip().startswith(("{", "[{")) and (whole := _of_json(answer.strip())).tool:
        return whole
    for block in _BLOCK.finditer(answer):
        if action := _of_block(block["head"].strip(), block["body"], tools):
            return action
    return None


def _of_tags(text: str) -> Action | None:
    found = _TAGGED.search(text)
    return Action(found[1].strip(), dict(_PARAMETER.findall(found[2])), called=True) if found else None


def _of_json(text: str) -> Action:
    try:
        found = json.JSONDecoder().raw_decode(text)[0]
        found = found[0] if isinstance(found, list) else found
        args = found.get("arguments", found.get("parameters", {}))
        return Action(str(found["name"]), dict(json.loads(args) if isinstance(args, str) else args), called=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        problem = f"the tool call is no JSON object with name and arguments: {error}"
        return Action("", {"problem": problem}, called=True)


def _of_block(head: str, body: str, tools: Mapping[str, Tool]) -> Action | None:
    """A block in no tool's name (Python to look at, say) is no action."""
    name, _, argument = head.partition(" ")
    if name in _SHELLS:
        return Action("shell", {"command": body})
    tool = tools.get(name)
    if tool is None:
        return None
    args = {tool.argument: argument.strip()} if tool.argument else {}
    return Action(name, args | ({tool.body: body} if tool.body else {}))
