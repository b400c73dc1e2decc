import { key, section, type ValueOf } from "../key.ts";
import { BOOLEAN, COUNT, DURATION, oneOf, text } from "../value_type.ts";

/** What is sent there says what agents do, and passes everybody in between. */
const WEBHOOK_URL = text<string>("URL", { pattern: "^https?://" }, (value) => {
  const url = URL.parse(value);
  const isLocal = url !== null && /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/.test(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLocal)) return { value };
  return {
    state: `"${value}" is neither an https URL nor one of this machine`,
    cure: "write https://host/path",
  };
});

/** `[sidecar.approvals]`. */
export const SIDECAR_APPROVALS = section("How people approve what policies leave to them", {
  hitl_mode: key(oneOf(["async_token", "sync_wait"]), {
    about:
      "With `async_token`, an agent is told at once what to have approved; `sync_wait` holds the call",
    default: "async_token",
    example: "sync_wait",
    applies: "restart",
  }),
  hitl_max_wait: key(DURATION, {
    about: "How long `sync_wait` holds a call; then it is denied, and can be sent again",
    default: "5m",
    example: "90s",
    applies: "restart",
  }),
  pending_ttl: key(DURATION, {
    about: "How long a request waits for a person before it expires",
    default: "1h",
    example: "8h",
    applies: "restart",
  }),
  token_ttl: key(DURATION, {
    about: "How long an approval can be used, and a denial is remembered",
    default: "5m",
    example: "15m",
    applies: "restart",
  }),
  retry_after: key(DURATION, {
    about: "After how long an agent is told to try again",
    default: "500ms",
    example: "10s",
    applies: "restart",
  }),
  max_pending: key(COUNT, {
    about: "How many requests of one session may wait; the next ones are denied",
    default: 100,
    example: 20,
    applies: "restart",
  }),
  desktop_notification: key(BOOLEAN, {
    about: "Whether `firma run` has the desktop say that something waits, with `notify-send`",
    default: false,
    example: true,
    applies: "next run",
  }),
  webhook_url: key(WEBHOOK_URL, {
    about: "Where each request that waits is posted to, as JSON; nobody can approve from there",
    otherwise: "nowhere",
    example: "https://chat.example.test/hooks/approvals",
    applies: "restart",
  }),
});

/** `[sidecar.approvals]` of a `firma.toml`, as it stands there. */
export type SidecarApprovalsTable = ValueOf<typeof SIDECAR_APPROVALS>;

/** How people approve what policies leave to them; times in milliseconds. */
export interface ApprovalsConfig {
  readonly hitlMode: "sync_wait" | "async_token";
  readonly hitlMaxWaitMs: number;
  readonly pendingTtlMs: number;
  readonly tokenTtlMs: number;
  readonly retryAfterMs: number;
  readonly maxPending: number;
  readonly desktopNotification: boolean;
  readonly webhookUrl: string | undefined;
}

/** The table under the names of the configuration. */
export function approvalsConfig(table: SidecarApprovalsTable): ApprovalsConfig {
  return {
    hitlMode: table.hitl_mode,
    hitlMaxWaitMs: table.hitl_max_wait,
    pendingTtlMs: table.pending_ttl,
    tokenTtlMs: table.token_ttl,
    retryAfterMs: table.retry_after,
    maxPending: table.max_pending,
    desktopNotification: table.desktop_notification,
    webhookUrl: table.webhook_url,
  };
}
