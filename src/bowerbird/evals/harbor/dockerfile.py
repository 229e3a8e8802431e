"""The Dockerfiles that need no image: a folder to work in, variables, and files that are copied."""

import shlex
from dataclasses import dataclass

from bowerbird.types import TaskError

_IGNORED = ("FROM", "LABEL", "MAINTAINER", "EXPOSE", "CMD", "ENTRYPOINT", "SHELL", "STOPSIGNAL", "HEALTHCHECK", "USER")


@dataclass(frozen=True, slots=True)
class Recipe:
    """`copies` are pairs of a path in the build context and an absolute one, in order."""

    folder: str
    variables: dict[str, str]
    copies: tuple[tuple[str, str], ...]


def read_dockerfile(text: str) -> Recipe:
    """Raises TaskError for what would need an image: RUN, ADD of an address, COPY from another stage."""
    folder = "/app"
    variables: dict[str, str] = {}
    copies: list[tuple[str, str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        word, rest = word.upper(), rest.strip()
        if not word or word.startswith("#") or word in _IGNORED:
            continue
        if word == "WORKDIR":
            folder = rest if rest.startswith("/") else f"{folder}/{rest}"
        elif word in ("ENV", "ARG"):
            variables |= _variables(rest)
        elif word in ("COPY", "ADD") and "--from" not in rest and "://" not in rest:
            copies += _copies(rest, folder)
        else:
            raise TaskError(
                f"the Dockerfile says {line.strip()[:80]!r}, which needs an image: use Docker or Podman for it"
            )
    return Recipe(folder, variables, tuple(copies))


def _variables(rest: str) -> dict[str, str]:
    if "=" not in rest:
        name, _, value = rest.partition(" ")
        return {name: value.strip()}
    return dict(part.split("=", 1) for part in shlex.split(rest) if "=" in part)


def _copies(rest: str, folder: str) -> list[tuple[str, str]]:
    *sources, target = [part for part in shlex.split(rest) if not part.startswith("--")]
    whole = target if target.startswith("/") else f"{folder}/{target}"
    return [(source, whole) for source in sources]
