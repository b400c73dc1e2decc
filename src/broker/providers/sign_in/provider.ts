import type { SourceSettings } from "../../../config/keys/credentials/kinds.ts";
import { ok, type Result } from "../../../core/result.ts";
import {
  formatSignIn,
  type KeptSignIn,
  parseSignIn,
} from "../../../secrets/sign_in/kept_sign_in.ts";
import type { Captured, SessionSignIn } from "../../captured.ts";
import type { CredentialNeed, CredentialProvider, HandOut } from "../../hand_out.ts";
import { type ProviderContext, type ProviderFactory, unobtainable } from "../../provider.ts";
import { writeSecret } from "../../write_secret.ts";
import { secretFiles } from "../secret_files.ts";

/** Sessions with a sign-in of their own; those that signed in first are forgotten first. */
const MOST_SESSIONS = 1_024;

/** The tokens that agents' programs got when they signed in, or that were taken over from one. */
export const signInProvider: ProviderFactory<"sign_in"> = (settings, context) =>
  new SignIns(settings, context);

class SignIns implements CredentialProvider {
  readonly kind = "sign_in";
  readonly #settings: SourceSettings<"sign_in">;
  readonly #context: ProviderContext;
  readonly #files: ReturnType<typeof secretFiles>;
  /** What was captured for one session alone. */
  readonly #own = new Map<string, KeptSignIn>();

  constructor(settings: SourceSettings<"sign_in">, context: ProviderContext) {
    this.#settings = settings;
    this.#context = context;
    this.#files = secretFiles(context.credential.label);
  }

  /** At the token endpoint another token is handed out than elsewhere. */
  scope({ sessionId, purpose }: CredentialNeed): string {
    const whose = this.#own.has(sessionId) || this.#settings.sign_in_file === undefined
      ? `sign-in of session "${sessionId}"`
      : "kept sign-in";
    if (purpose === undefined) return whose;
    return purpose === "sign-in" ? `${whose}, to renew it` : `${whose}, to ask about it`;
  }

  async obtain(need: CredentialNeed): Promise<Result<HandOut>> {
    const found = await this.#find(need.sessionId);
    if (!found.ok) return found;
    const { access = "", refresh = "", id = "" } = found.value?.tokens ?? {};
    const { credential } = this.#context;
    const { label } = credential;
    if (need.purpose === "sign-in") {
      return ok({ label, headers: [], secrets: ["", refresh, id] });
    }
    // Only where the program shows it.
    if (need.purpose === "inquiry") return ok({ label, headers: [], secrets: [access, "", ""] });
    // Nobody has signed in yet: without the header, a server says so, and the program begins.
    if (access === "") {
      const headers = [[credential.form.header, ""]] as const;
      return ok({ label, headers, secrets: ["", refresh, id] });
    }
    const written = writeSecret(credential, access);
    if (!written.ok) return written;
    const [, ...forms] = written.value.secrets;
    // Whether it has ended is for the server to say: the program renews it then.
    return ok({ ...written.value, secrets: [access, "", "", ...forms] });
  }

  async capture(captured: Captured): Promise<Result<void>> {
    const { sessionId, renews } = captured;
    const { sign_in_file: path, keep_new: keepsNew } = this.#settings;
    const own = this.#own.get(sessionId);
    const isOwn = path === undefined || (renews ? own !== undefined : !keepsNew);
    if (isOwn) {
      this.#own.delete(sessionId);
      this.#own.set(sessionId, merged(renews ? own : undefined, captured));
      if (this.#own.size > MOST_SESSIONS) this.#own.delete(this.#own.keys().next().value!);
      return ok(undefined);
    }
    return await this.#files.exclusively(path, async () => {
      const before = renews ? await this.#read(path) : ok(undefined);
      if (!before.ok) return before;
      const text = formatSignIn(merged(before.value, captured));
      const written = await this.#files.writeSecret(path, text);
      if (written.ok) this.#own.delete(sessionId);
      return written;
    });
  }

  ownSignIns(): SessionSignIn[] {
    return [...this.#own].map(([sessionId, signIn]) => ({ sessionId, signIn }));
  }

  adopt({ sessionId, signIn }: SessionSignIn): void {
    this.#own.set(sessionId, signIn);
  }

  async #find(sessionId: string): Promise<Result<KeptSignIn | undefined>> {
    const own = this.#own.get(sessionId);
    const { sign_in_file: path } = this.#settings;
    if (own !== undefined || path === undefined) return ok(own);
    return await this.#read(path);
  }

  async #read(path: string): Promise<Result<KeptSignIn | undefined>> {
    const { label } = this.#context.credential;
    try {
      await Deno.lstat(path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return ok(undefined);
    }
    const text = await this.#files.readSecret(path);
    if (!text.ok) return text;
    const kept = parseSignIn(text.value);
    return kept === undefined ? unobtainable(label, `"${path}" holds no sign-in`) : ok(kept);
  }
}

/** A renewal that gives no other refresh token leaves the one that there is. */
function merged(before: KeptSignIn | undefined, { tokens, expiresAtMs }: Captured): KeptSignIn {
  return {
    tokens: { ...before?.tokens, ...tokens },
    ...expiresAtMs !== undefined && { expiresAtMs },
  };
}
