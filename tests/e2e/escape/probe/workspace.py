"""What programs of the host run later from the workspace: hooks, settings of editors and agents."""

import os
import subprocess
import time

from attempts import attempt, attempt_as, outcome_of, planted, write_to

EVIL = "#!/bin/sh\necho pwned\n"


def plant(path, text=EVIL):
    """As an agent would: with the directories that it takes, and executable."""

    def write():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)

    return outcome_of(write)


for path in planted["sealedFiles"]:
    attempt_as(f"write {path}", lambda path=path: plant(path))


@attempt
def write_elsewhere():
    return plant("src/main.py")


def moved(path):
    def move():
        os.rename(path, path + "-moved")
        os.rename(path + "-moved", path)

    return outcome_of(move)


for path in [".git", ".git/hooks", ".claude", ".envrc", "nested/.git", "nested"]:
    attempt_as(f"rename {path}", lambda path=path: moved(path))


def removed(path):
    def remove():
        os.rename(path, "removed")
        os.rename("removed", path)

    return outcome_of(remove)


attempt_as("replace tree/.git", lambda: removed("tree/.git"))


@attempt
def hard_link():
    """A second name, under which the file could be written."""

    def link():
        os.link(".envrc", "second-name")
        os.unlink("second-name")

    return outcome_of(link)


@attempt
def through_link():
    os.symlink(".git/hooks", "link-to-hooks")
    try:
        return write_to("link-to-hooks/post-merge", EVIL)
    finally:
        os.unlink("link-to-hooks")


@attempt
def through_descriptor():
    directory = os.open(".git", os.O_RDONLY)
    try:
        return write_to(f"/proc/self/fd/{directory}/hooks/post-merge", EVIL)
    finally:
        os.close(directory)


@attempt
def through_working_directory():
    return write_to("/proc/self/cwd/.git/hooks/post-merge", EVIL)


@attempt
def status_of_git():
    """Nothing that firma put there may look like the agent's work."""
    result = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True)
    return sorted(line for line in result.stdout.splitlines() if line[3:] in planted["sealedFiles"])


def git(*words):
    result = subprocess.run(["git", *words], capture_output=True, text=True)
    return "ok" if result.returncode == 0 else result.stderr.strip()


# git has to be able to write its own settings; what matters is what is left of these afterwards.
attempt_as("set core.fsmonitor", lambda: git("config", "core.fsmonitor", "/tmp/evil"))
attempt_as("set core.hooksPath", lambda: git("config", "core.hooksPath", "src"))
attempt_as("set a harmless key", lambda: git("config", "branch.main.remote", "origin"))


@attempt
def kept_while_it_runs():
    """An editor on the host may ask git for its status at any moment."""
    for _ in range(1 if planted["outside"] else 60_000):
        with open(".git/config") as file:
            if "/tmp/evil" not in file.read():
                return "undone"
        time.sleep(0.001)
    return "kept"


attempt_as("make a repository", lambda: git("init", "-q", planted["newRepository"]))
attempt_as(
    "make a hook in it", lambda: plant(os.path.join(planted["newRepository"], ".git/hooks/update"))
)
attempt_as("make a bare repository", lambda: git("init", "-q", "--bare", "bare"))
attempt_as("let it run a program", lambda: git("-C", "bare", "config", "core.pager", "evil"))
attempt_as("plant a configuration", lambda: plant("sub/.firma/firma.toml", planted["configuration"]))
