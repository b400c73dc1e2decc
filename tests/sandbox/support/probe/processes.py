"""Other processes, and sockets that they listen at."""

import errno
import os
import signal
import socket

from attempts import attempt, in_child, name_of, planted


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
