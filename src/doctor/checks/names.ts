import type { Check } from "../check.ts";
import { fine } from "../finding.ts";
import { trustedProject } from "../project.ts";
import { readTable } from "./mappings.ts";

/** As many as most projects have; each is a question to the resolver. */
const MOST_HOSTS = 50;

/** Whether the names of the hosts that agents may call resolve on this machine. */
export const namesCheck: Check = {
  category: "dns",
  async run(world) {
    const project = trustedProject(world.project());
    if (project === undefined) return [fine("no mapped hosts here")];
    const table = await readTable(project.files);
    if (!table.ok) return [fine("not asked: the mapping cannot be read")];
    const placed = new Set(
      project.config.sidecar.connector.hosts.filter(({ connectAddr }) => connectAddr)
        .map(({ host }) => host),
    );
    const hosts = table.value.hosts.map((host) => host.replace(/:\d+$/, ""))
      .filter((host) => !host.includes("*") && !host.startsWith("[") && !placed.has(host));
    const asked = hosts.slice(0, MOST_HOSTS);
    const silent = (await Promise.all(asked.map(async (host) => {
      const addresses = await world.lookup(host).catch(() => []);
      return addresses.length === 0 ? host : undefined;
    }))).filter((host) => host !== undefined);
    if (silent.length === 0) return [fine(`${asked.length} mapped hosts resolve`)];
    return [{
      status: "warn",
      reason: `${silent.length} of ${asked.length} mapped hosts do not resolve`,
      detail: silent.join(", "),
      cure: `getent hosts ${silent[0]}`,
    }];
  },
};
