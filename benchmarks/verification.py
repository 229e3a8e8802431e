"""Latency of one verification (oracle, five cases, fresh sandbox) and of a bare sandboxed Python, in turn."""

from statistics import median
from time import perf_counter

from bowerbird.rewards.oracle import OracleVerifier
from bowerbird.sandbox import open_sandbox
from bowerbird.types import Case, VerifierSpec

ROUNDS = 60


def main() -> None:
    sandbox = open_sandbox("local")
    verifier = OracleVerifier(sandbox)
    spec = VerifierSpec("bench", "oracle", "add", tuple(Case((i, 2), i + 2) for i in range(5)))
    files = {"solution.py": b"def add(a, b):\n    return a + b\n"}
    bare, whole = [], []
    for _ in range(ROUNDS):
        start = perf_counter()
        with sandbox.open({}) as workspace:
            assert workspace.run(["python3", "-I", "-S", "-c", "pass"]).exit_code == 0
        bare.append(perf_counter() - start)
        start = perf_counter()
        assert verifier.verify(spec, files).reward == 1.0
        whole.append(perf_counter() - start)
    print(
        f"bare sandboxed Python: median {median(bare) * 1e3:.1f} ms; verification: median {median(whole) * 1e3:.1f} ms"
    )
    print(f"ratio verification / bare: {median(whole) / median(bare):.2f} (lower is better)")


if __name__ == "__main__":
    main()
