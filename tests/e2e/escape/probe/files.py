"""Files of the host, of firma and of the kernel."""

import os
import signal
import stat

from attempts import (
    attempt,
    attempt_as,
    list_of,
    name_of,
    open_descriptors,
    outcome_of,
    planted,
    read_from,
    write_to,
)


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
def setuid_programs():
    """Whether one of the system's, such as su, would run as root."""
    return "ignored" if os.statvfs("/usr/bin").f_flag & os.ST_NOSUID else "honoured"


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


def in_workspace(name):
    return os.path.join(os.getcwd(), name)


def opened(path, flags):
    def attempt_to_open():
        os.close(os.open(path, flags | os.O_NONBLOCK))

    return outcome_of(attempt_to_open)


# What the kernel offers of the machine. Opened only: outside, root would get far with these.
for name, path, flags in [
    ("memory_device", "/dev/mem", os.O_RDONLY),
    ("kernel_log_device", "/dev/kmsg", os.O_WRONLY),
    ("kernel_memory", "/proc/kcore", os.O_RDONLY),
    ("magic_request_key", "/proc/sysrq-trigger", os.O_WRONLY),
    ("host_name", "/proc/sys/kernel/hostname", os.O_WRONLY),
    ("module_loader", "/proc/sys/kernel/modprobe", os.O_WRONLY),
    ("forwarding", "/proc/sys/net/ipv4/ip_forward", os.O_WRONLY),
    ("random_pool", "/proc/sys/kernel/random/write_wakeup_threshold", os.O_WRONLY),
    ("dirty_pages", "/proc/sys/vm/drop_caches", os.O_WRONLY),
]:
    attempt_as(name, lambda path=path, flags=flags: opened(path, flags))


@attempt
def block_devices():
    """Disks of the machine, by device node or by sysfs."""
    found = [name for name in os.listdir("/dev") if stat.S_ISBLK(os.lstat(f"/dev/{name}").st_mode)]
    return found + (list_of("/sys/block") if os.path.exists("/sys/block") else [])


def make_node(kind, device):
    path = in_workspace(f"node-{kind}")

    def make():
        os.mknod(path, kind | 0o600, device)
        os.unlink(path)

    return outcome_of(make)


@attempt
def make_block_device():
    return make_node(stat.S_IFBLK, os.makedev(254, 0))


@attempt
def make_character_device():
    return make_node(stat.S_IFCHR, os.makedev(1, 1))


def setuid_file(name, make):
    """Makes a program that would run on the host as whoever runs the agent."""
    path = in_workspace(name)

    def make_it():
        make(path)
        mode = os.lstat(path).st_mode
        os.unlink(path)
        if not mode & stat.S_ISUID:
            raise PermissionError(1, "made without the bit")

    outcome = outcome_of(make_it)
    if os.path.lexists(path):
        os.unlink(path)
    return outcome


def created(path, mode):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode))


def changed(path, change):
    created(path, 0o755)
    change(path)


def change_open(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fchmod(descriptor, 0o4755)
    finally:
        os.close(descriptor)


@attempt
def setuid_by_chmod():
    return setuid_file("setuid-1", lambda path: changed(path, lambda p: os.chmod(p, 0o4755)))


@attempt
def setuid_by_fchmod():
    return setuid_file("setuid-2", lambda path: changed(path, change_open))


@attempt
def setuid_by_fchmodat():
    def change(path):
        directory = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.chmod(os.path.basename(path), 0o4755, dir_fd=directory)
        finally:
            os.close(directory)

    return setuid_file("setuid-3", lambda path: changed(path, change))


@attempt
def setuid_by_create():
    return setuid_file("setuid-4", lambda path: created(path, 0o4755))


@attempt
def setuid_by_mknod():
    return setuid_file("setuid-5", lambda path: os.mknod(path, stat.S_IFREG | 0o4755))


@attempt
def file_capability():
    path = in_workspace("capable")

    def give():
        created(path, 0o755)
        # CAP_SETUID, effective (struct vfs_cap_data, revision 2).
        os.setxattr(path, "security.capability", bytes([1, 0, 0, 2, 0x80] + [0] * 15))

    outcome = outcome_of(give)
    os.unlink(path)
    return outcome


@attempt
def hard_link_to_system():
    """A second name for a file of the system, where it could be written."""
    path = in_workspace("passwd-link")

    def link():
        os.link("/usr/bin/env", path)
        os.unlink(path)

    return outcome_of(link)


@attempt
def symbolic_link_to_secret():
    path = in_workspace("secret-link")
    os.symlink(planted["homeSecret"], path)
    try:
        return read_from(path)
    finally:
        os.unlink(path)


@attempt
def sealed_through_link():
    path = in_workspace("sealed-link")
    os.symlink(planted["sealed"], path)
    try:
        return write_to(os.path.join(path, "firma.toml"), "mine")
    finally:
        os.unlink(path)


@attempt
def sealed_through_descriptor():
    """By a directory that was opened, as /proc/self/fd names it."""
    directory = os.open(os.getcwd(), os.O_RDONLY)
    try:
        name = os.path.basename(planted["sealed"])
        return write_to(f"/proc/self/fd/{directory}/{name}/firma.toml", "mine")
    finally:
        os.close(directory)


@attempt
def sealed_through_parent_root():
    """By the root of another process, whose mounts might be others."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if os.path.exists(f"/proc/{pid}/root{planted['sealed']}/firma.toml"):
            found.append(pid)
    return "seen" if found else "hidden"


@attempt
def sealed_race():
    """Swaps a link's target while another process writes through it."""
    link, harmless = in_workspace("race"), in_workspace("harmless")
    os.makedirs(harmless, exist_ok=True)
    os.symlink(harmless, link)
    swapper = os.fork()
    while swapper == 0:
        for target in planted["sealed"], harmless:
            os.symlink(target, link + ".new")
            os.rename(link + ".new", link)
    raced = os.path.join(planted["sealed"], "raced")
    tries = 0
    # Outside, where it works, until it has: a busy machine may let one of the two run for long.
    while not os.path.exists(raced) and (planted["outside"] or tries < 2_000):
        tries += 1
        write_to(os.path.join(link, "raced"), "mine")
    os.kill(swapper, signal.SIGKILL)
    os.waitpid(swapper, 0)
    for left in link, link + ".new":
        if os.path.lexists(left):
            os.unlink(left)
    return "written" if os.path.exists(raced) else "kept out"


@attempt
def environments_of_others():
    """Variables of the host that another process might hold."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if b"HOST_SECRET=" in file.read():
                    found.append(pid)
        except OSError:
            pass
    return "found" if found else "none"


@attempt
def working_directories_of_others():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if os.path.exists(f"/proc/{pid}/cwd/private/inner.args"):
            found.append(pid)
    return found


@attempt
def audit_log():
    return read_from(planted["auditLog"])[:4]


@attempt
def audit_key():
    return read_from(os.path.join(os.path.dirname(planted["auditLog"]), "../keys/audit.key"))[:4]


@attempt
def preloaded_library():
    """What the loader of the host would put into every program, firma's too. Only opened."""
    if planted["outside"]:
        return "not tried"
    return opened("/etc/ld.so.preload", os.O_WRONLY | os.O_CREAT)


@attempt
def own_executable():
    """Over firma's own program, which the host runs next."""
    return outcome_of(lambda: os.close(os.open(planted["firma"], os.O_WRONLY)))
