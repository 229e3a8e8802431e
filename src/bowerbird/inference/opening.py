"""The sampler that a configuration asks for: in this process, in others, vLLM elsewhere, a server."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from bowerbird.config import Config
from bowerbird.inference.chat import Chat
from bowerbird.inference.engine import Engine
from bowerbird.inference.loading import best_device, best_dtype, load_tokenizer
from bowerbird.inference.pool import Pool
from bowerbird.inference.protocol import Sampler
from bowerbird.inference.remote import Endpoint, RemoteSampler
from bowerbird.inference.server_sampler import Server, ServerSampler
from bowerbird.inference.vllm_sampler import VllmSampler
from bowerbird.types import ConfigError, PolicyVersion

_AT_ONCE = 16  # questions to an endpoint that others may use too


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where and how exactly to compute."""

    device: torch.device
    dtype: torch.dtype


def hardware(config: Config) -> Hardware:
    """Raises ConfigError when the configuration asks for a device that is not there."""
    if config.model.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("model.device is 'cuda', but torch sees no GPU: use 'auto' or 'cpu'")
    device = best_device() if config.model.device == "auto" else torch.device(config.model.device)
    named = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    return Hardware(device, named.get(config.model.precision) or best_dtype(device))


@contextmanager
def open_sampler(
    config: Config, path: str, version: int, says: Callable[[str], None] = lambda _: None
) -> Iterator[Sampler]:
    """The model at `path` as policy version `version`. Processes share the places and the memory of one sampler;
    `says` hears of one that is started again.

    Raises ConfigError for a device that is not there, ModelError for a model that cannot be sampled exactly.
    """
    settings = config.sampler
    if settings.engine == "chat":
        named = Endpoint(settings.endpoint, config.model.name, settings.api_key_env)
        with closing(RemoteSampler(named, at_once=min(settings.places, _AT_ONCE))) as remote:
            yield remote
        return
    if settings.engine == "server":
        server = Server(settings.endpoint.rstrip("/"), settings.reload, os.environ.get(settings.api_key_env, ""))
        at = PolicyVersion(version, path)
        with closing(ServerSampler(server, load_tokenizer(path), places=settings.places, version=at)) as sampler:
            yield sampler
        return
    if settings.engine == "own" and settings.processes == 1:
        yield _own(config, path, version)()
        return
    make = _vllm(config, path, version) if settings.engine == "vllm" else _own(config, path, version)
    python = settings.python if settings.engine == "vllm" else ""
    chat = Chat(load_tokenizer(path))
    opened = Pool(make, chat, version, lanes=settings.processes, python=python, patience=settings.patience_s, says=says)
    with closing(opened) as pool:
        yield pool


def _own(config: Config, path: str, version: int) -> "partial[Engine]":
    where, lanes = hardware(config), config.sampler.processes
    threads = torch.get_num_threads() if lanes == 1 else max(1, len(os.sched_getaffinity(0)) // lanes)
    return partial(
        _engine,
        threads,
        path,
        places=-(-config.sampler.places // lanes),
        kv_tokens=config.sampler.kv_tokens // lanes,
        kept_tokens=config.sampler.kept_tokens // lanes,
        dtype=where.dtype,
        device=where.device,
        version=version,
        recompute=config.pipeline.kv == "recompute",
    )


def _engine(threads: int, path: str, **settings: Any) -> Engine:
    torch.set_num_threads(threads)
    return Engine(path, **settings)


def _vllm(config: Config, path: str, version: int) -> "partial[VllmSampler]":
    options = {"dtype": str(hardware(config).dtype).removeprefix("torch."), **config.sampler.vllm}
    places = -(-config.sampler.places // config.sampler.processes)
    recompute = config.pipeline.kv == "recompute"
    return partial(VllmSampler, path, version=version, places=places, options=options, recompute=recompute)
