import assert from "node:assert/strict";
import { explainDecision } from "../../src/monitor/explain/explain.ts";
import { sampleDecision } from "../audit/sample.ts";
import { Person } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { DENIED, makeWorld } from "../fixtures/world.ts";

Deno.test("firma monitor --web serves the page to whoever has its address, and ends with Ctrl-C", async () => {
  await using person = await Person.create();
  const file = "audit.jsonl";
  await person.write(file, "");
  const args = ["monitor", "--web", "--no-open", "--file", file];
  const monitor = person.start(args);
  const [address] = await monitor.printed(/http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}/);

  const welcome = await fetch(address);
  const cookie = welcome.headers.get("set-cookie")!.split(";")[0]!;
  const [, path] = /url=(\/[\w-]+\/)/.exec(await welcome.text())!;
  const page = new URL(path!, address).href;
  const html = await (await fetch(page, { headers: { cookie } })).text();
  assert.match(html, /<h1>.*firma/);
  assert.match(html, /new EventSource\("events"\)/);
  const strangers = [await fetch(address), await fetch(page)];
  for (const answer of strangers) {
    assert.equal(answer.status, 403);
    await answer.body?.cancel();
  }

  const stop = new AbortController();
  const stream = await fetch(`${page}events`, { headers: { cookie }, signal: stop.signal });
  let seen = "";
  const reading = (async () => {
    for await (const text of stream.body!.pipeThrough(new TextDecoderStream())) seen += text;
  })().catch(() => {});
  await person.write(file, `${JSON.stringify(sampleDecision({ resource: "live.invalid/" }))}\n`);
  await eventually("the decision", () => seen.includes("live.invalid/") || undefined);

  monitor.kill("SIGINT");
  assert.equal((await monitor.finished()).code, 0, "although a page is open");
  stop.abort();
  await reading;
});

Deno.test("what firma monitor says would allow a call allows it", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const call = `curl -s -o /dev/null -w '%{http_code}' ${DENIED}`;
  assert.equal((await person.shell(call)).stdout, "403");
  const denied = (await person.events()).findLast((event) => event.kind === "decision");
  assert.ok(denied?.kind === "decision");
  const { why, remedy } = explainDecision(denied, undefined, undefined);
  assert.equal(why, "No policy permits this call.");
  const policy = ".firma/policies/dev.cedar";
  await person.write(policy, `${await person.read(policy)}\n${remedy!.code}\n`);
  assert.equal((await person.shell(call)).stdout, "200");
});
