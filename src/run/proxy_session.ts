/** Sessions of agents without a sandbox, at the Sidecar that `firma sidecar start` keeps running. */
import type { Environment } from "../config/paths.ts";
import { isId, newId } from "../core/id.ts";
import { join } from "../core/path.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { askControl } from "../daemon/control_client.ts";
import { daemonPaths, findComponent } from "../daemon/state.ts";
import { agentRoots, hostRoots } from "../sandbox/ca_bundle.ts";
import { clientVariables } from "../sandbox/environment.ts";
import { isTexts, type Session } from "./session.ts";

/** What an agent without a sandbox is given. */
export interface ProxySession {
  readonly sessionId: string;
  readonly agentId: string;
  /** `monitor`: policies are not enforced. */
  readonly mode: string;
  /** Holds the password, which nobody can tell a second time. */
  readonly proxyUrl: string;
  /** Everything that the environment of the agent has to hold. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What opening a session wants. */
export interface ProxySessionRequest {
  readonly env: Readonly<Record<string, string>>;
  /** An identifier or a name that the Authority's registry knows. */
  readonly agent: string;
  readonly cwd: string;
}

/** Path of the control socket of the Sidecar that runs. */
export function runningSidecar(env: Environment): Result<string> {
  const found = findComponent("sidecar", env);
  if (!found.ok) return found;
  if (found.value?.isAlive) {
    return ok(found.value.marker.control_socket ?? daemonPaths(env).controlSocket);
  }
  return err({
    code: "NO_SIDECAR",
    message: "Cannot find a Sidecar that runs: a session without a sandbox needs one that lasts",
    cure: "firma sidecar start --detach",
  });
}

/** Opens a session by the proxy; it lasts until it is closed or the Sidecar ends. */
export async function openProxySession(
  { env, agent, cwd }: ProxySessionRequest,
): Promise<Result<ProxySession>> {
  const socket = runningSidecar(env);
  if (!socket.ok) return socket;
  const body = {
    sandbox_id: newId("sbx"),
    ...(isId("agt", agent) ? { agent_id: agent } : { agent }),
    profile: "generic",
    command: "(by proxy)",
    workspace: cwd,
    interceptor: "http_proxy",
  };
  const answer = await askControl(socket.value, { method: "POST", path: "/v1/sessions", body });
  if (!answer.ok) return answer;
  const session = parseAnswer(answer.value);
  if (!session.ok) return session;
  const { sessionId, caCertificate, environment, ...rest } = session.value;
  const roots = writeRoots(env, sessionId, caCertificate);
  if (!roots.ok) {
    await closeProxySession(env, sessionId);
    return roots;
  }
  const variables = { ...environment, ...clientVariables(session.value.proxyUrl, roots.value) };
  return ok({ sessionId, ...rest, variables });
}

/** Ends a session, and removes what was written for it. */
export async function closeProxySession(
  env: Environment,
  sessionId: string,
): Promise<Result<void>> {
  const socket = runningSidecar(env);
  if (!socket.ok) return socket;
  const path = `/v1/sessions/${encodeURIComponent(sessionId)}/end`;
  const ended = await askControl(socket.value, { method: "POST", path, body: {} });
  removeRoots(env, sessionId);
  return ended.ok ? ok(undefined) : ended;
}

/** The sessions that are open, of whatever kind, as the control API has them. */
export async function listSessions(
  env: Environment,
): Promise<Result<readonly Readonly<Record<string, unknown>>[]>> {
  const socket = runningSidecar(env);
  if (!socket.ok) return socket;
  const answer = await askControl(socket.value, { method: "GET", path: "/v1/sessions" });
  if (!answer.ok) return answer;
  const { sessions } = (answer.value ?? {}) as Readonly<Record<string, unknown>>;
  if (Array.isArray(sessions)) return ok(sessions);
  return err(incomplete());
}

function parseAnswer(
  answer: unknown,
): Result<
  & Omit<ProxySession, "variables">
  & Pick<Session, "environment">
  & { readonly caCertificate: string }
> {
  const { session_id, agent_id, mode, proxy_url, ca_certificate, environment } = (answer ??
    {}) as Readonly<Record<string, unknown>>;
  if (
    typeof session_id === "string" && typeof agent_id === "string" && typeof mode === "string" &&
    typeof proxy_url === "string" && typeof ca_certificate === "string" &&
    isTexts(environment)
  ) {
    return ok({
      sessionId: session_id,
      agentId: agent_id,
      mode,
      proxyUrl: proxy_url,
      caCertificate: ca_certificate,
      environment,
    });
  }
  return err(incomplete());
}

function incomplete(): FirmaError {
  return {
    code: "SIDECAR_REFUSED",
    message: "Cannot use the answer of the Sidecar: it is incomplete",
  };
}

function rootsDirectory(env: Environment, sessionId: string): string | undefined {
  return isId("ses", sessionId) ? join(daemonPaths(env).roots, sessionId) : undefined;
}

function writeRoots(
  env: Readonly<Record<string, string>>,
  sessionId: string,
  certificate: string,
): Result<{ readonly bundle: string; readonly extra: string }> {
  const directory = rootsDirectory(env, sessionId);
  if (directory === undefined) return err(incomplete());
  const { bundle, extra } = agentRoots(hostRoots(env), certificate);
  const files = { bundle: join(directory, "bundle.pem"), extra: join(directory, "extra.pem") };
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(files.bundle, bundle, { createNew: true, mode: 0o644 });
    Deno.writeTextFileSync(files.extra, extra, { createNew: true, mode: 0o644 });
    return ok(files);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "ROOTS_NOT_WRITTEN",
      message: `Cannot write the certificates of the session to "${directory}": ${reason}`,
      cause,
    });
  }
}

function removeRoots(env: Environment, sessionId: string): void {
  const directory = rootsDirectory(env, sessionId);
  try {
    if (directory !== undefined) Deno.removeSync(directory, { recursive: true });
  } catch (cause) {
    // A session of another kind has none.
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}
