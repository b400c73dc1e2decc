import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import type { CredentialKindName, SourceSettings } from "../config/keys/credentials/kinds.ts";
import type { IdentityTokenRequest } from "../core/authority.ts";
import { err, type FirmaError, type Result } from "../core/result.ts";
import type { CredentialProvider } from "./hand_out.ts";
import type { ProcessNotice } from "./process_watch.ts";

/** Asks the Authority for an ID token. Never rejects. */
export type Identify = (request: IdentityTokenRequest) => Promise<Result<string>>;

/** What a provider is made of, beside the keys of its kind. */
export interface ProviderContext {
  /** The whole credential: its label, hosts and form, and how long getting it may take. */
  readonly credential: CredentialConfig;
  /** A variable of the environment; of those alone that its kind names in `reach`. */
  readonly variable: (name: string) => string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** An ID token of the Authority. @default {there is none to be had} */
  readonly identify?: Identify | undefined;
  /** Hears of the process groups of helpers. @default {nobody ends what helpers start} */
  readonly notify?: ((notice: ProcessNotice) => void) | undefined;
}

/** Makes a provider of one kind. */
export type ProviderFactory<K extends CredentialKindName> = (
  settings: SourceSettings<K>,
  context: ProviderContext,
) => CredentialProvider;

/** Nobody gets a credential that is not the one any more that their call was decided with. */
export function superseded(label: string): Result<never> {
  return unobtainable(label, "it was changed or removed while the call was under way");
}

/** Why a credential cannot be had. `state` must hold nothing that a source said of itself. */
export function unobtainable(label: string, state: string, cure?: string): Result<never> {
  const error: FirmaError = {
    code: "CREDENTIAL_UNOBTAINABLE",
    message: `Cannot obtain the credential "${label}": ${state}`,
    ...(cure !== undefined && { cure }),
  };
  return err(error);
}
