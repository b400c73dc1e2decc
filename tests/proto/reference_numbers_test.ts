/** The protocol is one that others speak already: names, numbers and types are theirs, not ours. */
import { type DescField, type DescFile, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { file_firma_v1_audit } from "../../src/proto/firma/v1/audit_pb.ts";
import { file_firma_v1_authority } from "../../src/proto/firma/v1/authority_pb.ts";
import { file_firma_v1_bundle } from "../../src/proto/firma/v1/bundle_pb.ts";
import { file_firma_v1_capability } from "../../src/proto/firma/v1/capability_pb.ts";
import { file_firma_v1_envelope } from "../../src/proto/firma/v1/envelope_pb.ts";
import { file_firma_v1_interceptor } from "../../src/proto/firma/v1/interceptor_pb.ts";

const FILES: readonly DescFile[] = [
  file_firma_v1_audit,
  file_firma_v1_authority,
  file_firma_v1_bundle,
  file_firma_v1_capability,
  file_firma_v1_envelope,
  file_firma_v1_interceptor,
];

/** From here on, numbers are firma's own. */
const OWN = 100;

/**
 * What others send and expect; `!` marks a number that nobody may use. A `resource_scope` is one
 * string to them, which on the wire is a list of one.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  SidecarCredentials: "1 string workspace_id, 2 string sidecar_id, 3 string pre_shared_key",
  IssueCapabilityRequest: "1 string agent_id, 2 string[] requested_actions, " +
    "3 string[] resource_scope, 4 string session_id, 5 int32 requested_ttl_seconds, " +
    "6 SidecarCredentials credentials",
  IssueCapabilityResponse: "1 bool granted, 2 CapabilityToken token, 3 string deny_reason, " +
    "4 string deny_message, 5 IssueDecision decision, 6 string? approval_id, " +
    "7 string? approval_url, 8 Timestamp approval_expiry",
  WatchPolicyBundleRequest: "1 string current_version, 2 SidecarCredentials credentials",
  PolicyBundleUpdate: "1 PolicyBundle bundle, 2 Timestamp updated_at",
  WatchRevocationsRequest: "1 Timestamp since, 2 SidecarCredentials credentials",
  PolicyBundle: "1 string version, 2 bytes policies, 3 bytes entity_schema, 4 uint32 ttl_seconds",
  RevocationEvent: "1 string token_id, 2 string reason, 3 Timestamp timestamp",
  CapabilityToken: "1 string token_id, 2 string agent_id, 3 string session_id, " +
    "4 string[] action_set, 5 string[] resource_scope, 6 Timestamp issued_at, " +
    "7 Timestamp expiry, 8 string context_hash, 9 bytes signature, 10 TokenFormat format, 11 !, " +
    "12 string? policy_bundle_version, 13 string? approver_id, 14 string? approval_id",
  ExecutionIntent: "1 map<string> resource, 2 HttpParams params/http, 3 DbQueryParams params/db, " +
    "4 ToolUseParams params/tool, 5 string action_class, 6 string raw_transport, " +
    "7 string raw_action_ref",
  HttpParams: "1 string method, 2 map<string> headers, 3 bytes body, 4 map<string> query",
  DbQueryParams: "1 string query_name, 2 map<string> bindings, 3 string db_name, 4 bool read_only",
  ToolUseParams: "1 string tool_name, 2 string input",
  ExecutionMetadata: "1 string session_id, 2 string agent_id, 3 Timestamp timestamp, " +
    "4 string? trace_id, 5 !, 6 double? risk_score, 7 string? thread_id, " +
    "8 string? parent_action_id",
  ExecutionEnvelope: "1 ExecutionIntent intent, 2 CapabilityToken capability, " +
    "3 ExecutionMetadata metadata, 4 string? provenance",
  ConnectorResponse: "1 int32 status_code, 2 bytes body, 3 map<string> headers, " +
    "4 int64 latency_micros, 5 int64 response_size_bytes",
  ExecutionEvent: "1 string event_id, 2 string session_id, 3 string token_id, 4 string agent_id, " +
    "5 string action, 6 string resource, 7 EnforcementDecision decision, 8 string deny_reason, " +
    "9 int64 enforcement_latency_us, 10 string context_hash, 11 string bundle_version, " +
    "12 Timestamp timestamp, 13 bytes signature, 14 int32 dispatch_status, " +
    "15 int64 dispatch_latency_us, 16 int64 response_size, 17 string sandbox_id",
  StreamEventsResponse: "1 string last_event_id, 2 int64 events_received",
  InterceptRequest: "1 string method, 2 string host, 3 string path, 4 map<string> headers, " +
    "5 bytes body, 6 bool is_https, 7 string session_id",
  InterceptResponse: "1 bool allowed, 2 string reason",
};

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  TokenFormat: ["TOKEN_FORMAT_UNSPECIFIED", "TOKEN_FORMAT_PASETO_V4", "TOKEN_FORMAT_JWT_RS256"],
  EnforcementDecision: ["UNSPECIFIED", "ALLOW", "DENY", "ABORT", "MODIFY", "STEP_UP", "DEFER"]
    .map((name) => `ENFORCEMENT_DECISION_${name}`),
  IssueDecision: ["UNSPECIFIED", "ALLOW", "DENY", "PENDING_APPROVAL"]
    .map((name) => `ISSUE_DECISION_${name}`),
};

const METHODS = [
  "firma.v1.AuditService/StreamEvents client_streaming ExecutionEvent StreamEventsResponse",
  "firma.v1.AuthorityService/IssueCapability unary IssueCapabilityRequest IssueCapabilityResponse",
  "firma.v1.AuthorityService/WatchPolicyBundle server_streaming WatchPolicyBundleRequest " +
  "PolicyBundleUpdate",
  "firma.v1.AuthorityService/WatchRevocations server_streaming WatchRevocationsRequest " +
  "RevocationEvent",
  "firma.v1.InterceptorHook/Intercept unary InterceptRequest InterceptResponse",
];

/** Methods that only clients of firma's own call. */
const OWN_METHODS = [
  "firma.v1.AuditService/AddCheckpoint unary AddCheckpointRequest AddCheckpointResponse",
  "firma.v1.AuditService/ResumeEvents unary ResumeEventsRequest ResumeEventsResponse",
  "firma.v1.AuditService/SearchEvents server_streaming SearchEventsRequest SearchEventsResponse",
  "firma.v1.AuthorityService/IssueIdentityToken unary IssueIdentityTokenRequest " +
  "IssueIdentityTokenResponse",
];

function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return ScalarType[field.scalar].toLowerCase();
    case "message":
      return field.message.name;
    case "enum":
      return field.enum.name;
    case "list":
      return `${field.listKind === "scalar" ? ScalarType[field.scalar].toLowerCase() : "?"}[]`;
    case "map":
      return `map<${field.mapKind === "scalar" ? ScalarType[field.scalar].toLowerCase() : "?"}>`;
  }
}

