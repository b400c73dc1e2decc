import { type SignInService, TOKEN_ROLES, type TokenRole } from "./sign_in/services.ts";
import { SIGN_IN_FILES, type SignInPlaceholders } from "./sign_in_files.ts";
import { mintPlaceholder, type PlaceholderShape, usualShape } from "./placeholder_shapes.ts";

/** What the agent of a session holds in place of a secret. Means nothing outside of its session. */
export interface Placeholder {
  readonly text: string;
  /** The credential that it stands for. */
  readonly label: string;
  /** Which of the credential's secrets, by its place in the hand-out; -1: none of them. */
  readonly part: number;
}

/** A credential that needs placeholders. */
export interface PlaceholderDemand {
  readonly label: string;
  /** The hosts that it is for; its placeholders look like what the first one takes. */
  readonly hosts: readonly string[];
  /** The header that calls carry it in; lower case. */
  readonly header: string;
  /** Variables of the agent that are to hold one. */
  readonly variables: readonly string[];
  /** @default {by the variable or the host} */
  readonly shape?: PlaceholderShape | undefined;
  /** Programs sign in for it: there are placeholders of each of its tokens. @default {they do not} */
  readonly signIn?: SignInService["shapes"] | undefined;
}

/** What a session's agent is to hold in place of secrets. */
export interface MintedPlaceholders {
  readonly placeholders: readonly Placeholder[];
  /** Variables of the agent, with their placeholders. */
  readonly environment: Readonly<Record<string, string>>;
  /** By the id of a sign-in file: what stands there in place of its tokens. */
  readonly signIns: Readonly<Record<string, SignInPlaceholders>>;
}

/** Names a key and is no secret: calls are signed with the key itself, and nothing is swapped. */
const NAME_OF_KEY: PlaceholderShape = "aws-access-key-id";

/**
 * Fresh placeholders for one session: for each credential one of each shape that its variables
 * want, at least one, and what stands in the sign-in files of agents that are for its hosts.
 */
export function mintPlaceholders(demands: readonly PlaceholderDemand[]): MintedPlaceholders {
  const placeholders: Placeholder[] = [];
  const environment: Record<string, string> = {};
  const signIns: Record<string, SignInPlaceholders> = {};
  for (const { label, hosts, header, variables, shape, signIn } of demands) {
    const wanted = shape ?? signIn?.access;
    const made = new Map<PlaceholderShape, string>();
    const make = (shape: PlaceholderShape) => {
      let text = made.get(shape);
      if (text === undefined) {
        made.set(shape, text = mintPlaceholder(shape));
        placeholders.push({ text, label, part: shape === NAME_OF_KEY ? -1 : 0 });
      }
      return text;
    };
    const usual = (variable?: string) => wanted ?? usualShape({ variable, host: hosts[0]! });
    for (const variable of variables) environment[variable] = make(usual(variable));
    if (made.size === 0) make(usual());
    const others = new Map<TokenRole, string>();
    for (const [part, role] of TOKEN_ROLES.entries()) {
      if (part === 0 || signIn === undefined) continue;
      const text = mintPlaceholder(signIn[role]);
      placeholders.push({ text, label, part });
      others.set(role, text);
    }
    for (const { id, tokens, hosts: signInHosts } of SIGN_IN_FILES) {
      if (Object.hasOwn(signIns, id) || !signInHosts.some((host) => hosts.includes(host))) continue;
      signIns[id] = Object.fromEntries(tokens.map((token) => {
        if (token.header === header) return [token.member, make(token.shape)];
        const other = token.is && others.get(token.is);
        if (other !== undefined) return [token.member, other];
        // Calls do not carry it, or not as the credential is written: it stands for nothing.
        const text = mintPlaceholder(token.shape);
        placeholders.push({ text, label, part: -1 });
        return [token.member, text];
      }));
    }
  }
  return { placeholders, environment, signIns };
}

/** A placeholder, and whose it is. */
export interface KnownPlaceholder extends Placeholder {
  readonly sessionId: string;
  /** Its session goes on. */
  readonly live: boolean;
}

/** Of sessions that ended: enough to notice who comes back with what another agent left behind. */
const MOST_ENDED = 4_096;

/**
 * The placeholders of all sessions. What one is, its place here says and nothing else: there is
 * nothing in its text to decode.
 */
export class PlaceholderBook {
  readonly #known = new Map<string, KnownPlaceholder>();
  readonly #ended: string[] = [];
  #version = 0;

  /** Changes whenever a text is added or forgotten. */
  get version(): number {
    return this.#version;
  }

  /** Every text that is known. */
  get texts(): string[] {
    return [...this.#known.keys()];
  }

  /** Takes on what a session's agent holds. */
  open(sessionId: string, placeholders: readonly Placeholder[]): void {
    for (const placeholder of placeholders) {
      this.#known.set(placeholder.text, { ...placeholder, sessionId, live: true });
    }
    if (placeholders.length > 0) this.#version++;
  }

  /** From now on the session's placeholders stand for nothing, and are still recognised. */
  end(sessionId: string): void {
    for (const placeholder of this.#known.values()) {
      if (placeholder.sessionId !== sessionId || !placeholder.live) continue;
      this.#known.set(placeholder.text, { ...placeholder, live: false });
      this.#ended.push(placeholder.text);
    }
    for (const text of this.#ended.splice(0, Math.max(0, this.#ended.length - MOST_ENDED))) {
      this.#known.delete(text);
      this.#version++;
    }
  }

  /** What this text is, if it is exactly a placeholder. */
  get(text: string): KnownPlaceholder | undefined {
    return this.#known.get(text);
  }

  /** What the agent of a session holds for a secret of a credential. */
  textOf(sessionId: string, label: string, part: number): string | undefined {
    return this.of(sessionId).find((each) => each.label === label && each.part === part)?.text;
  }

  /** What the agent of a session holds. */
  of(sessionId: string): KnownPlaceholder[] {
    return [...this.#known.values()]
      .filter((placeholder) => placeholder.live && placeholder.sessionId === sessionId);
  }
}
