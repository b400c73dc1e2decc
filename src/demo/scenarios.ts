import type { Scenario } from "./scenario.ts";
import { DELETE } from "./scenarios/delete.ts";
import { EXFILTRATE } from "./scenarios/exfiltrate.ts";
import { OVERSPEND } from "./scenarios/overspend.ts";

/** All demos, in the order of the list. */
export const SCENARIOS: readonly Scenario[] = [EXFILTRATE, OVERSPEND, DELETE];
