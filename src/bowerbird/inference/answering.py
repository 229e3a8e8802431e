"""A local model that answers questions under a grammar, frozen: it is loaded once and never takes new weights.

It fits the protocol of the judge (`rewards.judge.asker`), which may not load a model itself.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bowerbird.config import JudgeConfig
from bowerbird.inference.protocol import Request, Sampler
from bowerbird.inference.shared import SharedSampler
from bowerbird.types import JsonValue, ModelError, Sampling

if TYPE_CHECKING:
    from bowerbird.inference.chat import Chat

_COLD = 0.01  # as good as the likeliest token, and still a division
_AGAIN = 0.5  # when the cold answer could not be read: the same one would come again
_PLACES = 1  # questions sampled side by side: with more, an answer could depend on what else was asked meanwhile
_BREAK = "\u00a6"


class LocalAnswerer:
    """Answers through one sampler, for many threads."""

    def __init__(
        self,
        sampler: Sampler,
        chat: "Chat",
        *,
        model: str,
        model_hash: str,
        max_tokens: int,
        special: Sequence[str] = (),
    ) -> None:
        """`special` are the texts of the tokenizer's control tokens: none of them is passed on whole."""
        self._sampler, self._chat, self._max_tokens = SharedSampler(sampler), chat, max_tokens
        self._special = sorted((text for text in special if len(text) > 1), key=len, reverse=True)
        self.model, self.model_hash = model, model_hash

    @property
    def settings(self) -> Mapping[str, JsonValue]:
        return {"temperature": 0.0, "seed": 0, "max_tokens": self._max_tokens}

    def ask(self, messages: Sequence[Mapping[str, str]], schema: str, attempt: int = 0) -> str:
        """One answer, at temperature 0 unless it is a further attempt. Raises ModelError when it cannot fit."""
        safe = [{**message, "content": self._harmless(message["content"])} for message in messages]
        sampling = Sampling(_AGAIN if attempt else _COLD, 0.0, self._max_tokens, attempt)
        request = Request(self._chat.prompt(safe), sampling, schema)
        answer = self._sampler.answer(request)
        if answer.finish == "too_long":
            raise ModelError(f"a question of {len(request.prompt_ids)} tokens does not fit into the model's context")
        return answer.text

    def _harmless(self, text: str) -> str:
        for token in self._special:
            text = text.replace(token, token[0] + _BREAK + token[1:])
        return text


def open_local(config: JudgeConfig) -> LocalAnswerer:
    """The local model named in the settings, on the best device there is. Raises ModelError when there is none."""
    from bowerbird.inference.engine import Engine
    from bowerbird.inference.loading import best_device, best_dtype
    from bowerbird.inference.models import resolve

    path = resolve(config.model)
    device = best_device()
    engine = Engine(path, places=_PLACES, dtype=best_dtype(device), device=device)
    special = [*engine.tokenizer.all_special_tokens, *engine.tokenizer.get_added_vocab()]
    return LocalAnswerer(
        engine,
        engine.chat,
        model=config.model,
        model_hash=weights_hash(path),
        max_tokens=config.max_tokens,
        special=list(dict.fromkeys(special)),
    )


def weights_hash(path: str) -> str:
    """SHA-256 over the names and bytes of a checkpoint's weight files. Raises ModelError where there are none."""
    folder = Path(path) if Path(path).is_dir() else _downloaded(path)
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    if not files:
        raise ModelError(f"{folder} holds no weights (*.safetensors or *.bin)")
    whole = hashlib.sha256()
    for file in files:
        stat = file.stat()
        whole.update(f"{file.name} {_file_hash(file, stat.st_size, stat.st_mtime_ns)}\n".encode())
    return whole.hexdigest()


@lru_cache(maxsize=64)
def _file_hash(path: Path, size: int, changed: int) -> str:
    """Size and time of change are part of the key: a file that was replaced is read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _downloaded(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError) as error:
        raise ModelError(f"cannot find the files of {hub_id}: give the path of a local checkpoint") from error
