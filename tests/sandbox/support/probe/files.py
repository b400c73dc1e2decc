"""Files of the host, of firma and of the kernel."""

import os
import subprocess

from attempts import attempt, list_of, name_of, open_descriptors, planted, read_from, write_to


@attempt
def write_root():
    return write_to("/firma-probe")


@attempt
def write_usr():
    return write_to("/usr/firma-probe")


@attempt
def write_etc():
    return write_to("/etc/firma-probe")


@attempt
def write_workspace():
    return write_to("written-by-probe", "hello")


@attempt
def write_home():
    return write_to(os.path.expanduser("~/written-by-probe"))


@attempt
def write_tmp():
    return write_to(planted["tmpFile"])


@attempt
def shadow():
    return read_from("/etc/shadow")


@attempt
def home_secret():
    return read_from(planted["homeSecret"])


@attempt
def state_secret():
    return read_from(planted["stateSecret"])


@attempt
def tmp_secret():
    return read_from(planted["tmpSecret"])


@attempt
def sealed_list():
    return list_of(planted["sealed"])


@attempt
def sealed_write():
    return write_to(os.path.join(planted["sealed"], "firma.toml"), "mine")


@attempt
def sealed_rename():
    try:
        os.rename(planted["sealed"], planted["sealed"] + "-moved")
        os.rename(planted["sealed"] + "-moved", planted["sealed"])
        return "ok"
    except OSError as error:
        return name_of(error.errno)


@attempt
def root_entries():
    return list_of("/")


@attempt
def run_entries():
    return list_of("/run")


@attempt
def private_directory():
    return list_of("/run/firma-private")


@attempt
def public_write():
    return write_to("/run/firma/ca.pem")


@attempt
def other_root():
    """Through another process of this user: its root directory and descriptors."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for path in [planted["homeSecret"], "/run/firma-private/proxy/proxy.sock"]:
            if os.path.exists(f"/proc/{pid}/root{path}"):
                found.append(f"{pid}{path}")
    return found


@attempt
def descriptors():
    """What is open in this process besides the standard three and the listing itself."""
    return open_descriptors("self")


@attempt
def descriptors_of_others():
    """What the layer's own first process still holds, an event counter apart."""
    return [path for path in open_descriptors("1") if "eventfd" not in path]


@attempt
def setuid_program():
    program = planted.get("setuidProgram")
    if not program:
        return "none"
    result = subprocess.run([program, "-u"], capture_output=True, text=True)
    return result.stdout.strip() or result.stderr.strip()


@attempt
def core_pattern():
    try:
        os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
        return "ok"
    except OSError as error:
        return name_of(error.errno)


@attempt
def kernel_files():
    """Files of /proc that could be written and belong to no process. Opened only, not written."""
    found = []
    for directory, names, files in os.walk("/proc"):
        if directory == "/proc":
            names[:] = [name for name in names if not name.isdigit() and "self" not in name]
        for file in files:
            path = os.path.join(directory, file)
            try:
                if os.access(path, os.W_OK):
                    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                    found.append(path)
            except OSError:
                pass
    return found


@attempt
def status():
    with open("/proc/self/status") as file:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    wanted = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]
    return {name: lines[name] for name in wanted}


@attempt
def identity():
    return [os.getuid(), os.geteuid(), os.getgid(), os.getegid()]
