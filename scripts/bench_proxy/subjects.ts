/** The proxies that are compared, each started and ready. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newId } from "../../src/core/id.ts";
import { jsonLines } from "../../src/core/json_lines.ts";
import { unwrap } from "../../src/core/result.ts";
import { openControl } from "../../src/daemon/control_client.ts";
import type { Certificates } from "./certificates.ts";
import type { Load } from "./load_client.ts";
import { freePort, listening, start, startScript } from "./processes.ts";

const FIRMA = fileURLToPath(new URL("../../dist/firma", import.meta.url));

/** One way to the upstream. */
export interface Subject {
  readonly name: string;
  readonly via: Load["via"];
  /** The port that clients ask for; firma is configured to find the upstream by its name alone. */
  readonly port: number;
  /** What a client must trust. */
  readonly caPem: string;
  /** Process whose memory counts, with its children. */
  readonly pid: number | undefined;
}

/** What every subject is told. */
export interface Scene {
  readonly directory: string;
  readonly host: string;
  /** Where the canned HTTP/1.1 answers are. */
  readonly port: number;
  readonly http2Port: number;
  readonly certificates: Certificates;
}

/** The transport with a gate that allows everything. */
export async function bareTransport(
  scene: Scene,
  upstream: "HTTP/1.1" | "HTTP/2",
): Promise<Subject> {
  const { cert, key, caPem } = scene.certificates;
  const socket = join(scene.directory, `bare-${upstream === "HTTP/2" ? 2 : 1}.sock`);
  const upstreamPort = upstream === "HTTP/2" ? scene.http2Port : scene.port;
  const pid = await startScript("bare_transport.ts", { socket, cert, key, caPem, upstreamPort });
  return { name: `firma transport, upstream ${upstream}`, via: { socket }, port: 443, caPem, pid };
}

/** The whole Sidecar: mapping, capability token, policy, audit. */
export async function sidecar(scene: Scene, upstream: "HTTP/1.1" | "HTTP/2"): Promise<Subject> {
  const directory = join(scene.directory, `sidecar-${upstream === "HTTP/2" ? 2 : 1}`);
  const agentId = newId("agt");
  await writeProject(scene, directory, agentId, upstream);
  const run = join(directory, "run");
  const order = { type: "start", config: `${directory}/firma.toml`, run_dir: run };
  const env = { XDG_DATA_HOME: `${directory}/data` };
  const pid = await start([FIRMA, "__sidecar"], "ready", env, order);
  const body = {
    sandbox_id: newId("sbx"),
    agent_id: agentId,
    profile: "generic",
    command: "bench (0)",
    workspace: directory,
  };
  const request = { method: "POST", path: "/v1/sessions", body } as const;
  // The session lives as long as this connection, which ends with the bench.
  const registered = unwrap(await openControl(`${run}/control.sock`, request));
  const { value: answer } = await jsonLines(registered.body).next();
  if (registered.status !== 201) throw new Error(JSON.stringify(answer));
  const via = { socket: answer.proxy_socket };
  const name = `firma Sidecar, upstream ${upstream}`;
  return { name, via, port: 443, caPem: answer.ca_certificate, pid };
}

async function writeProject(
  scene: Scene,
  directory: string,
  agentId: string,
  upstream: "HTTP/1.1" | "HTTP/2",
): Promise<void> {
  const { host, port, http2Port, certificates } = scene;
  for (const name of ["policies", "issuance-policies", "mappings"]) {
    await Deno.mkdir(join(directory, name), { recursive: true });
  }
  const write = (name: string, text: string) => Deno.writeTextFile(join(directory, name), text);
  await write("issuance-policies/issuance.cedar", "permit (principal, action, resource);\n");
  await write(
    "policies/bench.cedar",
    `@id("reading") permit (principal, action in [Firma::Action::"code.read"], resource);\n`,
  );
  await write(
    "mappings/bench.toml",
    ["GET", "POST", "PUT"].map((method) =>
      `[[rules]]\nhost = "${host}"\nmethod = "${method}"\naction_class = "code.read"\n`
    ).join("\n"),
  );
  await write(
    "firma.toml",
    `[sidecar.authority]\nagent_id = "${agentId}"\n\n` +
      `[sidecar.mapping]\nrules_paths = ["mappings/bench.toml"]\n\n` +
      `[[sidecar.connector.hosts]]\nhost = "${host}"\n` +
      `connect_addr = "127.0.0.1:${upstream === "HTTP/2" ? http2Port : port}"\n` +
      `ca_cert_path = "${certificates.caFile}"\n`,
  );
}

/** mitmproxy, which a developer would reach for. */
export async function mitmproxy(
  { directory, certificates, port: upstreamPort }: Scene,
): Promise<Subject> {
  const configuration = join(directory, "mitmproxy");
  await Deno.mkdir(configuration);
  const { caFile, caKeyFile, caPem } = certificates;
  const both = await Deno.readTextFile(caKeyFile) + caPem;
  await Deno.writeTextFile(join(configuration, "mitmproxy-ca.pem"), both);
  const port = freePort();
  const pid = await start([
    "mitmdump",
    ...["--quiet", "--listen-host", "127.0.0.1", "--listen-port", String(port)],
    ...["--set", `confdir=${configuration}`],
    ...["--set", `ssl_verify_upstream_trusted_ca=${caFile}`],
  ], "silent");
  await listening(port);
  return { name: "mitmproxy", via: { port }, port: upstreamPort, caPem, pid };
}

/** squid with ssl-bump, which an operator would reach for. */
export async function squid(
  { directory, certificates, port: upstreamPort }: Scene,
): Promise<Subject> {
  const home = join(directory, "squid");
  await Deno.mkdir(home);
  const { caFile, caKeyFile, caPem } = certificates;
  const generator = "/usr/lib/squid/security_file_certgen";
  const database = join(home, "certificates");
  const made = await new Deno.Command(generator, {
    args: ["-c", "-s", database, "-M", "4MB"],
  }).output();
  if (made.code !== 0) throw new Error(new TextDecoder().decode(made.stderr));
  const port = freePort();
  if (Deno.uid() === 0) await giveToSquid(directory, home);
  await Deno.writeTextFile(
    join(home, "squid.conf"),
    `http_port 127.0.0.1:${port} ssl-bump generate-host-certificates=on ` +
      `dynamic_cert_mem_cache_size=4MB tls-cert=${caFile} tls-key=${caKeyFile}\n` +
      `sslcrtd_program ${generator} -s ${database} -M 4MB\nsslcrtd_children 1\n` +
      `ssl_bump bump all\ntls_outgoing_options cafile=${caFile}\n` +
      `http_access allow all\ncache deny all\naccess_log none\ncache_log /dev/null\n` +
      `cache_store_log none\npid_filename ${home}/squid.pid\ncoredump_dir ${home}\n` +
      `shutdown_lifetime 0 seconds\npinger_enable off\n`,
  );
  const pid = await start(
    ["squid", "-n", `bench${port}`, "-N", "-f", join(home, "squid.conf")],
    "silent",
  );
  await listening(port);
  return { name: "squid with ssl-bump", via: { port }, port: upstreamPort, caPem, pid };
}

/** Squid started by root goes on as Debian's user for it, who must get at its files. */
async function giveToSquid(directory: string, home: string): Promise<void> {
  await Deno.chmod(directory, 0o711);
  const { code } = await new Deno.Command("chown", { args: ["-R", "proxy", home] }).output();
  if (code !== 0) throw new Error(`Cannot give "${home}" to the user "proxy"`);
}
