import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import { reachOf } from "../config/keys/credentials/reach.ts";

/** The permissions of the broker: what its credentials need, each thing by name, and nothing else. */
export function brokerPermissions(
  credentials: readonly Pick<CredentialConfig, "source">[],
): Deno.PermissionOptionsObject {
  const reaches = credentials.map(reachOf);
  return {
    net: named(reaches.flatMap(({ net }) => net)),
    run: named(reaches.flatMap(({ run }) => run)),
    read: named(reaches.flatMap(({ read }) => read)),
    env: named(reaches.flatMap(({ env, secretEnv }) => [...env, ...secretEnv])),
    write: named(reaches.flatMap(({ write }) => write)),
    ffi: false,
    sys: false,
    import: false,
  };
}

/** An empty list would not say everywhere that there is nothing. */
function named(names: readonly string[]): string[] | false {
  return names.length > 0 ? [...new Set(names)].sort() : false;
}
