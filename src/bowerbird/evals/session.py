"""A whole run as the user starts it: train, then evaluate the model as it was and as it is on held-out tasks."""

from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from bowerbird.config import Config, VerifierConfig
from bowerbird.evals.arms import FILE, Bench, evaluate
from bowerbird.evals.guests import PREFIX, refuse_guests
from bowerbird.evals.report import EvalReport, save_report
from bowerbird.inference.memory import give_back
from bowerbird.inference.models import resolve
from bowerbird.orchestrator.grading import Grader, open_defences
from bowerbird.orchestrator.progress import Watcher
from bowerbird.orchestrator.run import sampling_parts, train
from bowerbird.orchestrator.store import RunStore, archived, trained_tasks
from bowerbird.rollout.tools import toolset
from bowerbird.scaffold.archive import Entry
from bowerbird.scaffold.written import from_file
from bowerbird.tasks import Loaded, TaskSet, load_named
from bowerbird.tasks.katas import KataTask, family_names, train_heldout_split
from bowerbird.tasks.repos import FAMILIES, RepoTask, generate
from bowerbird.trainer.publish import complete
from bowerbird.types import WHOLE, ConfigError, RunError, TaskError


def train_and_evaluate(config: Config, runs: Path, watcher: Watcher, resume: Path | None = None) -> Path:
    """Make or resume a run and bring it to its end; its directory.

    Raises BowerbirdError for all that can be foreseen: no sandbox, no model, a full disk, a stop by the user.
    """
    if resume is not None:
        store, config = RunStore.open(resume)
        train_set, heldout = task_sets(config)
    else:
        _refuse_sampler(config)
        if config.eval.before:
            untrained(config)  # refused before a step, not after all
        train_set, heldout = task_sets(config)  # before a directory is made: broken tasks leave nothing behind
        _refuse_missing(config, heldout)
        store = RunStore.create(runs, config)
    try:
        _say_note(config, train_set, watcher)
        refuse_trained(store.folder, heldout)
        if resume is not None:
            _refuse_missing(config, heldout)  # since it began a file may have gone
        before, after = store.folder / "eval-before.json", store.folder / "eval-after.json"
        version = train(store, config, train_set, watcher)
        give_back()
        if config.eval.before and not before.exists():  # the untrained model can wait: rewards are seen sooner
            save_report(evaluate_model(untrained(config), heldout, config.model.name, 0, watcher), before)
            give_back()
        if config.eval.after:
            report = evaluate_model(
                config, heldout, version.path, version.number, watcher, _known(config, store.folder)
            )
            save_report(report, after)
        return store.folder
    finally:
        store.close()


def evaluate_run(run: Path | None, config: Config, watcher: Watcher) -> EvalReport:
    """The arms under a run's newest version, or under `config.model` where no run is given."""
    heldout = task_sets(config)[1]
    _refuse_missing(config, heldout)
    if run is not None and config.sampler.engine == "chat":
        raise ConfigError(f"sampler.engine = 'chat' answers in the place of {run}'s model: name a model, and no run")
    _say_note(config, heldout, watcher)
    if run is None:
        return evaluate_model(config, heldout, config.model.name, 0, watcher)
    versions = complete(run / "versions")
    if not versions:
        raise RunError(f"{run} has no published version to evaluate")
    refuse_trained(run, heldout)
    newest = run / "versions" / str(versions[-1])
    return evaluate_model(config, heldout, str(newest), versions[-1], watcher, _known(config, run))


def evaluate_model(
    config: Config, heldout: TaskSet, model: str, version: int, watcher: Watcher, archive: Sequence[Entry] = ()
) -> EvalReport:
    path = model if config.sampler.engine == "chat" else resolve(model, watcher.says)
    # by the tasks' own verifiers, whatever a run was trained on, and otherwise under the defences of training
    own = config.model_copy(update={"verifier": VerifierConfig()})
    with (
        sampling_parts(config, path, version, watcher) as (engine, sandbox, pool),
        open_defences(own, sandbox, watcher, None) as defences,
    ):
        grader = Grader(heldout, sandbox, defences, pool)
        return evaluate(Bench(config, heldout, engine.chat, engine, sandbox, pool, grader, archive), watcher)


def _known(config: Config, run: Path) -> Sequence[Entry]:
    return archived(run) if "archive" in config.eval.arms else ()


def _refuse_sampler(config: Config) -> None:
    """Raises ConfigError where a new run's sampler cannot do what is asked of it."""
    if config.sampler.engine == "chat":
        raise ConfigError("sampler.engine = 'chat' cannot be trained on: it gives no tokens and takes no weights")
    if config.sampler.engine == "server" and config.pipeline.kv == "keep":
        raise ConfigError("pipeline.kv = 'keep': a server can only recompute, so say 'recompute' or 'auto'")


def _refuse_missing(config: Config, heldout: TaskSet) -> None:
    """Raises ConfigError or TaskError where a tool or something that an arm needs is missing, before any sampling."""
    toolset(config.scaffold.tools)
    if any(arm.startswith(PREFIX) for arm in config.eval.arms):
        refuse_guests(config.harbor, heldout.views.values())
    for file in _files(config):
        from_file(file, "arm", "task", config.scaffold.tool_names)


