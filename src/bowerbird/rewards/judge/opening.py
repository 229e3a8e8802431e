"""A judge from its settings."""

from collections.abc import Callable
from pathlib import Path

from bowerbird.config import JudgeConfig
from bowerbird.rewards.judge.asker import Answerer
from bowerbird.rewards.judge.cache import OpinionCache
from bowerbird.rewards.judge.frozen import FrozenJudge
from bowerbird.types import ConfigError

CACHE = "judge.db"
Local = Callable[[JudgeConfig], Answerer]


def open_judge(
    config: JudgeConfig, folder: Path | None = None, *, local: Local | None = None, probe: bool = True
) -> FrozenJudge:
    """The judge that `config` describes, whatever its mode. Opinions are kept in `folder`, or in memory.

    `local` makes the answerer where no endpoint is named; it is an argument because this room may not load a model
    (`inference.answering.open_local` is one). With `probe` an endpoint is asked something small first.
    Raises ConfigError for settings that cannot work, and RunError when `folder` cannot be written.
    """
    answerer: Answerer
    if config.endpoint:
        from bowerbird.rewards.judge.endpoint import EndpointAnswerer  # an http client is slow to import

        answerer = endpoint = EndpointAnswerer(config)
        if probe:
            endpoint.probe()
    elif local is not None:
        answerer = local(config)
    else:
        raise ConfigError("judge.endpoint is empty and no local model can be loaded here: name an endpoint")
    cache = OpinionCache(folder / CACHE if folder is not None else None)
    return FrozenJudge(answerer, cache, retries=config.retries)
