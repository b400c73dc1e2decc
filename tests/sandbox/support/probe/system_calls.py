"""System calls that no agent has business with, the terminal's among them."""

import ctypes
import fcntl
import mmap
import os
import platform
import pty
import signal
import socket
import termios

from attempts import attempt, in_child, name_of

libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
NUMBERS = {
    # name: (x86_64, aarch64)
    "clone": (56, 220),
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "open_tree": (428, 428),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "setns": (308, 268),
    "unshare": (272, 97),
}
CLONE_NEWUSER = 0x10000000
CLONE_NEWNS = 0x00020000


def call(name, *arguments):
    number = NUMBERS[name][0 if X86 else 1]
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    return "ok" if result >= 0 else name_of(ctypes.get_errno())


def type_into_own_terminal(request):
    terminal, mine = pty.openpty()
    os.setsid()
    fcntl.ioctl(mine, termios.TIOCSCTTY, 0)
    character = ctypes.create_string_buffer(b"x")
    result = libc.ioctl(mine, ctypes.c_ulong(request), character)
    return "ok" if result == 0 else name_of(ctypes.get_errno())


@attempt
def tiocsti():
    return in_child(lambda: type_into_own_terminal(termios.TIOCSTI))


@attempt
def tiocsti_with_high_bits():
    return in_child(lambda: type_into_own_terminal(termios.TIOCSTI | 1 << 32))


@attempt
def tioclinux():
    return in_child(lambda: type_into_own_terminal(0x541C))


@attempt
def unshare_user():
    return in_child(lambda: call("unshare", CLONE_NEWUSER))


@attempt
def unshare_mount():
    return in_child(lambda: call("unshare", CLONE_NEWUSER | CLONE_NEWNS))


@attempt
def clone_user():
    def child():
        number = NUMBERS["clone"][0 if X86 else 1]
        pid = libc.syscall(number, CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        return "ok" if pid > 0 else name_of(ctypes.get_errno())

    return in_child(child)


@attempt
def clone3():
    return call("clone3", 0, 0)


@attempt
def setns():
    with open("/proc/self/ns/uts") as namespace:
        return call("setns", namespace.fileno(), 0)


@attempt
def mount():
    return call("mount", 0, 0, 0, 0, 0)


@attempt
def open_tree():
    return call("open_tree", -1, 0, 0)


@attempt
def ptrace():
    return in_child(lambda: call("ptrace", 0, 0, 0, 0))


@attempt
def process_vm_readv():
    return call("process_vm_readv", os.getpid(), 0, 0, 0, 0, 0)


@attempt
def keyctl():
    return call("keyctl", 0, -3, 0)


@attempt
def io_uring():
    return call("io_uring_setup", 1, 0)


def open_socket(family, kind, protocol=0):
    try:
        socket.socket(family, kind, protocol).close()
        return "ok"
    except OSError as error:
        return name_of(error.errno)


@attempt
def socket_vsock():
    return open_socket(40, socket.SOCK_STREAM)


@attempt
def socket_alg():
    return open_socket(38, socket.SOCK_SEQPACKET)


@attempt
def socket_packet():
    return open_socket(17, socket.SOCK_RAW)


@attempt
def socket_netlink_audit():
    return open_socket(16, socket.SOCK_RAW, 9)


@attempt
def socket_netlink_route():
    return open_socket(16, socket.SOCK_RAW, 0)


@attempt
def socket_raw():
    return open_socket(socket.AF_INET, socket.SOCK_RAW, 1)


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
