"""The `bowerbird` command."""

from bowerbird.cli.completion import completion
from bowerbird.cli.evaluate import evaluate
from bowerbird.cli.export import export
from bowerbird.cli.flags import flags
from bowerbird.cli.group import bowerbird
from bowerbird.cli.imports import import_
from bowerbird.cli.judge import judge
from bowerbird.cli.redteam import redteam
from bowerbird.cli.sandbox import sandbox
from bowerbird.cli.scaffolds import scaffolds
from bowerbird.cli.simulate import simulate
from bowerbird.cli.solve import solve
from bowerbird.cli.tasks import tasks
from bowerbird.cli.train import train
from bowerbird.cli.view import view

main = bowerbird
for _command in (
    solve,
    train,
    evaluate,
    tasks,
    sandbox,
    scaffolds,
    flags,
    redteam,
    judge,
    simulate,
    view,
    export,
    import_,
    completion,
):
    main.add_command(_command)

__all__ = ["main"]
