import type { Result } from "../../core/result.ts";
import { type ProviderContext, unobtainable } from "../provider.ts";
import { writeSecret } from "../write_secret.ts";
import type { Present } from "./present.ts";
import type { ProviderWorld } from "./provider_world.ts";
import { secretFiles } from "./secret_files.ts";
import { fetchService } from "./service/fetch_service.ts";

/** The world of a provider that asks a service; `caFile` holds certificates that it trusts as well. */
export function networkWorld(
  { credential: { label, timeoutMs }, now, identify }: ProviderContext,
  caFile: string | undefined,
): ProviderWorld {
  return {
    ...secretFiles(label),
    now,
    async ask(request, signal) {
      const caCerts = caFile === undefined ? [] : await readCertificates(caFile);
      if (caCerts === undefined) return unobtainable(label, `"${caFile}" cannot be read`);
      // Tokens are asked for rarely; a connection that waits in between would only be one more.
      try {
        const { ask, close } = fetchService({ caCerts, timeoutMs });
        try {
          return await ask(request, signal);
        } finally {
          close();
        }
      } catch {
        return unobtainable(label, `"${caFile}" holds no certificates in PEM`);
      }
    },
    async identityToken(audience, { agentId, sessionId }): Promise<Result<string>> {
      return await identify?.({ audience, agentId, sessionId }) ??
        unobtainable(label, "there is no Authority here to vouch for the agent");
    },
  };
}

async function readCertificates(path: string): Promise<string[] | undefined> {
  try {
    return [await Deno.readTextFile(path)];
  } catch {
    return undefined;
  }
}

/** Writes a token as the configuration of its credential says. */
export function presenting({ credential }: ProviderContext): Present {
  return ({ token, expiresAtMs }) => writeSecret(credential, token, expiresAtMs);
}
