"""What one rollout may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bowerbird.rollout.tools import Tool, toolset
from bowerbird.scaffold.plan import SUBMIT


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens are sampled ones; an action is whatever a sandbox is needed for; `seconds` are those of its commands and
    tests, all together."""

    tokens: int
    calls: int
    actions: int
    call_tokens: int
    action_s: float = 20.0
    seconds: float = 1800.0
    native_tools: bool = True  # in the form of the model's own template, where it has one
    tools: Mapping[str, Tool] = field(default_factory=toolset)

    @property
    def tool_names(self) -> list[str]:
        """Of those that a plan may name."""
        return [name for name in self.tools if name != SUBMIT]
