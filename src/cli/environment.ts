import { resolve } from "../core/path.ts";

/** The environment of this process, with the state directory that a flag names. */
export function environment({ stateDir }: { readonly stateDir?: string }): Record<string, string> {
  const env = Deno.env.toObject();
  return stateDir === undefined ? env : { ...env, FIRMA_STATE_DIR: resolve(Deno.cwd(), stateDir) };
}
