import { parseAuthorityConfig } from "../../config/authority_config.ts";
import type { FirmaError } from "../../core/result.ts";
import type { Check } from "../check.ts";
import { editAt, editCommand } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import { type LoadedProject, trustedProject } from "../project.ts";
import type { World } from "../world.ts";
import { daemonFinding, parseEndpoint } from "./sidecar.ts";

/** Whether the Authority answers that the configuration names. Without one, runs bring theirs. */
export const authorityCheck: Check = {
  category: "authority reachable",
  async run(world) {
    const project = trustedProject(world.project());
    const remote = project?.config.sidecar.authority.remote;
    if (project !== undefined && remote !== undefined) {
      const { connectAddr } = remote;
      const answers = await Promise.all(remote.urls.map((url, index) => {
        const endpoint = index === 0 && connectAddr
          ? { transport: "tcp" as const, ...connectAddr }
          : parseEndpoint(url);
        return endpoint && world.knock(endpoint);
      }));
      const silent = remote.urls.filter((_, index) => answers[index] !== "accepted");
      if (silent.length === 0) return [fine(remote.urls.join(", "))];
      const finding: Finding = {
        status: silent.length === remote.urls.length ? "fail" : "warn",
        reason: `${silent.join(", ")} does not answer within ${world.timeoutMs} ms`,
        cure: silent[0]!.startsWith("unix:") ? "firma authority" : editCommand(project.file.file),
      };
      return [finding];
    }
    const daemon = await daemonFinding("authority", world);
    if (daemon === undefined && project?.config.sidecar.authority.agentId === "") {
      return [await ownService(project, world)];
    }
    return [daemon ?? fine("none is named; firma run has one of its own")];
  },
};

/** A configuration without an agent is there for an Authority alone. */
async function ownService({ file }: LoadedProject, world: World): Promise<Finding> {
  const config = parseAuthorityConfig(file, world.env);
  if (!config.ok) {
    const [{ message, at }] = config.error as [FirmaError];
    return { status: "fail", reason: message, cure: editAt(at, file.file) };
  }
  const { listen } = config.value;
  const name = listen.kind === "unix"
    ? listen.path
    : `${bracketed(listen.hostname)}:${listen.port}`;
  const endpoint = parseEndpoint(name);
  if (endpoint && await world.knock(endpoint) === "accepted") return fine(`that here, at ${name}`);
  return { status: "warn", reason: `nobody serves at ${name} yet`, cure: "firma authority" };
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
