"""A Harbor task that says nothing of what is to be submitted: it can be listed and not graded."""

from pathlib import Path


def plain_task(folder: Path) -> None:
    """Write one into `folder`, which is made."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test.sh").write_text("true\n")
    (folder / "instruction.md").write_text("Do it.\n")
    (folder / "task.toml").write_text('version = "1.0"\n')
