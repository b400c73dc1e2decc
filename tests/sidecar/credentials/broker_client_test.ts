import assert from "node:assert/strict";
import { ok } from "../../../src/core/result.ts";
import { BrokerClient } from "../../../src/sidecar/credentials/broker_client.ts";
import type { AskBroker } from "../../../src/sidecar/credentials/keeper/messages.ts";
import { needOf } from "../../broker/_credential.ts";

const VALUE = {
  kind: "stored",
  store: "s",
  secret: "s",
  placeholder: "p",
  isUsable: true,
} as const;

Deno.test("BrokerClient leaves nobody waiting for a broker that has ended, and forgets nothing for it", async () => {
  const client = new BrokerClient();
  const { port1, port2 } = new MessageChannel();
  const heard: string[] = [];
  const all = Promise.withResolvers<void>();
  port2.onmessage = ({ data }: MessageEvent<AskBroker>) => {
    if (heard.push(data.kind) === 5) all.resolve();
    if (data.kind === "recall" && data.number === 1) {
      port2.postMessage({ kind: "recalled", number: 1, learnt: [VALUE] });
    }
  };
  client.use(port1);
  assert.deepEqual(await client.recall("ses_1"), [VALUE], "the control");
  const captured = {
    ...{ label: "a", edition: "1", sessionId: "ses_1", renews: false },
    tokens: {},
  };
  const waiting = [
    client.ask(needOf("a")),
    client.capture(captured),
    client.keep("ses_1", [VALUE]),
    client.recall("ses_1"),
  ] as const;
  await all.promise;
  client.use(undefined);
  const [asked, taken, kept, recalled] = await Promise.all(waiting);
  assert.ok(!asked.ok && !taken.ok);
  assert.equal(asked.error.code, "CREDENTIAL_BROKER_AWAY");
  // What is not known must not pass for nothing.
  assert.deepEqual([kept, recalled], [false, undefined]);
  assert.notDeepEqual(await client.ask(needOf("a")), ok(undefined));
  assert.deepEqual([await client.keep("ses_1", [VALUE]), await client.recall("ses_1")], [
    false,
    undefined,
  ]);
  port1.close();
  port2.close();
});
