import { programFile } from "../config/program_file.ts";
import type { Environment } from "../config/paths.ts";
import { scaffoldFiles, writeDirectory } from "../config/scaffold.ts";
import { newId } from "../core/id.ts";
import { dirname, join } from "../core/path.ts";
import { unwrap } from "../core/result.ts";
import type { Scenario } from "./scenario.ts";
import type { StandInServers } from "./stand_in_servers.ts";

/** A directory of its own in which a demo plays: workspace, keys, audit log, running processes. */
export interface Stage {
  readonly directory: string;
  readonly workspace: string;
  /** What firma is started with, so that it touches nothing else of the user's. */
  readonly env: Readonly<Record<string, string>>;
}

/** How long a reader may look at a step, which is an answer of the model that takes its time. */
const PATIENCE = "12h";

/** A directory with a longer path has no room for the sockets of a sandbox in it. */
const LONGEST_DIRECTORY = 44;

/** Makes an empty directory of this user's alone: where `TMPDIR` says, unless that is too long. */
export function makeStageDirectory(): string {
  const options = { prefix: "firma-demo-" };
  const directory = Deno.makeTempDirSync(options);
  if (directory.length <= LONGEST_DIRECTORY) return directory;
  Deno.removeSync(directory);
  return Deno.makeTempDirSync({ ...options, dir: "/tmp" });
}

/** How long what ended may take to let go of its files, in milliseconds. */
const REMOVAL_PATIENCE_MS = 5_000;

/** Removes the directory of a demo; whoever is about to end may still put something into it. */
export async function removeStageDirectory(directory: string): Promise<void> {
  const deadline = performance.now() + REMOVAL_PATIENCE_MS;
  for (;;) {
    try {
      return await Deno.remove(directory, { recursive: true });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return;
      if (performance.now() > deadline) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Variables that would lead a demo somewhere else, or send its calls through another proxy. */
const FOREIGN = /^(FIRMA_(?!DENO$)|(https?|all|no)_proxy$)/i;

/** What is left of the environment for a demo whose own directory is `directory`. */
export function stageEnvironment(env: Environment, directory: string): Record<string, string> {
  const kept = Object.entries(env)
    .filter((entry): entry is [string, string] =>
      entry[1] !== undefined && !FOREIGN.test(entry[0])
    );
  return {
    ...Object.fromEntries(kept),
    XDG_DATA_HOME: join(directory, "data"),
    FIRMA_STATE_DIR: join(directory, "state"),
  };
}

/** `firma.toml` of a demo: its mappings, and where on this machine their hosts are. */
function configText(scenario: Scenario, addresses: ReadonlyMap<string, string>): string {
  const rules = scenario.mappings.map((name) => `"mappings/${name}.toml"`).join(", ");
  const hosts = [...addresses].map(([host, address]) => `
[[sidecar.connector.hosts]]
host = "${host}"
connect_addr = "${address}"
ca_cert_path = "stand-ins.pem"
`);
  return `[sidecar.authority]
agent_id = "${newId("agt")}"

[sidecar.mapping]
rules_paths = [${rules}]

[sidecar.connector]
headers_timeout = "${PATIENCE}"
idle_timeout = "${PATIENCE}"
${hosts.join("")}`;
}

function ownFile(name: string): string {
  return Deno.readTextFileSync(programFile(`src/demo/files/${name}`));
}

/** Writes everything that a demo needs into `directory`, which is empty and this user's alone. */
export function setStage(
  scenario: Scenario,
  servers: Pick<StandInServers, "addresses" | "certificate">,
  env: Environment,
  directory: string,
): Stage {
  const workspace = join(directory, "workspace");
  const files = { ...scenario.files, "agent.sh": ownFile("agent.sh") };
  for (const [path, text] of Object.entries(files)) {
    const file = join(workspace, path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  const posture = scenario.posture ?? "dev";
  const scaffold = unwrap(scaffoldFiles({ posture, mappings: scenario.mappings }))
    .filter(({ path }) => path !== "firma.toml")
    .filter(({ path }) => scenario.posture !== undefined || !path.startsWith("policies/"));
  const own = scenario.policies;
  unwrap(writeDirectory(join(workspace, ".firma"), [
    ...scaffold,
    { path: "firma.toml", text: configText(scenario, servers.addresses) },
    { path: "stand-ins.pem", text: servers.certificate },
    ...own === undefined ? [] : [{ path: `policies/${own}`, text: ownFile(own) }],
  ]));
  return { directory, workspace, env: stageEnvironment(env, directory) };
}
