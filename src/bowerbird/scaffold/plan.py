"""The plan tier: settings, and up to eight steps with their own prompts, tools and shares of the budget."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bowerbird.config import BUILT_IN_TOOLS
from bowerbird.scaffold.reading import read_object

SUBMIT = "submit"
MOST_NODES = 8
MOST_TOOLS = 16  # of a node, submit aside
MAX_CHARACTERS = 8000
Role = Literal["explore", "plan", "write", "test", "review"]
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
    tools: tuple[str, ...] = Field(min_length=1, max_length=MOST_TOOLS)
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
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MOST_NODES)

    @model_validator(mode="after")
    def _closed(self) -> "Plan":
        ids = [node.id for node in self.nodes]
        if len(set(ids)) < len(ids) or SUBMIT in ids:
            raise ValueError("node ids must differ, and none is 'submit'")
        known = {*ids, SUBMIT}
        if unknown := sorted({n for node in self.nodes for n in (node.next.ok, node.next.fail)} - known):
            raise ValueError(f"no node is called {', '.join(unknown)}")
        return self


def plan_shape(tools: Sequence[str] = BUILT_IN_TOOLS) -> str:
    """The JSON schema of a plan, for a model to read. It cannot say that edges lead somewhere: `parse_plan` looks."""
    return json.dumps(_shape(tools))


def plan_schema(tools: Sequence[str] = BUILT_IN_TOOLS) -> str:
    """The grammar's JSON schema, of which every instance is a plan: nodes are called n1, n2 and so on in their order,
    and for each number of nodes there is an alternative of its own, whose edges lead to these or to "submit"."""
    shape = _shape(tools)
    parts = shape.pop("$defs")
    shape["properties"]["nodes"] = {"anyOf": [_chain(parts, number) for number in range(1, MOST_NODES + 1)]}
    return json.dumps(shape)


def _shape(tools: Sequence[str]) -> dict[str, Any]:
    shape = Plan.model_json_schema()
    shape["$defs"]["Node"]["properties"]["tools"] |= {
        "items": {"enum": list(tools)},
        "maxItems": min(MOST_TOOLS, len(tools)),
    }
    return shape


def _chain(parts: Mapping[str, Any], number: int) -> dict[str, Any]:
    """So many nodes."""
    names = [f"n{i + 1}" for i in range(number)]
    to = {"enum": [*names, SUBMIT]}
    edges = parts["Next"] | {"properties": {"ok": to, "fail": to}}
    node = parts["Node"]
    nodes = [node | {"properties": node["properties"] | {"id": {"const": name}, "next": edges}} for name in names]
    return {"type": "array", "prefixItems": nodes, "items": False, "minItems": number, "maxItems": number}


def parse_plan(text: str, tools: Sequence[str] = BUILT_IN_TOOLS) -> tuple[Plan | None, str | None]:
    """The plan over these tools, or why it is none. Exactly one of the two is None."""
    plan, problem = read_object(Plan, text, MAX_CHARACTERS)
    if plan is not None and (unknown := sorted({tool for node in plan.nodes for tool in node.tools} - set(tools))):
        return None, f"there is no tool {', '.join(unknown)}; there are {', '.join(tools)}"
    return plan, problem


def one_loop(tools: Sequence[str] = BUILT_IN_TOOLS) -> Plan:
    """One loop over all tools, as the plainest agents have it."""
    node = Node(
        id="solve",
        role="write",
        prompt="Look around first. Make the change, run what there is to check it, and stop when it works.",
        tools=tuple(tool for tool in tools if tool != "note") or tuple(tools),  # it sees all its talk
        budget_share=100,
        next=Next(ok=SUBMIT, fail=SUBMIT),
    )
    return Plan(
        max_steps=32,
        memory="all",
        k=8,
        view="head_tail",
        on_error="keep",
        retries=0,
        temperature="low",
        nodes=(node,),
    )


REACT = one_loop()
