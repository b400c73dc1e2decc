import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IDENTITIES, type Identity, World } from "./support/world.ts";

const PROBE = fileURLToPath(new URL("support/probe", import.meta.url));

/** What a program of the host holds open for the probe to find: sockets and a port. */
const HOST_SERVER = `
import os, socket, sys
sockets = []
for address in sys.argv[1:]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address.replace("@", "\\0", 1) if address.startswith("@") else address)
    server.listen(16); sockets.append(server)
port = socket.create_server(("127.0.0.1", 0)); sockets.append(port)
print(port.getsockname()[1], flush=True)
sys.stdin.read()
`;

type Outcomes = Readonly<Record<string, unknown>>;

/** What each attempt must come to inside, and what proves outside that it can succeed at all. */
interface Expectation {
  readonly inside: unknown;
  /** Left out where only root could succeed, or where the machine decides. */
  readonly outside?: unknown;
  readonly outsideAsRoot?: unknown;
}

const same = (inside: unknown, outside: unknown): Expectation => ({ inside, outside });
const rootOnly = (inside: unknown, outsideAsRoot: unknown): Expectation => ({
  inside,
  outsideAsRoot,
});

const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  tiocsti: same("EPERM", "ok"),
  tiocsti_with_high_bits: same("EPERM", "ok"),
  tioclinux: same("EPERM", "ENOTTY"),
  unshare_user: same("EPERM", "ok"),
  unshare_mount: same("EPERM", "ok"),
  clone_user: same("EPERM", "ok"),
  clone3: same("ENOSYS", "EINVAL"),
  setns: rootOnly("EPERM", "ok"),
  mount: rootOnly("EPERM", "EFAULT"),
  open_tree: same("EPERM", "EFAULT"),
  ptrace: same("EPERM", "ok"),
  process_vm_readv: same("EPERM", "ok"),
  keyctl: same("EPERM", "ok"),
  io_uring: same("EPERM", "EFAULT"),
  socket_vsock: { inside: "EAFNOSUPPORT" },
  socket_alg: { inside: "EAFNOSUPPORT" },
  socket_packet: rootOnly("EAFNOSUPPORT", "ok"),
  socket_netlink_audit: { inside: "EAFNOSUPPORT" },
  socket_netlink_route: same("ok", "ok"),
  socket_raw: rootOnly("EPERM", "ok"),
  x32_call: { inside: "killed by SIGSYS" },
  i386_call: { inside: "killed by SIGSYS" },
  write_root: rootOnly("EROFS", "ok"),
  write_usr: rootOnly("EROFS", "ok"),
  write_etc: rootOnly("EROFS", "ok"),
  write_workspace: same("ok", "ok"),
  write_home: same("ok", "ok"),
  write_tmp: same("ok", "ok"),
  home_secret: same("ENOENT", "read home secret"),
  state_secret: same("ENOENT", "read state secret"),
  tmp_secret: same("ENOENT", "read tmp secret"),
  sealed_list: same([], ["firma.toml"]),
  sealed_write: same("EROFS", "ok"),
  sealed_rename: same("EBUSY", "ok"),
  run_entries: { inside: ["firma"] },
  private_directory: { inside: "ENOENT" },
  public_write: { inside: "EROFS" },
  other_root: { inside: [] },
  descriptors: { inside: [] },
  descriptors_of_others: { inside: [] },
  kernel_files: { inside: [] },
  signal_host: same("ESRCH", "ok"),
  kill_job: same("EPERM", "killed by SIGKILL"),
  signal_job: same("EPERM", "killed by SIGUSR1"),
  host_socket: same("ENOENT", "ok"),
  workspace_socket: same("ECONNREFUSED", "ok"),
  abstract_socket: same("ECONNREFUSED", "ok"),
  host_port: same("ECONNREFUSED", "ok"),
};

