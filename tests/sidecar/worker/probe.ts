/** Runs in a worker with the permissions of the data plane and tries to get out. */

/** What to try; everything named here exists and works outside. */
export interface ProbeTargets {
  readonly secretFile: string;
  readonly socketDir: string;
  readonly ownSocket: string;
  readonly otherSocket: string;
  readonly mappedPort: number;
}

type Attempt = (targets: ProbeTargets) => unknown;

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  "read a file of the operator": ({ secretFile }) => Deno.readTextFileSync(secretFile),
  "read by way of node:fs": async ({ secretFile }) =>
    (await import("node:fs")).readFileSync(secretFile),
  "read out of its own directory": ({ socketDir, secretFile }) =>
    Deno.readTextFileSync(`${socketDir}/../../..${secretFile}`),
  "read through a link of its own": ({ socketDir, secretFile }) => {
    Deno.symlinkSync(secretFile, `${socketDir}/link`);
    return Deno.readTextFileSync(`${socketDir}/link`);
  },
  "write a file of the operator": ({ secretFile }) => Deno.writeTextFileSync(secretFile, "x"),
  "run a program": () => new Deno.Command("/bin/true").outputSync(),
  "run by way of node:child_process": async () =>
    (await import("node:child_process")).execFileSync("/bin/true"),
  "read the environment": () => Deno.env.get("PATH"),
  "read the environment by way of node:process": async () =>
    (await import("node:process")).env.PATH,
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "ask for the system": () => Deno.hostname(),
  "import code": async ({ secretFile }) => await import(`file://${secretFile}`),
  "import code from the net": async () => await import(`${"https"}://unmapped.test/x.ts`),
  "connect to an unmapped host": () => Deno.connect({ hostname: "localhost", port: 1 }),
  "connect to an address": () => Deno.connect({ hostname: "127.0.0.1", port: 2 }),
  "fetch": () => fetch("http://127.0.0.1:2/"),
  "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  "connect to a socket beside its own": ({ otherSocket }) =>
    Deno.connect({ transport: "unix", path: otherSocket }),
  "start a worker that may more": () =>
    new Worker(import.meta.url, {
      type: "module",
      deno: { permissions: { read: true } },
    }),
  "ask the operator": async () => {
    const { state } = await Deno.permissions.request({ name: "run" });
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  },
};

/** What must work, or the attempts above prove nothing. */
const RIGHTS: Readonly<Record<string, Attempt>> = {
  "listen on its socket": ({ ownSocket }) =>
    Deno.listen({ transport: "unix", path: ownSocket }).close(),
  "connect to a mapped address": async ({ mappedPort }) =>
    (await Deno.connect({ hostname: "127.0.0.1", port: mappedPort })).close(),
};

/** The answer: what each attempt came to. */
export type ProbeReport = Readonly<Record<string, string>>;

async function result(attempt: Attempt, targets: ProbeTargets): Promise<string> {
  try {
    await attempt(targets);
    return "worked";
  } catch (cause) {
    const { name, message } = cause as Error;
    return /NotCapable|Requires .* access|permission/i.test(`${name} ${message}`)
      ? "refused"
      : `${name}: ${message}`;
  }
}

self.addEventListener("message", async (event) => {
  const { targets, port } =
    (event as MessageEvent<{ targets: ProbeTargets; port: MessagePort }>).data;
  const report: Record<string, string> = {};
  for (const [name, attempt] of Object.entries({ ...ATTEMPTS, ...RIGHTS })) {
    report[name] = await result(attempt, targets);
  }
  port.postMessage(
    { attempts: Object.keys(ATTEMPTS), rights: Object.keys(RIGHTS), report },
  );
});
