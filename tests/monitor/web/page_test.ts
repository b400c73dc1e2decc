import assert from "node:assert/strict";
import { Chromium, type Page } from "../../fixtures/chromium.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { sampleDecision } from "../../audit/sample.ts";
import { MonitorServer } from "../../../src/monitor/web/server.ts";
import { STANDING, storyEvents } from "../storyboard.ts";
import { storyWatched } from "./watched.ts";

const ROWS = "document.querySelectorAll('.row').length";

/** What an agent may choose: a host, a path, a header, a name. Each would set `window.owned`. */
const ATTACKS = [
  "<script>window.owned=1</script>",
  "<img src=x onerror=window.owned=1>",
  `"><svg onload=window.owned=1>`,
  "javascript:window.owned=1",
  "</style><script>window.owned=1</script>",
  "{{constructor.constructor('window.owned=1')()}}",
  "\u202egnp.exe\u2066",
  "line\nevent: rows\ndata: {}\n\n",
];

/** Asks as any program on this machine can, with whatever headers. */
async function ask(port: number, lines: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ port });
  const request = `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

/** A page on another origin, which tries what it can against the monitor. */
function foreignSite(): { readonly server: Deno.HttpServer<Deno.NetAddr>; readonly url: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<!doctype html>elsewhere", { headers: { "content-type": "text/html" } }),
  );
  return { server, url: `http://localhost:${server.addr.port}/` };
}

async function opened(browser: Chromium, server: MonitorServer): Promise<Page> {
  const page = await browser.newPage();
  await page.look({ width: 1_280, height: 800 });
  await page.goto(server.invitation!);
  await page.until("location.search === '' && typeof EventSource === 'function'");
  return page;
}

