import type { Check } from "../check.ts";
import { editCommand } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import { trustedProject } from "../project.ts";
import { daemonFinding, parseEndpoint } from "./sidecar.ts";

/** Whether the Authority answers that the configuration names. Without one, runs bring theirs. */
export const authorityCheck: Check = {
  category: "authority reachable",
  async run(world) {
    const project = trustedProject(world.project());
    const remote = project?.config.sidecar.authority.remote;
    if (project !== undefined && remote !== undefined) {
      const answers = await Promise.all(remote.urls.map((url) => {
        const endpoint = parseEndpoint(url);
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
    return [daemon ?? fine("none is named; firma run has one of its own")];
  },
};
