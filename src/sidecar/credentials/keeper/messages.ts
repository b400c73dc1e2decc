import type { Captured } from "../../../broker/captured.ts";
import type { CredentialNeed, Issued } from "../../../broker/hand_out.ts";
import type { ProgramOutput } from "../../../broker/run_program.ts";
import type { StoreCommand } from "../../../broker/store_programs.ts";
import type { CredentialConfig } from "../../../config/keys/credentials/credential.ts";
import type { IdentityTokenRequest } from "../../../core/authority.ts";
import type { Result } from "../../../core/result.ts";
import type { CliSecretProvider } from "../../../secrets/cli/provider.ts";
import type { Learnt, StoredValue } from "../../../secrets/learnt.ts";

/** What a broker is started with. */
export interface BrokerStart {
  /** The words that start it. */
  readonly command: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly credentials: readonly CredentialConfig[];
  readonly stores: readonly CliSecretProvider[];
}

/** To the keeper, from the main thread. */
export type ToKeeper =
  /** The first; without credentials and programs of stores there is no broker to start. */
  | { readonly kind: "start"; readonly start: BrokerStart | undefined }
  /** Another broker for another set, or none; the one before still serves what only it knows. */
  | { readonly kind: "replace"; readonly number: number; readonly start: BrokerStart | undefined }
  /** The broker before is of no use any more: it ends once it has answered. */
  | { readonly kind: "retire" }
  /** The way to one more data plane: {@linkcode AskBroker} one way, {@linkcode BrokerAnswer} the other. */
  | { readonly kind: "plane"; readonly port: MessagePort }
  /** A session has ended. */
  | { readonly kind: "forget"; readonly sessionId: string }
  /** What the Authority says to {@linkcode FromKeeper} `identify`. */
  | { readonly kind: "identified"; readonly number: number; readonly outcome: Result<string> };

/** From the keeper, to the main thread. */
export type FromKeeper =
  | { readonly kind: "replaced"; readonly number: number; readonly outcome: Result<void> }
  | { readonly kind: "notice"; readonly level: "info" | "warn"; readonly text: string }
  | { readonly kind: "identify"; readonly number: number; readonly request: IdentityTokenRequest };

/** From a data plane. */
export type AskBroker =
  | { readonly kind: "need"; readonly number: number; readonly need: CredentialNeed }
  | { readonly kind: "captured"; readonly number: number; readonly captured: Captured }
  | { readonly kind: "refused"; readonly label: string; readonly scope: string }
  | { readonly kind: "run"; readonly number: number; readonly command: StoreCommand }
  /** A session is about to be shown placeholders of values of a store. */
  | {
    readonly kind: "stored";
    readonly number: number;
    readonly sessionId: string;
    readonly values: readonly StoredValue[];
  }
  /** What must a session not see? */
  | { readonly kind: "recall"; readonly number: number; readonly sessionId: string };

/** To a data plane. */
export type BrokerAnswer =
  | { readonly kind: "handed"; readonly number: number; readonly outcome: Result<Issued> }
  | { readonly kind: "ran"; readonly number: number; readonly outcome: Result<ProgramOutput> }
  | { readonly kind: "taken"; readonly number: number; readonly outcome: Result<void> }
  | { readonly kind: "kept"; readonly number: number }
  | { readonly kind: "recalled"; readonly number: number; readonly learnt: readonly Learnt[] };
