import assert from "node:assert/strict";
import { callFingerprint, execFingerprint } from "../../src/approvals/fingerprint.ts";

const CALL = {
  method: "POST",
  scheme: "https",
  host: "api.bank.test",
  port: 443,
  path: "/v1/transfers",
  query: "?dry=0",
} as const;
const HEADERS = [["content-type", "application/json"], ["authorization", "Bearer a"]] as const;
const BODY = "aa".repeat(32);

const SAME: Record<string, Parameters<typeof callFingerprint>> = {
  "in another order": [CALL, [...HEADERS].reverse(), BODY],
  "with what changes at each try": [
    CALL,
    [...HEADERS, ["date", "now"], ["traceparent", "00-1"], ["x-datadog-trace-id", "4"]],
    BODY,
  ],
};

const DIFFERENT: Record<string, Parameters<typeof callFingerprint>> = {
  "another method": [{ ...CALL, method: "PUT" }, HEADERS, BODY],
  "another host": [{ ...CALL, host: "api.bank.invalid" }, HEADERS, BODY],
  "another port": [{ ...CALL, port: 8443 }, HEADERS, BODY],
  "another path": [{ ...CALL, path: "/v1/transfer" }, HEADERS, BODY],
  "another query": [{ ...CALL, query: "?dry=1" }, HEADERS, BODY],
  "another byte in the body": [CALL, HEADERS, `ab${BODY.slice(2)}`],
  "another account": [CALL, [HEADERS[0], ["authorization", "Bearer b"]], BODY],
  "a header more": [CALL, [...HEADERS, ["stripe-account", "acct_1"]], BODY],
  "a header less": [CALL, [HEADERS[0]], BODY],
  "a value that looks like two": [CALL, [["content-type", 'application/json","x']], BODY],
};

for (const [name, request] of Object.entries(SAME)) {
  Deno.test(`callFingerprint() knows a call ${name} again`, () => {
    assert.equal(callFingerprint(...request), callFingerprint(CALL, HEADERS, BODY));
  });
}

for (const [name, request] of Object.entries(DIFFERENT)) {
  Deno.test(`callFingerprint() tells ${name} apart`, () => {
    assert.notEqual(callFingerprint(...request), callFingerprint(CALL, HEADERS, BODY));
  });
}

Deno.test("callFingerprint() looks through a signature that changes each second", () => {
  const signed = (key: string, signature: string) =>
    callFingerprint(CALL, [[
      "authorization",
      `AWS4-HMAC-SHA256 Credential=${key}/20260301/x/s3/aws4_request, Signature=${signature}`,
    ]], BODY);
  assert.equal(signed("AKIA1", "aa"), signed("AKIA1", "bb"));
  assert.notEqual(signed("AKIA1", "aa"), signed("AKIA2", "aa"));
});

const RUN = {
  name: "git",
  file: "/usr/bin/git",
  argv: ["git", "push", "--force"],
  cwd: "/home/alice/rocket",
  files: [["deploy.sh", "dd"]] as [string, string][],
  environment: { GIT_DIR: ".git", PATH: "/usr/bin" },
};

Deno.test("execFingerprint() tells apart what makes an execution another one", () => {
  const same = { ...RUN, environment: { ...RUN.environment, PATH: "/bin", TERM: "dumb" } };
  assert.equal(execFingerprint(same), execFingerprint(RUN));
  const others = [
    { ...RUN, name: "got" },
    { ...RUN, file: "/tmp/git" },
    { ...RUN, argv: ["git", "push --force"] },
    { ...RUN, cwd: "/home/alice" },
    { ...RUN, interpreter: ["/bin/sh", "-e"] as const },
    { ...RUN, files: [["deploy.sh", "de"]] as [string, string][] },
    { ...RUN, environment: { ...RUN.environment, GIT_SSH_COMMAND: "x" } },
    // The attack: "terraform apply" is approved, and runs with TF_CLI_ARGS_apply=-destroy.
    ...["LD_PRELOAD", "TF_CLI_ARGS_apply", "KUBECONFIG", "BASH_ENV", "NODE_OPTIONS", "TAR_OPTIONS"]
      .map((name) => ({ ...RUN, environment: { ...RUN.environment, [name]: "x" } })),
  ];
  for (const other of others) assert.notEqual(execFingerprint(other), execFingerprint(RUN));
});
