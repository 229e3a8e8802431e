"""Candidates that attack whoever calls them. All are scored; none gets a value it did not compute."""

import pytest

from bowerbird.sandbox import Limits, encode, run_calls, same
from bowerbird.types import Case

LIMITS = Limits(wall_s=4.0, cpu_s=10)


def passes(sandbox, source, cases=(((2,), 4), ((3,), 9), ((12,), 144))):
    """The comparison a verifier makes, for a task that wants squares."""
    records = [Case(tuple(encode(arg) for arg in args), encode(expected)) for args, expected in cases]
    with sandbox.open({"solution.py": source.encode()}) as workspace:
        report = run_calls(workspace, "solution.py", "f", records, LIMITS)
    good = sum(same(result.value, case.expected) for result, case in zip(report.results, records, strict=False))
    return report, report.failure is None and good == len(records)


def test_the_honest_one_passes(sandbox):
    assert passes(sandbox, "def f(x): return x * x")[1]


CHEATS = {
    "15 leave with success": "import os\ndef f(x): os._exit(0)",
    "16 leave at import": "raise SystemExit(0)",
    "17 report at exit": "import atexit\natexit.register(print, '3 passed')\ndef f(x): return 0",
    "18 say that it passed": "def f(x): print('3 passed in 0.01s'); return 0",
    "25 equal to everything": "class A:\n    __eq__ = lambda s, o: True\n    __hash__ = None\ndef f(x): return A()",
    "25 an int equal to everything": "class A(int):\n    __eq__ = lambda s, o: True\n"
    "    __hash__ = int.__hash__\ndef f(x): return A(0)",
    "25 a lying type": "class M(type):\n    __eq__ = lambda s, o: True\n    __hash__ = type.__hash__\n"
    "class A(metaclass=M):\n    __class__ = int\ndef f(x): return A()",
    "25 inside a list": "class A:\n    __eq__ = lambda s, o: True\ndef f(x): return [A()]",
    "26 patched builtins": "import builtins\nbuiltins.type = lambda x: int\nbuiltins.isinstance = lambda *a: True\n"
    "builtins.repr = lambda x: '4'\ndef f(x): return object()",
    "26 patched encoder": "import __main__\n__main__.encode = lambda v: {'$any': 1}\ndef f(x): return 0",
    "27 frames hold no expectation": "import sys\ndef f(x):\n    frame = sys._getframe()\n    found = []\n"
    "    while frame:\n"
    "        found += [v for v in frame.f_locals.values() if v in (4, 9, 144)]\n        frame = frame.f_back\n"
    "    return found[0] if found else -1",
    "29 the heap holds no expectation": "import gc\ndef f(x):\n    for o in gc.get_objects():\n"
    "        if type(o) is dict and 'expected' in o: return o['expected']\n    return -1",
    "33 nan": "def f(x): return float('nan')",
    "33 a boolean": "def f(x): return True",
    "a float": "def f(x): return float(x * x)",
    "a text": "def f(x): return str(x * x)",
    "a generator": "def f(x): yield x * x",
    "a coroutine": "async def f(x): return x * x",
    "forged lines": "import os\nfor n in range(3, 40):\n    try: os.write(n, b'{\"done\": true}\\n')\n"
    "    except OSError: pass\n"
    "def f(x): return 0",
    "garbage on every descriptor": "import os\nfor n in range(40):\n    try: os.write(n, bytes(range(256)))\n"
    "    except OSError: pass\n"
    "def f(x): return x * x",
    "two reporters": "import os\nos.fork()\ndef f(x): return 0",
    "a fork in each call": "import os\ndef f(x):\n    os.fork()\n    return 0",
    "closed descriptors": "import os\nos.closerange(0, 100)\ndef f(x): return x * x",
    "replaced module": "import sys\nsys.modules['__main__'].__dict__.clear()\ndef f(x): return x * x",
    "nested for ever": "def f(x):\n    a = []\n    for _ in range(100000): a = [a]\n    return a",
    "containing itself": "def f(x):\n    a = {}\n    a['a'] = a\n    return a",
    "gigabytes": "def f(x): return 'x' * (1 << 28)",
    "a huge number": "def f(x): return 1 << (1 << 24)",
    "a dict that grows": "import threading\nd = {}\ndef grow():\n    while True: d[len(d)] = 1\n"
    "threading.Thread(target=grow, daemon=True).start()\ndef f(x): return d",
    "an error that kills": "class E(BaseException):\n    def __str__(self):\n"
    "        import os; os.kill(os.getpid(), 9)\n"
    "def f(x): raise E",
    "an error that hangs": "class E(BaseException):\n    def __str__(self):\n        while True: pass\n"
    "def f(x): raise E",
    "a callable with traps": "class F:\n    def __call__(self, x): raise MemoryError\n"
    "    def __getattr__(self, n): raise SystemExit\nf = F()",
    "recursion without a limit": "import sys\nsys.setrecursionlimit(10**8)\ndef f(x): return f(x)",
    "tracing": "import sys\nsys.settrace(lambda *a: 1 / 0)\ndef f(x): return 0",
    "signals": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.001)\ndef f(x):\n    while True: pass",
    "deleted source": "import os\nos.remove('/work/solution.py')\n"
    "os.symlink('/etc/passwd', '/work/solution.py')\ndef f(x): return 0",
    "read the tests": "def f(x): return open('/verifier/cases.json').read()",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CHEATS))
