import { programFile } from "../../config/program_file.ts";
import type { Watched } from "../live.ts";
import { eventStream } from "./event_stream.ts";
import { Gatekeeper } from "./gatekeeper.ts";
import { answerRule } from "./rule_request.ts";
import { whyMessage } from "./messages.ts";

/** More pages than anybody looks at. */
const MOST_STREAMS = 16;

/** What is true of every answer. */
const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

const NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

/** The monitor as a page, on this machine alone. */
export class MonitorServer {
  readonly port: number;
  readonly #live: Watched;
  readonly #gatekeeper: Gatekeeper;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #closing = new AbortController();
  readonly #page: { readonly html: string; readonly css: string; readonly js: string };
  #streams = 0;

  constructor(live: Watched, port: number) {
    this.#live = live;
    this.#page = { html: read("page.html"), css: read("page.css"), js: read("page.js") };
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.port = this.#server.addr.port;
    this.#gatekeeper = new Gatekeeper(this.port);
  }

  /** The address for the first visit; only until somebody used it. */
  get invitation(): string | undefined {
    return this.#gatekeeper.invitation;
  }

  /** The address of the page, for whoever has the cookie. */
  get address(): string {
    return `http://127.0.0.1:${this.port}${this.#gatekeeper.base}`;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const admission = this.#gatekeeper.admit(request);
    if (admission.kind === "refused") return plain(admission.status, admission.reason);
    if (admission.kind === "welcome") return this.#welcome(admission.cookie);
    if (admission.changes) {
      const { status, text } = await answerRule(this.#live, admission.path);
      return plain(status, text);
    }
    if (admission.path === "") return this.#pageResponse();
    if (admission.path === "events") return this.#events();
    if (admission.path.startsWith("rule/")) return plain(405, "a button of the page does that");
    const why = /^why\/(\d{1,15})$/.exec(admission.path);
    return why ? await this.#why(Number(why[1])) : plain(404, "there is no such page");
  }

  /**
   * Sends the browser on from a page of our own: after a redirect from wherever
   * the first visit was begun, it would not send a strict cookie.
   */
  #welcome(cookie: string): Response {
    const page = `<!doctype html><meta charset="utf-8"><title>firma monitor</title>` +
      `<meta http-equiv="refresh" content="0;url=${this.#gatekeeper.base}">`;
    return new Response(page, {
      headers: {
        ...HEADERS,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": NOTHING_ALLOWED,
        "set-cookie": cookie,
      },
    });
  }

  #pageResponse(): Response {
    const nonce = crypto.getRandomValues(new Uint8Array(18)).toBase64();
    const { html, css, js } = this.#page;
    const page = html
      .replaceAll("{{nonce}}", nonce)
      .replace("{{proof}}", this.#gatekeeper.proof)
      .replace("/* the style */", () => css)
      .replace("/* the script */", () => js);
    return new Response(page, {
      headers: {
        ...HEADERS,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": `${NOTHING_ALLOWED}; script-src 'nonce-${nonce}'; ` +
          `style-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; ` +
          "require-trusted-types-for 'script'; trusted-types 'none'",
      },
    });
  }

  #events(): Response {
    if (this.#streams >= MOST_STREAMS) return plain(503, "too many pages are open");
    this.#streams++;
    const stream = eventStream(this.#live, this.#closing.signal, () => this.#streams--);
    return new Response(stream, {
      headers: { ...HEADERS, "content-type": "text/event-stream" },
    });
  }

  async #why(n: number): Promise<Response> {
    const { board, explainer } = this.#live;
    const row = board.row(n);
    if (row === undefined) return plain(404, "this row is not remembered any more");
    await explainer.refresh(row, board, this.#live.standing);
    const explained = explainer.explain(row, board, this.#live.standing);
    return Response.json(whyMessage(row, explained), { headers: HEADERS });
  }
}

function plain(status: number, reason: string): Response {
  return new Response(`${reason}\n`, {
    status,
    headers: {
      ...HEADERS,
      "content-type": "text/plain; charset=utf-8",
      "content-security-policy": NOTHING_ALLOWED,
    },
  });
}

function read(name: string): string {
  return Deno.readTextFileSync(programFile(`src/monitor/web/page/${name}`));
}
