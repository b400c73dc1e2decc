import { findBwrap } from "../../sandbox/bwrap.ts";
import type { Check } from "../check.ts";
import { installCommand } from "../commands.ts";
import { fine } from "../finding.ts";

/** What the sandbox is built with. `places` are where it may lie. */
export function bubblewrapCheck(places?: readonly string[]): Check {
  return {
    category: "sandbox bwrap",
    async run(world) {
      const found = await findBwrap(places);
      if (!found.ok) {
        const elsewhere = world.findProgram("bwrap");
        return [{
          status: "fail",
          reason: found.error.message,
          ...(elsewhere &&
            { detail: `"${elsewhere}" is not used: an agent may be able to write it` }),
          cure: installCommand("bubblewrap", world),
        }];
      }
      const version = await world.execute(found.value, ["--version"]);
      return [fine(`${version?.stdout.trim() ?? "bubblewrap"}, ${found.value}`)];
    },
  };
}
