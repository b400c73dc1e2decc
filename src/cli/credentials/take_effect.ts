import { readConfigFile } from "../../config/load.ts";
import type { Environment } from "../../config/paths.ts";
import type { FirmaError } from "../../core/result.ts";
import { askControl } from "../../daemon/control_client.ts";
import { controlSockets } from "../../daemon/control_sockets.ts";
import { printError, printNotice } from "../output.ts";

/** What the Sidecars that serve a configuration made of an edit of it. */
export interface Effect {
  /** In how many it is in force. */
  readonly inForce: number;
  /** Why it is not in the others. */
  readonly faults: readonly FirmaError[];
}

const STATUS_LIMIT_MS = 2_000;
/** Longer than a Sidecar takes to say that it could not. */
const APPLY_LIMIT_MS = 15_000;

/**
 * Has the Sidecars that run put in force what `file` holds now, and obtain the credentials of the
 * names in `renewed` anew; waits for that.
 */
export async function takeEffect(
  file: string,
  renewed: readonly string[] = [],
  env: Environment = Deno.env.toObject(),
): Promise<Effect> {
  const read = readConfigFile(file);
  if (!read.ok) return { inForce: 0, faults: [read.error] };
  const body = { config_digest: read.value.digest, renewed };
  const outcomes = await Promise.all(
    controlSockets(env).map(async (socket) => {
      const status = await askControl(
        socket,
        { method: "GET", path: "/v1/status" },
        STATUS_LIMIT_MS,
      );
      // One that does not answer serves nobody, or is about to start with what is there now.
      if (!status.ok || configOf(status.value) !== read.value.file) return undefined;
      return await askControl(socket, { method: "POST", path: "/v1/config", body }, APPLY_LIMIT_MS);
    }),
  );
  const heard = outcomes.filter((outcome) => outcome !== undefined);
  return {
    inForce: heard.filter(({ ok }) => ok).length,
    faults: heard.flatMap((outcome) => outcome.ok ? [] : [outcome.error]),
  };
}

/** Says what became of it; `isNew`: programs may look for a placeholder that was not there before. */
export function reportEffect(file: string, { inForce, faults }: Effect, isNew: boolean): void {
  const changed = `${file} changed and is trusted`;
  if (inForce + faults.length === 0) {
    return printNotice("info", `${changed}; no Sidecar runs that it is for`);
  }
  if (inForce > 0) printNotice("info", `${changed}, and is in force in the Sidecar that runs`);
  if (inForce > 0 && isNew) {
    const text = "Programs that run already do not find its placeholder; those of the next run do";
    printNotice("info", text);
  }
  faults.forEach(printError);
}

/** The same, for programs that read it. */
export function effectJson({ inForce, faults }: Effect): Readonly<Record<string, unknown>> {
  return {
    in_force: faults.length === 0 && inForce > 0,
    faults: faults.map(({ code, message, cure }) => ({ code, message, cure })),
  };
}

function configOf(status: unknown): unknown {
  return (status as { readonly config_file?: unknown } | null)?.config_file;
}
