import { err, ok, type Result } from "../../../core/result.ts";
import type { ServiceAnswer, ServiceRequest } from "../service/ask.ts";
import { jsonAnswer, type JsonObject, member } from "../service/json_answer.ts";
import { lifetimeMs, secretToken } from "../service/token.ts";

/** A Vault or OpenBao, and which part of it is meant. */
export interface VaultServer {
  /** Without a slash at its end. */
  readonly address: string;
  /** Namespace, where the server has any. */
  readonly namespace: string | undefined;
}

function request(
  { address, namespace }: VaultServer,
  path: string,
  { method, token, body }: {
    readonly method: "GET" | "POST" | "PUT";
    readonly token?: string;
    readonly body?: unknown;
  },
): ServiceRequest {
  return {
    method,
    url: `${address}/v1/${path}`,
    headers: {
      accept: "application/json",
      "x-vault-request": "true",
      ...(namespace !== undefined && { "x-vault-namespace": namespace }),
      ...(token !== undefined && { "x-vault-token": token }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}

/** Signs in at an auth method, such as AppRole. */
export function loginRequest(
  server: VaultServer,
  mount: string,
  body: Readonly<Record<string, string>>,
): ServiceRequest {
  return request(server, `auth/${mount}/login`, { method: "POST", body });
}

/** Reads a secret. */
export function readRequest(server: VaultServer, path: string, token: string): ServiceRequest {
  return request(server, path, { method: "GET", token });
}

/** Renews a lease. */
export function renewRequest(server: VaultServer, leaseId: string, token: string): ServiceRequest {
  return request(server, "sys/leases/renew", { method: "PUT", token, body: { lease_id: leaseId } });
}

/** A token of Vault's own, from signing in. */
export interface VaultToken {
  readonly token: string;
  /** Absent: it does not end. */
  readonly expiresAtMs: number | undefined;
}

/** Reads what signing in gave. */
export function readLogin(answer: ServiceAnswer, nowMs: number): Result<VaultToken, string> {
  const body = jsonAnswer(answer);
  if (!body.ok) return body;
  const auth = asObject(member(body.value, "auth"));
  if (auth === undefined) return err("its answer has no auth");
  const token = secretToken(member(auth, "client_token"), "client_token");
  if (!token.ok) return token;
  const seconds = member(auth, "lease_duration");
  // Zero is how Vault says "for good"; such a token is looked at again now and then all the same.
  const life = lifetimeMs(seconds === 0 ? undefined : seconds, "lease_duration");
  if (!life.ok) return life;
  return ok({
    token: token.value,
    expiresAtMs: life.value === undefined ? undefined : nowMs + life.value,
  });
}

/** A lease of a dynamic secret. */
export interface Lease {
  readonly id: string;
  readonly expiresAtMs: number;
  readonly isRenewable: boolean;
}

/** A secret that was read: its members, and its lease where it has one. */
export interface ReadSecret {
  readonly data: JsonObject;
  readonly lease: Lease | undefined;
}

/** Reads a secret: of KV version 2 one version of it, of other engines what they made. */
export function readSecretAnswer(
  answer: ServiceAnswer,
  engine: "kv2" | "dynamic",
  nowMs: number,
): Result<ReadSecret, string> {
  const body = jsonAnswer(answer);
  if (!body.ok) return body;
  const outer = asObject(member(body.value, "data"));
  if (outer === undefined) return err("its answer has no data");
  if (engine === "kv2") {
    const data = asObject(member(outer, "data"));
    return data ? ok({ data, lease: undefined }) : err("that version of the secret is deleted");
  }
  const lease = readLease(body.value, nowMs);
  return lease.ok ? ok({ data: outer, lease: lease.value }) : lease;
}

/** Reads the answer to a renewal, which has the lease alone. */
export function readRenewal(answer: ServiceAnswer, nowMs: number): Result<Lease, string> {
  const body = jsonAnswer(answer);
  if (!body.ok) return body;
  const lease = readLease(body.value, nowMs);
  if (!lease.ok) return lease;
  return lease.value ? ok(lease.value) : err("its answer has no lease");
}

function readLease(body: JsonObject, nowMs: number): Result<Lease | undefined, string> {
  const id = member(body, "lease_id");
  if (id === undefined || id === "") return ok(undefined);
  if (typeof id !== "string" || id.length > 1024) return err("its lease_id is not a short string");
  const life = lifetimeMs(member(body, "lease_duration"), "lease_duration");
  if (!life.ok) return life;
  if (life.value === undefined) return err("its answer has no lease_duration");
  const isRenewable = member(body, "renewable") === true;
  return ok({ id, expiresAtMs: nowMs + life.value, isRenewable });
}

/** A member of a secret that is text. */
export function fieldOf(data: JsonObject, name: string): Result<string, string> {
  const value = member(data, name);
  return typeof value === "string" && value !== ""
    ? ok(value)
    : err(`the secret has no text under "${name}"`);
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}
