"""Runs a command on a pseudo-terminal, as a person would use it.

Arguments: one JSON object {"command": [...], "steps": [...], "seconds": n}. Steps, in order:
  {"expect": "regex"}   wait until the output since the last match contains it
  {"send": "text"}      type
  {"resize": [rows, columns]}
  {"kill": true}        kill the child of the command outright
Prints one JSON object: {"output": "...", "code": n, "failed": "what was waited for" or null}.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

request = json.loads(sys.argv[1])
deadline = time.monotonic() + request.get("seconds", 120)
pid, terminal = pty.fork()
if pid == 0:
    # As at a person's terminal, however the tests were started.
    for name in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(name, signal.SIG_DFL)
    os.execvp(request["command"][0], request["command"])

output = ""
position = 0
failed = None


def read(timeout):
    """Reads what is there; False when the terminal is gone."""
    global output
    if not select.select([terminal], [], [], timeout)[0]:
        return True
    try:
        data = os.read(terminal, 65536)
    except OSError:
        return False
    output += data.decode(errors="replace")
    return bool(data)


def resize(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(24, 80)
for step in request["steps"]:
    if "send" in step:
        os.write(terminal, step["send"].encode())
    elif "resize" in step:
        resize(*step["resize"])
    elif "kill" in step:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
    else:
        while True:
            match = re.search(step["expect"], output[position:])
            if match:
                position += match.end()
                break
            if time.monotonic() > deadline or not read(0.1):
                failed = step["expect"]
                break
        if failed:
            break

code = None
while code is None and failed is None:
    more = read(0.05)
    done, status = os.waitpid(pid, 0 if not more else os.WNOHANG)
    if done:
        code = os.waitstatus_to_exitcode(status)
    elif time.monotonic() > deadline:
        failed = "the end of the command"
if code is None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print(json.dumps({"output": output, "code": code, "failed": failed}))
