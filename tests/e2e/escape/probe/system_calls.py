"""System calls that no agent has business with."""

import ctypes
import mmap
import os
import platform
import signal
import socket

from attempts import attempt, attempt_as, in_child, libc, name_of

X86 = platform.machine() == "x86_64"
# name: (x86_64, aarch64)
NUMBERS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
NAMESPACES = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "network": 0x40000000,
    "time": 0x00000080,
}
NEW_USER = NAMESPACES["user"]


def call(name, *arguments):
    number = NUMBERS[name][0 if X86 else 1]
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    return "ok" if result >= 0 else name_of(ctypes.get_errno())


def clone(flags):
    number = NUMBERS["clone"][0 if X86 else 1]
    pid = libc.syscall(ctypes.c_long(number), ctypes.c_long(flags | signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return "ok" if pid > 0 else name_of(ctypes.get_errno())


for space, flag in NAMESPACES.items():
    # With a user namespace of their own anybody may make the others.
    attempt_as(f"unshare_{space}", lambda flag=flag: in_child(lambda: call("unshare", NEW_USER | flag)))
    if space != "time":
        attempt_as(f"clone_{space}", lambda flag=flag: in_child(lambda: clone(NEW_USER | flag)))

# Each with arguments that lead nowhere: what is refused is the call itself.
POINTLESS = {
    "acct": [1],
    "add_key": [1, 1, 0, 0, -3],
    "bpf": [0, 1, 16],
    "chroot": [1],
    "clone3": [0, 0],
    "delete_module": [1, 0],
    "fanotify_init": [0x200, 0],
    "finit_module": [-1, 0, 0],
    "fsopen": [1, 0],
    "init_module": [1, 1, 1],
    "io_uring_enter": [-1, 0, 0, 0, 0, 0],
    "io_uring_register": [-1, 0, 0, 0],
    "io_uring_setup": [1, 0],
    "kcmp": [os.getpid(), os.getpid(), 99, 0, 0],
    "kexec_load": [0, 99, 0, 0],
    "keyctl": [0, -3, 0],
    "mount": [0, 0, 0, 0, 0],
    "mount_setattr": [-1, 0, 0, 0, 0],
    "move_mount": [-1, 1, -1, 1, 0],
    "open_by_handle_at": [-1, 1, 0],
    "open_tree": [-1, 0, 0],
    "perf_event_open": [1, 0, -1, -1, 0],
    "pidfd_getfd": [-1, 0, 0],
    "pivot_root": [1, 1],
    "process_vm_readv": [os.getpid(), 0, 0, 0, 0, 0],
    "process_vm_writev": [os.getpid(), 0, 0, 0, 0, 0],
    "quotactl": [0x7FFFFFFF, 0, 0, 0],
    "reboot": [1, 2, 3, 0],
    "request_key": [1, 1, 0, 0],
    "swapoff": [1],
    "swapon": [1, 0],
    "syslog": [3, 1, -1],
    "umount2": [1, 0],
    "userfaultfd": [1],
}
for name, arguments in POINTLESS.items():
    attempt_as(name, lambda name=name, arguments=arguments: call(name, *arguments))


@attempt
def ptrace():
    return in_child(lambda: call("ptrace", 0, 0, 0, 0))


@attempt
def ptrace_attach_to_parent():
    """By PTRACE_SEIZE; outside, a tracer has to be an ancestor or privileged on many machines."""
    return in_child(lambda: call("ptrace", 0x4206, os.getppid(), 0, 0))


@attempt
def setns():
    with open("/proc/self/ns/uts") as namespace:
        return call("setns", namespace.fileno(), 0)


def open_socket(family, kind, protocol=0):
    try:
        socket.socket(family, kind, protocol).close()
        return "ok"
    except OSError as error:
        return name_of(error.errno)


# Families of linux/socket.h.
FAMILIES = {"can": 29, "tipc": 30, "bluetooth": 31, "alg": 38, "vsock": 40, "xdp": 44}
for family, value in FAMILIES.items():
    kind = socket.SOCK_SEQPACKET if family == "alg" else socket.SOCK_RAW
    attempt_as(f"socket_{family}", lambda value=value, kind=kind: open_socket(value, kind))


@attempt
def socket_high_bits():
    """The kernel reads 32 bits of the family; a filter that reads 64 would let this through."""
    number = 41 if X86 else 198
    family = ctypes.c_long(1 << 32 | 38)
    result = libc.syscall(ctypes.c_long(number), family, ctypes.c_long(5), ctypes.c_long(0))
    return "ok" if result >= 0 else name_of(ctypes.get_errno())


@attempt
def socket_packet():
    return open_socket(17, socket.SOCK_RAW)


@attempt
def socket_netlink_audit():
    return open_socket(16, socket.SOCK_RAW, 9)


@attempt
def socket_netlink_netfilter():
    return open_socket(16, socket.SOCK_RAW, 12)


@attempt
def socket_netlink_route():
    return open_socket(16, socket.SOCK_RAW, 0)


@attempt
def socket_raw():
    return open_socket(socket.AF_INET, socket.SOCK_RAW, 1)


@attempt
def socket_raw_ipv6():
    return open_socket(socket.AF_INET6, socket.SOCK_RAW, 58)


@attempt
def socketpair_tipc():
    try:
        socket.socketpair(30, socket.SOCK_SEQPACKET)
        return "ok"
    except OSError as error:
        return name_of(error.errno)


@attempt
def x32_call():
    if not X86:
        return "killed by SIGSYS"
    return in_child(lambda: libc.syscall(0x40000000 | 39))


@attempt
def i386_call():
    if not X86:
        return "killed by SIGSYS"

    def child():
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        # push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
        code.write(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return "ok" if ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0 else "refused"

    return in_child(child)
