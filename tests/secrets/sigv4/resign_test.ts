import assert from "node:assert/strict";
import { type CallToSign, sha256Hex } from "../../../src/secrets/sigv4/canonical.ts";
import { resign, signingPlan } from "../../../src/secrets/sigv4/resign.ts";
import type { AwsKeys } from "../../../src/secrets/sigv4/signature.ts";

/** What AWS publishes examples with. */
const IAM: AwsKeys = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const S3: AwsKeys = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const EMPTY = sha256Hex("");

/** What an agent with look-alikes of keys signs with. */
function placeholders(region: string, service: string, signed: string): [string, string] {
  return [
    "authorization",
    `AWS4-HMAC-SHA256 Credential=AKIAFSP0PLACEHOLDER0/20110101/${region}/${service}/aws4_request, ` +
    `SignedHeaders=${signed}, Signature=${"0".repeat(64)}`,
  ];
}

function resigned(call: CallToSign, keys: AwsKeys, nowMs: number, bodyHash = EMPTY) {
  const plan = signingPlan(call, {});
  if (!plan.ok) assert.fail(plan.error);
  const payloadHash = plan.value.payloadHash ?? bodyHash;
  return resign(call, keys, { ...plan.value, payloadHash, nowMs });
}

function signatureOf(fields: readonly (readonly [string, string])[]): string {
  const [authorization, ...more] = fields.filter(([name]) => name === "authorization");
  assert.deepEqual(more, []);
  return /Signature=([0-9a-f]{64})$/.exec(authorization![1])![1]!;
}

