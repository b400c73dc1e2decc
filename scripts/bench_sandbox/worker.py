"""Does pieces of work when told to on standard input; says what each took: wall and CPU seconds."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time

WORK = {
    "git status": (["git", "status", "--porcelain"], "repository"),
    "git status, 20,000 files": (["git", "status", "--porcelain"], "large-repository"),
    "npm install": (
        ["npm", "install", "--offline", "--no-audit", "--no-fund", "--no-package-lock",
         "--ignore-scripts", "--loglevel=error"],
        "package",
    ),
    "compile": (["cc", "-O1", "-o", "program", "program.c"], "source"),
    "true": (["true"], "."),
}


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    command, directory = WORK[json.loads(line)]
    shutil.rmtree(os.path.join(directory, "node_modules"), ignore_errors=True)
    wall_before, cpu_before = time.monotonic(), cpu()
    done = subprocess.run(command, cwd=directory, capture_output=True)
    figures = [time.monotonic() - wall_before, cpu() - cpu_before]
    if done.returncode != 0:
        sys.exit(done.stderr.decode() or done.stdout.decode())
    print(json.dumps(figures), flush=True)
