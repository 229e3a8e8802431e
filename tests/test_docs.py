"""The documents say what the code says."""

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
