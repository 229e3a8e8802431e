"""`bowerbird eval`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bowerbird.cli.grading import show_trust
from bowerbird.cli.options import FILE, FOLDER, plain_lines, settings, training_extra
from bowerbird.types import ConfigError, RunError

if TYPE_CHECKING:
    from bowerbird.config import Config
    from bowerbird.evals.report import EvalReport
    from bowerbird.viewer.tables import Table


@click.command("eval")
@click.argument("run_dir", type=FOLDER, required=False)
@click.option("--config", "config_file", type=FILE, help="Settings to evaluate with; by default the run's own.")
@click.option("--model", metavar="NAME", help="Evaluate this model: a registry name, Hugging Face id or path.")
@click.option("--endpoint", metavar="URL", help="The model --model of this server with OpenAI's API.")
@settings
@click.option("--out", type=FILE, help="Also write the report here, as JSON.")
@click.option("--markdown", "markdown_file", type=FILE, help="Also write the tables here.")
@click.option("--picture", type=FILE, help="Also draw the arms with their intervals here, as a PNG.")
@click.option("--predictions", type=FILE, help="Also write each arm's patches, for the SWE-bench harness.")
@plain_lines
def evaluate(
    run_dir: Path | None,
    config_file: Path | None,
    model: str | None,
    endpoint: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    markdown_file: Path | None,
    picture: Path | None,
    predictions: Path | None,
    plain: bool,
) -> None:
    """Evaluate the newest version of RUN_DIR, or any model with --model, on held-out tasks.

    With --endpoint the key is read from `sampler.api_key_env`, and tokens are counted by the length of texts.

    Arms at the same token budget, as `eval.arms` says: one plain sample, a fixed card, one loop over all tools (react),
    the model's own scaffold, the best of the run's archive, a scaffold of yours (file:PATH), agents of Harbor's
    (harbor:NAME). With `eval.samples` above 1 also pass@k and pass^k.
    """
    from bowerbird.viewer.live import make_watcher
    from bowerbird.viewer.tables import evaluation_tables, show

    if endpoint is not None:
        if model is None:
            raise click.UsageError("--endpoint needs --model, the model's name there")
        overrides = ("sampler.engine=chat", f"sampler.endpoint={endpoint}", *overrides)
    if (run_dir is None) == (model is None) and not (model is None and config_file is not None):
        raise click.UsageError("name a run directory, or a model with --model, and not both")
    for file in (out, markdown_file, picture, predictions):
        if file is not None and not file.absolute().parent.is_dir():
            raise ConfigError(f"there is no folder {file.parent} to write {file.name} into")
    config = _config(run_dir, config_file, model, list(overrides))
    with training_extra():
        from bowerbird.evals.session import evaluate_run
    with make_watcher(True if plain else None) as watcher:
        report = evaluate_run(run_dir, config, watcher)
    tables = evaluation_tables(None, report)
    for table in tables:
        click.echo()
        show(table)
    show_trust(report)
    _save(report, tables, out, markdown_file)
    if picture is not None:
        from bowerbird.viewer.curves import draw_evaluation

        click.echo(f"picture: {draw_evaluation(report, picture)}")
    if predictions is not None:
        _predict(report, predictions, config.model.name)


def _predict(report: "EvalReport", path: Path, model: str) -> None:
    from bowerbird.evals.predictions import write_predictions

    for written in write_predictions(report, path, model):
        click.echo(f"predictions: {written}")


def _save(report: "EvalReport", tables: "list[Table]", out: Path | None, markdown_file: Path | None) -> None:
    """Where the user wants it. Raises RunError where it cannot be written."""
    from bowerbird.evals.report import save_report
    from bowerbird.viewer.tables import markdown

    try:
        if out is not None:
            save_report(report, out)
            click.echo(f"\nreport: {out}")
        if markdown_file is not None:
            markdown_file.write_text("\n\n".join(map(markdown, tables)) + "\n")
            click.echo(f"\ntables: {markdown_file}")
    except OSError as error:
        raise RunError(f"cannot write the report: {error}") from error


def _config(run_dir: Path | None, config_file: Path | None, model: str | None, overrides: list[str]) -> "Config":
    """Settings from the file that was named, else from the run, else the defaults; `model` goes on top."""
    from bowerbird.config import load_config

    if run_dir is not None and not (run_dir / "config.toml").is_file():
        raise RunError(f"{run_dir} is not a run directory: it has no config.toml")
    path = config_file if config_file is not None else run_dir / "config.toml" if run_dir is not None else None
    config = load_config(path, overrides)
    if model is None:
        return config
    return config.model_copy(update={"model": config.model.model_copy(update={"name": model})})
