"""Tries to get out. Runs inside the sandbox and, as its own positive control, outside.

Argument: one JSON object: which modules to try, and paths and names that the test planted. Prints
a JSON line for each attempt, its name and its outcome: "ok", an errno name, "killed by <signal>",
or what was found.
"""

import importlib
import json
import sys

from attempts import ATTEMPTS, planted

for module in planted["modules"]:
    importlib.import_module(module)
for name, function in ATTEMPTS.items():
    try:
        outcome = function()
    except Exception as error:  # the outcome of an attempt, whatever it is
        outcome = f"{type(error).__name__}: {error}"
    print(json.dumps({"name": name, "outcome": outcome}), flush=True)
sys.stdout.close()
