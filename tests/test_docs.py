"""The documents say what the code says."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_configuration_reference_is_current_and_links_lead_somewhere() -> None:
    result = subprocess.run([sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_rules_of_the_house_stay_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text().splitlines()) < 60


def test_every_room_says_what_it_is_for() -> None:
    rooms = {path.parent for path in (ROOT / "src" / "bowerbird").glob("*/__init__.py")}
    assert len(rooms) > 10
    assert [room.name for room in sorted(rooms) if not (room / "README.md").is_file()] == []


def test_every_room_names_its_modules() -> None:
    missing = []
    for readme in (ROOT / "src" / "bowerbird").glob("*/**/README.md"):
        above = readme.parent.parent / "README.md"
        told = readme.read_text() + (above.read_text() if above.is_file() else "")
        modules = [module for module in readme.parent.glob("*.py") if not module.name.startswith("__")]
        missing += [str(m.relative_to(ROOT)) for m in modules if not re.search(rf"\b{m.stem}\b", told)]
    assert [name for name in missing if "/environment/" not in name] == []  # of a task, not ours
