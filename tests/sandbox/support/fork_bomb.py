"""Starts processes that start processes until the kernel refuses, then makes a call. Bounded."""

import errno
import json
import os
import signal
import socket
import sys
import time

most = int(sys.argv[1])
group = os.getpid()
started_read, started_write = os.pipe()
refused_read, refused_write = os.pipe()
deadline = time.monotonic() + 120


def bomb():
    """What each process of the bomb does: one more, as long as there is none too many."""
    os.write(started_write, b".")
    while time.monotonic() < deadline:
        try:
            if os.fork() == 0:
                return bomb_child()
        except OSError as error:
            os.write(refused_write, bytes([error.errno]))
            # Long: hundreds of processes that try again at once are a test of the machine's speed.
            time.sleep(2)
        if len_started() >= most:
            time.sleep(2)


def len_started():
    counted = bytearray(4)
    import fcntl, termios
    fcntl.ioctl(started_read, termios.FIONREAD, counted)
    return int.from_bytes(counted, sys.byteorder)


def bomb_child():
    sys.setrecursionlimit(100_000)
    bomb()
    os._exit(0)


first = os.fork()
if first == 0:
    bomb()
    os._exit(0)
reason = os.read(refused_read, 1)[0]
# Now there is no process left to be had.
began = time.monotonic()
answer, unanswered = "", []
# Who is too slow for the Sidecar on a busy machine is cut off, and may try again.
while answer == "" and len(unanswered) < 4:
    try:
        with socket.create_connection(("192.0.2.1", 80), 60) as call:
            call.sendall(b"GET /during HTTP/1.0\r\n\r\n")
            answer = call.recv(64).decode().split("\r\n")[0]
    except OSError as error:
        unanswered.append(f"{time.monotonic() - began:.1f} s: {error}")
    else:
        if answer == "":
            unanswered.append(f"{time.monotonic() - began:.1f} s: closed")
print(json.dumps({
    "started": len_started() + 1,
    "refused": errno.errorcode[reason],
    "answer": answer,
    "unanswered": unanswered,
}), flush=True)
os._exit(0)
