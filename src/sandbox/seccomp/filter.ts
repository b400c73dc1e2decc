import {
  answer,
  encode,
  type Instruction,
  load,
  unlessEqual,
  whenAnyBit,
  whenAtLeast,
  whenEqual,
} from "./bpf.ts";
import {
  type Architecture,
  AUDIT_ARCHITECTURE,
  type SystemCall,
  systemCallNumber,
} from "./syscalls.ts";

// Offsets in struct seccomp_data; both machines are little-endian, so the low half comes first.
const NUMBER = 0;
const ARCHITECTURE = 4;
const lowHalfOfArgument = (index: number) => 16 + 8 * index;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuseWith = (errno: number) => 0x00050000 | errno;
const EPERM = refuseWith(1);
const ENOSYS = refuseWith(38);
const EAFNOSUPPORT = refuseWith(97);

/** What no program of an agent has business with; most need a capability anyway. */
const REFUSED: readonly SystemCall[] = [
  // Would change what the agent sees of the file system, or bring covered directories back.
  ...["mount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount"] as const,
  ...["open_tree", "open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick"] as const,
  ...["open_by_handle_at", "setns", "quotactl", "quotactl_fd"] as const,
  // Reach into other processes.
  ...["ptrace", "process_vm_readv", "process_vm_writev", "process_madvise"] as const,
  ...["pidfd_getfd", "kcmp"] as const,
  // Kernel keyrings are shared with the user's other sessions.
  ...["add_key", "request_key", "keyctl"] as const,
  // Wide kernel interfaces; io_uring also opens sockets that this filter would not see.
  ...["bpf", "perf_event_open", "userfaultfd", "fanotify_init"] as const,
  ...["io_uring_setup", "io_uring_enter", "io_uring_register"] as const,
  // The machine itself.
  ...["init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"] as const,
  ...["reboot", "swapon", "swapoff", "acct", "syslog", "vhangup"] as const,
  ...["iopl", "ioperm", "modify_ldt", "uselib"] as const,
];

/** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET. */
const NEW_NAMESPACES = 0x7e020000;
/** CLONE_NEWTIME; in `clone` the same bit is part of the exit signal. */
const NEW_TIME_NAMESPACE = 0x80;

// Puts characters into the terminal's input, which the user's shell would run afterwards.
const TIOCSTI = 0x5412;
// Its virtual console sibling: paste a selection.
const TIOCLINUX = 0x541c;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;

/**
 * What a terminal or a shell sends to a job. HUP, INT, QUIT, TERM, CONT, TSTP, WINCH, and 0 which
 * only asks.
 */
const JOB_SIGNALS = [0, 1, 2, 3, 15, 18, 20, 28];

// x86_64 calls with this bit are the x32 ABI: same architecture word, other numbers.
const X32_BIT = 0x40000000;

function firstArgument(): Instruction {
  return load(lowHalfOfArgument(0));
}

/** Rules that look at arguments. The kernel reads these as 32 bits, so only those count. */
const INSPECTED: readonly (readonly [SystemCall, readonly Instruction[]])[] = [
  ["ioctl", [
    load(lowHalfOfArgument(1)),
    ...whenEqual(TIOCSTI, [answer(EPERM)]),
    ...whenEqual(TIOCLINUX, [answer(EPERM)]),
    answer(ALLOW),
  ]],
  ["clone", [firstArgument(), ...whenAnyBit(NEW_NAMESPACES, [answer(EPERM)]), answer(ALLOW)]],
  ["unshare", [
    firstArgument(),
    ...whenAnyBit(NEW_NAMESPACES | NEW_TIME_NAMESPACE, [answer(EPERM)]),
    answer(ALLOW),
  ]],
  ["kill", [
    firstArgument(),
    // The agent's process group reaches out of the sandbox, for the sake of job control: firma
    // itself is in it, and whatever the user has piped it to.
    ...whenEqual(0, [
      load(lowHalfOfArgument(1)),
      ...JOB_SIGNALS.flatMap((signal) => whenEqual(signal, [answer(ALLOW)])),
      answer(EPERM),
    ]),
    answer(ALLOW),
  ]],
  // Its flags lie in memory, where a filter cannot look: libc falls back to clone.
  ["clone3", [answer(ENOSYS)]],
  ["socket", [
    firstArgument(),
    ...whenEqual(AF_UNIX, [answer(ALLOW)]),
    ...whenEqual(AF_INET, [answer(ALLOW)]),
    ...whenEqual(AF_INET6, [answer(ALLOW)]),
    // getifaddrs() asks here; without capabilities it can only read.
    ...whenEqual(AF_NETLINK, [
      load(lowHalfOfArgument(2)),
      ...whenEqual(NETLINK_ROUTE, [answer(ALLOW)]),
    ]),
    answer(EAFNOSUPPORT),
  ]],
  ["socketpair", [
    firstArgument(),
    ...whenEqual(AF_UNIX, [answer(ALLOW)]),
    answer(EAFNOSUPPORT),
  ]],
];

/** What an agent and all its children run under; everything that is not named here is allowed. */
export function agentFilter(architecture: Architecture): Uint8Array<ArrayBuffer> {
  const program = [
    load(ARCHITECTURE),
    // The numbers of another architecture mean other calls.
    ...unlessEqual(AUDIT_ARCHITECTURE[architecture], [answer(KILL_PROCESS)]),
    load(NUMBER),
  ];
  if (architecture === "x86_64") program.push(...whenAtLeast(X32_BIT, [answer(KILL_PROCESS)]));
  const refused = REFUSED.map((name) => [name, [answer(EPERM)]] as const);
  for (const [name, then] of [...refused, ...INSPECTED]) {
    const number = systemCallNumber(name, architecture);
    if (number !== undefined) program.push(...whenEqual(number, then));
  }
  program.push(answer(ALLOW));
  return encode(program);
}
