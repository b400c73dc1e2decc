/** System calls that would take an agent out of its sandbox; each is refused by the filter. */
import {
  checkAttempts,
  type Expectation,
  makeHost,
  rootOnly,
  same,
  SOMETHING_ELSE,
  tryEverything,
} from "./support.ts";

const NAMESPACES = ["mount", "cgroup", "uts", "ipc", "user", "pid", "network"];

/** Refused inside; outside, even with arguments that lead nowhere, something else happens. */
const REFUSED = [
  ...["bpf", "kcmp", "keyctl", "add_key", "request_key", "perf_event_open", "pidfd_getfd"],
  ...["io_uring_enter", "io_uring_register", "io_uring_setup", "open_tree", "quotactl"],
  ...["process_vm_readv", "process_vm_writev", "ptrace", "userfaultfd"],
];
const REFUSED_TO_ROOT = [
  ...["acct", "chroot", "delete_module", "fanotify_init", "finit_module", "fsopen", "init_module"],
  ...["kexec_load", "mount", "mount_setattr", "move_mount", "open_by_handle_at", "pivot_root"],
  ...["reboot", "setns", "swapoff", "swapon", "syslog", "umount2", "ptrace_attach_to_parent"],
];

const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  ...Object.fromEntries(NAMESPACES.flatMap((name) => [
    [`unshare_${name}`, same("EPERM", "ok")],
    [`clone_${name}`, same("EPERM", "ok")],
  ])),
  unshare_time: same("EPERM", "ok"),
  clone3: same("ENOSYS", "EINVAL"),
  ...Object.fromEntries(REFUSED.map((name) => [name, same("EPERM", SOMETHING_ELSE)])),
  ...Object.fromEntries(REFUSED_TO_ROOT.map((name) => [name, rootOnly("EPERM", SOMETHING_ELSE)])),
  // Which of these a kernel has at all is its own affair.
  ...Object.fromEntries(
    ["can", "tipc", "bluetooth", "alg", "vsock", "xdp", "high_bits", "netlink_audit"]
      .map((name) => [`socket_${name}`, { inside: "EAFNOSUPPORT" }]),
  ),
  socketpair_tipc: { inside: "EAFNOSUPPORT" },
  socket_packet: rootOnly("EAFNOSUPPORT", "ok"),
  socket_netlink_netfilter: { inside: "EAFNOSUPPORT" },
  socket_netlink_route: same("ok", "ok"),
  socket_raw: rootOnly("EPERM", "ok"),
  socket_raw_ipv6: rootOnly("EPERM", "ok"),
  x32_call: { inside: "killed by SIGSYS" },
  i386_call: { inside: "killed by SIGSYS" },
  tiocsti: same("EPERM", "ok"),
  tiocsti_with_high_bits: same("EPERM", "ok"),
  tioclinux: same("EPERM", "ENOTTY"),
  tioclinux_with_high_bits: same("EPERM", "ENOTTY"),
};

Deno.test("firma run refuses what would take an agent out by a system call", async (t) => {
  await using host = await makeHost();
  const tried = await tryEverything(host, { modules: ["system_calls", "terminal"] });
  await checkAttempts(t, tried, EXPECTATIONS);
});
