import { timingSafeEqual } from "node:crypto";

/** Names the header in which the page proves itself. */
const PROOF_HEADER = "x-firma-proof";
/** Names the cookie that opens the page. */
const COOKIE = "firma_monitor";
const SECRET_BYTES = 32;
const PATH_BYTES = 16;

/** What becomes of a request. */
export type Admission =
  /** It may see `path`, which is relative to the page. */
  | {
    readonly kind: "admitted";
    readonly path: string;
    /** It may change what it names: a page of ours asks, and somebody pressed a button there. */
    readonly changes?: true;
  }
  /** It brought the token: its browser is to keep the cookie. */
  | { readonly kind: "welcome"; readonly cookie: string }
  | { readonly kind: "refused"; readonly status: number; readonly reason: string };

/**
 * Decides who may see the page. Whoever asks is on this machine, or is a page
 * from anywhere in a browser on this machine; neither is a friend by that alone.
 *
 * - The `Host` must be this server's own: a name that somebody made resolve to
 *   127.0.0.1 (DNS rebinding) would make a foreign page same-origin.
 * - A token in the address, good for one visit, is exchanged for a cookie that
 *   no script reads (`HttpOnly`) and no foreign page sends (`SameSite=Strict`).
 * - The page lies below a path that nobody can guess, and the cookie is for that
 *   path alone: cookies go to every port of a host, and so to other servers here.
 * - What changes something comes by POST, with an `Origin`, and with a proof that
 *   only the page itself holds, in a header that no form of another page can send.
 * - An `Origin`, and `Sec-Fetch-Site` where the browser sends it, must be ours.
 */
export class Gatekeeper {
  /** The path of the page, with a slash at both ends. */
  readonly base: string;
  /** In the page and nowhere else: whoever sends it has read the page. */
  readonly proof = randomText(SECRET_BYTES);
  readonly #hosts: ReadonlySet<string>;
  readonly #cookie: string;
  #token: string | undefined;

  constructor(port: number) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
    this.base = `/${randomText(PATH_BYTES)}/`;
    this.#cookie = randomText(SECRET_BYTES);
    this.#token = randomText(SECRET_BYTES);
  }

  /** The address for the first visit, with the token in it; only until somebody used it. */
  get invitation(): string | undefined {
    const [host] = this.#hosts;
    return this.#token === undefined ? undefined : `http://${host}/?token=${this.#token}`;
  }

  admit(request: Request): Admission {
    const { headers } = request;
    const host = headers.get("host") ?? "";
    if (!this.#hosts.has(host)) return refused(421, "this address is not the monitor's");
    const url = new URL(request.url);
    const changes = request.method === "POST" && url.pathname.startsWith(`${this.base}rule/`);
    if (request.method !== "GET" && !changes) return refused(405, "that is only to be looked at");
    const origin = headers.get("origin");
    if (changes && origin === null) return refused(403, "no page of the monitor's asks");
    if (origin !== null && origin !== `http://${host}`) return refused(403, "another page asks");
    const isKnown = same(cookieOf(headers), this.#cookie);
    if (url.pathname === "/" && url.searchParams.has("token")) {
      return this.#exchange(url.searchParams.get("token")!, isKnown);
    }
    const site = headers.get("sec-fetch-site");
    if (site !== null && site !== "same-origin" && site !== "none") {
      return refused(403, "another page asks");
    }
    if (!isKnown || !url.pathname.startsWith(this.base)) {
      return refused(403, "open the address that firma monitor printed");
    }
    const path = url.pathname.slice(this.base.length);
    if (!changes) return { kind: "admitted", path };
    if (!same(headers.get(PROOF_HEADER) ?? "", this.proof)) {
      return refused(403, "load the page again");
    }
    return { kind: "admitted", path, changes };
  }

  #exchange(token: string, isKnown: boolean): Admission {
    const isGood = this.#token !== undefined && same(token, this.#token);
    if (!isGood && !isKnown) {
      return refused(403, "this address was used already; start firma monitor --web anew");
    }
    if (isGood) this.#token = undefined;
    const attributes = `Path=${this.base}; HttpOnly; SameSite=Strict`;
    return { kind: "welcome", cookie: `${COOKIE}=${this.#cookie}; ${attributes}` };
  }
}

function refused(status: number, reason: string): Admission {
  return { kind: "refused", status, reason };
}

function randomText(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

function cookieOf(headers: Headers): string {
  const pairs = (headers.get("cookie") ?? "").split(/;\s*/);
  const found = pairs.find((pair) => pair.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? "";
}

const encoder = new TextEncoder();

/** Takes as long wherever the two differ. */
function same(given: string, expected: string): boolean {
  const [a, b] = [encoder.encode(given), encoder.encode(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
