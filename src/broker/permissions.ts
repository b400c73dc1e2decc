import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import { HELPER_VARIABLES } from "../config/keys/credentials/command.ts";
import { reachOf } from "../config/keys/credentials/reach.ts";
import type { CliSecretProvider } from "../secrets/cli/provider.ts";

/** The permissions of the broker: what its work needs, each thing by name, and nothing else. */
export function brokerPermissions(
  credentials: readonly Pick<CredentialConfig, "source">[],
  stores: readonly Pick<CliSecretProvider, "program" | "envPassthrough">[] = [],
): Deno.PermissionOptionsObject {
  const reaches = credentials.map(reachOf);
  return {
    net: named(reaches.flatMap(({ net }) => net)),
    run: named([
      ...reaches.flatMap(({ run }) => run),
      ...stores.map(({ program }) => program),
    ]),
    read: named(reaches.flatMap(({ read }) => read)),
    env: named([
      ...reaches.flatMap(({ env, secretEnv }) => [...env, ...secretEnv]),
      ...storeVariables(stores),
    ]),
    write: named(reaches.flatMap(({ write }) => write)),
    ffi: false,
    sys: false,
    import: false,
  };
}

/** The variables that programs of stores may see. */
export function storeVariables(
  stores: readonly Pick<CliSecretProvider, "envPassthrough">[],
): string[] {
  if (stores.length === 0) return [];
  return [...HELPER_VARIABLES, ...stores.flatMap(({ envPassthrough }) => envPassthrough)];
}

/** An empty list would not say everywhere that there is nothing. */
function named(names: readonly string[]): string[] | false {
  return names.length > 0 ? [...new Set(names)].sort() : false;
}
