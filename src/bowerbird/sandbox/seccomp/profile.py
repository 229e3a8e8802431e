"""The rules of `generate.py` as container engines read them: JSON, the same on every architecture."""

import errno
import json

from bowerbird.sandbox.seccomp.generate import CLONE_FLAGS, DENIED, SOCKET_FAMILIES, TERMINAL_INJECTION


def engine_profile() -> str:
    """A seccomp profile for Docker and Podman."""
    most = max(SOCKET_FAMILIES)
    rules = [_rule(errno.EPERM, *DENIED), _rule(errno.ENOSYS, "clone3")]
    rules += [_rule(errno.EPERM, "clone", at=0, op="SCMP_CMP_MASKED_EQ", value=f, other=f) for f in CLONE_FLAGS]
    for request in TERMINAL_INJECTION:
        rules.append(_rule(errno.EPERM, "ioctl", at=1, op="SCMP_CMP_MASKED_EQ", value=0xFFFFFFFF, other=request))
    foreign = [family for family in range(most) if family not in SOCKET_FAMILIES]
    rules += [_rule(errno.EAFNOSUPPORT, "socket", at=0, op="SCMP_CMP_EQ", value=family) for family in foreign]
    rules.append(_rule(errno.EAFNOSUPPORT, "socket", at=0, op="SCMP_CMP_GT", value=most))
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules})


def _rule(number: int, *names: str, at: int = -1, op: str = "", value: int = 0, other: int = 0) -> dict[str, object]:
    rule: dict[str, object] = {"names": list(names), "action": "SCMP_ACT_ERRNO", "errnoRet": number}
    return rule if at < 0 else rule | {"args": [{"index": at, "op": op, "value": value, "valueTwo": other}]}
