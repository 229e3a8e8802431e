"""Dockerfiles that need no image."""

import pytest

from bowerbird.evals.harbor.dockerfile import read_dockerfile
from bowerbird.types import TaskError


def test_folder_variables_and_copies_are_read() -> None:
    found = read_dockerfile(
        "FROM python:3.12-slim\n# a remark\nENV A=1 B='two words'\nENV C three\nWORKDIR /srv\nWORKDIR app\n"
        'COPY --chown=1 a.txt \\\n  dir/ ./\nADD b.txt /data/b.txt\nCMD ["sh"]\n'
    )
    assert found.folder == "/srv/app"
    assert found.variables == {"A": "1", "B": "two words", "C": "three"}
    assert found.copies == (("a.txt", "/srv/app/./"), ("dir/", "/srv/app/./"), ("b.txt", "/data/b.txt"))
    assert read_dockerfile("FROM x\n").folder == "/app"


@pytest.mark.parametrize("line", ["RUN apt-get update", "COPY --from=build /a /b", "ADD https://example.com/x /x"])
def test_what_needs_an_image_is_refused(line: str) -> None:
    with pytest.raises(TaskError, match="needs an image"):
        read_dockerfile(f"FROM x\n{line}\n")
