"""The tools that a model may use, fixed and typed. What they return is text for the model, never an exception."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bowerbird.rollout.effects import Effect, Reply
from bowerbird.rollout.host import Host, Refused, short

SHOWN = 8000  # characters of an observation

Using: TypeAlias = Generator[Effect, Reply, str]


@dataclass(frozen=True, slots=True)
class Tool:
    """`argument` is what stands behind the name in a fenced action, `body` what stands in the block; "" for nothing.
    `further` can be given by name alone."""

    name: str
    says: str
    argument: str
    body: str
    use: Callable[[Host, Mapping[str, Any]], Using]
    further: tuple[str, ...] = ()

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


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("shell", "run a command; the folder and exported variables stay", "", "command", _shell),
        Tool("read", "a file's text", "path", "", _read, ("first", "last")),
        Tool("write", "make or replace a file", "path", "content", _write),
        Tool("edit", "replace text that occurs once", "path", "change", _edit, ("old", "new")),
        Tool("list", "files below a folder", "path", "", _list),
        Tool("search", "lines that match a regular expression", "pattern", "", _search, ("path",)),
        Tool("tests", "run the visible tests", "", "", _tests),
        Tool("note", "write something down", "name", "text", _note),
        Tool("submit", "end the work: what stands in the files is the answer", "", "", _submit),
    )
}


def schemas(names: Sequence[str]) -> list[dict[str, Any]]:
    """The tools as a chat template or an endpoint takes them."""
    return [_schema(TOOLS[name]) for name in names]


def _schema(tool: Tool) -> dict[str, Any]:
    named = [name for name in (*tool.parameters,) if name != "change"]  # one text that is cut in two is for blocks
    properties = {name: {"type": "integer" if name in ("first", "last") else "string"} for name in named}
    required = [name for name in named if name not in _OPTIONAL.get(tool.name, ())]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": tool.name, "description": tool.says, "parameters": parameters}}


_OPTIONAL = {"read": ("first", "last"), "list": ("path",), "search": ("path",), "note": ("name",)}


def use(host: Host, name: str, args: Mapping[str, Any]) -> Using:
    """What the model reads of it. Raises Exhausted alone."""
    tool = TOOLS.get(name)
    if tool is None:
        return f"there is no tool {name!r}; there are {', '.join(TOOLS)}"
    try:
        return short((yield from tool.use(host, args)), SHOWN)
    except Refused as refused:
        return str(refused)
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        return f"{name} takes {', '.join(tool.parameters) or 'nothing'} ({type(error).__name__}: {error})"


def manual(names: Sequence[str]) -> str:
    """How to use them as fenced actions."""
    lines = ["Act with one fenced block a turn, and read what comes of it. The tools:"]
    for tool in (TOOLS[name] for name in names):
        head = f"{tool.name} {tool.argument.upper()}".rstrip()
        body = f"{_EXAMPLES.get(tool.name, tool.body.upper())}\n" if tool.body else ""
        lines.append(f"{tool.says}:\n```{head}\n{body}```")
    return "\n".join(lines)


_EXAMPLES = {"edit": "OLD TEXT\n=======\nNEW TEXT"}
