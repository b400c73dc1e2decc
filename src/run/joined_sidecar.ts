import { jsonLines } from "../core/json_lines.ts";
import { err, type Result } from "../core/result.ts";
import {
  askControl,
  type ControlAnswer,
  openControl,
  readProblem,
} from "../daemon/control_client.ts";
import type { Message, NoticeLevel } from "../daemon/helper_process.ts";
import { parseSession, type Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import { weighLosses } from "./weigh_losses.ts";

/** What joining a Sidecar needs. */
export interface JoinOptions {
  readonly controlSocket: string;
  /** The `firma.toml` that this run means, and its digest: one that serves another refuses. */
  readonly config: { readonly file: string; readonly digest: string };
  /** Hears what the Sidecar has to tell the operator; the text is not escaped. */
  readonly onNotice: (level: NoticeLevel, text: string) => void;
  /** Ends the waiting for an answer. */
  readonly signal: AbortSignal;
  /** Called when the Sidecar has been asked for a session. @default nobody */
  readonly onAsked?: () => void;
}

/** How long a Sidecar may take to write down how a session ended, in milliseconds. */
const END_MS = 10_000;

/**
 * Joins a Sidecar that others use as well. The session lives as long as the connection that
 * registered it, which ends with this process at the latest.
 */
export function joinSidecar(options: JoinOptions): SessionHost {
  const { controlSocket, config, onNotice, signal, onAsked } = options;
  const exited = Promise.withResolvers<string>();
  let connection: ControlAnswer | undefined;
  let isEnded = false;
  let recorded = true;
  const listen = async (lines: AsyncGenerator<Message>) => {
    for await (const { type, level, text } of lines) {
      if (type !== "notice" || typeof text !== "string") continue;
      onNotice(level === "warn" || level === "error" ? level : "info", text);
    }
  };
  const open = async (body: unknown): Promise<Result<Session>> => {
    const request = { method: "POST", path: "/v1/sessions", body } as const;
    const answer = await openControl(controlSocket, request, {
      signal,
      ...(onAsked && { onSent: onAsked }),
    });
    if (!answer.ok) return answer;
    if (answer.value.status !== 201) return err(await readProblem(answer.value));
    connection = answer.value;
    const lines = jsonLines(connection.body);
    const first = await lines.next().catch(() => undefined);
    const session = parseSession(first?.value ?? {});
    listen(lines).catch(() => {}).finally(() => {
      if (!isEnded) exited.resolve("it closed the connection");
    });
    return session;
  };
  const end = () => {
    isEnded = true;
    connection?.close();
    return Promise.resolve(recorded);
  };
  return {
    exited: exited.promise,
    logFile: undefined,
    openSession: (request) =>
      open({ ...request, config_file: config.file, config_digest: config.digest }),
    async report(sessionId, finding) {
      const path = `/v1/sessions/${sessionId}/findings`;
      await askControl(controlSocket, { method: "POST", path, body: finding }, END_MS);
    },
    weigh: (question) => weighLosses(controlSocket, question),
    async endSession(sessionId, exitCode) {
      isEnded = true; // the Sidecar closes the connection now, and is right to
      const path = `/v1/sessions/${sessionId}/end`;
      const body = { exit_code: exitCode };
      const ended = await askControl(controlSocket, { method: "POST", path, body }, END_MS);
      recorded = ended.ok;
    },
    end,
    [Symbol.asyncDispose]: async () => void await end(),
  };
}
