"""Write docs/CONFIG.md from the configuration's own description, and check that every relative link leads somewhere.

`--check` writes nothing and fails when docs/CONFIG.md is not what would be written.
"""

import json
import re
import sys
import types
import typing
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bowerbird.config import Config

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "CONFIG.md"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
HEAD = """# Configuration

One TOML file a run; every key may be left out, and an unknown key is an error. `bowerbird train FILE` reads it,
and the run directory keeps it as resolved. This page is written by `make docs` from the code.
"""


def page() -> str:
    """The whole page: keys at the top level first, then one table a section."""
    sections = {
        name: field.annotation
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    top = {name: field for name, field in Config.model_fields.items() if name not in sections}
    parts = [HEAD, "## Top level\n", table(top)]
    for name, section in sections.items():
        parts += [f"## [{name}]\n", table(section.model_fields)]
    return "\n".join(parts)


def table(fields: typing.Mapping[str, FieldInfo]) -> str:
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in fields.items():
        rows.append(f"| `{name}` | {kind(field)} | `{toml(field.default)}` | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def toml(default: object) -> str:
    if isinstance(default, tuple):
        return f"[{', '.join(map(toml, default))}]"
    return json.dumps(default)


def kind(field: FieldInfo) -> str:
    """The type as a reader of TOML thinks of it, with its bounds."""
    bounds = [f"{sign} {value}" for bound in field.metadata for sign, value in limits(bound)]
    return ", ".join([type_name(field.annotation), *bounds])


def limits(bound: object) -> list[tuple[str, object]]:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return [(sign, getattr(bound, name)) for name, sign in signs.items() if getattr(bound, name, None) is not None]


def type_name(annotation: object) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f'`"{value}"`' for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_name(each) for each in arguments if each is not type(None))
    if origin in (tuple, list):
        return f"list of {type_name(arguments[0])}"
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin is dict:
        return "table"
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path"}
    return next((name for each, name in names.items() if each is annotation), str(annotation))


def broken_links() -> list[str]:
    """`document: target` for each relative link that leads nowhere."""
    places = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"), *(ROOT / "src").glob("**/*.md")]
    return [
        f"{document.relative_to(ROOT)}: {target}"
        for document in sorted(places)
        for target in LINK.findall(document.read_text())
        if "://" not in target and not (document.parent / target).exists()
    ]


def main() -> int:
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
    problems = [f"broken link in {link}" for link in broken_links()]
    if not PAGE.exists() or PAGE.read_text() != page():
        problems.append(f"{PAGE.relative_to(ROOT)} is out of date: run `make docs`")
    print("\n".join(problems) or "documents: configuration reference is current, no broken link")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
