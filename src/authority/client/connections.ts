import { type Client, createClient } from "@connectrpc/connect";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import type { ConnectAddress } from "../../config/connect_address.ts";
import { checkAuthorityUrl, socketPath } from "../../config/authority_url.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import { AuditService } from "../../proto/firma/v1/audit_pb.ts";
import { AuthorityService } from "../../proto/firma/v1/authority_pb.ts";
import { FileWatch } from "../file_watch.ts";
import { fetchClient } from "./fetch_client.ts";
import { createHttpClient } from "./http_client.ts";
import { Relay } from "./relay.ts";

/** The files of a client of mutual TLS; read again when they change. */
export interface ClientTlsFiles {
  /** PEM: what certificates of Authorities verify under beside the system's roots. */
  readonly caPath?: string | undefined;
  /** PEM. */
  readonly certPath: string;
  /** PEM, PKCS#8, mode 0600. */
  readonly keyPath: string;
}

/** A way to one Authority. */
export interface Connection {
  readonly endpoint: string;
  readonly client: Client<typeof AuthorityService>;
  /** The service that takes audit logs in, at the same address. */
  readonly audit: Client<typeof AuditService>;
  /** Aborts when another connection has taken its place. */
  readonly replaced: AbortSignal;
}

/** Options of {@linkcode Connections.open}. */
export interface ConnectionsOptions {
  /** `unix:///path/of.sock` or `https://host:port`, tried in turn; at least one. */
  readonly endpoints: readonly string[];
  /** Where the first endpoint is, if not where its name says; it still has to be who it is. */
  readonly connectAddr?: ConnectAddress | undefined;
  readonly tls?: ClientTlsFiles | undefined;
  /** Hears of certificates that changed and cannot be used. */
  readonly onNotice: (notice: FirmaError) => void;
}

type TlsTexts = Pick<Deno.CreateHttpClientOptions, "caCerts"> & Partial<Deno.TlsCertifiedKeyPem>;

/** Largest message of a stream: a bundle with its schema. */
const LARGEST_MESSAGE = 64 * 1024 * 1024;

/**
 * The connection to the Authority in use, over Deno's own HTTP/2 client. It is
 * given up whole when a stream on it fails: only a new one is known not to be
 * half dead.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  #tls: TlsTexts | undefined;
  readonly #relay: Relay | undefined;
  #watch: FileWatch | undefined;
  #current: { connection: Connection; http: Deno.HttpClient; end: AbortController } | undefined;
  #turn = 0;
  #isClosed = false;

  private constructor(options: ConnectionsOptions, tls: TlsTexts | undefined) {
    this.#options = options;
    this.#tls = tls;
    const { connectAddr } = options;
    this.#relay = connectAddr && new Relay(connectAddr);
  }

  /** Checks endpoints and certificates; connects nowhere. */
  static async open(options: ConnectionsOptions): Promise<Result<Connections>> {
    for (const endpoint of options.endpoints) {
      const fault = endpointFault(endpoint, options.tls);
      if (fault !== undefined) return err(fault);
    }
    const { tls } = options;
    if (tls === undefined) return ok(new Connections(options, undefined));
    const texts = await readTls(tls);
    if (!texts.ok) return texts;
    const connections = new Connections(options, texts.value);
    const files = [tls.caPath, tls.certPath, tls.keyPath].filter((path) => path !== undefined);
    connections.#watch = FileWatch.start(files, () => connections.#reload(tls));
    return ok(connections);
  }

  /** The connection in use, made when there is none. */
  current(): Connection {
    if (this.#current !== undefined) return this.#current.connection;
    const { endpoints } = this.#options;
    const endpoint = endpoints[this.#turn % endpoints.length]!;
    const socket = socketPath(endpoint);
    const relay = this.#turn % endpoints.length === 0 ? this.#relay : undefined;
    const http = createHttpClient(
      socket !== undefined
        ? {
          proxy: { transport: "unix", path: socket },
          http1: false,
          http2: true,
        }
        : { ...this.#tls, ...(relay && { proxy: relay.proxy }), http2: true },
    );
    const end = new AbortController();
    const transport = createTransport({
      httpClient: fetchClient(http),
      baseUrl: socket !== undefined ? "http://localhost" : endpoint.replace(/\/$/, ""),
      useBinaryFormat: true,
      interceptors: [],
      acceptCompression: [],
      sendCompression: null,
      compressMinBytes: 1024,
      readMaxBytes: LARGEST_MESSAGE,
      writeMaxBytes: LARGEST_MESSAGE,
    });
    const client = createClient(AuthorityService, transport);
    const audit = createClient(AuditService, transport);
    const connection = { endpoint, client, audit, replaced: end.signal };
    this.#current = { connection, http, end };
    if (this.#isClosed) this.#drop();
    return connection;
  }

  /** Gives a connection up that failed; the next one is to the next endpoint. */
  fail(connection: Connection): void {
    if (this.#current?.connection !== connection) return;
    this.#turn++;
    this.#drop();
  }

  /** Ends the connection in use. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    this.#relay?.close();
    await this.#watch?.close();
  }

  #drop(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.end.abort();
    current?.http.close();
  }

  async #reload(tls: ClientTlsFiles): Promise<void> {
    const texts = await readTls(tls);
    if (!texts.ok) return this.#options.onNotice(texts.error);
    this.#tls = texts.value;
    this.#drop();
  }
}

function endpointFault(endpoint: string, tls: ClientTlsFiles | undefined): FirmaError | undefined {
  const code = "AUTHORITY_ENDPOINT_INVALID";
  const checked = checkAuthorityUrl(endpoint);
  if ("state" in checked) {
    const { state, cure } = checked;
    return { code, message: `Cannot reach an Authority: ${state}`, ...(cure && { cure }) };
  }
  if (tls !== undefined || socketPath(endpoint) !== undefined) return undefined;
  return {
    code,
    message: `Cannot reach an Authority at "${endpoint}": there is no client certificate`,
    cure: "firma authority issue-client-cert makes one",
  };
}

async function readTls({ caPath, certPath, keyPath }: ClientTlsFiles): Promise<Result<TlsTexts>> {
  try {
    const key = await readPrivateFile(keyPath, "client key");
    if (!key.ok) return key;
    const cert = await Deno.readTextFile(certPath);
    const caCerts = caPath === undefined ? [] : [await Deno.readTextFile(caPath)];
    // Wrong ones are refused here, not when the Authority is needed.
    Deno.createHttpClient({ cert, key: key.value, caCerts }).close();
    return ok({ cert, key: key.value, caCerts });
  } catch (cause) {
    return err({
      code: "TLS_INVALID",
      message: `Cannot use the client certificate "${certPath}": ${
        cause instanceof Error ? cause.message : cause
      }`,
      cure: "firma authority issue-client-cert makes one",
      cause,
    });
  }
}
