"""Tries to get out. Runs inside the sandbox and, as its own positive control, outside.

Argument: one JSON object of paths and names that the test planted. Prints one JSON object, the
outcome of each attempt by name: "ok", an errno name, "killed by <signal>", or what was found.
"""

import json

import files
import processes
import system_calls
from attempts import ATTEMPTS

assert files and processes and system_calls  # imported for the attempts in them

results = {}
for name, function in ATTEMPTS.items():
    try:
        results[name] = function()
    except Exception as error:  # the outcome of an attempt, whatever it is
        results[name] = f"{type(error).__name__}: {error}"
print(json.dumps(results))
