"""What all attempts share: how they are collected, and how an outcome is told."""

import ctypes
import errno
import json
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
planted = json.loads(sys.argv[1])
ATTEMPTS = {}


def attempt(function):
    ATTEMPTS[function.__name__] = function
    return function


def attempt_as(name, function):
    """For attempts that differ only in a value."""
    ATTEMPTS[name] = function


def name_of(number):
    return errno.errorcode.get(number, str(number))


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


def open_descriptors(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if int(fd) > 2:
                found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass  # that of the listing itself
    return found


def outcome_of(function):
    """"ok", or the name of the error that it failed with."""
    try:
        function()
        return "ok"
    except OSError as error:
        return name_of(error.errno)
