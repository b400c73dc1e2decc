import { join } from "node:path";
import { parseDatabaseUrl } from "../../src/authority/store/postgres/database_url.ts";
import { PostgresStore } from "../../src/authority/store/postgres/postgres_store.ts";
import { unwrap } from "../../src/core/result.ts";
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

/** A URL of a database without a password; `undefined` is files. */
export type Store = string | undefined;

/** An Authority in a project of its own. */
interface Served {
  readonly project: string;
  readonly address: string;
  readonly server: Deno.ChildProcess;
}

/**
 * Starts an Authority over mutual TLS, in a home of its own. With a database two
 * are started: clients have one, and the operator works with the other.
 */
export async function start(store: Store) {
  const home = await Deno.makeTempDir({ prefix: "firma-bench-" });
  const tls = join(home, "tls");
  const lines = await run(home, ["authority", "init-tls", "--out-dir", tls]);
  const first = await serve(home, "first", lines, store);
  const servers = store === undefined
    ? [first]
    : [first, await serve(home, "second", lines, store)];
  const { address, server } = servers.at(-1)!;
  const agent = await run(first.project, ["authority", "agents", "add", "bench"]);
  const publicKey = await Deno.readTextFile(join(home, "data/firma/keys/authority.key.pub"));
  const base = {
    endpoint: `https://localhost:${address.split(":").at(-1)}`,
    agent: agent.trim(),
    publicKey: publicKey.trim(),
    tls: {
      caPath: join(tls, "ca.crt"),
      certPath: join(tls, "client.crt"),
      keyPath: join(tls, "client.key"),
    },
  };
  const revocations = await revoker(home, store);
  return {
    project: first.project,
    /** How its clients reach it. */
    access: base,
    clients: (processes: number, order: Pick<Order, "job" | "clients" | "seconds">) =>
      startClients(processes, { ...base, ...order }),
    revoke: revocations.revoke,
    memoryMb: () => status(server.pid, /^VmRSS:\s+(\d+)/m) / 1024,
    cpuSeconds: () => {
      const fields = Deno.readTextFileSync(`/proc/${server.pid}/stat`).split(") ")[1]!.split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    stop: async () => {
      await revocations.close();
      for (const { server } of servers) {
        server.kill("SIGTERM");
        await server.status;
      }
      await Deno.remove(home, { recursive: true });
    },
  };
}

async function serve(home: string, name: string, tls: string, store: Store): Promise<Served> {
  const project = join(home, name);
  const write = async (path: string, text: string) => {
    await Deno.mkdir(join(project, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(project, path), text);
  };
  await write(".firma/policies/dev.cedar", PERMIT);
  await write(".firma/issuance-policies/issuance.cedar", PERMIT);
  const table = store && `[authority.store]\nkind = "postgres"\nurl = ${JSON.stringify(store)}\n`;
  const listen = 'listen_addr = "127.0.0.1:0"\n';
  await write(".firma/firma.toml", `[authority]\n${listen}${tls}${table ?? ""}`);
  await run(project, ["trust"]);
  const server = firma(project, ["authority"], "piped").spawn();
  const { promise, resolve } = Promise.withResolvers<string>();
  let last = "";
  void server.status.then(({ success }) => {
    if (success) return;
    // Its clients would try to reach it for ever.
    console.error(`The Authority ended: ${last}`);
    Deno.exit(1);
  });
  (async () => {
    const text = server.stderr.pipeThrough(new TextDecoderStream());
    for await (const line of text.pipeThrough(new TextLineStream())) {
      last = line;
      const address = /listening on (\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    }
  })();
  return { project, address: await promise, server };
}

function firma(project: string, args: readonly string[], stderr: "piped" | "inherit") {
  const home = join(project, "..");
  return new Deno.Command(join(ROOT, "scripts/firma"), {
    args: [...args],
    cwd: project,
    env: { XDG_DATA_HOME: join(home, "data"), XDG_RUNTIME_DIR: home, FIRMA_DENO: Deno.execPath() },
    stderr,
  });
}

async function run(project: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await firma(project, args, "piped").output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Revokes without a start of firma, which would be measured as well. */
async function revoker(home: string, store: Store) {
  if (store !== undefined) {
    const database = unwrap(
      await PostgresStore.open({
        target: unwrap(parseDatabaseUrl(store)),
        schema: "firma",
        publisher: "bench",
        signingKey: undefined,
        onNotice: ({ message }) => console.error(message),
      }),
    );
    return {
      revoke: (tokenId: string) =>
        database.revoke({ tokenId, reason: "", timestamp: new Date().toISOString() }),
      close: () => database.close(),
    };
  }
  const projects = join(home, "data/firma/projects");
  const [key] = await Array.fromAsync(Deno.readDir(projects), ({ name }) => name);
  const file = join(projects, key!, "revocations.txt");
  return {
    /** Appends to the file that is the truth, as any tool of the operator could. */
    revoke: (tokenId: string) => Deno.writeTextFile(file, `${tokenId}\n`, { append: true }),
    close: () => Promise.resolve(),
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
