import assert from "node:assert/strict";
import { newId } from "../../../src/core/id.ts";
import { witnessName } from "../../../src/audit/witness/cosignature.ts";
import { Collector } from "../../../src/authority/collect/collector.ts";
import { FileCollection } from "../../../src/authority/collect/file_collection.ts";
import { LogWitness } from "../../../src/authority/collect/log_witness.ts";
import { type Result, unwrap } from "../../../src/core/result.ts";
import type { AuthorityStore } from "../../../src/authority/store/store.ts";
import { FileStore } from "../../../src/authority/store/file_store.ts";
import type { ListenAddress } from "../../../src/config/listen_address.ts";
import { identityDocuments } from "../../../src/authority/identity/identity_issuer.ts";
import { AuthorityServer } from "../../../src/authority/service/service.ts";
import type { TlsFiles } from "../../../src/authority/service/tls_files.ts";
import type { ClientTlsFiles } from "../../../src/authority/client/connections.ts";
import { LocalAuthority } from "../../../src/authority/local_authority.ts";
import {
  RemoteAuthority,
  type RemoteAuthorityOptions,
} from "../../../src/authority/client/remote_authority.ts";
import { keyPair } from "../../capability/support.ts";
import { Http2Client } from "../../fixtures/http2_client.ts";
import { directory, PERMIT } from "../support.ts";

export const AGENT = newId("agt");

/** What a test may change about {@linkcode serve}. */
export interface ServeOptions {
  readonly policies?: Record<string, string>;
  readonly issuance?: Record<string, string>;
  readonly bundleTtlMs?: number;
  readonly maxTtlMs?: number;
  readonly beatMs?: number;
  /** Listens on TCP with these; otherwise on a socket of its own. */
  readonly tls?: TlsFiles;
  readonly preSharedKeysPath?: string;
  /** Vouches for agents to these audiences. */
  readonly audiences?: readonly string[];
  /** Remembers in this store instead of in files. */
  readonly openStore?: () => Promise<Result<AuthorityStore>>;
  readonly port?: number;
  /** Takes audit logs in, into its state directory. */
  readonly collects?: boolean;
}

