import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import type { IdentityTokenRequest } from "../core/authority.ts";
import type { FirmaError, Result } from "../core/result.ts";
import type { Captured, OwnSignIn } from "./captured.ts";
import type { ProgramOutput } from "./run_program.ts";
import type { StoreCommand } from "./store_programs.ts";
import type { CliSecretProvider } from "../secrets/cli/provider.ts";
import type { CredentialNeed, Issued } from "./hand_out.ts";

/** To the broker, one JSON object a line. The first one is `start`. */
export type ToBroker =
  | {
    readonly type: "start";
    readonly credentials: readonly CredentialConfig[];
    readonly stores: readonly CliSecretProvider[];
  }
  /** The Authority's answer to `identify`. */
  | { readonly type: "identified"; readonly number: number; readonly outcome: Result<string> }
  | { readonly type: "need"; readonly number: number; readonly need: CredentialNeed }
  | { readonly type: "captured"; readonly number: number; readonly captured: Captured }
  /** Another broker takes over: what sessions have of their own is asked for. */
  | { readonly type: "hand-over"; readonly number: number }
  /** What the broker before this one had of that. */
  | { readonly type: "adopt"; readonly signIns: readonly OwnSignIn[] }
  /** An agent wants a command of a store's program to be run. */
  | { readonly type: "run"; readonly number: number; readonly command: StoreCommand }
  /** A server would not have what was handed out. */
  | { readonly type: "refused"; readonly label: string; readonly scope: string };

/** From the broker, one JSON object a line. */
export type FromBroker =
  | { readonly type: "ready" }
  /** A provider wants an ID token of the Authority, which the Sidecar alone can ask. */
  | { readonly type: "identify"; readonly number: number; readonly request: IdentityTokenRequest }
  | {
    readonly type: "handed-over";
    readonly number: number;
    readonly signIns: readonly OwnSignIn[];
  }
  | {
    readonly type: "ran";
    readonly number: number;
    readonly outcome: Result<ProgramOutput, FirmaError>;
  }
  | { readonly type: "taken"; readonly number: number; readonly outcome: Result<void> }
  | {
    readonly type: "handed";
    readonly number: number;
    readonly outcome: Result<Issued, FirmaError>;
  };
