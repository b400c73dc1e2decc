/** Runs in a worker with the permissions of the data plane and tries to get out. */
import { type Attempts, type PartReport, tryAll } from "../attempts.ts";

/** What to try; everything named here exists and works outside. */
export interface ProbeTargets {
  readonly secretFile: string;
  readonly socketDir: string;
  readonly ownSocket: string;
  readonly otherSocket: string;
  readonly mappedPort: number;
}

const ATTEMPTS: Attempts<ProbeTargets> = {
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
  "import a file": async ({ secretFile }) => await import(`file://${secretFile}`),
  "import a file as text": async ({ secretFile }) =>
    await import(`file://${secretFile}`, { with: { type: "text" } }),
  "import a file as JSON": async ({ secretFile }) =>
    await import(`file://localhost${secretFile}`, { with: { type: "json" } }),
  "import a file by way of code of its own": async ({ secretFile }) =>
    await import(`data:text/javascript,import ${JSON.stringify(`file://${secretFile}`)}`),
  "import a file by way of a blob": async ({ secretFile }) =>
    await import(
      URL.createObjectURL(
        new Blob([`import "file://${secretFile}"`], { type: "text/javascript" }),
      )
    ),
  "import a file from among its own": async ({ secretFile }) =>
    await import(`${import.meta.resolve("./")}${"../".repeat(20)}${secretFile.slice(1)}`),
  "start a worker on a file": async ({ secretFile }) => {
    const worker = new Worker(`file://${secretFile}`, { type: "module" });
    const message = await new Promise<string>((resolve) => {
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
    });
    throw new Error(message);
  },
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
const RIGHTS: Attempts<ProbeTargets> = {
  "listen on its socket": ({ ownSocket }) =>
    Deno.listen({ transport: "unix", path: ownSocket }).close(),
  "connect to a mapped address": async ({ mappedPort }) =>
    (await Deno.connect({ hostname: "127.0.0.1", port: mappedPort })).close(),
};

self.addEventListener("message", async (event) => {
  const { targets, port } =
    (event as MessageEvent<{ targets: ProbeTargets; port: MessagePort }>).data;
  const attempts = await tryAll(ATTEMPTS, targets);
  const report: PartReport = { attempts, rights: await tryAll(RIGHTS, targets) };
  port.postMessage(report);
});
