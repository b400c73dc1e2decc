/**
 * What `__init`, firma's own program in the outer layer, could do if an agent took it over: a probe
 * enters its namespaces from the host and tries.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../fixtures/deadline.ts";
import { makeHost } from "./support.ts";

const PROBE = `
import errno, glob, json, os, socket, sys
planted = json.loads(sys.argv[1])
def tried(function):
    try:
        return function() or "worked"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
def connect(host, port):
    socket.create_connection((host, port), timeout=60).close()
def unix(name):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(name)
def send(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.connect((host, port))
        client.send(b"out")
        client.recv(16)
def look(path):
    found = OSError(errno.ENOENT, "nowhere")
    # It began with all of the host in sight: no directory of that may be left to anybody here.
    for start in ["", *glob.glob("/proc/[0-9]*/root"), *glob.glob("/proc/[0-9]*/cwd"),
                  *glob.glob("/proc/[0-9]*/fd/*")]:
        for above in ["", "/host", "/view", "/..", "/../.."]:
            try:
                return open(start + above + path).close()
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ELOOP):
                    found = error
    raise found
print(json.dumps({
    "reads the audit log": tried(lambda: open(planted["auditLog"]).close()),
    "reads a key": tried(lambda: open(planted["stateSecret"]).close()),
    "reads a secret of the home": tried(lambda: open(planted["homeSecret"]).close()),
    "finds a secret of the home": tried(lambda: look(planted["homeSecret"])),
    "finds a key": tried(lambda: look(planted["stateSecret"])),
    "connects to the host": tried(lambda: connect("127.0.0.1", planted["hostPort"])),
    "connects to its address": tried(lambda: connect(planted["hostAddress"], planted["hostPort"])),
    "sends to the host": tried(lambda: send("127.0.0.1", planted["hostDatagramPort"])),
    "connects to an abstract socket": tried(lambda: unix("\\0" + planted["abstractSocket"])),
    "signals the host": tried(lambda: os.kill(planted["hostProcess"], 0)),
}))
`;

/** Children of a process, theirs as well. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]));
    } catch {
      // It has ended in between.
    }
  }
  const below = (above: number): number[] =>
    [...parents].filter(([, parent]) => parent === above)
      .flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** The process of the outer layer that is firma's: it sees what the inner one does not. */
function initOf(pids: readonly number[]): number | undefined {
  return pids.find((pid) => {
    try {
      const program = Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
      Deno.statSync(`/proc/${pid}/root/run/firma-private/inner.args`);
      return program !== "bwrap";
    } catch {
      return false;
    }
  });
}

Deno.test("__init could reach nothing of the host, whoever had taken it over", async () => {
  await using host = await makeHost();
  const { person, planted } = host;
  // From the second run on it starts before anything is known of the run.
  assert.equal((await person.firma(["run", "--trust", "--yes", "--", "true"])).code, 0);
  await using agent = person.start([
    "run",
    "--trust",
    "--yes",
    "--",
    "sh",
    "-c",
    "echo up; read x",
  ]);
  await agent.printed(/^up$/m);
  // The log is there, so that what is not read is kept from being read.
  assert.ok(Deno.statSync(planted.auditLog as string).isFile);
  const pid = await eventually("__init to be found", async () => {
    const own = await person.processes();
    return initOf(own.flatMap(({ pid }) => descendants(pid)));
  });
  const words = ["/usr/bin/python3", "-c", PROBE, JSON.stringify(planted)];
  const enter = [
    "--target",
    String(pid),
    "--user",
    "--mount",
    "--net",
    "--ipc",
    "--pid",
    "--preserve-credentials",
  ];
  const report = async (program: string, args: readonly string[]) => {
    const { stdout, stderr, code } = await person.startProgram(program, [...args]).finished();
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, string>;
  };
  const inside = await report("nsenter", [...enter, ...words]);
  assert.deepEqual(inside, {
    "reads the audit log": "ENOENT",
    "reads a key": "ENOENT",
    "reads a secret of the home": "ENOENT",
    "finds a secret of the home": "ENOENT",
    "finds a key": "ENOENT",
    "connects to the host": "ECONNREFUSED",
    "connects to its address": "ECONNREFUSED",
    "sends to the host": "ECONNREFUSED",
    "connects to an abstract socket": "ECONNREFUSED",
    "signals the host": "ESRCH",
  });
  const outside = await report(words[0]!, words.slice(1));
  assert.deepEqual(new Set(Object.values(outside)), new Set(["worked"]));
  // What it does see is its way out and its program, below one directory.
  const own = join(`/proc/${pid}/root/run`);
  assert.deepEqual([...Deno.readDirSync(own)].map(({ name }) => name).sort(), [
    "firma",
    "firma-private",
  ]);
  await agent.closeInput();
  await agent.finished();
});