def test_cheats_do_not_pass(sandbox, name):
    report, passed = passes(sandbox, CHEATS[name])
    assert not passed
    assert len(report.message) <= 200
    assert report.message.isprintable()
    for result in report.results:
        assert result.error is None or (len(result.error) <= 200 and result.error.isprintable())


HONEST_BUT_ODD = {
    "prints": "print('hello')\ndef f(x):\n    print('x' * 10000)\n    return x * x",
    "prints what looks like a report": "def f(x):\n    print('{\"done\": true}', flush=True)\n    return x * x",
    "leaves threads": "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\n"
    "def f(x): return x * x",
    "leaves processes": "import subprocess\nsubprocess.Popen(['sleep', '1000'])\ndef f(x): return x * x",
    "closes its output": "import sys\nsys.stdout.close(); sys.stderr.close()\ndef f(x): return x * x",
    "reads input": "import sys\ndef f(x):\n    assert sys.stdin.read() == ''\n    return x * x",
    "uses dataclasses and typing": "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    "@dataclass\nclass P:\n    x: int\n"
    "def f(x: int) -> int: return P(x).x ** 2",
    "guards its main": "def f(x): return x * x\nif __name__ == '__main__': raise SystemExit(1)",
    "shadows names of the caller": "def main(): 1/0\nencode = dump = load = report = None\ndef f(x): return x * x",
    "is a lambda": "f = lambda x: x * x",
    "is a callable object": "class F:\n    def __call__(self, x): return x * x\nf = F()",
    "has a byte order mark": "\ufeffdef f(x): return x * x",
    "changes directory": "import os\nos.chdir('/')\ndef f(x): return x * x",
}


@pytest.mark.parametrize("name", sorted(HONEST_BUT_ODD))
def test_odd_but_honest_ones_pass(sandbox, name):
    report, passed = passes(sandbox, HONEST_BUT_ODD[name])
    assert passed, report


def test_who_reads_a_decoy_is_seen(sandbox):
    with sandbox.open({"solution.py": b"x = open('/verifier/cases.json').read()\ndef f(x): return x * x"}) as workspace:
        report = run_calls(workspace, "solution.py", "f", [Case((2,), 4)], LIMITS)
        assert report.failure is None
        assert workspace.watched().withheld_reads == ("/verifier/cases.json",)
