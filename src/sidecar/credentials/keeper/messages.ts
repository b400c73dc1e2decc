import type { Captured } from "../../../broker/captured.ts";
import type { CredentialNeed, Issued } from "../../../broker/hand_out.ts";
import type { CredentialConfig } from "../../../config/keys/credentials/credential.ts";
import type { IdentityTokenRequest } from "../../../core/authority.ts";
import type { Result } from "../../../core/result.ts";

/** What a broker is started with. */
export interface BrokerStart {
  /** The words that start it. */
  readonly command: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly credentials: readonly CredentialConfig[];
}

/** To the keeper, from the main thread. */
export type ToKeeper =
  | { readonly kind: "start"; readonly start: BrokerStart }
  /** The way to one more data plane: {@linkcode AskBroker} one way, {@linkcode BrokerAnswer} the other. */
  | { readonly kind: "plane"; readonly port: MessagePort }
  /** What the Authority says to {@linkcode FromKeeper} `identify`. */
  | { readonly kind: "identified"; readonly number: number; readonly outcome: Result<string> };

/** From the keeper, to the main thread. */
export type FromKeeper =
  | { readonly kind: "notice"; readonly level: "info" | "warn"; readonly text: string }
  | { readonly kind: "identify"; readonly number: number; readonly request: IdentityTokenRequest };

/** From a data plane. */
export type AskBroker =
  | { readonly kind: "need"; readonly number: number; readonly need: CredentialNeed }
  | { readonly kind: "captured"; readonly number: number; readonly captured: Captured }
  | { readonly kind: "refused"; readonly label: string; readonly scope: string };

/** To a data plane. */
export type BrokerAnswer =
  | { readonly kind: "handed"; readonly number: number; readonly outcome: Result<Issued> }
  | { readonly kind: "taken"; readonly number: number; readonly outcome: Result<void> };
