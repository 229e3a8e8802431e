"""The plan tier: settings, and up to eight steps with their own prompts, tools and shares of the budget."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bowerbird.scaffold.reading import read_object

SUBMIT = "submit"
MAX_CHARACTERS = 8000
Role = Literal["explore", "plan", "write", "test", "review"]
ToolName = Literal["shell", "read", "write", "edit", "list", "search", "tests", "note"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Next(_Part):
    """Where to go from a node: a node's id, or "submit"."""

    ok: Name
    fail: Name


class Node(_Part):
    """One step. It is ok when the visible tests pass, where it may run them; else when the model ends it by itself."""

    id: Name
    role: Role
    prompt: str = Field(max_length=400)
    tools: tuple[ToolName, ...] = Field(min_length=1, max_length=8)
    budget_share: int = Field(ge=5, le=100, description="percent of the rollout's tokens, each time it is visited")
    next: Next


class Plan(_Part):
    """`max_steps` turns a visit, `retries` further visits of a node; `on_error` is what happens to the files of a visit
    that was not ok."""

    max_steps: Literal[4, 8, 16, 32]
    memory: Literal["all", "none", "last_k", "notes"]
    k: Literal[1, 2, 4, 8]
    view: Literal["full", "head_tail", "errors_only"]
    on_error: Literal["keep", "revert", "stop"]
    retries: Literal[0, 1, 2, 3]
    temperature: Literal["low", "mid", "high"]
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=8)

    @model_validator(mode="after")
    def _closed(self) -> "Plan":
        ids = [node.id for node in self.nodes]
        if len(set(ids)) < len(ids) or SUBMIT in ids:
            raise ValueError("node ids must differ, and none is 'submit'")
        known = {*ids, SUBMIT}
        if unknown := sorted({n for node in self.nodes for n in (node.next.ok, node.next.fail)} - known):
            raise ValueError(f"no node is called {', '.join(unknown)}")
        return self


def plan_schema() -> str:
    """The grammar's JSON schema. It cannot say that edges lead somewhere: `parse_plan` looks."""
    return json.dumps(Plan.model_json_schema())


def parse_plan(text: str) -> tuple[Plan | None, str | None]:
    """The plan, or why it is none. Exactly one of the two is None."""
    return read_object(Plan, text, MAX_CHARACTERS)


# One loop over all tools, as the plainest agents have it.
REACT = Plan(
    max_steps=32,
    memory="all",
    k=8,
    view="head_tail",
    on_error="keep",
    retries=0,
    temperature="low",
    nodes=(
        Node(
            id="solve",
            role="write",
            prompt="Look around first. Make the change, run what there is to check it, and stop when it works.",
            tools=("shell", "read", "write", "edit", "list", "search", "tests"),
            budget_share=100,
            next=Next(ok=SUBMIT, fail=SUBMIT),
        ),
    ),
)