/** A running Authority with one registered agent, and a way to end and start it again. */
export async function serve(options: ServeOptions = {}) {
  const policies = await directory(options.policies ?? { "dev.cedar": PERMIT });
  const issuance = await directory(options.issuance ?? { "issuance.cedar": PERMIT });
  const state = await directory({});
  const key = { ...keyPair(), created: false };
  const witnessKey = { ...keyPair(), created: false };
  const log: string[] = [];
  const revocationFile = `${state.path}/revocations.txt`;
  const maxTtlMs = options.maxTtlMs ?? 3_600_000;
  const note = ({ message }: { readonly message: string }) => void log.push(message);
  let running:
    | { authority: LocalAuthority; server: AuthorityServer; collection?: FileCollection }
    | undefined;
  let listen: ListenAddress = options.tls === undefined
    ? { kind: "unix", path: `${state.path}/authority.sock` }
    : { kind: "tcp", hostname: "127.0.0.1", port: options.port ?? 0 };

  const identity = options.audiences && {
    issuer: "https://firma.test/identity",
    audiences: options.audiences,
    keyFile: `${state.path}/identity.json`,
  };
  const openStore = options.openStore ?? (() =>
    FileStore.open({
      directory: `${state.path}/authority`,
      revocationFile,
      maxTtlMs,
      onNotice: note,
    }));
  const store = await openStore();
  assert.ok(store.ok);
  await store.value.addAgent({ id: AGENT, name: "agent", registeredAt: "2030-01-01T00:00:00Z" });
  await store.value.close();

  const start = async () => {
    const authority = await LocalAuthority.open({
      policyDir: policies.path,
      issuancePolicyDir: issuance.path,
      openStore,
      registeredAgentsOnly: true,
      maxTtlMs,
      bundleTtlMs: options.bundleTtlMs ?? 30_000,
      signingKey: key,
      identity,
      onNotice: note,
    });
    if (!authority.ok) assert.fail(JSON.stringify(authority.error));
    const collection = options.collects
      ? unwrap(FileCollection.open(`${state.path}/collected`))
      : undefined;
    const collector = collection &&
      new Collector(collection, (text) => log.push(`error: ${text}`));
    const server = await AuthorityServer.start({
      authority: authority.value,
      audit: collector && { collector, witness: new LogWitness(collector, witnessKey) },
      signingKey: key,
      listen,
      tls: options.tls,
      preSharedKeysPath: options.preSharedKeysPath,
      identity: identity && {
        listen: { kind: "tcp", hostname: "127.0.0.1", port: 0 },
        documents: () => identityDocuments(identity, Date.now()),
      },
      beatMs: options.beatMs ?? 5_000,
      report: (level, text) => log.push(`${level}: ${text}`),
    });
    if (!server.ok) assert.fail(JSON.stringify(server.error));
    running = {
      authority: authority.value,
      server: server.value,
      ...(collection && { collection }),
    };
    if (listen.kind === "tcp") {
      listen = { ...listen, port: Number(server.value.address.split(":").at(-1)) };
    }
  };
  const stop = async () => {
    await running?.server.close();
    await running?.collection?.close();
    await running?.authority.close();
    running = undefined;
  };
  await start();
  return {
    start,
    stop,
    key,
    log,
    witness: { name: witnessName(witnessKey.publicKey), publicKey: witnessKey.publicKey },
    collected: `${state.path}/collected`,
    revocationFile,
    policyDir: policies.path,
    issuanceDir: issuance.path,
    stateDir: state.path,
    /** Where its keys are served, as a proxy before it would reach them. */
    get documentsUrl(): string {
      return `http://${running?.server.documentsAddress}`;
    },
    get endpoint(): string {
      return listen.kind === "unix" ? `unix://${listen.path}` : `https://localhost:${listen.port}`;
    },
    get port(): number {
      return listen.kind === "tcp" ? listen.port : 0;
    },
    /** A client of it. */
    client: async (
      special: Partial<
        Pick<RemoteAuthorityOptions, "tls" | "endpoints" | "connectAddr" | "credentials">
      > = {},
    ) => {
      const notices: string[] = [];
      const opened = await RemoteAuthority.open({
        endpoints: special.endpoints ??
          [listen.kind === "unix" ? `unix://${listen.path}` : `https://localhost:${listen.port}`],
        publicKey: key.publicKey,
        tls: special.tls,
        connectAddr: special.connectAddr,
        credentials: special.credentials,
        minBackoffMs: 20,
        maxBackoffMs: 200,
        onNotice: (_, text) => notices.push(text),
      });
      if (!opened.ok) assert.fail(JSON.stringify(opened.error));
      return {
        remote: opened.value,
        notices,
        [Symbol.asyncDispose]: () => opened.value.close(),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      for (const each of [policies, issuance, state]) await each[Symbol.asyncDispose]();
    },
  };
}

/** A request that is granted. */
export function request() {
  return {
    agentId: AGENT,
    sessionId: newId("ses"),
    requestedActions: ["code.read"],
    resourceScope: ["api.example.test/repos/**"],
    requestedTtlSeconds: 60,
  };
}

/** A connection with the certificate in `files`, on which HTTP/2 was agreed. */
export async function connectTls(port: number, files: ClientTlsFiles): Promise<Deno.TlsConn> {
  const read = (path: string) => Deno.readTextFile(path);
  const conn = await Deno.connectTls({
    hostname: "localhost",
    port,
    caCerts: [await read(files.caPath!)],
    cert: await read(files.certPath),
    key: await read(files.keyPath),
    alpnProtocols: ["h2"],
  });
  await conn.handshake();
  return conn;
}

/** A client of HTTP/2 that can be made to do what no client of gRPC does. */
export async function connectHttp2(port: number, files: ClientTlsFiles): Promise<Http2Client> {
  return new Http2Client(await connectTls(port, files), "localhost");
}
