/**
 * firma with one command more: `try PART DIRECTORY` tries from inside of a part what that must not
 * do, and prints what came of it. Everything else is firma's own, for it starts itself.
 */
import { main } from "../../src/cli/main.ts";
import type { PartReport } from "./attempts.ts";
import * as authority from "./parts/authority.ts";
import * as broker from "./parts/broker.ts";
import * as dataPlane from "./parts/data_plane.ts";
import * as monitor from "./parts/monitor.ts";
import * as sidecar from "./parts/sidecar.ts";

type Part = { readonly attempt: (words: readonly string[]) => Promise<PartReport> };

const PARTS: Readonly<Record<string, Part>> = {
  authority,
  broker,
  "data plane": dataPlane,
  monitor,
  sidecar,
};

const [command, part, ...words] = Deno.args;
if (command !== "try") Deno.exit(await main(Deno.args));
console.log(`REPORT ${JSON.stringify(await PARTS[part!]!.attempt(words))}`);
Deno.exit(0);
