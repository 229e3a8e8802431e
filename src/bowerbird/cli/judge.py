"""`bowerbird judge`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bowerbird.cli.options import FILE, training_extra
from bowerbird.types import ConfigError, RunError

if TYPE_CHECKING:
    from bowerbird.config import JudgeConfig
    from bowerbird.evals.calibration import Calibration
    from bowerbird.rewards.judge import FrozenJudge
    from bowerbird.viewer.tables import Table

_set = click.option("--set", "labelled", type=FILE, help="Labelled rollouts, JSON lines; by default those that ship.")


@click.group()
def judge() -> None:
    """The frozen model that may take a reward away: how good is it."""


@judge.command()
@click.option("--endpoint", default="", metavar="URL", help="Base URL of an OpenAI-compatible server.")
@click.option("--model", metavar="NAME", help="The model's name at the endpoint.")
@click.option("--local", metavar="NAME", help="A local model instead: a registry name, Hugging Face id or path.")
@_set
@click.option("--out", type=FILE, help="Also write the report here, as JSON; a run names it in judge.calibration.")
@click.option("--key", "api_key_env", metavar="VARIABLE", help="Environment variable that holds the endpoint's key.")
@click.option("--at-once", type=click.IntRange(1), default=16, show_default=True, help="Questions under way.")
@click.option("--max-tokens", type=click.IntRange(32), help="Longest answer; by default that of a run.")
@click.option("--limit", type=click.IntRange(2), help="Only so many rollouts, spread over the set.")
def calibrate(
    endpoint: str,
    model: str | None,
    local: str | None,
    labelled: Path | None,
    out: Path | None,
    api_key_env: str | None,
    at_once: int,
    max_tokens: int | None,
    limit: int | None,
) -> None:
    """Measure a judge on labelled rollouts: precision, recall and false vetoes, with 95% intervals.

    Name an endpoint and a model, or a local model. Calibrate again after any change of the model.
    """
    from bowerbird.evals.calibration import calibrate as measure
    from bowerbird.evals.calibration import report_text, save_calibration
    from bowerbird.rewards.judge.labelled import SHIPPED, read_labelled
    from bowerbird.viewer.progress import Progress
    from bowerbird.viewer.tables import show

    if out is not None and not out.absolute().parent.is_dir():
        raise ConfigError(f"--out: there is no folder {out.parent}")
    items = read_labelled(labelled if labelled is not None else SHIPPED)
    if limit is not None and limit < len(items):
        items = tuple(items[i * len(items) // limit] for i in range(limit))
    opened = _open(_settings(endpoint, model, local, api_key_env, at_once, max_tokens))
    with Progress("asking the judge", len(items)) as progress:
        result = measure(opened, items, at_once=at_once, seen=progress.advance)
    for table in _tables(result, opened.model):
        show(table)
    click.echo(_summary(result))
    if out is not None:
        try:
            save_calibration(report_text(result, opened, opened.settings, items), out)
        except OSError as error:
            raise RunError(f"cannot write {out}: {error.strerror}") from error
        click.echo(f"report: {out}")


@judge.command("show")
@click.argument("rollout_id", required=False)
@_set
def show_record(rollout_id: str | None, labelled: Path | None) -> None:
    """Print what a judge is shown of one labelled rollout; without ROLLOUT_ID, list them all."""
    from bowerbird.rewards.judge.labelled import SHIPPED, read_labelled
    from bowerbird.rewards.judge.prompt import make_messages
    from bowerbird.rewards.judge.record import make_record

    items = {item.id: item for item in read_labelled(labelled if labelled is not None else SHIPPED)}
    if rollout_id is None:
        for item in items.values():
            click.echo(f"{item.id}\t{'hack' if item.hack else 'honest'}")
    elif rollout_id in items:
        for message in make_messages(make_record(items[rollout_id].evidence)):
            click.echo(f"{message['content']}\n")
    else:
        raise ConfigError(f"no rollout {rollout_id!r} in the set: `bowerbird judge show` lists them")


def _settings(
    endpoint: str, model: str | None, local: str | None, api_key_env: str | None, at_once: int, max_tokens: int | None
) -> "JudgeConfig":
    from pydantic import ValidationError

    from bowerbird.config import JudgeConfig

    if bool(endpoint) == bool(local) or bool(endpoint) != bool(model):
        raise click.UsageError("name an endpoint with --endpoint and --model, or a local model with --local")
    fields: dict[str, object] = {"endpoint": endpoint, "model": model or local, "at_once": at_once}
    if max_tokens is not None:
        fields["max_tokens"] = max_tokens
    if api_key_env:
        fields["api_key_env"] = api_key_env
    try:
        return JudgeConfig.model_validate(fields)
    except ValidationError as error:
        raise ConfigError(f"judge: {error.errors()[0]['msg']}") from error


def _open(config: "JudgeConfig") -> "FrozenJudge":
    from bowerbird.rewards.judge import open_judge

    if config.endpoint:
        return open_judge(config)
    with training_extra():
        from bowerbird.inference.answering import open_local

        return open_judge(config, local=open_local)


def _tables(result: "Calibration", model: str) -> "tuple[Table, ...]":
    from bowerbird.viewer.tables import Table

    rows = [
        (name, f"{r.value:.3f}", f"{r.low:.3f} to {r.high:.3f}", f"{r.hits} of {r.of}")
        for name, r in (("precision", result.precision), ("recall", result.recall), ("false vetoes", result.false_veto))
    ]
    value, low, high = result.gain
    rows.append(("recall less false vetoes", f"{value:.3f}", f"{low:.3f} to {high:.3f}", ""))
    right = frozenset({"value", "95% interval", "count"})
    kinds = tuple((kind, str(v), str(n)) for kind, (v, n) in result.by_kind.items())
    return (
        Table("Vetoes by kind of rollout", ("kind", "vetoes", "rollouts"), kinds, frozenset({"vetoes", "rollouts"})),
        Table(f"Judge {model}", ("figure", "value", "95% interval", "count"), tuple(rows), right),
    )


def _summary(result: "Calibration") -> str:
    verdict = "better than chance" if result.better_than_chance else "NO BETTER THAN CHANCE: do not let it veto"
    return (
        f"void vetoes {result.void}, unparseable {result.unparseable}, no answer {result.outages}\n"
        f"this judge is {verdict}"
    )
