"""The tools that a model may use, fixed and typed. What they return is text for the model, never an exception."""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import isgeneratorfunction
from typing import Any, TypeAlias

from bowerbird.config import BUILT_IN_TOOLS, imported
from bowerbird.rollout.effects import Effect, Reply
from bowerbird.rollout.host import Exhausted, Host, Refused, short
from bowerbird.scaffold.plan import MOST_TOOLS, SUBMIT
from bowerbird.types import ConfigError

SHOWN = 8000  # characters of an observation

Using: TypeAlias = Generator[Effect, Reply, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """`argument` is what stands behind the name in a fenced action, `body` what stands in the block; "" for nothing.
    `further` can be given by name alone. All of them are texts, but for `integers`; `optional` ones may be missing.

    A tool whose `further` are `parts` of its body takes the body in blocks and the parts by name.
    """

    name: str
    says: str
    use: Callable[[Host, Mapping[str, Any]], Using]
    argument: str = ""
    body: str = ""
    further: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    example: str = ""  # of a body
    parts: bool = False
    changes: bool = False  # the workspace: who has such a tool and only talks has done nothing yet

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(name for name in (self.argument, self.body, *self.further) if name)


def _shell(host: Host, args: Mapping[str, Any]) -> Using:
    ran = yield from host.run(str(args["command"]))
    return f"exit {ran.exit_code}\n{ran.output}" if ran.exit_code is not None else ran.output


def _read(host: Host, args: Mapping[str, Any]) -> Using:
    text = yield from host.read(str(args["path"]))
    first, last = int(args.get("first") or 1), int(args.get("last") or 1 << 30)
    lines = text.splitlines(keepends=True)
    return "".join(lines[max(first - 1, 0) : last]) or f"lines {first} to {last} are empty; it has {len(lines)}"


def _write(host: Host, args: Mapping[str, Any]) -> Using:
    yield from host.write(str(args["path"]), str(args["content"]))
    return f"wrote {args['path']}"


def _edit(host: Host, args: Mapping[str, Any]) -> Using:
    old, new = _change(args)
    yield from host.edit(str(args["path"]), old, new)
    return f"changed {args['path']}"


def _change(args: Mapping[str, Any]) -> tuple[str, str]:
    """By name, or as a block: what is there, a line of equals signs, what shall be there."""
    if "old" in args:
        return str(args["old"]), str(args.get("new", ""))
    old, found, new = str(args["change"]).partition("\n=======\n")
    if not found:
        raise Refused("give the old text, a line =======, and the new text")
    return old.removeprefix("<<<<<<< SEARCH\n"), new.removesuffix("\n").removesuffix("\n>>>>>>> REPLACE")


def _list(host: Host, args: Mapping[str, Any]) -> Using:
    found = yield from host.list(str(args.get("path") or "."))
    return "\n".join(found) or "nothing is there"


def _search(host: Host, args: Mapping[str, Any]) -> Using:
    return (yield from host.search(str(args["pattern"]), str(args.get("path") or ".")))


def _tests(host: Host, args: Mapping[str, Any]) -> Using:
    passed, text = yield from host.visible_tests()
    return f"{'passed' if passed else 'failed'}\n{text}"


def _note(host: Host, args: Mapping[str, Any]) -> Using:
    yield from ()  # a generator like the others
    host.note(str(args.get("name") or "note"), str(args["text"]))
    return "noted"


def _submit(host: Host, args: Mapping[str, Any]) -> Using:
    yield from ()  # a generator like the others
    host.submit()
    return "submitted"


_ALL = (
    Tool(
        name="shell",
        says="run a command; the folder and exported variables stay",
        use=_shell,
        body="command",
        changes=True,
    ),
    Tool(
        name="read",
        says="a file's text",
        use=_read,
        argument="path",
        further=("first", "last"),
        optional=("first", "last"),
        integers=("first", "last"),
    ),
    Tool(name="write", says="make or replace a file", use=_write, argument="path", body="content", changes=True),
    Tool(
        name="edit",
        says="replace text that occurs once",
        use=_edit,
        argument="path",
        body="change",
        further=("old", "new"),
        example="OLD TEXT\n=======\nNEW TEXT",
        parts=True,
        changes=True,
    ),
    Tool(name="list", says="files below a folder", use=_list, argument="path", optional=("path",)),
    Tool(
        name="search",
        says="lines that match a regular expression",
        use=_search,
        argument="pattern",
        further=("path",),
        optional=("path",),
    ),
    Tool(name="tests", says="run the visible tests", use=_tests),
    Tool(name="note", says="write something down", use=_note, argument="name", body="text", optional=("name",)),
    Tool(name=SUBMIT, says="end the work: what stands in the files is the answer", use=_submit),
)
TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in _ALL}


@cache
def toolset(names: tuple[str, ...] = BUILT_IN_TOOLS) -> Mapping[str, Tool]:
    """The tools of these names, your own as "module:name", and submit. Raises ConfigError where one is no tool, where
    two have one name, and for more than a plan's node can name."""
    if len(names) > MOST_TOOLS:
        raise ConfigError(f"{len(names)} tools are more than {MOST_TOOLS}")
    tools = [*map(_found, names), TOOLS[SUBMIT]]
    named = {tool.name: tool for tool in tools}
    if len(named) < len(tools):
        raise ConfigError(f"two of the tools {', '.join(names)} and {SUBMIT} have the same name")
    return named


def _found(name: str) -> Tool:
    if name in BUILT_IN_TOOLS:
        return TOOLS[name]
    if ":" not in name:
        raise ConfigError(f"there is no tool {name!r}: use {', '.join(BUILT_IN_TOOLS)}, or your own as 'module:name'")
    tool = imported(name, "scaffold.tools")
    if not isinstance(tool, Tool) or tool.name != name.rpartition(":")[2]:
        raise ConfigError(f"{name!r} is no Tool of that name")
    if not isgeneratorfunction(tool.use):
        raise ConfigError(f"{name!r}: its `use` is no generator; one that asks the host nothing begins `yield from ()`")
    return tool


def schemas(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """The tools as a chat template or an endpoint takes them."""
    return [_schema(tool) for tool in tools]


def _schema(tool: Tool) -> dict[str, Any]:
    named = [name for name in tool.parameters if not (tool.parts and name == tool.body)]
    properties = {name: {"type": "integer" if name in tool.integers else "string"} for name in named}
    required = [name for name in named if name not in tool.optional]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": tool.name, "description": tool.says, "parameters": parameters}}


def use(host: Host, name: str, args: Mapping[str, Any]) -> Using:
    """What the model reads of it, also where a tool fails on what it chose. Raises Exhausted alone."""
    tool = host.budget.tools.get(name)
    if tool is None:
        return f"there is no tool {name!r}; there are {', '.join(host.budget.tools)}"
    try:
        return short((yield from tool.use(host, args)), SHOWN)
    except Refused as refused:
        return str(refused)
    except Exhausted:
        raise
    except Exception as error:  # noqa: BLE001 - what fails here is data for the model
        return f"{name} takes {', '.join(tool.parameters) or 'nothing'} ({type(error).__name__}: {error})"


def manual(tools: Iterable[Tool]) -> str:
    """How to use them as fenced actions."""
    lines = ["Act with one fenced block a turn, and read what comes of it. The tools:"]
    for tool in tools:
        head = f"{tool.name} {tool.argument.upper()}".rstrip()
        body = f"{tool.example or tool.body.upper()}\n" if tool.body else ""
        lines.append(f"{tool.says}:\n```{head}\n{body}```")
    return "\n".join(lines)
