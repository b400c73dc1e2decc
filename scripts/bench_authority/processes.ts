import { join } from "node:path";
import { TextLineStream } from "./text_lines.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const PERMIT = '@id("permit") permit (principal, action, resource);\n';

/** What a process of clients is to do. */
export interface Order {
  readonly job: "issue" | "idle" | "listen";
  readonly clients: number;
  readonly seconds?: number;
  readonly endpoint: string;
  readonly agent: string;
  readonly publicKey: string;
  readonly tls: { readonly caPath: string; readonly certPath: string; readonly keyPath: string };
}

/** What such a process says. */
export interface Report {
  readonly ready?: boolean;
  readonly marker?: string;
  /** Milliseconds since the epoch. */
  readonly times?: readonly number[];
  readonly count?: number;
  readonly seconds?: number;
}

/** The value below which so many of a hundred are. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * share) / 100))]!;
}

/** Starts an Authority over mutual TLS, in a home of its own. */
export async function start() {
  const home = await Deno.makeTempDir({ prefix: "firma-bench-" });
  const project = join(home, "project");
  const write = async (path: string, text: string) => {
    await Deno.mkdir(join(project, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(project, path), text);
  };
  const env = {
    ...Deno.env.toObject(),
    XDG_DATA_HOME: join(home, "data"),
    XDG_RUNTIME_DIR: home,
    FIRMA_DENO: Deno.execPath(),
  };
  const firma = (args: readonly string[]) =>
    new Deno.Command(join(ROOT, "scripts/firma"), { args: [...args], cwd: project, env });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await firma(args).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  await write(".firma/policies/dev.cedar", PERMIT);
  await write(".firma/issuance-policies/issuance.cedar", PERMIT);
  const tls = await run("authority", "init-tls", "--out-dir", join(project, "tls"));
  await write(".firma/firma.toml", `[authority]\nlisten_addr = "127.0.0.1:0"\n${tls}`);
  await run("trust");
  const agent = (await run("authority", "agents", "add", "bench")).trim();
  const server = new Deno.Command(join(ROOT, "scripts/firma"), {
    args: ["authority"],
    cwd: project,
    env,
    stderr: "piped",
  }).spawn();
  const { promise: listening, resolve } = Promise.withResolvers<string>();
  (async () => {
    const lines = server.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    );
    for await (const line of lines) {
      const address = /listening on (\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    }
  })();
  const port = (await listening).split(":").at(-1);
  const publicKey = (await Deno.readTextFile(join(home, "data/firma/keys/authority.key.pub")))
    .trim();
  const base = {
    endpoint: `https://localhost:${port}`,
    agent,
    publicKey,
    tls: {
      caPath: join(project, "tls/ca.crt"),
      certPath: join(project, "tls/client.crt"),
      keyPath: join(project, "tls/client.key"),
    },
  };
  const projects = join(home, "data/firma/projects");
  const [key] = await Array.fromAsync(Deno.readDir(projects), ({ name }) => name);
  return {
    project,
    clients: (processes: number, order: Pick<Order, "job" | "clients" | "seconds">) =>
      startClients(processes, { ...base, ...order }),
    /** Appends to the file that is the truth, as any tool of the operator could. */
    revoke: (tokenId: string) =>
      Deno.writeTextFile(join(projects, key!, "revocations.txt"), `${tokenId}\n`, { append: true }),
    memoryMb: () => status(server.pid, /^VmRSS:\s+(\d+)/m) / 1024,
    cpuSeconds: () => {
      const fields = Deno.readTextFileSync(`/proc/${server.pid}/stat`).split(") ")[1]!.split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    stop: async () => {
      server.kill("SIGTERM");
      await server.status;
      await Deno.remove(home, { recursive: true });
    },
  };
}

function status(pid: number, pattern: RegExp): number {
  return Number(pattern.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

/** Starts processes of clients; each reports for all of its clients. */
function startClients(count: number, order: Order) {
  const children = Array.from({ length: count }, () => {
    const script = new URL("./client.ts", import.meta.url).pathname;
    const args = ["run", "--quiet", "--allow-all", "--no-check", "--unstable-net", script];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, JSON.stringify(order)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reports: Report[] = [];
    let wake = () => {};
    const reading = (async () => {
      const text = child.stdout.pipeThrough(new TextDecoderStream());
      for await (const line of text.pipeThrough(new TextLineStream())) {
        reports.push(JSON.parse(line));
        wake();
      }
      wake();
    })();
    const find = async (wanted: (report: Report) => boolean): Promise<Report> => {
      for (;;) {
        const found = reports.find(wanted);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => wake = resolve);
      }
    };
    return { child, reading, find };
  });
  return {
    ready: () => Promise.all(children.map(({ find }) => find(({ ready }) => ready === true))),
    heard: (marker: string) =>
      Promise.all(children.map(({ find }) => find((report) => report.marker === marker))),
    finished: () =>
      Promise.all(children.map(({ find }) => find(({ seconds }) => seconds !== undefined))),
    stop: async () => {
      for (const { child, reading } of children) {
        await child.stdin.close();
        await child.status;
        await reading;
      }
    },
  };
}