/** A message as {@linkcode MESSAGES} writes it. */
function described({ fields, proto }: DescMessage): string {
  const reserved = proto.reservedRange.map(({ start }) => [start!, `${start} !`] as const);
  const own = fields.filter(({ number }) => number < OWN).map((field) => {
    const isOptional = field.proto.proto3Optional;
    const name = field.oneof && !isOptional ? `${field.oneof.name}/${field.name}` : field.name;
    return [
      field.number,
      `${field.number} ${typeOf(field)}${isOptional ? "?" : ""} ${name}`,
    ] as const;
  });
  return [...own, ...reserved].sort(([a], [b]) => a - b).map(([, text]) => text).join(", ");
}

Deno.test("proto/ has the messages, names, numbers and types that others speak", async (t) => {
  const messages = new Map(FILES.flatMap((file) => file.messages).map((each) => [each.name, each]));
  for (const [name, expected] of Object.entries(MESSAGES)) {
    await t.step(name, () => assert.equal(described(messages.get(name)!), expected));
  }
  const enums = new Map(FILES.flatMap((file) => file.enums).map((each) => [each.name, each]));
  for (const [name, expected] of Object.entries(ENUMS)) {
    await t.step(name, () => {
      const values = enums.get(name)!.values.map((value) => [value.number, value.name]);
      assert.deepEqual(values, expected.map((value, number) => [number, value]));
    });
  }
});

Deno.test("proto/ has the services and methods that others call", () => {
  const methods = FILES.flatMap((file) => file.services).flatMap((service) =>
    service.methods.map(({ name, methodKind, input, output }) =>
      `${service.typeName}/${name} ${methodKind} ${input.name} ${output.name}`
    )
  );
  const others = methods.filter((method) => !OWN_METHODS.includes(method));
  assert.deepEqual(others.sort(), METHODS);
});
