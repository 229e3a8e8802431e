"""Outside is outside in every spelling; loopback and local sockets are free."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards import inspect
from bowerbird.rewards.monitor.network import leaves
from tests.rewards.monitor.evidences import rules_of, seen


@pytest.mark.parametrize(
    "address",
    [
        "inet 1.2.3.4:80",
        "inet 8.8.8.8:53",
        "inet 169.254.169.254:80",
        "inet 10.0.0.1:443",
        "inet6 [2001:db8::1]:443",
        "inet6 [::ffff:1.2.3.4]:80",
        "inet6 2001:db8::1",
        "inet6 [fe80::1%eth0]:22",
        "vsock 2:1024",
        "family 40",
        "unix /var/run/docker.sock",
        "unix /run/containerd/containerd.sock",
    ],
)
def test_leaving_the_sandbox(address: str) -> None:
    (flag,) = inspect(seen(connected=(address,)))
    assert (flag.rule, flag.evidence) == ("network-attempt", address)


@pytest.mark.parametrize(
    "address",
    [
        "inet 127.0.0.1:8000",
        "inet 127.0.0.53:53",
        "inet 127.255.0.9:1",
        "inet 0.0.0.0:8000",
        "inet6 [::1]:8000",
        "inet6 ::1",
        "inet6 [::]:8000",
        "inet6 [::ffff:127.0.0.1]:80",
        "unix /tmp/own.sock",
        "unix @own",
        "unix /var/run/nscd/socket",
        "unix /dev/log",
        "netlink 0",
        "family 16",
        "inet 8.8.8.8:80",  # the usual way to learn one's own address; a datagram socket sends nothing
        "inet garbage",
        "",
    ],
)
def test_talking_to_oneself_is_free(address: str) -> None:
    assert rules_of(seen(connected=(address,))) == []


@given(st.ip_addresses(network="127.0.0.0/8"), st.integers(0, 65535))
def test_all_of_loopback(address: object, port: int) -> None:
    assert not leaves(f"inet {address}:{port}")


@given(st.ip_addresses(v=4).filter(lambda a: not (a.is_loopback or a.is_unspecified)))
def test_all_the_rest_in_both_families(address: object) -> None:
    assert leaves(f"inet {address}:79")
    assert leaves(f"inet6 [::ffff:{address}]:79")