async function showsEverything(browser: Chromium): Promise<void> {
  const watched = storyWatched();
  const server = new MonitorServer(watched, 0);
  const page = await opened(browser, server);
  await page.until(`${ROWS} > 20`);
  const text = await page.evaluate<string>("document.body.innerText");
  for (const part of ["Sidecar 2 h 14 min", "3f9c2a71d04be865", "audit 553 lines", "~/src/shop"]) {
    assert.ok(text.includes(part), part);
  }
  assert.match(text, /allowed\s+273\s+denied\s+4\s+aborted\s+1/);

  watched.add(sampleDecision({ event_id: "aevt_new", resource: "new.invalid/live" }));
  await page.until("document.querySelector('.row').innerText.includes('new.invalid/live')");

  await page.press("/");
  for (const char of "git-receive") await page.press(char);
  await page.until(`${ROWS} === 2`);
  await page.press("Escape");
  await page.press("d");
  await page.until(`${ROWS} === 4`);
  await page.press("ArrowDown");
  await page.press("Enter");
  await page.until("document.querySelector('dialog').open");
  const why = await page.evaluate<string>("document.querySelector('dialog').innerText");
  assert.match(why, /A policy forbids this call\./);
  assert.match(why, /dev\.forbid-forced-push, ~\/src\/shop\/\.firma\/policies\/dev\.cedar:105/);
  assert.match(why, /context\.git_ref\s+"refs\/heads\/main"/);
  assert.match(why, /unless \{\s+principal == Firma::Agent::/);
  await page.press("Escape");
  await page.until("!document.querySelector('dialog').open");

  await page.press("p");
  watched.add(
    sampleDecision({ event_id: "aevt_p", decision: "DENY", resource: "paused.invalid/" }),
  );
  await page.until("document.querySelector('#pause').textContent.includes('1 new')");
  assert.equal(await page.evaluate(ROWS), 4);
  await page.press("p");
  await page.until(`${ROWS} === 5`);

  await page.look({ width: 390, height: 844, touch: true });
  assert.ok(await page.evaluate<boolean>("document.documentElement.scrollWidth <= 390"));
  for (const part of ["sessions", "counts", "policies", "decisions"]) {
    await page.evaluate(`document.querySelector('[data-tab="${part}"]').click()`);
    const shown = "[...document.querySelectorAll('[data-part]')]" +
      ".filter((card) => card.checkVisibility()).every((card) => card.dataset.part === " +
      `'${part}')`;
    assert.ok(await page.evaluate<boolean>(shown), part);
  }
  // Every control has a name.
  const nameless = "[...document.querySelectorAll('button,input')].filter((control) =>" +
    "!(control.innerText || control.getAttribute('aria-label'))).length";
  assert.equal(await page.evaluate(nameless), 0);
  assert.deepEqual(page.complaints, []);
  await server.close();
  await page.until("document.querySelector('#connection').textContent.includes('monitor')");
}

async function takesNoMarkup(browser: Chromium): Promise<void> {
  const attack = (i: number) => ATTACKS[i % ATTACKS.length]!;
  const events = ATTACKS.map((text, i) =>
    sampleDecision({
      event_id: `aevt_${i}`,
      decision: "DENY",
      deny_reason: attack(i + 1) as "",
      resource: `${text}.invalid/${attack(i + 2)}`,
      method: attack(i + 3),
      action_class: attack(i + 4),
      agent_id: attack(i + 5),
      detail: attack(i + 6),
      policy_ids: [attack(i + 7)],
    })
  );
  const [session] = STANDING.sessions;
  const watched = storyWatched([...storyEvents().slice(0, 3), ...events], {
    ...STANDING,
    problem: attack(0),
    sessions: ATTACKS.map((text) => ({
      ...session!,
      command: text,
      workspace: text,
      agentId: text,
    })),
  });
  const server = new MonitorServer(watched, 0);
  const page = await opened(browser, server);
  await page.until(`${ROWS} >= ${ATTACKS.length}`);
  const tags = "document.querySelectorAll('main script, main img, main svg, dialog script, " +
    "dialog img, dialog svg, .top script, .top img').length";
  for (const { n } of watched.board.rows.slice(-ATTACKS.length)) {
    await page.evaluate(`document.querySelector('[data-n="${n}"]').click()`);
    await page.until(`document.querySelector('dialog').open &&
      document.querySelector('[aria-current="true"]')?.dataset.n === '${n}'`);
    assert.equal(await page.evaluate(tags), 0);
    await page.evaluate("document.querySelector('dialog').close()");
  }
  const text = await page.evaluate<string>("document.body.textContent");
  for (const shown of ["<script>window.owned=1</script>", "\\u{202e}gnp.exe\\u{2066}"]) {
    assert.ok(text.includes(shown), shown);
  }
  assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069]/);
  assert.equal(await page.evaluate("window.owned"), undefined);
  assert.deepEqual(page.complaints, []);

  // The policy of the page stands by itself, whatever its script does.
  const forced = ["document.body.innerHTML = '<img src=x onerror=window.owned=1>'", "eval('1')"];
  for (const code of forced) {
    assert.ok(
      await page.evaluate(`(() => { try { ${code}; return false } catch { return true } })()`),
    );
  }
  const inserted = "(() => { const made = document.createElement('iframe');" +
    "made.src = 'http://127.0.0.1:1/'; document.body.append(made); return true })()";
  await page.evaluate(inserted);
  await eventually("a complaint", () => page.complaints.length > 0 || undefined);
  await server.close();
}

const WAITING = {
  approval_id: "apr_01jd8xk5w7e0v9c3b2n4m6q8rs",
  state: "pending",
  kind: "call",
  questions: [ATTACKS[0]!],
  summary: ATTACKS[1]!,
  shown: ATTACKS.join("\n"),
  action_class: "payment.payout",
  agent_id: "agt_x",
  session_id: "ses_x",
  sandbox_id: "sbx_x",
  requested_at: "2025-01-31T12:04:00.000Z",
  until: null,
  grant: null,
  uses: 0,
  decided_by: null,
  decided_at: null,
  reason: "",
};

