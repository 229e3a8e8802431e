"""Write the seccomp filters: `python -m bowerbird.sandbox.seccomp.generate`. Needs pyseccomp and libseccomp.

The bytes are checked in, so that a sandbox needs neither; `tests/sandbox/test_seccomp.py` compares them.
"""

import errno
import tempfile
from pathlib import Path
from typing import Any

# Syscalls that a program under test never needs and that have been the road out of many a container.
DENIED = (
    # the mount family and other roots
    "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
    "open_tree", "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd", "acct",
    # other processes' memory
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
    # keyrings: the host's session keyring is reachable otherwise
    "add_key", "keyctl", "request_key",
    # large kernel surfaces
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "fanotify_init", "lookup_dcookie", "syslog", "nfsservctl", "vhangup",
    # namespaces and handles
    "unshare", "setns", "open_by_handle_at", "name_to_handle_at",
    # kernel modules, kexec, power, clocks, names
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "sethostname", "setdomainname",
    "iopl", "ioperm", "mbind", "migrate_pages", "move_pages", "set_mempolicy", "personality",
)  # fmt: skip
CLONE_FLAGS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)  # CLONE_NEW*
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
SOCKET_FAMILIES = frozenset({1, 2, 10, 16})  # UNIX, INET, INET6, NETLINK; the namespace has no network
ARCHITECTURES = {"x86_64": "X86_64", "aarch64": "AARCH64"}


def build(architecture: str) -> Any:
    """The filter of one architecture as a pyseccomp object. Raises KeyError for an unknown one."""
    import pyseccomp as sc

    rules = sc.SyscallFilter(sc.ALLOW)
    wanted = getattr(sc.Arch, ARCHITECTURES[architecture])
    if wanted != sc.Arch.NATIVE and sc.system_arch() != wanted:
        rules.add_arch(wanted)
        rules.remove_arch(sc.system_arch())
    for name in DENIED:
        _deny(rules, errno.EPERM, name)
    for flag in CLONE_FLAGS:
        _deny(rules, errno.EPERM, "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    # Its flags are behind a pointer that a filter cannot follow; libc falls back to clone.
    _deny(rules, errno.ENOSYS, "clone3")
    for request in TERMINAL_INJECTION:
        _deny(rules, errno.EPERM, "ioctl", sc.Arg(1, sc.MASKED_EQ, 0xFFFFFFFF, request))
    for family in range(max(SOCKET_FAMILIES)):
        if family not in SOCKET_FAMILIES:
            _deny(rules, errno.EAFNOSUPPORT, "socket", sc.Arg(0, sc.EQ, family))
    _deny(rules, errno.EAFNOSUPPORT, "socket", sc.Arg(0, sc.GT, max(SOCKET_FAMILIES)))
    return rules


def _deny(rules: Any, number: int, name: str, *arguments: Any) -> None:
    import pyseccomp as sc

    try:
        sc.resolve_syscall(sc.system_arch(), name)
        rules.add_rule(sc.ERRNO(number), name, *arguments)
    except (ValueError, OSError):  # a name this libseccomp or this architecture does not have
        return


def filter_bytes(architecture: str) -> bytes:
    """The BPF program of one architecture."""
    with tempfile.TemporaryFile() as file:
        build(architecture).export_bpf(file)
        file.seek(0)
        return file.read()


def main() -> None:
    """Write one file per architecture beside this module."""
    for architecture in ARCHITECTURES:
        target = Path(__file__).with_name(f"{architecture}.bpf")
        target.write_bytes(filter_bytes(architecture))
        print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
