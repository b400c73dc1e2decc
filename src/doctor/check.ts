import type { Finding } from "./finding.ts";
import type { World } from "./world.ts";

/**
 * One question about the machine. It looks at the world through what it is given, changes
 * nothing, and may throw: that becomes a finding as well.
 */
export interface Check {
  /** Stable, lower case; programs go by it. */
  readonly category: string;
  run(world: World): Promise<readonly Finding[]> | readonly Finding[];
}
