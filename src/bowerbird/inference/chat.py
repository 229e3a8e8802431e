"""Messages to token ids under the model's own chat template. Sampled ids are never re-tokenised."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from bowerbird.types import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Message = Mapping[str, str]  # {"role": "user", "content": "..."}
Schema = Mapping[str, Any]  # of one tool, as OpenAI's API has it
_FORMS = ("<tool_call>", '"parameters"', "TOOL_CALLS")  # of calls, as `rollout.actions` reads them
_PROBE: Schema = {"type": "function", "function": {"name": "x", "description": "x", "parameters": {"type": "object"}}}
_OPEN, _LOOK = "<think>", 8  # reasoning begins; tokens of a prompt's end that may say so
_MARK = "\u241ebowerbird\u241e"


def spoken(text: str, before: str = "") -> str:
    """An answer without the reasoning before it. A template may open the block itself, at the end of what stands
    `before`, so that only its end is there; one that opens later is quoted, and part of the answer. Reasoning that does
    not end leaves no answer."""
    text = f"{_OPEN}{text}" if before.rstrip().endswith(_OPEN) else text
    thought, end, answer = text.partition("</think>")
    opened = thought.find(_OPEN)
    if not end and opened >= 0 and not thought[:opened].strip():
        return ""
    return answer.lstrip() if end and (opened == -1 or not thought[:opened].strip()) else text


def answered(prompt_ids: Sequence[int], text: str, decode: Callable[[Sequence[int]], str]) -> str:
    """What was sampled after this prompt, without its reasoning."""
    return spoken(text, decode(prompt_ids[-_LOOK:]))


class Chat:
    """Renders prompts for one tokenizer. `constrains`: whether a grammar is sure to hold for what is sampled."""

    constrains = True

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        if tokenizer.chat_template is None:
            raise ModelError("the model's tokenizer has no chat template: use an instruction-tuned model")
        self._tokenizer: Any = cast(Any, tokenizer)

    @cached_property
    def takes_tools(self) -> bool:
        """Whether the model's template has a form for tools that is read here, and takes a tool's turn without more."""
        template = str(self._tokenizer.chat_template)
        if "tools" not in template or not any(form in template for form in _FORMS):
            return False
        try:
            self.extend((), "x", role="tool")
            return bool(self.prompt([{"role": "user", "content": "x"}], tools=[_PROBE]))
        except ValueError:
            return False

    def prompt(self, messages: Sequence[Message], prefill: str = "", tools: Sequence[Schema] = ()) -> tuple[int, ...]:
        """Ids up to where the assistant's answer begins; `prefill` is the forced beginning of that answer, `tools` are
        shown in the template's own form."""
        return self.encode(self._render(messages, tools) + prefill)

    def extend(self, ids: Sequence[int], text: str, prefill: str = "", role: str = "user") -> tuple[int, ...]:
        """`ids` (a prompt and what was sampled after it), the end of that turn, then a new one of the user's (or of a
        tool's).

        The given ids stay exactly as they are: only the new text is tokenised.
        """
        turn = {"role": role, "content": text}
        text = self._render([{"role": "user", "content": "."}, {"role": "assistant", "content": _MARK}, turn])
        rest = text[text.index(_MARK) + len(_MARK) :]
        tail = self.encode(rest + prefill)
        if ids and ids[-1] in self.end_ids and tail and tail[0] == ids[-1]:
            tail = tail[1:]
        return (*ids, *tail)

    def decode(self, ids: Sequence[int]) -> str:
        return cast(str, self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def answer(self, prompt_ids: Sequence[int], text: str) -> str:
        """See `answered`."""
        return answered(prompt_ids, text, self.decode)

    @property
    def end_ids(self) -> frozenset[int]:
        """Tokens that end a turn."""
        return frozenset(i for i in (self._tokenizer.eos_token_id,) if i is not None)

    def _render(self, messages: Sequence[Message], tools: Sequence[Schema] = ()) -> str:
        """Raises ValueError for messages that the template does not take."""
        try:
            return cast(
                str,
                self._tokenizer.apply_chat_template(
                    [dict(m) for m in messages],
                    tools=[dict(tool) for tool in tools] or None,
                    tokenize=False,
                    add_generation_prompt=True,
                ),
            )
        except _template_errors() as error:
            raise ValueError(str(error)) from error

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of plain text, nothing added."""
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _template_errors() -> tuple[type[Exception], ...]:
    """Looked up only once something was raised: who renders no template of Transformers' needs no jinja2."""
    from jinja2 import TemplateError

    return (TemplateError,)
