import type { Check } from "../check.ts";
import { fine } from "../finding.ts";

/** Tokens that were issued beforehand; none is kept where firma would look by itself. */
export const seedCheck: Check = {
  category: "capability seed",
  run: () => [fine("none needed: each run is issued a token; --capability-file names another")],
};
