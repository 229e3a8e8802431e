"""Who is asked: a model behind an endpoint, one in this process, or none at all."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bowerbird.types import InfraError, JsonValue

AGAIN_TEMPERATURE = 0.5  # for a question whose first answer could not be read: at 0 the same would come again


class Outage(InfraError):
    """No answer could be had. `after_s`: how long the other side asks to be left alone, seconds."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class Answerer(Protocol):
    """A frozen model that answers questions. Safe to share among threads."""

    @property
    def model(self) -> str:
        """Its name, for reports."""
        ...

    @property
    def model_hash(self) -> str:
        """SHA-256 of the weights; of the name and the endpoint where the weights are out of reach."""
        ...

    @property
    def settings(self) -> Mapping[str, JsonValue]:
        """All that decides the answer besides the messages: temperature, seed, longest answer."""
        ...

    def ask(self, messages: Sequence[Mapping[str, str]], schema: str, attempt: int = 0) -> str:
        """One answer, which follows the JSON schema as far as the model can be held to it. `attempt` is the seed: 0
        at first, at temperature 0; more after answers that could not be read, at AGAIN_TEMPERATURE.

        Raises Outage when none could be had, and ModelError when the messages are too long for the model.
        """
        ...
