import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { OtlpConfig } from "../../config/keys/audit_sinks.ts";
import type { Environment } from "../../config/paths.ts";
import { VERSION } from "../../config/version.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import type { DeliveryFault, Destination, LogLine, Outcome } from "../ship/destination.ts";
import { encodeLogs } from "./encode_logs.ts";
import { eventRecord } from "./event_record.ts";
import { otlpHeaders } from "./otlp_headers.ts";

const SCHEMA = "https://opentelemetry.io/schemas/1.37.0";
/** Answers that OTLP says to try again after. */
const BUSY = new Set([429, 502, 503, 504]);
/** The longest that a collector may ask to be left alone, in milliseconds. */
const LONGEST_PAUSE_MS = 600_000;
const LARGEST_ANSWER = 65_536;

/** An OpenTelemetry collector, over OTLP/HTTP with protobuf. */
export class OtlpDestination implements Destination {
  readonly name: string;
  readonly most = { lines: 512, bytes: 1_048_576 };
  readonly #config: OtlpConfig;
  readonly #env: Environment;
  readonly #http: Deno.HttpClient;

  private constructor(config: OtlpConfig, env: Environment, http: Deno.HttpClient) {
    this.name = `collector at "${config.url}"`;
    this.#config = config;
    this.#env = env;
    this.#http = http;
  }

  /** Checks certificates and headers; connects when there is something to send. */
  static async open(config: OtlpConfig, env: Environment): Promise<Result<OtlpDestination>> {
    const headers = await otlpHeaders(config.headers, env);
    if (!headers.ok) return headers;
    const http = await createClient(config);
    return http.ok ? ok(new OtlpDestination(config, env, http.value)) : http;
  }

  async deliver(lines: readonly LogLine[], signal: AbortSignal): Promise<Outcome<number>> {
    // Each time, so that a token that was exchanged is used.
    const headers = await otlpHeaders(this.#config.headers, this.#env);
    if (!headers.ok) return err({ reason: headers.error.message });
    const body = encodeLogs({
      resource: {
        "service.name": "firma-sidecar",
        "service.namespace": "firma",
        "service.version": VERSION,
      },
      scope: { name: "firma.audit", version: VERSION },
      schemaUrl: SCHEMA,
      records: lines.map((line) => eventRecord(line, Date.now())),
    });
    try {
      const response = await fetch(this.#config.url, {
        method: "POST",
        headers: [...headers.value, ["content-type", "application/x-protobuf"]],
        body: new Uint8Array(body),
        redirect: "error",
        client: this.#http,
        signal,
      });
      const answer = await readAnswer(response);
      const fault = faultOf(response, answer);
      return fault === undefined ? ok(lines.at(-1)!.seq) : err(fault);
    } catch (cause) {
      return err({ reason: cause instanceof Error ? cause.message : String(cause) });
    }
  }

  close(): void {
    this.#http.close();
  }
}

async function createClient(
  { caCertPath, clientCertPath, clientKeyPath }: OtlpConfig,
): Promise<Result<Deno.HttpClient>> {
  const refuse = (state: string, cause?: unknown) =>
    err({
      code: "AUDIT_SINK_UNUSABLE",
      message: `Cannot ship the audit log to the sink "otlp": ${state}`,
      cure: "see the keys of [sidecar.audit.otlp]",
      cause,
    });
  if ((clientCertPath === undefined) !== (clientKeyPath === undefined)) {
    return refuse("a client's certificate needs its key, and the key its certificate");
  }
  try {
    const caCerts = caCertPath === undefined ? [] : [await Deno.readTextFile(caCertPath)];
    if (clientCertPath === undefined || clientKeyPath === undefined) {
      return ok(Deno.createHttpClient({ caCerts }));
    }
    const key = await readPrivateFile(clientKeyPath, "client key");
    if (!key.ok) return key;
    const cert = await Deno.readTextFile(clientCertPath);
    return ok(Deno.createHttpClient({ caCerts, cert, key: key.value }));
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function faultOf(
  { status, headers }: Response,
  answer: Uint8Array,
): DeliveryFault | undefined {
  if (status === 200) {
    const rejected = rejectedRecords(answer);
    if (rejected === 0n) return undefined;
    return { reason: `it refused ${rejected} of them`, refused: true };
  }
  const reason = `it answered ${status}`;
  // A batch that it says it will never understand must not keep the others back.
  if (status === 400) return { reason, refused: true };
  return { reason, ...(BUSY.has(status) && { retryAfterMs: retryAfter(headers) }) };
}

/** What `Retry-After` (RFC 9110, 10.2.3) says, in milliseconds. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (text === "") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS) : undefined;
}

async function readAnswer({ body }: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.length;
    if (length > LARGEST_ANSWER) return new Uint8Array();
    pieces.push(piece);
  }
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

/** `partial_success.rejected_log_records` of an `ExportLogsServiceResponse`; 0 for what is none. */
function rejectedRecords(answer: Uint8Array): bigint {
  try {
    const partial = fieldOf(answer, 1);
    const rejected = partial instanceof Uint8Array ? fieldOf(partial, 1) : undefined;
    return typeof rejected === "bigint" ? rejected : 0n;
  } catch {
    return 0n;
  }
}

function fieldOf(message: Uint8Array, wanted: number): Uint8Array | bigint | undefined {
  const reader = new BinaryReader(message);
  let found: Uint8Array | bigint | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field !== wanted) reader.skip(type);
    else found = type === 2 ? reader.bytes() : BigInt(reader.int64());
  }
  return found;
}