async function approvesByOneButton(browser: Chromium): Promise<void> {
  const watched = storyWatched([], { ...STANDING, waiting: [WAITING] });
  const server = new MonitorServer(watched, 0);
  const page = await opened(browser, server);
  await page.until("document.querySelectorAll('[data-rule]').length === 2");
  const shown = await page.evaluate<string>("document.querySelector('#approvals').textContent");
  for (const text of [...ATTACKS.slice(0, 6), "\\u{202e}gnp.exe\\u{2066}"]) {
    assert.ok(shown.includes(text), text);
  }
  assert.equal(await page.evaluate("window.owned"), undefined);
  assert.deepEqual(watched.ruled, []);
  await page.evaluate("document.querySelector('button.approve').click()");
  await page.until("document.querySelector('#ruled').textContent.includes('Cannot approve')");
  assert.deepEqual(watched.ruled, [`approve ${WAITING.approval_id} web`]);
  assert.deepEqual(page.complaints.filter((text) => !/409/.test(text)), []);

  // Another page has the same address to send to, and nothing that makes it count.
  const { server: foreign, url } = foreignSite();
  await page.goto(url);
  const path = `${server.address}rule/${WAITING.approval_id}/approve`;
  const tries = `Promise.all([
    fetch("${path}", { method: "POST", mode: "no-cors", credentials: "include" }),
    fetch("${path}", { method: "POST", credentials: "include", headers: { "x-firma-proof": "x" } }),
    new Promise((resolve) => {
      const form = document.createElement("form");
      const frame = document.createElement("iframe");
      frame.name = "there";
      frame.onload = resolve;
      document.body.append(frame, form);
      Object.assign(form, { action: "${path}", method: "post", target: "there" });
      form.submit();
    }),
  ].map((attempt) => attempt.catch(() => {}))).then(() => true)`;
  assert.ok(await page.evaluate<boolean>(tries));
  assert.equal(watched.ruled.length, 1);
  await foreign.shutdown();
  await server.close();
}

async function isForTheInvited(browser: Chromium): Promise<void> {
  const server = new MonitorServer(storyWatched(), 0);
  const { port } = server;
  const invitation = server.invitation!;
  const host = `Host: 127.0.0.1:${port}`;
  const token = new URL(invitation).search;
  const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["rebinding", [`GET /${token} HTTP/1.1`, `Host: rebound.invalid:${port}`], / 421 /],
    ["a wrong token", ["GET /?token=wrong HTTP/1.1", host], / 403 /],
    ["another origin", [`GET /${token} HTTP/1.1`, host, "Origin: http://evil.invalid"], / 403 /],
    ["a POST", [`POST /${token} HTTP/1.1`, host, "Content-Length: 0"], / 405 /],
    ["no cookie", [`GET ${new URL(server.address).pathname} HTTP/1.1`, host], / 403 /],
  ];
  for (const [what, lines, expected] of refusals) {
    const answer = await ask(port, lines);
    assert.match(answer.split("\r\n")[0]!, expected, what);
    assert.doesNotMatch(answer, /set-cookie|anthropic|<script/i, what);
    assert.match(answer, /content-security-policy: default-src 'none'/i, what);
  }
  // The control: the token is good, for one visit.
  const page = await opened(browser, server);
  await page.until(`${ROWS} > 20`);
  assert.equal(await page.evaluate("document.cookie"), "", "no script reads the cookie");
  const again = await browser.newPage();
  assert.equal(await again.goto(invitation), 403);

  const { server: foreign, url } = foreignSite();
  await page.goto(url);
  const tries = `Promise.all([
    fetch("${server.address}events", { credentials: "include" }).then(() => "read", () => "no"),
    fetch("${server.address}", { mode: "no-cors", credentials: "include" })
      .then(() => "sent", () => "no"),
    new Promise((resolve) => {
      const source = new EventSource("${server.address}events", { withCredentials: true });
      source.onopen = () => resolve("read");
      source.onerror = () => resolve("no");
    }),
    new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = () => {
        try { resolve(frame.contentDocument?.body.innerText.includes("firma") ? "read" : "no") }
        catch { resolve("no") }
      };
      frame.src = "${server.address}";
      document.body.append(frame);
    }),
  ])`;
  const [read, _sent, stream, frame] = await page.evaluate<string[]>(tries);
  assert.deepEqual([read, stream, frame], ["no", "no", "no"]);
  await foreign.shutdown();
  await server.close();
}

Deno.test("the page of firma monitor --web", async (t) => {
  await using browser = await Chromium.launch();
  await t.step(
    "the page shows everything live, is used by keyboard alone, and complains of nothing",
    () => showsEverything(browser),
  );
  await t.step(
    "the page takes nothing that an agent chose for markup, and shows what would hide",
    () => takesNoMarkup(browser),
  );
  await t.step(
    "the page approves what waits by one button, and for no other page",
    () => approvesByOneButton(browser),
  );
  await t.step(
    "the page is for nobody who was not invited, whatever they send",
    () => isForTheInvited(browser),
  );
});