for (const identity of IDENTITIES) {
  Deno.test(`confine() keeps what ${identity.name} runs from getting out`, async (t) => {
    using world = new World(identity);
    await using server = await startHostServer(world);
    const planted = plant(world, identity, server);
    const command = (outside: boolean) =>
      ["/usr/bin/python3", planted.probe, JSON.stringify({ ...planted, outside })] as const;
    const sealedDirs = [planted.sealed];
    const inside = await probe(() => world.run(command(false), { sealedDirs }));
    const outside = await probe(() => world.outside(command(true)));
    for (const left of ["/firma-probe", "/usr/firma-probe", "/etc/firma-probe", planted.tmpFile]) {
      await Deno.remove(left).catch(() => {});
    }

    for (const [name, expected] of Object.entries(EXPECTATIONS)) {
      await t.step(name, () => {
        assert.deepEqual(inside[name], expected.inside, "inside");
        if ("outside" in expected) assert.deepEqual(outside[name], expected.outside, "outside");
        if ("outsideAsRoot" in expected && identity.uid === 0) {
          assert.deepEqual(outside[name], expected.outsideAsRoot, "outside");
        }
      });
    }
    await t.step("core_pattern", () => {
      assert.equal(inside.core_pattern, identity.uid === 0 ? "EROFS" : "EACCES");
      if (identity.uid === 0) assert.equal(outside.core_pattern, "ok");
    });
    await t.step("shadow", () => {
      assert.match(String(inside.shadow), /^(ENOENT|EACCES)$/);
      if (identity.uid === 0) assert.match(String(outside.shadow), /^read root:/);
    });
    await t.step("what is written to the workspace stays, elsewhere it does not", () => {
      assert.equal(Deno.readTextFileSync(join(world.project, "written-by-probe")), "hello");
    });
    await t.step("root_entries", () => {
      const system = new Set([
        "bin",
        "dev",
        "etc",
        "gnu",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "nix",
      ]);
      for (const name of ["opt", "proc", "run", "sbin", "tmp", "usr", "var"]) system.add(name);
      assert.deepEqual((inside.root_entries as string[]).filter((name) => !system.has(name)), []);
    });
    await t.step("status: no capability is left, and none can be gained", () => {
      const none = "0000000000000000";
      assert.deepEqual(inside.status, {
        CapInh: none,
        CapPrm: none,
        CapEff: none,
        CapBnd: none,
        CapAmb: none,
        NoNewPrivs: "1",
        Seccomp: "2",
      });
    });
    await t.step("identity: it is the user's own", () => {
      assert.deepEqual(inside.identity, outside.identity);
    });
    await t.step("processes: only the sandbox's own", () => {
      assert.deepEqual(inside.processes, ["bwrap", "python3"]);
      assert.ok((outside.processes as string[]).includes("deno"));
    });
    await t.step({
      name: "setuid_program",
      ignore: planted.setuidProgram === undefined,
      fn() {
        assert.equal(inside.setuid_program, String(identity.uid));
        assert.equal(outside.setuid_program, "0");
      },
    });
    await t.step("environment: nothing of the host's that no profile names", () => {
      const environment = inside.environment as Record<string, string>;
      assert.equal(environment.HOST_SECRET, undefined);
      assert.equal((outside.environment as Record<string, string>).HOST_SECRET, "hunter2");
      assert.equal(environment.FIRMA_RUN_SANDBOX_ID, "sbx_test");
      assert.equal(environment.SSL_CERT_FILE, "/run/firma/ca-bundle.pem");
    });
  });
}

async function probe(run: () => Promise<{ stdout: string; stderr: string }>): Promise<Outcomes> {
  const { stdout, stderr } = await run();
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`The probe did not come to its end: ${stdout}${stderr}`);
  }
}

interface HostServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly abstract: string;
  readonly hostSocket: string;
  readonly workspaceSocket: string;
}

async function startHostServer(world: World): Promise<HostServer> {
  const abstract = `firma-test-${crypto.randomUUID()}`;
  const hostSocket = join(world.root, "host.sock");
  const workspaceSocket = join(world.project, "host.sock");
  const sockets = [`@${abstract}`, hostSocket, workspaceSocket];
  const [program, ...args] = world.asUser(["/usr/bin/python3", "-c", HOST_SERVER, ...sockets]);
  const server = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  return {
    pid: server.pid,
    port: Number(value),
    abstract,
    hostSocket,
    workspaceSocket,
    async [Symbol.asyncDispose]() {
      await server.stdin.close();
      await lines.cancel();
      await server.status;
    },
  };
}

function plant(world: World, identity: Identity, server: HostServer) {
  const setuidProgram = Deno.uid() === 0 && identity.uid !== 0
    ? join(world.project, "setuid-id")
    : undefined;
  const probe = join(world.project, "probe");
  Deno.mkdirSync(probe);
  for (const { name } of Deno.readDirSync(PROBE)) {
    if (name.endsWith(".py")) Deno.copyFileSync(join(PROBE, name), join(probe, name));
  }
  const planted = {
    probe,
    homeSecret: world.plant("home/.ssh/id_ed25519", "home secret"),
    stateSecret: world.plant("state/authority.key", "state secret"),
    tmpFile: join("/tmp", `firma-${crypto.randomUUID()}`),
    tmpSecret: world.plant("other/tmp-secret", "tmp secret"),
    sealed: join(world.plant("home/project/.firma/firma.toml", ""), ".."),
    hostSocket: server.hostSocket,
    workspaceSocket: server.workspaceSocket,
    abstractSocket: server.abstract,
    hostPort: server.port,
    hostProcess: server.pid,
    setuidProgram,
  };
  world.own();
  if (setuidProgram) {
    Deno.copyFileSync("/usr/bin/id", setuidProgram);
    Deno.chmodSync(setuidProgram, 0o4755);
  }
  return planted;
}
