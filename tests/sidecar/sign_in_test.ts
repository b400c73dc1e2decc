import assert from "node:assert/strict";
import { eventually } from "../fixtures/deadline.ts";
import { startTokenService, type TokenService } from "../fixtures/token_service.ts";
import { Rig, type RigSession, RULES } from "./rig.ts";

// The names are those of a service that firma knows; both are on this machine.
const API = "api.anthropic.com";
const AUTH = "platform.claude.com";
const TOKEN_URL = `https://${AUTH}/v1/oauth/token`;
const RULES_OF_SERVICE = `${RULES}
[[rules]]
host = "${API}"
action_class = "code.read"
[[rules]]
host = "${AUTH}"
action_class = "credential.read"
`;

interface Signed {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly [name: string]: unknown;
}

interface World extends AsyncDisposable {
  readonly rig: Rig;
  readonly service: Awaited<ReturnType<typeof startTokenService>>;
  readonly file: string;
}

/** A Sidecar with a credential that is signed in for; `kept` is in its file from the beginning. */
async function start(
  options: { readonly kept?: string; readonly lines?: string } = {},
): Promise<World> {
  const service = await startTokenService(API, AUTH);
  service.good.set("operator", { access: "at-of-the-operator", refresh: "rt-of-the-operator" });
  const directory = await Deno.makeTempDir({ prefix: "firma-sign-in-" });
  const file = `${directory}/service.json`;
  if (options.kept !== undefined) await Deno.writeTextFile(file, options.kept, { mode: 0o600 });
  const rig = await Rig.start({
    rules: RULES_OF_SERVICE,
    policy: "permit (principal, action, resource);",
    prepare: (dir) => Deno.writeTextFile(`${dir}/service-ca.pem`, service.caPem),
    more: [API, AUTH].map((host) => `
[[sidecar.connector.hosts]]
host = "${host}"
connect_addr = "127.0.0.1:${service.port}"
ca_cert_path = "service-ca.pem"
`).join("") + `
[sidecar.credentials.service]
provider = "sign_in"
hosts = ["${API}"]
env = ["SERVICE_TOKEN"]
${options.lines ?? `sign_in_at = "claude"\nsign_in_file = "${file}"`}
`,
  });
  return {
    rig,
    service,
    file,
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await service.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

const KEPT = JSON.stringify({
  access_token: "at-of-the-operator",
  refresh_token: "rt-of-the-operator",
});

const form = (members: Readonly<Record<string, string>>) => [
  ...["--request", "POST", "--data", String(new URLSearchParams(members))],
];
const json = (members: unknown) => [
  ...["--request", "POST", "--header", "Content-Type: application/json"],
  ...["--data", JSON.stringify(members)],
];

/** Signs in as a program of the agent does, and sees what it sees. */
async function signIn(session: RigSession, account: string): Promise<Signed> {
  const answer = await session.curl(
    TOKEN_URL,
    ...form({ grant_type: "authorization_code", code: account }),
  );
  assert.equal(answer.status, 200, answer.body);
  return parse(answer.body);
}

function parse(body: string): Signed {
  if (body.startsWith("{")) return JSON.parse(body);
  return Object.fromEntries(new URLSearchParams(body)) as unknown as Signed;
}

const renewal = (refresh: string) => ({ grant_type: "refresh_token", refresh_token: refresh });
const bearer = (token: string) => ["--header", `Authorization: Bearer ${token}`];

function seesNothing(service: TokenService, text: string): void {
  for (const token of service.given) assert.ok(!text.includes(token), `"${token}" is in ${text}`);
}

Deno.test("an agent signs in, works and renews, and sees no token", async () => {
  await using world = await start({ lines: `sign_in_at = "${TOKEN_URL}"` });
  const { rig, service } = world;
  const session = await rig.session();
  // Nobody has signed in yet: the server says so, also where the agent brings something of its own.
  assert.equal((await session.curl(`https://${API}/echo`, ...bearer("its-own-token"))).status, 401);
  assert.equal(service.seen.at(-1)?.authorization, "");

  for (const asForm of [false, true]) {
    service.asForm = asForm;
    const signed = await signIn(session, "somebody");
    seesNothing(service, JSON.stringify(signed));
    assert.equal(signed.access_token, session.environment.SERVICE_TOKEN);
    assert.equal(Number(signed.expires_in), 3600);
    const claims = JSON.parse(atob(signed.id_token.split(".")[1]!));
    assert.equal(claims.email, "a@b.test", "what a program shows of an ID token is there");
    const { access } = service.good.get("somebody")!;
    const answer = await session.curl(`https://${API}/echo`, ...bearer(signed.access_token));
    assert.equal(answer.status, 200, answer.body);
    assert.equal(service.seen.at(-1)?.authorization, `Bearer ${access}`);
    assert.equal(answer.body, JSON.stringify({ authorization: `Bearer ${signed.access_token}` }));

    // Renewing, in both forms of a body.
    for (const write of [form, json]) {
      const { refresh } = service.good.get("somebody")!;
      const renewed = await session.curl(TOKEN_URL, ...write(renewal(signed.refresh_token)));
      assert.equal(renewed.status, 200, renewed.body);
      assert.ok(service.seen.at(-1)!.body.includes(refresh), "it was not the real one");
      seesNothing(service, renewed.body);
      assert.equal(parse(renewed.body).refresh_token, signed.refresh_token);
      const after = await session.curl(`https://${API}/echo`, ...bearer(signed.access_token));
      assert.equal(after.status, 200, "the renewed token is not in use");
    }
  }
  // It is nobody else's, and nowhere on the disk.
  const other = await rig.session();
  assert.equal((await other.curl(`https://${API}/echo`)).status, 401);
  const log = await Deno.readTextFile(rig.auditFile);
  seesNothing(service, log + rig.stderr + JSON.stringify(rig.lines));
  assert.match(log, /"scope":"sign-in of session \\"ses_\w+\\", to renew it: tokens captured"/);
});

Deno.test("a kept sign-in is renewed for every session, and an agent cannot put another in its place", async () => {
  await using world = await start({ kept: KEPT });
  const { rig, service, file } = world;
  const [session, other] = [await rig.session(), await rig.session()];
  const tokenOf = (each: RigSession) => each.environment.SERVICE_TOKEN!;
  const works = async (each: RigSession, access: string) => {
    const answer = await each.curl(`https://${API}/echo`, ...bearer(tokenOf(each)));
    assert.equal(answer.status, 200, answer.body);
    assert.equal(service.seen.at(-1)?.authorization, `Bearer ${access}`);
  };
  await works(session, "at-of-the-operator");

  // Somebody else's account: for this session alone.
  const evil = await signIn(session, "evil");
  await works(session, service.good.get("evil")!.access);
  await works(other, "at-of-the-operator");
  assert.equal(await Deno.readTextFile(file), KEPT);

  // What looks like a renewal and is something else changes nothing that is kept.
  const third = await rig.session();
  const evilGrant = { grant_type: "authorization_code", code: "evil" };
  service.good.set("another", { access: "at-of-another", refresh: "rt-of-another" });
  const decoys = [
    [TOKEN_URL, ...json({ ...renewal(refreshPlaceholder(third)), ...evilGrant })],
    [TOKEN_URL, ...form({ ...renewal(refreshPlaceholder(third)), ...evilGrant })],
    [`${TOKEN_URL}?code=evil`, ...form(renewal(refreshPlaceholder(third)))],
  ];
  for (const [url, ...args] of decoys) {
    const refused = await third.curl(url!, ...args);
    assert.equal(refused.reason, "CREDENTIAL_CAPTURE_FAILED", refused.body);
  }
  assert.equal((await third.curl(TOKEN_URL, ...form(renewal("rt-of-another")))).status, 200);
  assert.equal(await Deno.readTextFile(file), KEPT);
  const doubled = await third.curl(
    TOKEN_URL,
    ...["--request", "POST", "--data", "grant_type=refresh_token&grant_type=authorization_code"],
  );
  assert.equal(doubled.reason, "CREDENTIAL_CAPTURE_FAILED");
  await works(other, "at-of-the-operator");

  // Two programs renew at once: the service would not have the same refresh token twice.
  const gate = Promise.withResolvers<void>();
  service.pause = gate.promise;
  const before = service.seen.length;
  const fourth = await rig.session();
  const refreshOf = async (each: RigSession) => {
    return await each.curl(TOKEN_URL, ...json(renewal(refreshPlaceholder(each))));
  };
  const both = [refreshOf(other), refreshOf(fourth)];
  await eventually("a renewal to arrive", () => service.seen.length > before || undefined);
  gate.resolve();
  for (const answer of await Promise.all(both)) assert.equal(answer.status, 200, answer.body);
  const { access, refresh } = service.good.get("operator")!;
  await works(other, access);
  await works(fourth, access);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  assert.equal(JSON.parse(await Deno.readTextFile(file)).refresh_token, refresh);
  // The session that signed in itself goes on with that.
  await works(session, service.good.get("evil")!.access);
  seesNothing(service, JSON.stringify(evil));
});

/** What stands for the refresh token in the sign-in file of a session's agent. */
function refreshPlaceholder({ signIns }: RigSession): string {
  return signIns.claude!.refreshToken!;
}

Deno.test("the placeholder of a refresh token goes to the token endpoint alone, the other nowhere near it", async () => {
  await using world = await start({ kept: KEPT });
  const { rig, service } = world;
  const session = await rig.session();
  const refresh = refreshPlaceholder(session);
  const access = session.environment.SERVICE_TOKEN!;
  const before = service.seen.length;
  const attempts: string[][] = [
    [`https://${API}/echo`, ...bearer(refresh)],
    [`https://${API}/echo`, ...json({ refresh_token: refresh })],
    [`https://${AUTH}/elsewhere`, ...json(renewal(refresh))],
    [`https://${AUTH}/oauth/tokens`, ...json(renewal(refresh))],
    [TOKEN_URL, ...json(renewal(access))],
    [TOKEN_URL, ...json({ note: refresh })],
    [TOKEN_URL, ...bearer(access)],
  ];
  for (const [url, ...args] of attempts) {
    const answer = await session.curl(url!, ...args);
    assert.equal(answer.reason, "PlaceholderRefused", `${url} ${args}: ${answer.body}`);
  }
  const stranger = await rig.session();
  const stolen = await stranger.curl(TOKEN_URL, ...json(renewal(refresh)));
  assert.equal(stolen.reason, "PlaceholderRefused");
  assert.equal(service.seen.length, before);
  const own = await session.curl(TOKEN_URL, ...json(renewal(refresh)));
  assert.equal(own.status, 200, "its own, where it belongs");
});

Deno.test("an answer to a sign-in that cannot be kept safe does not reach the agent", async () => {
  await using world = await start();
  const { rig, service } = world;
  const session = await rig.session();
  const ask = () =>
    session.curl(TOKEN_URL, ...form({ grant_type: "authorization_code", code: "x" }));
  const secret = "sk-Zq81mNvP0sLwT7yRk3uXcB5d";
  const good = { access_token: "at-0123456789abcdef", token_type: "Bearer" };
  const answers: Record<string, TokenService["answer"]> = {
    "an unknown member": { body: JSON.stringify({ ...good, session_key: secret }) },
    "a member of a member": { body: JSON.stringify({ ...good, more: { deep: [secret] } }) },
    "a name that is one": { body: JSON.stringify({ ...good, more: { [secret]: 1 } }) },
    "broken JSON": { body: JSON.stringify({ ...good, a: secret }).slice(0, -1) },
    "a list": { body: JSON.stringify([secret]) },
    "text": { type: "text/plain", body: secret },
    "a token twice in a form": {
      type: "application/x-www-form-urlencoded",
      body: `access_token=${secret}&access_token=${secret}x`,
    },
    "a redirect": { status: 302, body: JSON.stringify({ x: 1 }), headers: { location: "/x" } },
    "a refusal with a token": { status: 400, body: JSON.stringify({ access_token: secret }) },
    "a coding that nobody knows": { body: secret, headers: { "content-encoding": "rot13" } },
    "too much": { body: `{"a":"${" ".repeat(300_000)}","access_token":"${secret}"}` },
  };
  for (const [what, answer] of Object.entries(answers)) {
    service.answer = answer;
    const got = await ask();
    assert.equal(got.reason, "CREDENTIAL_CAPTURE_FAILED", `${what}: ${got.body}`);
    assert.equal(got.status, 502);
    assert.ok(!got.body.includes(secret), what);
  }
  // What holds no secret goes on: a program has to hear that it is refused, or has to wait.
  const harmless: Record<string, TokenService["answer"]> = {
    "a refusal": { status: 400, body: '{"error":"invalid_grant","error_description":"gone"}' },
    "not yet": { body: '{"error":"authorization_pending"}' },
    "an error page": { status: 503, type: "text/html", body: "<h1>Try later</h1>" },
  };
  for (const [what, answer] of Object.entries(harmless)) {
    service.answer = answer;
    const got = await ask();
    assert.equal(got.status, answer!.status ?? 200, what);
    assert.equal(got.body, answer!.body, what);
  }
  const outcomes = (await rig.events()).filter((event) =>
    event.kind === "outcome" && event.abort_reason === "CREDENTIAL_CAPTURE_FAILED"
  );
  assert.equal(outcomes.length, Object.keys(answers).length);
});

Deno.test("a sign-in that is to be kept and cannot be reaches no agent", async () => {
  await using world = await start({
    lines: 'sign_in_at = "claude"\nkeep_new = true\nsign_in_file = "missing/a.json"',
  });
  const { rig, service } = world;
  const session = await rig.session();
  const asked = () =>
    session.curl(TOKEN_URL, ...form({ grant_type: "authorization_code", code: "x" }));
  const failed = await asked();
  assert.equal(failed.reason, "CREDENTIAL_CAPTURE_FAILED", failed.body);
  seesNothing(service, failed.body);
  await Deno.mkdir(`${rig.dir}/missing`);
  assert.equal((await asked()).status, 200);
  const other = await rig.session();
  const answer = await other.curl(`https://${API}/echo`);
  assert.equal(answer.status, 200, "it is kept for every session");
});
