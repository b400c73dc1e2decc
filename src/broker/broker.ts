import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import { editionOf } from "../config/keys/credentials/edition.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { CredentialNeed, CredentialProvider, Issued } from "./hand_out.ts";
import { HandOutCache, usableUntil } from "./hand_out_cache.ts";
import { type Identify, superseded, unobtainable } from "./provider.ts";
import { createProvider } from "./providers.ts";
import type { ProcessNotice } from "./process_watch.ts";
import { signInServiceOf } from "../config/keys/credentials/sign_in.ts";
import type { Captured, OwnSignIn } from "./captured.ts";

/** What a broker is made of. */
export interface BrokerOptions {
  readonly credentials: readonly CredentialConfig[];
  readonly variable: (name: string) => string | undefined;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** An ID token of the Authority. @default {there is none to be had} */
  readonly identify?: Identify;
  /** Hears of the process groups of helpers. @default {nobody ends what helpers start} */
  readonly notify?: (notice: ProcessNotice) => void;
  /** @default {createProvider} */
  readonly provider?: typeof createProvider;
}

interface Source {
  readonly credential: CredentialConfig;
  readonly edition: string;
  readonly provider: CredentialProvider;
}

/** Hands out credentials for single calls. */
export class Broker {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #cache: HandOutCache;
  readonly #now: () => number;

  constructor(
    { credentials, variable, now = Date.now, identify, notify, provider = createProvider }:
      BrokerOptions,
  ) {
    this.#now = now;
    this.#cache = new HandOutCache(now);
    this.#sources = new Map(credentials.map((credential) => [
      credential.label,
      {
        credential,
        edition: editionOf(credential),
        provider: provider(credential, { variable, now, identify, notify }),
      },
    ]));
  }

  /** The hand-out for a need. Never throws or rejects. */
  handOut(need: CredentialNeed): Result<Issued> | Promise<Result<Issued>> {
    const source = this.#source(need);
    if (!source.ok) return source;
    // Whoever asks has looked already; a mistake there must not carry a secret to another host.
    const isMeant = placesOf(source.value.credential, need).some(({ host, port }) =>
      host === need.host && port === need.port
    );
    if (!isMeant) return unobtainable(need.label, `it is not for "${need.host}:${need.port}"`);
    try {
      const scope = source.value.provider.scope(need);
      return this.#cache.get(
        keyOf(need.label, scope),
        () => this.#obtain(source.value, need, scope),
      );
    } catch {
      return unobtainable(need.label, "its provider failed");
    }
  }

  /** A server refused what was handed out: it is obtained anew for the next call. */
  refused(label: string, scope: string): void {
    this.#cache.drop(keyOf(label, scope));
  }

  /** Takes on tokens that a service gave to an agent's program. Never rejects. */
  async capture(captured: Captured): Promise<Result<void>> {
    const { label } = captured;
    const source = this.#source(captured);
    if (!source.ok) return source;
    const { provider } = source.value;
    if (provider.capture === undefined) return unobtainable(label, "it is no sign-in");
    try {
      const taken = await provider.capture(captured);
      this.#cache.forget(keyOf(label, ""));
      return taken.ok ? taken : err(withoutCause(taken.error));
    } catch {
      return unobtainable(label, "its provider failed");
    }
  }

  /** The sign-ins of single sessions, for the broker after this one. */
  ownSignIns(): OwnSignIn[] {
    return [...this.#sources.values()].flatMap(({ credential: { label }, edition, provider }) =>
      (provider.ownSignIns?.() ?? []).map((own) => ({ label, edition, ...own }))
    );
  }

  /** Takes over what the broker before this one had for sessions, of credentials that are the same. */
  adopt(signIns: readonly OwnSignIn[]): void {
    for (const { sessionId, signIn, ...meant } of signIns) {
      const source = this.#source(meant);
      if (source.ok) source.value.provider.adopt?.({ sessionId, signIn });
    }
  }

  /** The credential that is meant, and none that took its name since. */
  #source({ label, edition }: Pick<CredentialNeed, "label" | "edition">): Result<Source> {
    const source = this.#sources.get(label);
    if (source === undefined) return unobtainable(label, "there is none of that name");
    return source.edition === edition ? ok(source) : superseded(label);
  }

  async #obtain(
    { credential, provider }: Source,
    need: CredentialNeed,
    scope: string,
  ): Promise<Result<Issued>> {
    const { label, timeoutMs, refreshMs } = credential;
    const ending = new AbortController();
    const late = Promise.withResolvers<Result<never>>();
    const timer = setTimeout(() => {
      ending.abort();
      late.resolve(unobtainable(label, `it took more than ${timeoutMs / 1000} s`));
    }, timeoutMs);
    try {
      const had = await Promise.race([provider.obtain(need, ending.signal), late.promise]);
      if (!had.ok) return err(withoutCause(had.error));
      const { expiresAtMs } = had.value;
      if (expiresAtMs !== undefined && expiresAtMs <= this.#now()) {
        return unobtainable(label, "its source gave one that has expired");
      }
      const usableUntilMs = usableUntil(expiresAtMs, refreshMs, this.#now());
      return ok({ ...had.value, label, provider: provider.kind, scope, usableUntilMs });
    } catch {
      // What was thrown may quote what was read.
      return unobtainable(label, "its provider failed");
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Where a credential may go for what it is needed for. */
function placesOf(
  { source, hosts }: CredentialConfig,
  { purpose }: CredentialNeed,
): readonly { readonly host: string; readonly port: number }[] {
  if (purpose === undefined) return hosts;
  if (source.kind !== "sign_in") return [];
  const { endpoints, inquiries } = signInServiceOf(source.settings);
  return purpose === "sign-in" ? endpoints : inquiries;
}

/** The key of a hand-out; with a scope of `""` the beginning of all keys of the label. */
function keyOf(label: string, scope: string): string {
  return `${label.length}:${label}${scope}`;
}

function withoutCause({ cause: _, ...error }: FirmaError): FirmaError {
  return error;
}
