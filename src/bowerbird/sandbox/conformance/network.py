"""Network: there is none, not even to the host itself."""

import secrets
import socket

from bowerbird.sandbox.conformance.check import Check, expect_said
from bowerbird.sandbox.protocol import Sandbox

_INTERFACES = """
print(" ".join(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line))
"""
_OUTSIDE = """
import socket
reached = []
for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, ("1.1.1.1", 53)),
    (socket.AF_INET, socket.SOCK_DGRAM, ("1.1.1.1", 53)),
    (socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
    (socket.AF_INET6, socket.SOCK_DGRAM, ("2606:4700:4700::1111", 53)),
):
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(2)
            s.connect(address)
            s.send(b"x")
            reached.append(address[0])
    except OSError:
        pass
try:
    reached.append(socket.getaddrinfo("example.com", 80)[0][4][0])
except OSError:
    pass
print(" ".join(reached))
"""
_LOCAL = """
import socket, sys
reached = []
for address in sys.argv[2:]:
    try:
        with socket.create_connection((address, int(sys.argv[1])), 2):
            reached.append(address)
    except OSError:
        pass
print(" ".join(reached))
"""
_ABSTRACT = """
import socket, sys
try:
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\\0" + sys.argv[1])
    print("connected")
except OSError:
    print("")
"""
_FAMILIES = """
import socket
opened = []
for name, family, kind in (("vsock", 40, 1), ("alg", 38, 5), ("packet", 17, 3), ("bluetooth", 31, 3), ("can", 29, 3),
                           ("key", 15, 3), ("xdp", 44, 3), ("rds", 21, 5), ("tipc", 30, 1), ("raw", 2, 3)):
    try:
        socket.socket(family, kind, 1 if name == "raw" else 0).close()
        opened.append(name)
    except OSError:
        pass
print(" ".join(opened))
"""
# The address family must be refused as such: other refusals come and go with the modules of the kernel.
_REFUSED_AS_FAMILY = """
import errno, socket
wrong = []
for family in (40, 38, 17, 31):
    try:
        socket.socket(family, 1).close()
        wrong.append(str(family))
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES):
            wrong.append("%d:%d" % (family, error.errno))
print(" ".join(wrong))
"""


def _only_loopback(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "lo", _INTERFACES)


def _outside_is_unreachable(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _OUTSIDE)


def _host_port_is_unreachable(sandbox: Sandbox) -> str:
    with socket.create_server(("0.0.0.0", 0)) as server:
        names = ["127.0.0.1", "localhost", "0.0.0.0", *_host_addresses()]
        return expect_said(sandbox, "", _LOCAL, str(server.getsockname()[1]), *names)


def _host_addresses() -> list[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks for the route
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def _abstract_socket_is_unreachable(sandbox: Sandbox) -> str:
    name = f"bowerbird-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        server.listen(1)
        return expect_said(sandbox, "", _ABSTRACT, name)


def _odd_families_are_refused(sandbox: Sandbox) -> str:
    expect_said(sandbox, "", _FAMILIES)
    return expect_said(sandbox, "", _REFUSED_AS_FAMILY)


CHECKS = [
    Check("only_loopback", "network", "a second interface is a way out", _only_loopback),
    Check("outside_is_unreachable", "network", "solutions can be looked up, secrets sent", _outside_is_unreachable),
    Check(
        "host_port_is_unreachable", "network", "services of the host trust their own machine", _host_port_is_unreachable
    ),
    Check(
        "abstract_socket_is_unreachable",
        "network",
        "abstract sockets have no file that a mount could hide",
        _abstract_socket_is_unreachable,
    ),
    Check(
        "odd_families_are_refused",
        "network",
        "vsock reaches the hypervisor past any network namespace",
        _odd_families_are_refused,
    ),
]