def untrained(config: Config) -> Config:
    """Without the arm that needs an archive. Raises ConfigError where none is left."""
    arms = tuple(arm for arm in config.eval.arms if arm != "archive")
    if not arms:
        raise ConfigError("eval.arms: no archive before training: name another arm, or eval.before = false")
    return config.model_copy(update={"eval": config.eval.model_copy(update={"arms": arms})})


def refuse_trained(run: Path, heldout: Collection[str]) -> None:
    """Raises TaskError where the run was trained on a task that is to be held out: settings or tasks have changed."""
    if trained := sorted(trained_tasks(run) & set(heldout)):
        raise TaskError(
            f"{run} was trained on {len(trained)} of the tasks that would now be held out (the first: {trained[0]}): "
            "evaluate with the tasks and the settings [tasks] that it was trained with"
        )


def task_sets(config: Config) -> tuple[TaskSet, TaskSet]:
    """The tasks to train on and those held out; no task is in both. Raises TaskError where there are too few."""
    tasks = config.tasks
    if tasks.source == "katas":
        families = tasks.families or family_names(hardest=tasks.hardest)
        train_part, heldout_part = train_heldout_split(tasks.seed, tasks.train, tasks.heldout, families=families)
        return _generated(train_part), _generated(heldout_part)
    if tasks.source == "repos":  # whole packages are held out: their right text is the same for all bugs of one
        trained = generate(tasks.seed, tasks.train, families=FAMILIES[:-2])
        return _generated(trained), _generated(generate(tasks.seed, tasks.heldout, families=FAMILIES[-2:]))
    found = load_named(tasks.source)
    _refuse_cards(config, found)
    imaged = next((task_id for task_id, view in found.views.items() if view.image), None)
    if imaged is not None and config.sandbox.backend == "local":
        raise TaskError(f'{imaged} runs in a container image: set sandbox.backend = "docker" or "podman"')
    ids = sorted(_gradable(tasks.source, found), key=lambda task_id: _content(found, task_id))
    if len(ids) < tasks.train + tasks.heldout:
        raise TaskError(
            f"{tasks.source} has {len(ids)} tasks, but tasks.train + tasks.heldout is {tasks.train + tasks.heldout}"
        )
    held = ids[: tasks.heldout]
    texts = {_content(found, task_id) for task_id in held}
    rest = [task_id for task_id in ids[tasks.heldout :] if _content(found, task_id) not in texts][-tasks.train :]
    if len(rest) < tasks.train:
        raise TaskError(f"{tasks.source}: some tasks are there twice, so only {len(rest)} are left to train on")
    return _part(found, rest), _part(found, held)


def _refuse_cards(config: Config, tasks: TaskSet) -> None:
    """Raises TaskError where a task takes its whole workspace, and somebody would answer it with one text."""
    whole = next((task_id for task_id, view in tasks.views.items() if view.submission == WHOLE), None)
    if whole is None:
        return
    texts = [f"scaffold.tier = {config.scaffold.tier!r}"] if config.scaffold.tier == "card" else []
    texts += [f"eval.arms has {arm!r}" for arm in config.eval.arms if arm in ("plain", "fixed")]
    names = config.scaffold.tool_names
    texts += [f"{file} is a card" for file in _files(config) if from_file(file, "arm", "task", names).tier == "card"]
    if texts:
        raise TaskError(
            f"{whole} takes a whole workspace, which one text cannot answer, and {' and '.join(texts)}: "
            'set scaffold.tier = "plan" or "program", and eval.arms = ["react", "own"]'
        )


def _files(config: Config) -> list[Path]:
    """The scaffolds of arms that name a file."""
    return [Path(arm.removeprefix(FILE)) for arm in config.eval.arms if arm.startswith(FILE)]


def _say_note(config: Config, tasks: TaskSet, watcher: Watcher) -> None:
    if tasks.note:
        watcher.says(f"{config.tasks.source}: {tasks.note}")


def _content(tasks: TaskSet, task_id: str) -> str:
    """A hash of what a task asks for. Sorted by it, a file's order means nothing and equal tasks are neighbours; the
    held-out tasks come from one end and the others from the other end, so a task that is added moves few."""
    view = tasks.views[task_id]
    return sha256(f"{view.entry_point}\n{view.instruction}".encode()).hexdigest()


def _generated(tasks: Sequence[KataTask] | Sequence[RepoTask]) -> TaskSet:
    return TaskSet(Loaded(task.view, task.spec) for task in tasks)


def _gradable(source: str, tasks: TaskSet) -> list[str]:
    """Ids of the tasks that a submission can be graded on. Raises TaskError where there is any other."""
    ids = list(tasks)
    if other := [task_id for task_id in ids if not tasks.views[task_id].submission]:
        raise TaskError(
            f"{source}: {len(other)} of {len(ids)} tasks declare no submission (the first: {other[0]}), so nothing "
            "here can grade them. `bowerbird tasks images` writes them anew for the images that they are made for; or, "
            'if python3 and the system\'s tools are enough for one, say kind = "script" and submission = [...] under '
            "[metadata.bowerbird] in its task.toml"
        )
    return ids


def _part(tasks: TaskSet, ids: list[str]) -> TaskSet:
    return TaskSet((Loaded(tasks.views[i], tasks.spec(i)) for i in ids), tasks.note)
