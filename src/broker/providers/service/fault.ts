import { err, type FirmaError } from "../../../core/result.ts";

const FAULTS = {
  unreachable: {
    code: "CREDENTIAL_SERVICE_UNREACHABLE",
    cure: "see whether this machine reaches it: curl -I of that address",
  },
  refused: {
    code: "CREDENTIAL_SERVICE_REFUSED",
    cure: "see in the service's own log why; the secret may be wrong or revoked",
  },
  answer: {
    code: "CREDENTIAL_ANSWER_INVALID",
    cure: "see whether the address in firma.toml is that of the service",
  },
  uncovered: {
    code: "CREDENTIAL_NOT_COVERED",
    cure: "use another credential for such calls, or deny them in a policy",
  },
  secret: {
    code: "CREDENTIAL_SECRET_UNUSABLE",
    cure: "put the secret there anew, in a file of mode 0600",
  },
} as const;

/** Why there is no credential. */
export type CredentialFault = keyof typeof FAULTS;

/**
 * The failure of a provider. `state` is written by firma alone: of what a service answered, nothing
 * but its status and words out of a fixed list may be in it.
 */
export function credentialFault(
  fault: CredentialFault,
  from: string,
  state: string,
  cure: string = FAULTS[fault].cure,
): { readonly ok: false; readonly error: FirmaError } {
  const { code } = FAULTS[fault];
  return err({ code, message: `Cannot get a credential from "${from}": ${state}`, cure });
}

/** Where a URL leads, without what may be secret in its path or query. */
export function originOf(url: string): string {
  return new URL(url).origin;
}
