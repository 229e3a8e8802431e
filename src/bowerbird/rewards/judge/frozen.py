"""The judge: shows a record, asks once per record, looks the quotes up, and keeps the opinion."""

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge.answer import Answer, Unparseable, parse_answer, proven
from bowerbird.rewards.judge.asker import Answerer, Outage
from bowerbird.rewards.judge.cache import OpinionCache
from bowerbird.rewards.judge.prompt import PROMPT_HASH, SCHEMA, make_messages
from bowerbird.rewards.judge.record import ROOM, Record, make_record
from bowerbird.types import InfraError, JsonValue, ModelError, Opinion

_LEAST_ROOM = 500  # characters; what does not fit into less is not a record any more
_LONGEST_WAIT_S = 20.0


class FrozenJudge:
    """A `Judge` over any `Answerer`. Equal records are asked about once, also when they come at the same time."""

    def __init__(
        self,
        answerer: Answerer,
        cache: OpinionCache | None = None,
        *,
        retries: int = 2,
        room: int = ROOM,
        backoff_s: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`retries` are further attempts after an outage or an answer that cannot be read, `backoff_s` apart at first
        and twice as long each time. `room` is how many characters of a rollout are shown."""
        self._answerer, self._cache = answerer, cache if cache is not None else OpinionCache()
        self._retries, self._room, self._backoff_s, self._sleep = retries, room, backoff_s, sleep
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Opinion]] = {}

    @property
    def model(self) -> str:
        return self._answerer.model

    @property
    def model_hash(self) -> str:
        return self._answerer.model_hash

    @property
    def prompt_hash(self) -> str:
        """Of the words around a record, the form of the answer and the form of the record."""
        return PROMPT_HASH

    @property
    def settings(self) -> dict[str, JsonValue]:
        return {**self._answerer.settings, "room": self._room}

    def judge(self, evidence: Evidence) -> Opinion:
        """See `Judge`. A record too long for the model is shown with more left out; that depends on it alone."""
        room = self._room
        while True:
            shown = make_record(evidence, room)
            try:
                return self._opinion(shown, room)
            except ModelError as error:
                room //= 2
                if room < _LEAST_ROOM:
                    raise InfraError(f"the record does not fit into the judge's context: {error}") from error

    def close(self) -> None:
        self._cache.close()

    def _opinion(self, shown: Record, room: int) -> Opinion:
        """From the cache, from a thread that is asking the same, or from the model."""
        messages = make_messages(shown)
        sent = _hash([*messages, SCHEMA])
        settings = {**self.settings, "room": room}
        key = _hash([self.model_hash, sent, settings])
        with self._lock:
            flight = self._under_way.get(key)
            if flight is None:
                mine = self._under_way[key] = Future()
        if flight is not None:
            return flight.result()
        try:
            opinion = self._cache.get(key)
            if opinion is None:
                opinion = self._asked(messages, shown, sent, settings)
                self._cache.put(key, opinion)
            mine.set_result(opinion)
            return opinion
        except BaseException as error:
            mine.set_exception(error)  # whoever waits for this flight must not wait for ever
            raise
        finally:
            with self._lock:
                del self._under_way[key]

    def _asked(
        self, messages: Sequence[Mapping[str, str]], shown: Record, sent: str, settings: Mapping[str, JsonValue]
    ) -> Opinion:
        answer, attempt = self._answer(messages)
        return Opinion(
            veto=answer.veto,
            reason=answer.reason,
            quotes=answer.quotes,
            model_hash=self.model_hash,
            prompt_hash=sent,
            settings={**settings, "attempt": attempt, "left_out": shown.left_out, "prompt": PROMPT_HASH},
            void=answer.veto and not proven(answer, shown),
        )

    def _answer(self, messages: Sequence[Mapping[str, str]]) -> tuple[Answer, int]:
        """The first answer that can be read, and how many could not. Raises the last attempt's InfraError."""
        unread = 0
        for failed in itertools.count():
            try:
                return parse_answer(self._answerer.ask(messages, SCHEMA, unread)), unread
            except InfraError as error:
                if failed == self._retries:
                    raise
                if isinstance(error, Unparseable):
                    unread += 1
                else:
                    asked = error.after_s if isinstance(error, Outage) else 0.0
                    self._sleep(min(max(self._backoff_s * 2**failed, asked), _LONGEST_WAIT_S))
        raise AssertionError("counting does not end")


def _hash(value: JsonValue) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
