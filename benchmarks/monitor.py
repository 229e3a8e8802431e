"""What watching costs: pytest of a small package in a sandbox, unwatched, with decoys, and traced, in turn."""

from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

from bowerbird.sandbox import Limits, Watch, Workspace, open_sandbox

ROUNDS = 20
MODULES, TESTS = 12, 10  # of the package; tests of each module
LIMIT = 1.15
SIDES: tuple[Watch, ...] = ("off", "decoys", "trace")
LIBRARIES = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
COMMAND = "PYTHONPATH=/work/.libraries:/work exec python3 -m pytest -q -p no:cacheprovider tests"


def package() -> dict[str, bytes]:
    """A package with its tests, and pytest beside it: the sandbox's Python has none."""
    files = {"small/__init__.py": b""}
    for number in range(MODULES):
        files[f"small/part{number}.py"] = b"import json, re\n\n\ndef double(x):\n    return 2 * x\n"
        tests = "".join(f"def test_{n}(tmp_path):\n    assert double({n}) == {2 * n}\n\n\n" for n in range(TESTS))
        files[f"tests/test_part{number}.py"] = f"from small.part{number} import double\n\n\n{tests}".encode()
    for name in LIBRARIES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{name} is missing: pip install pytest")
        origin = Path(spec.origin)
        for path in origin.parent.rglob("*.py") if origin.name == "__init__.py" else [origin]:
            place = path.relative_to(origin.parent.parent if origin.name == "__init__.py" else origin.parent)
            files[f".libraries/{place}"] = path.read_bytes()
    return files


def once(workspace: Workspace) -> float:
    """Seconds of one run of the tests."""
    start = perf_counter()
    done = workspace.run(["sh", "-c", COMMAND], limits=Limits(wall_s=120, cpu_s=60))
    took = perf_counter() - start
    if f"{MODULES * TESTS} passed".encode() not in done.stdout:
        raise SystemExit((done.stdout + done.stderr).decode(errors="replace")[-2000:])
    return took


def main() -> None:
    files = package()
    workspaces = {watch: open_sandbox("local", watch).open(files) for watch in SIDES}
    try:
        for workspace in workspaces.values():
            once(workspace)  # compiles everything
        times = {watch: list[float]() for watch in SIDES}
        for turn in range(ROUNDS):
            for at in range(len(SIDES)):  # a different one first each time
                watch = SIDES[(turn + at) % len(SIDES)]
                times[watch].append(once(workspaces[watch]))
        for watch, workspace in workspaces.items():
            watchers = " and ".join(workspace.watched().watchers) or "nothing"
            took = times[watch]
            print(f"{watch:>7} ({watchers}): median {median(took) * 1e3:.0f} ms, best {min(took) * 1e3:.0f} ms")
    finally:
        for workspace in workspaces.values():
            workspace.close()
    for watch in SIDES[1:]:
        print(f"ratio {watch} / off: {median(times[watch]) / median(times['off']):.3f} (lower is better)")
    print(f"limit of trace / off: {LIMIT}")


if __name__ == "__main__":
    main()
