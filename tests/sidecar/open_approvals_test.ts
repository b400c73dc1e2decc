import assert from "node:assert/strict";
import { openApprovals } from "../../src/sidecar/open_approvals.ts";
import { eventually } from "../fixtures/deadline.ts";
import { subject } from "../approvals/support.ts";

const CONFIG = {
  hitlMode: "async_token",
  hitlMaxWaitMs: 1_000,
  pendingTtlMs: 60_000,
  tokenTtlMs: 60_000,
  retryAfterMs: 500,
  maxPending: 10,
  desktopNotification: false,
  webhookUrl: "https://chat.example.test/hooks/s3cret",
} as const;

/** Asks for something with a webhook that `fetch` stands in for; returns the notices. */
async function ask(fetch: typeof globalThis.fetch, notices: number): Promise<string[]> {
  const home = await Deno.makeTempDir();
  const told: string[] = [];
  const approvals = openApprovals({
    config: CONFIG,
    env: { XDG_DATA_HOME: home },
    record: () => true,
    notify: (_, text) => void told.push(text),
    fetch,
  });
  try {
    await approvals.ask({ subject: subject({ summary: "x\u001b[2J" }), use: true, waitMs: 0 });
    await eventually("the notices", () => told.length >= notices || undefined);
    return told;
  } finally {
    approvals.close();
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("openApprovals() posts what waits to the webhook, escaped, and looks at no answer", async () => {
  const posted: RequestInit[] = [];
  const told = await ask((url, init) => {
    assert.equal(url, CONFIG.webhookUrl);
    posted.push(init!);
    return Promise.resolve(new Response("approve it", { status: 200 }));
  }, 1);
  const body = JSON.parse(String(posted[0]!.body));
  assert.match(body.approval_id, /^apr_/);
  assert.equal(body.how_to_approve, `firma token approve ${body.approval_id}`);
  assert.match(body.text, /x\\x1b\[2J/);
  assert.deepEqual([posted[0]!.redirect, posted.length], ["error", 1]);
  assert.equal(told.length, 1);
});

Deno.test("openApprovals() says that the webhook failed, and not what its address holds", async () => {
  for (
    const answer of [
      () => Promise.resolve(new Response("", { status: 500 })),
      () => Promise.reject(new TypeError(`error sending request for url (${CONFIG.webhookUrl})`)),
    ]
  ) {
    const told = await ask(answer, 2);
    assert.match(told[1]!, /webhook of approvals was not told of apr_/);
    assert.doesNotMatch(told.join("\n"), /s3cret/);
  }
});
