"""Tries to get out. Runs inside the sandbox and, as its own positive control, outside.

Argument: one JSON object of paths and names that the test planted. Prints one JSON object, the
outcome of each attempt by name: "ok", an errno name, "killed by <signal>", or what was found.
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios

planted = json.loads(sys.argv[1])
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
ATTEMPTS = {}


def attempt(function):
    ATTEMPTS[function.__name__] = function
    return function


def name_of(number):
    return errno.errorcode.get(number, str(number))


def call(name, *arguments):
    number = NUMBERS[name][0 if X86 else 1]
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    return "ok" if result >= 0 else name_of(ctypes.get_errno())


def in_child(function):
    """The outcome of a function that may kill its process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            outcome = function()
        except OSError as error:
            outcome = name_of(error.errno)
        os.write(writing, str(outcome).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        outcome = stream.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "killed by " + signal.Signals(os.WTERMSIG(status)).name
    return outcome


def write_to(path, text=""):
    try:
        with open(path, "w") as file:
            file.write(text)
        return "ok"
    except OSError as error:
        return name_of(error.errno)


def read_from(path):
    try:
        with open(path, errors="replace") as file:
            return "read " + file.read(200)
    except OSError as error:
        return name_of(error.errno)


def list_of(path):
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        return name_of(error.errno)


def connect_to(address, family=socket.AF_UNIX, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as client:
        client.settimeout(3)
        try:
            client.connect(address)
            return "ok"
        except OSError as error:
            return name_of(error.errno or errno.ETIMEDOUT)


def open_descriptors(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if int(fd) > 2:
                found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass  # that of the listing itself
    return found


# The terminal


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


# System calls


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


# Files


@attempt
def write_root():
    return write_to("/firma-probe")


@attempt
def write_usr():
    return write_to("/usr/firma-probe")


@attempt
def write_etc():
    return write_to("/etc/firma-probe")


@attempt
def write_workspace():
    return write_to("written-by-probe", "hello")


@attempt
def write_home():
    return write_to(os.path.expanduser("~/written-by-probe"))


@attempt
def write_tmp():
    return write_to(planted["tmpFile"])


@attempt
def shadow():
    return read_from("/etc/shadow")


@attempt
def home_secret():
    return read_from(planted["homeSecret"])


@attempt
def state_secret():
    return read_from(planted["stateSecret"])


@attempt
def tmp_secret():
    return read_from(planted["tmpSecret"])


@attempt
def sealed_list():
    return list_of(planted["sealed"])


@attempt
def sealed_write():
    return write_to(os.path.join(planted["sealed"], "firma.toml"), "mine")


@attempt
def sealed_rename():
    try:
        os.rename(planted["sealed"], planted["sealed"] + "-moved")
        os.rename(planted["sealed"] + "-moved", planted["sealed"])
        return "ok"
    except OSError as error:
        return name_of(error.errno)


@attempt
def root_entries():
    return list_of("/")


@attempt
def run_entries():
    return list_of("/run")


@attempt
def private_directory():
    return list_of("/run/firma-private")


@attempt
def public_write():
    return write_to("/run/firma/ca.pem")


@attempt
def other_root():
    """Through another process of this user: its root directory and descriptors."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for path in [planted["homeSecret"], "/run/firma-private/proxy.sock"]:
            if os.path.exists(f"/proc/{pid}/root{path}"):
                found.append(f"{pid}{path}")
    return found


@attempt
def descriptors():
    """What is open in this process besides the standard three and the listing itself."""
    return open_descriptors("self")


@attempt
def descriptors_of_others():
    """What the layer's own first process still holds, an event counter apart."""
    return [path for path in open_descriptors("1") if "eventfd" not in path]


@attempt
def setuid_program():
    program = planted.get("setuidProgram")
    if not program:
        return "none"
    result = subprocess.run([program, "-u"], capture_output=True, text=True)
    return result.stdout.strip() or result.stderr.strip()


# The kernel's own files


@attempt
def core_pattern():
    try:
        os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
        return "ok"
    except OSError as error:
        return name_of(error.errno)


@attempt
def kernel_files():
    """Files of /proc that could be written and belong to no process. Opened only, not written."""
    found = []
    for directory, names, files in os.walk("/proc"):
        if directory == "/proc":
            names[:] = [name for name in names if not name.isdigit() and "self" not in name]
        for file in files:
            path = os.path.join(directory, file)
            try:
                if os.access(path, os.W_OK):
                    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                    found.append(path)
            except OSError:
                pass
    return found


@attempt
def status():
    with open("/proc/self/status") as file:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    wanted = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]
    return {name: lines[name] for name in wanted}


@attempt
def identity():
    return [os.getuid(), os.geteuid(), os.getgid(), os.getegid()]


# Other processes


@attempt
def processes():
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                names.append(file.read().strip())
        except OSError:
            pass
    return sorted(set(names))


@attempt
def signal_host():
    try:
        os.kill(planted["hostProcess"], 0)
        return "ok"
    except OSError as error:
        return name_of(error.errno)


# Sockets


@attempt
def host_socket():
    return connect_to(planted["hostSocket"])


@attempt
def workspace_socket():
    return connect_to(planted["workspaceSocket"])


@attempt
def abstract_socket():
    return connect_to("\0" + planted["abstractSocket"])


@attempt
def host_port():
    return connect_to(("127.0.0.1", planted["hostPort"]), socket.AF_INET)


@attempt
def environment():
    return dict(os.environ)


results = {}
for name, function in ATTEMPTS.items():
    try:
        results[name] = function()
    except Exception as error:  # the outcome of an attempt, whatever it is
        results[name] = f"{type(error).__name__}: {error}"
print(json.dumps(results))
