import assert from "node:assert/strict";
import { readAwsProfile } from "../../../../src/broker/providers/aws/credentials_file.ts";
import { awsRole, type AwsRoleOptions } from "../../../../src/broker/providers/aws/provider.ts";
import { ok } from "../../../../src/core/result.ts";
import { needing, NEVER, testWorld } from "../../../fixtures/provider_world.ts";
import { standInSts, STS_KEYS } from "../../../fixtures/stand_in_sts.ts";

const ROLE = "arn:aws:iam::123456789012:role/agents";
const FILE = `[other]
aws_access_key_id = AKIAOTHEROTHEROTHER0
aws_secret_access_key = other
[default]
aws_access_key_id = ${STS_KEYS.accessKeyId}
aws_secret_access_key=${STS_KEYS.secretAccessKey}
`;

async function asking(
  options: Partial<AwsRoleOptions> = {},
  sts: Partial<Parameters<typeof standInSts>[0]> = {},
  file = FILE,
) {
  using world = testWorld({ "/aws": file });
  world.identityToken = (audience, { agentId }) =>
    Promise.resolve(ok(`jwt-${audience}-${agentId}`));
  await using server = standInSts({ nowMs: world.nowMs, ...sts });
  const provider = awsRole({
    roleArn: ROLE,
    proof: { by: "keys", file: "/aws", profile: "default" },
    stsUrl: server.url,
    stsRegion: "us-east-1",
    sessionPolicy: undefined,
    durationS: 900,
    region: undefined,
    service: undefined,
    ...options,
  }, world);
  const handOut = await provider.obtain(needing({ sessionId: "ses_01/x y" }), NEVER);
  const form = new URLSearchParams(server.asked[0]?.body);
  return { handOut, form, nowMs: world.nowMs, scope: provider.scope(needing()) };
}

Deno.test("awsRole() takes a role with keys that it signs its request with", async () => {
  const { handOut, form, nowMs, scope } = await asking({ region: "eu-west-1", service: "s3" });
  assert.deepEqual(handOut, {
    ok: true,
    value: {
      label: "test",
      headers: [],
      secrets: ["secret/of+the+session/EXAMPLEKEY00000000", "FwoGZXIvYXdzEXAMPLEtoken=="],
      expiresAtMs: nowMs + 900_000,
      signing: {
        kind: "aws-sigv4",
        accessKeyId: "ASIAIOSFODNN7EXAMPLE",
        secretAccessKey: "secret/of+the+session/EXAMPLEKEY00000000",
        sessionToken: "FwoGZXIvYXdzEXAMPLEtoken==",
        region: "eu-west-1",
        service: "s3",
      },
    },
  });
  assert.equal(form.get("RoleSessionName"), "ses_01-x-y");
  assert.equal(form.get("Policy"), null);
  assert.equal(scope, `${ROLE}, ses_1`);
});

Deno.test("awsRole() takes a role with an ID token, and narrows it by a policy", async () => {
  const policy = '{"Version":"2012-10-17","Statement":[]}';
  const { handOut, form } = await asking({
    proof: { by: "identity_token", audience: "sts.amazonaws.com" },
    sessionPolicy: policy,
  }, { isIdentity: (token) => token === "jwt-sts.amazonaws.com-agt_1" });
  assert.ok(handOut.ok, JSON.stringify(handOut));
  assert.equal(form.get("Policy"), policy);
});

Deno.test("awsRole() says of a refusal its code alone", async () => {
  const wrong = await asking({}, {}, FILE.replace("wJalr", "wrong"));
  assert.ok(!wrong.handOut.ok);
  assert.match(wrong.handOut.error.message, /: it answered 403 \(SignatureDoesNotMatch\)$/);
  assert.doesNotMatch(JSON.stringify(wrong.handOut), /wrongXUt/);
  const proof = { by: "identity_token", audience: "a" } as const;
  const token = await asking({ proof });
  assert.ok(!token.handOut.ok);
  assert.match(token.handOut.error.message, /\(InvalidIdentityToken\)$/);
  assert.doesNotMatch(JSON.stringify(token.handOut), /jwt-/);
});

Deno.test("awsRole() hands out nothing of an answer that could be read in two ways", async () => {
  const lies: Readonly<Record<string, (xml: string) => string>> = {
    "another type of document": (xml) => `<!DOCTYPE a [<!ENTITY x "y">]>${xml}`,
    "a comment": (xml) => xml.replace("<Credentials>", "<!-- --><Credentials>"),
    "an instruction": (xml) => `<?xslt a?>${xml}`,
    "two keys": (xml) =>
      xml.replace("</Credentials>", "<AccessKeyId>ASIA</AccessKeyId></Credentials>"),
    "two sets of keys": (xml) => xml.replace("</Credentials>", "</Credentials><Credentials/>"),
    "a key with an attribute": (xml) => xml.replace("<SessionToken>", '<SessionToken a="b">'),
    "an entity": (xml) => xml.replace("FwoG", "&#70;woG"),
    "a token with a line feed": (xml) => xml.replace("FwoG", "Fwo\nG"),
    "no expiry": (xml) => xml.replace(/<Expiration>.*<\/Expiration>/, ""),
    "an expiry that is over": (xml) => xml.replace(/>20\d\d-/, ">2001-"),
    "a page": () => "<html></html>",
    "nothing": () => "",
  };
  for (const [what, change] of Object.entries(lies)) {
    const { handOut } = await asking({}, { change });
    assert.equal(handOut.ok ? "" : handOut.error.code, "CREDENTIAL_ANSWER_INVALID", what);
  }
});

Deno.test("readAwsProfile() reads one profile, and none that is there twice or is incomplete", () => {
  const read = readAwsProfile(FILE, "default");
  assert.deepEqual(read, ok({ ...STS_KEYS, sessionToken: undefined }));
  const keys = FILE.slice(FILE.indexOf("[default]"));
  const withToken = readAwsProfile(`${keys}aws_session_token = abc\n# x\n; y\n`, "default");
  assert.equal(withToken.ok && withToken.value.sessionToken, "abc");
  const wrong = [
    "",
    "[default]\n",
    `${keys}${keys}`,
    keys.replace("[default]", "[profile default]"),
  ];
  for (const text of wrong) assert.ok(!readAwsProfile(text, "default").ok, text);
});
