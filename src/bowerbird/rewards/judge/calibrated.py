"""Whether a judge was measured before it is trusted: reads the report of `bowerbird judge calibrate`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from bowerbird.types import JsonValue

HOW = "measure it with `bowerbird judge calibrate` and name the report in judge.calibration"


class Measured(Protocol):
    """What a report says of the judge it is about."""

    @property
    def model(self) -> str: ...

    @property
    def model_hash(self) -> str: ...

    @property
    def prompt_hash(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, JsonValue]: ...


def doubt_about(report: Path | str, judge: Measured) -> str | None:
    """None where `report` is about this very judge and finds it better than chance; else a warning for people.

    `report` may be "" for none. Nothing is raised: a report that cannot be read is as good as none.
    """
    if not str(report):
        return f"the judge {judge.model} is not calibrated: {HOW}"
    try:
        raw = json.loads(Path(report).read_text())
        told = {key: raw[key] for key in ("model_hash", "prompt_hash", "settings", "better_than_chance")}
        rates = f"recall {raw['recall']['value']:.2f}, false vetoes {raw['false_veto']['value']:.2f}"
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        return f"the judge's calibration {report} cannot be read ({type(error).__name__}): {HOW}"
    if told["model_hash"] != judge.model_hash:
        return f"the calibration {report} is of another model than the judge {judge.model}: {HOW}"
    if told["prompt_hash"] != judge.prompt_hash:
        return f"the calibration {report} was made with other prompts than this version's: {HOW}"
    if told["settings"] != dict(judge.settings):
        return f"the calibration {report} was made with other settings ({told['settings']}) than this run's: {HOW}"
    if told["better_than_chance"] is not True:
        return f"the judge {judge.model} is no better than chance ({rates}): use another, or judge.mode = 'advisory'"
    return None
