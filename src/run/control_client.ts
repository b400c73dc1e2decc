import { err, type FirmaError, ok, type Result } from "../core/result.ts";

/** What registers a session at a Sidecar. */
export interface SessionRequest {
  readonly sandbox_id: string;
  readonly agent_id: string;
  readonly profile: string;
  /** Program name and count of arguments; arguments may hold secrets. */
  readonly command: string;
  readonly workspace: string;
}

/** A registered session. */
export interface Session {
  readonly session_id: string;
  /** The only way out of the sandbox. */
  readonly proxy_socket: string;
  /** PEM. */
  readonly ca_certificate: string;
}

function failure(action: string, problem: unknown, status: number): FirmaError {
  const { code, detail, cure } = (problem ?? {}) as Readonly<Record<string, unknown>>;
  return {
    code: typeof code === "string" ? code : "SIDECAR_REFUSED",
    message: `Cannot ${action}: ${typeof detail === "string" ? detail : `HTTP status ${status}`}`,
    ...(typeof cure === "string" && { cure }),
  };
}

/** Speaks to a Sidecar through its control socket. */
export class ControlClient implements Disposable {
  readonly #client: Deno.HttpClient;

  constructor(socket: string) {
    this.#client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  }

  async #post(action: string, path: string, body: unknown, timeoutMs: number) {
    try {
      const response = await fetch(`http://sidecar${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        client: this.#client,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      const answer: unknown = text === "" ? undefined : JSON.parse(text);
      return response.ok ? ok(answer) : err(failure(action, answer, response.status));
    } catch (cause) {
      return err({
        code: "SIDECAR_UNREACHABLE",
        message: `Cannot ${action}: ${cause instanceof Error ? cause.message : cause}`,
        cure: "start again",
        cause,
      });
    }
  }

  /** Registers a session; within 30 s. */
  async startSession(request: SessionRequest): Promise<Result<Session>> {
    const answer = await this.#post("start a session", "/v1/sessions", request, 30_000);
    if (!answer.ok) return answer;
    const { session_id, proxy_socket, ca_certificate } = (answer.value ?? {}) as Partial<Session>;
    if (
      typeof session_id !== "string" || typeof proxy_socket !== "string" ||
      typeof ca_certificate !== "string"
    ) return err(failure("start a session", { detail: "the answer is incomplete" }, 0));
    return ok({ session_id, proxy_socket, ca_certificate });
  }

  /** Ends a session; what it did is in the audit log when this returns. Within 5 s. */
  async endSession(sessionId: string, exitCode: number): Promise<Result<unknown>> {
    const path = `/v1/sessions/${encodeURIComponent(sessionId)}/end`;
    return await this.#post("end the session", path, { exit_code: exitCode }, 5_000);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
