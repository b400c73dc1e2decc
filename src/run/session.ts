import { err, ok, type Result } from "../core/result.ts";

/** What registers a session at a Sidecar. */
export interface SessionRequest {
  readonly sandbox_id: string;
  /** The agent, by its id or by the name that the Authority's registry has. */
  readonly agent_id?: string;
  readonly agent?: string;
  readonly profile: string;
  /** Program name and count of arguments; arguments may hold secrets. */
  readonly command: string;
  readonly workspace: string;
  /** A file with the token of the session; otherwise the Authority is asked for one. */
  readonly capability_file?: string;
  /** Absent: that of the Sidecar. */
  readonly mode?: "monitor";
}

/** A registered session. */
export interface Session {
  readonly session_id: string;
  /** The only way out of the sandbox. */
  readonly proxy_socket: string;
  /** PEM. */
  readonly ca_certificate: string;
  /** Variables of the agent that hold placeholders of credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** By the id of a sign-in file: what stands there in place of its tokens. */
  readonly sign_ins: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Reads a session as a Sidecar answers it; takes no half answer. */
export function parseSession(answer: Readonly<Record<string, unknown>>): Result<Session> {
  const { session_id, proxy_socket, ca_certificate, environment, sign_ins } = answer;
  if (
    typeof session_id === "string" && typeof proxy_socket === "string" &&
    typeof ca_certificate === "string" && isTexts(environment) && isSignIns(sign_ins)
  ) return ok({ session_id, proxy_socket, ca_certificate, environment, sign_ins });
  return err({
    code: "SIDECAR_REFUSED",
    message: "Cannot start a session: the answer of the Sidecar is incomplete",
  });
}

/** Whether a value from the Sidecar gives texts by name. */
export function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string");
}

function isSignIns(value: unknown): value is Session["sign_ins"] {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every(isTexts);
}
