import assert from "node:assert/strict";
import { Gatekeeper } from "../../../src/monitor/web/gatekeeper.ts";

const PORT = 4711;
const HOST = `127.0.0.1:${PORT}`;

function get(path: string, headers: Record<string, string> = {}, method = "GET"): Request {
  return new Request(`http://${HOST}${path}`, { method, headers: { host: HOST, ...headers } });
}

const tokenPath = (gatekeeper: Gatekeeper) => {
  const { pathname, search } = new URL(gatekeeper.invitation!);
  return pathname + search;
};

/** A gatekeeper whose token was used, and the cookie that it gave. */
function visited(): { gatekeeper: Gatekeeper; cookie: string; path: string } {
  const gatekeeper = new Gatekeeper(PORT);
  const path = tokenPath(gatekeeper);
  const welcome = gatekeeper.admit(get(path));
  assert.equal(welcome.kind, "welcome");
  const { cookie } = welcome as { cookie: string };
  return { gatekeeper, cookie: cookie.split(";")[0]!, path };
}

function status(gatekeeper: Gatekeeper, request: Request): number | string {
  const admission = gatekeeper.admit(request);
  return admission.kind === "refused" ? admission.status : admission.kind;
}

Deno.test("admit() exchanges the token for a cookie that scripts and other sites do not get", () => {
  const gatekeeper = new Gatekeeper(PORT);
  const welcome = gatekeeper.admit(get(tokenPath(gatekeeper)));
  assert.ok(welcome.kind === "welcome");
  assert.match(
    welcome.cookie,
    /^firma_monitor=[\w-]{43}; Path=\/[\w-]{22}\/; HttpOnly; SameSite=Strict$/,
  );
  assert.ok(welcome.cookie.includes(`Path=${gatekeeper.base};`));
  const cookie = welcome.cookie.split(";")[0]!;
  for (const path of ["", "events", "why/1"]) {
    assert.deepEqual(gatekeeper.admit(get(gatekeeper.base + path, { cookie })), {
      kind: "admitted",
      path,
    });
  }
});

Deno.test("admit() takes the token once, and says nothing more about it", () => {
  const { gatekeeper, path, cookie } = visited();
  assert.equal(gatekeeper.invitation, undefined);
  assert.equal(status(gatekeeper, get(path)), 403);
  // Whoever used it may load the address again.
  assert.equal(status(gatekeeper, get(path, { cookie })), "welcome");
});

Deno.test("admit() refuses who has no token, a wrong one, or a wrong cookie", () => {
  const { gatekeeper, cookie } = visited();
  const fresh = new Gatekeeper(PORT);
  const right = tokenPath(fresh);
  const wrong = [
    get("/"),
    get("/?token="),
    get(`${right.slice(0, -1)}${right.endsWith("A") ? "B" : "A"}`),
    get(`${right}x`),
    get(fresh.base),
    get(fresh.base, { cookie }),
    get(fresh.base, { cookie: "firma_monitor=" }),
    get(`${fresh.base}events`, { cookie: `${cookie}x` }),
  ];
  for (const request of wrong) assert.equal(status(fresh, request), 403, request.url);
  assert.equal(status(fresh, get(right)), "welcome", "a wrong try does not use it up");
  assert.equal(status(gatekeeper, get("/elsewhere/", { cookie })), 403);
});

Deno.test("admit() refuses names that somebody made lead here, before anything else", () => {
  const { gatekeeper, cookie } = visited();
  const fresh = new Gatekeeper(PORT);
  const hosts = [
    "evil.invalid",
    `evil.invalid:${PORT}`,
    "127.0.0.1",
    "127.0.0.1:80",
    `127.0.0.1.evil.invalid:${PORT}`,
    `[::1]:${PORT}`,
    `0.0.0.0:${PORT}`,
    "",
  ];
  for (const host of hosts) {
    assert.equal(status(gatekeeper, get(gatekeeper.base, { cookie, host })), 421, host);
    assert.equal(status(fresh, get(tokenPath(fresh), { host })), 421, host);
  }
  assert.ok(fresh.invitation !== undefined, "the token is not used up");
  const control = get(gatekeeper.base, { cookie, host: `localhost:${PORT}` });
  assert.equal(status(gatekeeper, control), "admitted");
});

Deno.test("admit() refuses what other pages ask for, even with the cookie", () => {
  const { gatekeeper, cookie } = visited();
  const page = (headers: Record<string, string>) =>
    status(gatekeeper, get(`${gatekeeper.base}events`, { cookie, ...headers }));
  assert.equal(page({ origin: `http://${HOST}` }), "admitted");
  assert.equal(page({ "sec-fetch-site": "same-origin" }), "admitted");
  assert.equal(page({ "sec-fetch-site": "none" }), "admitted");
  for (const origin of ["http://evil.invalid", "null", "http://127.0.0.1:1", `https://${HOST}`]) {
    assert.equal(page({ origin }), 403, origin);
  }
  for (const site of ["cross-site", "same-site"]) {
    assert.equal(page({ "sec-fetch-site": site }), 403, site);
  }
});

Deno.test("admit() changes nothing for anybody", () => {
  const { gatekeeper, cookie } = visited();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
    assert.equal(status(gatekeeper, get(gatekeeper.base, { cookie }, method)), 405);
  }
});

Deno.test("admit() lets only the page itself change something, and only what waits", () => {
  const { gatekeeper, cookie } = visited();
  const { proof, base } = gatekeeper;
  const right = { cookie, origin: `http://${HOST}`, "x-firma-proof": proof };
  const post = (path: string, headers: Record<string, string>) =>
    status(gatekeeper, get(path, headers, "POST"));
  const path = `${base}rule/apr_01jd8xk5w7e0v9c3b2n4m6q8rs/approve`;
  const without = (name: string) =>
    Object.fromEntries(Object.entries(right).filter(([known]) => known !== name));
  assert.equal(post(path, right), "admitted");
  assert.equal(post(path, { ...right, "sec-fetch-site": "same-origin" }), "admitted");
  for (const name of Object.keys(right)) assert.equal(post(path, without(name)), 403, name);
  const wrong: Record<string, string>[] = [
    { ...right, origin: "null" },
    { ...right, origin: "http://evil.invalid" },
    { ...right, origin: `http://localhost:${PORT}` },
    { ...right, "sec-fetch-site": "cross-site" },
    { ...right, "sec-fetch-site": "same-site" },
    { ...right, cookie: "firma_monitor=x" },
    { ...right, "x-firma-proof": "" },
    { ...right, "x-firma-proof": new Gatekeeper(PORT).proof },
  ];
  for (const headers of wrong) assert.equal(post(path, headers), 403, JSON.stringify(headers));
  assert.equal(post(path, { ...right, host: "evil.invalid" }), 421);
  for (const other of ["", "events", "why/1", "../rule/x"]) {
    assert.equal(post(base + other, right), 405, other);
  }
  const fresh = new Gatekeeper(PORT);
  assert.equal(status(fresh, get(tokenPath(fresh), right, "POST")), 405);
  assert.ok(fresh.invitation !== undefined, "the token is not used up");
});