Deno.test("resign() signs as the published example of ListUsers", () => {
  const type = "application/x-www-form-urlencoded; charset=utf-8";
  const fields = resigned(
    {
      method: "GET",
      authority: "iam.amazonaws.com",
      target: "/?Action=ListUsers&Version=2010-05-08",
      fields: [
        ["content-type", type],
        ["x-amz-date", "20110101T000000Z"],
        placeholders("us-east-1", "iam", "content-type;host;x-amz-date"),
      ],
    },
    IAM,
    Date.UTC(2015, 7, 30, 12, 36),
  );
  assert.deepEqual(fields, [
    ["content-type", type],
    ["x-amz-date", "20150830T123600Z"],
    [
      "authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
      "SignedHeaders=content-type;host;x-amz-date, " +
      "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ],
  ]);
});

Deno.test("resign() signs as the published examples of S3", () => {
  const signature = (
    method: string,
    target: string,
    more: readonly [string, string][] = [],
    hash = EMPTY,
  ) =>
    signatureOf(resigned(
      {
        method,
        authority: "examplebucket.s3.amazonaws.com",
        target,
        fields: [
          ...more,
          ["x-amz-content-sha256", hash],
          placeholders("us-east-1", "s3", `host;${more.map(([name]) => name).sort().join(";")}`),
        ],
      },
      S3,
      Date.UTC(2013, 4, 24),
    ));
  assert.equal(
    signature("GET", "/test.txt", [["range", "bytes=0-9"]]),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  assert.equal(
    signature("PUT", "/test%24file.text", [
      ["date", "Fri, 24 May 2013 00:00:00 GMT"],
      ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
    ], sha256Hex("Welcome to Amazon S3.")),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  );
  assert.equal(
    signature("GET", "/?lifecycle"),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  );
  assert.equal(
    signature("GET", "/?max-keys=2&prefix=J"),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
});

interface Vector extends CallToSign {
  readonly token: string | null;
  readonly body: string;
}

Deno.test("resign() signs what botocore would have signed with the real keys", () => {
  const vectors: Vector[] = JSON.parse(
    Deno.readTextFileSync(new URL("botocore_vectors.json", import.meta.url)),
  );
  assert.equal(vectors.length, 60);
  for (const { token, body, ...call } of vectors) {
    const [, authorization] = call.fields.find(([name]) => name === "authorization")!;
    const fields = call.fields.map(([name, value]): readonly [string, string] => {
      if (name === "authorization") {
        return [name, value.replace("AKIDEXAMPLE", "AKIAFSP0").replace(/[0-9a-f]{64}$/, "0")];
      }
      if (name === "x-amz-security-token") return [name, "fsp_placeholder"];
      return name === "x-amz-date" ? [name, "20200101T000000Z"] : [name, value];
    });
    const keys = { ...IAM, ...(token !== null && { sessionToken: token }) };
    const now = Date.UTC(2026, 0, 2, 3, 4, 5);
    const signed = resigned({ ...call, fields }, keys, now, sha256Hex(body));
    assert.equal(new Map(signed).get("authorization"), authorization, call.target);
    assert.equal(new Map(signed).get("x-amz-security-token"), token ?? undefined);
  }
});

const CALL = {
  method: "GET",
  authority: "s3.us-east-1.amazonaws.test",
  target: "/a",
  fields: [placeholders("us-east-1", "s3", "host;x-amz-date")],
} as const;

Deno.test("resign() leaves nothing of the agent's own keys, and takes no token of its own choice", () => {
  const fields = resigned(
    {
      ...CALL,
      fields: [
        ...CALL.fields,
        ["x-amz-security-token", "agent-1"],
        ["x-amz-security-token", "agent-2"],
        ["x-amz-date", "20990101T000000Z"],
        ["x-amz-acl", "private"],
      ],
    },
    S3,
    0,
  );
  assert.doesNotMatch(JSON.stringify(fields), /agent-|PLACEHOLDER|2099|"0{64}/);
  assert.match(JSON.stringify(fields), /SignedHeaders=host;x-amz-acl;x-amz-date,/);
});

Deno.test("resign() does not sign what changes on the way", () => {
  const fields = resigned(
    {
      ...CALL,
      fields: [
        placeholders("us-east-1", "s3", "accept-encoding;content-length;host;user-agent;x-gone"),
        ["accept-encoding", "br"],
        ["content-length", "0"],
        ["user-agent", "agent"],
      ],
    },
    S3,
    0,
  );
  assert.match(JSON.stringify(fields), /SignedHeaders=host;x-amz-date,/);
});

Deno.test("signingPlan() takes region and service of a call that is not signed from the configuration", () => {
  const call = { ...CALL, fields: [] };
  const plan = signingPlan(call, { region: "eu-west-1", service: "s3" });
  assert.ok(plan.ok);
  assert.deepEqual([plan.value.region, plan.value.service], ["eu-west-1", "s3"]);
  for (const otherwise of [{}, { region: "eu-west-1" }, { service: "s3" }]) {
    assert.ok(!signingPlan(call, otherwise).ok);
  }
});

Deno.test("signingPlan() refuses what cannot be signed anew", () => {
  const sha = (value: string): [string, string] => ["x-amz-content-sha256", value];
  for (const hash of ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", EMPTY]) {
    const plan = signingPlan({ ...CALL, fields: [...CALL.fields, sha(hash)] }, {});
    assert.equal(plan.ok && plan.value.payloadHash, hash);
  }
  const of = (value: string): [string, string][] => [["authorization", value]];
  const [, good] = CALL.fields[0];
  const refused: Readonly<Record<string, Partial<CallToSign>>> = {
    "signed pieces": { fields: [...CALL.fields, sha("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")] },
    "signed pieces and trailer": {
      fields: [...CALL.fields, sha("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")],
    },
    "signed with a curve": {
      fields: [...CALL.fields, sha("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")],
    },
    "a hash that is none": { fields: [...CALL.fields, sha("abc")] },
    "a hash with a line feed": { fields: [...CALL.fields, sha(`${EMPTY}\n`)] },
    "two hashes": { fields: [...CALL.fields, sha(EMPTY), sha("UNSIGNED-PAYLOAD")] },
    "another algorithm": { fields: of(good.replace("HMAC-SHA256", "ECDSA-P256-SHA256")) },
    "a bearer token": { fields: of("Bearer abc") },
    "two signatures": { fields: [...CALL.fields, ...CALL.fields] },
    "a region of two lines": { fields: of(good.replace("us-east-1", "us\neast")) },
    "a scope with more parts": { fields: of(good.replace("/s3/", "/s3/x/")) },
    "a link": { target: "/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00" },
    "a link in other spelling": { target: "/a?%58-amz-sig%6Eature=00" },
    "an old link": { target: "/a?AWSAccessKeyId=AKIA&Signature=abc" },
  };
  assert.ok(signingPlan(CALL, {}).ok);
  for (const [what, part] of Object.entries(refused)) {
    assert.ok(!signingPlan({ ...CALL, ...part }, { region: "a", service: "b" }).ok, what);
  }
});
