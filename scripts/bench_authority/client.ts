/** Clients of an Authority, for the bench: reads one order, then prints JSON lines. */
import { newId } from "../../src/core/id.ts";
import { unwrap } from "../../src/core/result.ts";
import { RemoteAuthority } from "../../src/authority/client/remote_authority.ts";
import type { Order } from "./processes.ts";

const order: Order = JSON.parse(Deno.args[0]!);
const endings = new AbortController();
const say = (report: object) => console.log(JSON.stringify(report));

async function connect(): Promise<RemoteAuthority> {
  const publicKey = Uint8Array.fromBase64(order.publicKey);
  return unwrap(
    await RemoteAuthority.open({ endpoints: [order.endpoint], publicKey, tls: order.tls }),
  );
}

const remotes = await Promise.all(Array.from({ length: order.clients }, connect));

async function issue(): Promise<void> {
  let count = 0;
  const from = performance.now();
  const until = from + order.seconds! * 1000;
  await Promise.all(remotes.map(async (remote) => {
    while (performance.now() < until) {
      const answer = await remote.issueCapability({
        agentId: order.agent,
        sessionId: newId("ses"),
        requestedActions: ["*"],
        resourceScope: ["**"],
        requestedTtlSeconds: 0,
      });
      if (!answer.granted) throw new Error(answer.denyMessage);
      count++;
    }
  }));
  say({ count, seconds: (performance.now() - from) / 1000 });
}

/** Listens on both streams; prints `ready`, and for each marker when every client had heard it. */
function listen(): void {
  let waiting = remotes.length * 2;
  const heard = new Map<string, number[]>();
  const first = () => {
    if (--waiting === 0) say({ ready: true });
  };
  const mark = (marker: string) => {
    const times = heard.get(marker) ?? [];
    heard.set(marker, times);
    if (times.push(Date.now()) === remotes.length) say({ marker, times });
  };
  for (const remote of remotes) {
    (async () => {
      let isFirst = true;
      let last = "";
      for await (const update of remote.watchPolicyBundle(endings.signal)) {
        if (isFirst) first();
        isFirst = false;
        if (update.kind !== "bundle") continue;
        const marker = /round-\d+/.exec(update.bundle.policies[0]!.text)?.[0] ?? "";
        if (marker !== last) mark(marker);
        last = marker;
      }
    })();
    (async () => {
      let isFirst = true;
      const known = new Set<string>();
      for await (const list of remote.watchRevocations(endings.signal)) {
        if (isFirst) first();
        isFirst = false;
        for (const { tokenId } of list) {
          if (!known.has(tokenId)) mark(tokenId);
          known.add(tokenId);
        }
      }
    })();
  }
}

if (order.job === "issue") await issue();
else {
  listen();
  await Deno.stdin.read(new Uint8Array(1));
  endings.abort();
}
for (const remote of remotes) await remote.close();
Deno.exit(0);
