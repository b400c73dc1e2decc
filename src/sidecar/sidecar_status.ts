import type { ShippingSink } from "../audit/ship/shipping_sink.ts";
import type { AuditWriter } from "../audit/writer.ts";
import { VERSION } from "../config/version.ts";
import type { DataPlane } from "./data_plane.ts";
import type { Mode } from "./monitor_mode.ts";
import type { Groundwork } from "./prepare.ts";
import type { Sessions } from "./sessions.ts";

/** What the status of a Sidecar is made of. */
export interface StatusSources {
  readonly groundwork: Groundwork;
  /** Of the configuration in force. */
  readonly digest: string | undefined;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Of sessions that ask for none. */
  readonly mode: Mode;
  readonly sessions: Sessions;
  readonly plane: DataPlane;
  readonly audit: AuditWriter;
  readonly sinks: readonly ShippingSink[];
}

/** What `GET /v1/status` answers. */
export function sidecarStatus(
  { groundwork, digest, startedAt, mode, sessions, plane, audit, sinks }: StatusSources,
): Readonly<Record<string, unknown>> {
  const { source, config } = groundwork;
  const { remote } = config.sidecar.authority;
  const bundle = plane.bundleInForce;
  return {
    pid: Deno.pid,
    version: VERSION,
    config_file: source.file,
    config_digest: digest,
    started_at: startedAt,
    mode,
    policy_bundle_version: plane.bundleVersion,
    policy_bundle_age_secs: bundle === undefined ? null : secondsSince(bundle.sinceMs),
    policy_bundle_fresh: bundle !== undefined && bundle.freshUntilMs > Date.now(),
    authority: remote === undefined ? "local" : remote.urls[0],
    audit: {
      state: audit.state,
      file: config.sidecar.audit.filePath,
      sinks: sinks.map((sink) => sink.status()),
    },
    mapping_rules: plane.rules,
    sessions: sessions.size,
    open_calls: plane.openCalls,
  };
}

function secondsSince(ms: number): number {
  return Math.max(0, Math.floor((Date.now() - ms) / 1_000));
}
