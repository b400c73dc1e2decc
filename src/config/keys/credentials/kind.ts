/**
 * What `provider` in `[sidecar.credentials.<label>]` may be. To add a kind, describe its keys in a
 * file beside this one, name it in `kinds.ts`, and give it a factory in
 * `src/broker/providers.ts`. A key that two kinds have is described once, for both.
 */
import { type Node, type Section, section, type ValueOf } from "../../key.ts";

/** What the broker may touch for a credential; a provider gets at nothing else. */
export interface SourceReach {
  /** `host` or `host:port`. */
  readonly net?: readonly string[];
  /** Programs, by absolute path. */
  readonly run?: readonly string[];
  /** Files and directories, absolute. */
  readonly read?: readonly string[];
  /** Files that are replaced, absolute. */
  readonly write?: readonly string[];
  /** Variables that hold a secret, of the credential or of what obtains it: no agent may have them. */
  readonly secretEnv?: readonly string[];
  /** Variables that say where things are. */
  readonly env?: readonly string[];
}

/** What keys say together that makes no sense. */
export interface Disagreement {
  readonly key: string;
  readonly state: string;
  readonly cure?: string;
}

/** One kind of source. */
export interface CredentialKind<T> {
  /** What the value of `provider` stands for, in one line; Markdown without a full stop. */
  readonly about: string;
  /** Its keys, beside those that all credentials have. */
  readonly section: Section<T>;
  /** What it needs; file names in it are agents' to know of, not to read. */
  readonly reach: (settings: T) => SourceReach;
  /** Finds what is wrong with its keys together. @default nothing is */
  readonly check?: (settings: T) => Disagreement | undefined;
  /** Whether the kind itself says how it is sent, by what the call needs. @default {false} */
  readonly ownForm?: boolean;
  /** Whether calls are signed, so that there is no header to name. @default {false} */
  readonly signs?: boolean;
}

type Values<S> = { [K in keyof S]: ValueOf<S[K]> };

/** Describes a kind of source. */
export function credentialKind<const S extends Readonly<Record<string, Node<unknown>>>>(
  about: string,
  keys: S,
  rest: Omit<CredentialKind<Values<S>>, "about" | "section">,
): CredentialKind<Values<S>> {
  return { about, section: section(about, keys), ...rest };
}
