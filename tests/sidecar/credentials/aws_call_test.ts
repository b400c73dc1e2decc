import assert from "node:assert/strict";
import type { AwsSigning } from "../../../src/broker/hand_out.ts";
import type { Body } from "../../../src/net/byte_source.ts";
import { sha256Hex } from "../../../src/secrets/sigv4/canonical.ts";
import { signedForAws, unsignedCall } from "../../../src/sidecar/credentials/aws_call.ts";
import type { OutgoingRequest } from "../../../src/sidecar/transport/upstream.ts";

const SIGNING: AwsSigning = {
  kind: "aws-sigv4",
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "token-of-the-session",
};
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const AGENTS = "AWS4-HMAC-SHA256 Credential=AKIAFSP/20250101/eu-west-1/dynamodb/aws4_request, " +
  `SignedHeaders=content-type;host;x-amz-date, Signature=${"0".repeat(64)}`;

function bodyOf(...pieces: readonly Uint8Array[]): Body {
  const left: (Uint8Array | undefined | null)[] = [
    ...pieces.flatMap((piece) => [undefined, piece]),
    null,
  ];
  return {
    length: undefined,
    take: () => left[0] === null ? null : left.shift(),
    wait: () => Promise.resolve(),
    trailers: [],
  };
}

async function textOf(body: Body | undefined): Promise<string> {
  let text = "";
  for (let piece = body?.take(); body && piece !== null; piece = body.take()) {
    if (piece === undefined) await body.wait();
    else text += new TextDecoder().decode(piece);
  }
  return text;
}

function request(special: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    method: "POST",
    scheme: "https",
    authority: "dynamodb.eu-west-1.amazonaws.com",
    target: "/",
    fields: [["content-type", "application/x-amz-json-1.0"], ["authorization", AGENTS]],
    spellings: ["Content-Type", "Authorization"],
    takesTrailers: false,
    webSocket: false,
    body: undefined,
    ...special,
  };
}

/** Both steps, one after the other. */
async function signed(request: OutgoingRequest) {
  const call = unsignedCall(request, SIGNING);
  return call.ok ? await signedForAws(call.value.request, call.value.plan, SIGNING, NOW) : call;
}

const authorization = ({ fields }: OutgoingRequest) => new Map(fields).get("authorization");

Deno.test("signedForAws() signs a body that came without a hash, and sends all of it", async () => {
  const pieces = ["hello ", "world"].map((text) => new TextEncoder().encode(text));
  const withBody = await signed(request({ body: bodyOf(...pieces) }));
  assert.ok(withBody.ok);
  assert.equal(await textOf(withBody.value.body), "hello world");
  const hash: [string, string] = ["x-amz-content-sha256", sha256Hex("hello world")];
  const fields = [...request().fields, hash];
  const same = await signed(request({ fields, spellings: undefined }));
  const empty = await signed(request());
  assert.ok(same.ok && empty.ok);
  const all = [withBody, same, empty].map(({ value }) => authorization(value));
  assert.equal(new Set(all).size, 3);
  assert.deepEqual(withBody.value.fields.map(([name]) => name), [
    "content-type",
    "x-amz-date",
    "x-amz-security-token",
    "authorization",
  ]);
  assert.deepEqual(withBody.value.spellings, [
    "Content-Type",
    "x-amz-date",
    "x-amz-security-token",
    "authorization",
  ]);
  assert.match(
    all[0]!,
    /^AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE\/20260102\/eu-west-1\/dynamodb\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, /,
  );
});

Deno.test("signedForAws() reads no body that its sender gave the hash of, and none without end", async () => {
  const mebibyte = new Uint8Array(1 << 20);
  const huge = () => bodyOf(...Array.from({ length: 5 }, () => mebibyte));
  const refused = await signed(request({ body: huge() }));
  assert.equal(
    refused.ok ? "" : refused.error,
    "its body is longer than 4 MiB and comes without x-amz-content-sha256",
  );
  const body = huge();
  const fields = [...request().fields, ["x-amz-content-sha256", "UNSIGNED-PAYLOAD"]] as const;
  const taken = await signed(
    request({ body, fields: fields.map(([n, v]) => [n, v]), spellings: undefined }),
  );
  assert.ok(taken.ok);
  assert.equal(taken.value.body, body);
});

Deno.test("signedForAws() signs nothing whose pieces the agent signed for themselves", async () => {
  const hash: [string, string] = ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"];
  const refused = await signed(
    request({ fields: [...request().fields, hash] }),
  );
  assert.match(refused.ok ? "" : refused.error, /^each piece of its body is signed for itself/);
});
