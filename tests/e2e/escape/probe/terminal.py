"""The terminal: what is typed there, the user's shell runs afterwards."""

import ctypes
import fcntl
import os
import pty
import termios

from attempts import attempt, in_child, libc, name_of

TIOCLINUX = 0x541C


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
    return in_child(lambda: type_into_own_terminal(TIOCLINUX))


@attempt
def tioclinux_with_high_bits():
    return in_child(lambda: type_into_own_terminal(TIOCLINUX | 1 << 32))
