"""Grade one function on /tests/cases.json: shipped with each written task for runs under Harbor itself.

The candidate runs in a child process that is given the inputs only; the comparison happens here. Bowerbird's own
verifier does the same inside a sandbox. Standard library only; run as `python3 -I check.py WORKDIR`.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
out, sys.stdout = sys.stdout, sys.stderr
name, cases = json.load(sys.stdin)
def typed(v):
    if type(v) in (list, tuple):
        return [type(v).__name__] + [typed(x) for x in v]
    if type(v) in (set, frozenset):
        return [type(v).__name__] + sorted((typed(x) for x in v), key=json.dumps)
    if type(v) is dict:
        return ["dict"] + sorted(([typed(k), typed(x)] for k, x in v.items()), key=json.dumps)
    return [type(v).__name__, repr(v)]
def decode(v):
    if type(v) is list:
        return [decode(x) for x in v]
    if type(v) is not dict:
        return v
    tag = next((k for k in v if k.startswith("$")), None)
    if tag is None:
        return {k: decode(x) for k, x in v.items()}
    body = v[tag]
    if tag == "$dict":
        return {decode(k): decode(x) for k, x in body}
    if tag in ("$tuple", "$set", "$frozenset"):
        return {"$tuple": tuple, "$set": set, "$frozenset": frozenset}[tag](decode(x) for x in body)
    if tag == "$complex":
        return complex(*body)
    return {"$float": float, "$int": lambda x: int(x, 16), "$bytes": bytes.fromhex}[tag](body)
def call(case):
    keywords = {k: decode(x) for k, x in case.get("kwargs", {}).items()}
    return function(*map(decode, case["args"]), **keywords)
if name is None:
    json.dump([typed(decode(c)) for c in cases], out)
else:
    function = getattr(__import__("solution"), name)
    json.dump([typed(call(c)) for c in cases], out)
"""


def in_child(workdir: str, name: str | None, cases: Sequence[object]) -> object:
    """Run CHILD on the values and return what it printed. Raises for a crash, a hang or output that is not JSON."""
    command = [sys.executable, "-I", "-c", CHILD, workdir]
    done = subprocess.run(
        command, input=json.dumps([name, list(cases)]), capture_output=True, text=True, timeout=30, check=True
    )
    return json.loads(done.stdout)


def main() -> int:
    """0 when every case passes, 1 otherwise."""
    here = Path(__file__).resolve().parent
    cases = json.loads((here / "cases.json").read_text())
    inputs = [{key: case[key] for key in ("args", "kwargs") if key in case} for case in cases]
    try:
        actual = in_child(sys.argv[1], (here / "entry_point").read_text().strip(), inputs)
    except (subprocess.SubprocessError, ValueError) as error:
        print(f"failed: {type(error).__name__}")
        return 1
    expected = in_child("/", None, [case["expected"] for case in cases])
    print("passed" if actual == expected else "wrong answer")
    return 0 if actual == expected else 1


if __name__ == "__main__":
    raise SystemExit(main())
