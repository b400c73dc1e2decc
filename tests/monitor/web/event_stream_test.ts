import assert from "node:assert/strict";
import { eventStream } from "../../../src/monitor/web/event_stream.ts";
import { sampleDecision, sampleOutcome } from "../../audit/sample.ts";
import { storyWatched, type TestWatched } from "./watched.ts";

interface Rows {
  readonly reset: boolean;
  readonly skipped: number;
  readonly rows: readonly { readonly n: number; readonly what: string }[];
  readonly updates: readonly { readonly n: number; readonly status: number }[];
}

/** A page that reads when it is told to. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next events by name; `undefined` at the end. */
  async next(): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { done, value } = await this.#reader.read();
    if (done) return undefined;
    const text = new TextDecoder().decode(value);
    assert.ok(text.endsWith("\n\n"));
    return Object.fromEntries(
      text.trimEnd().split("\n\n").map((event) => {
        const [name, data, ...rest] = event.split("\n");
        assert.deepEqual(rest, []);
        return [name!.slice("event: ".length), JSON.parse(data!.slice("data: ".length))];
      }),
    );
  }

  async rows(): Promise<Rows> {
    for (;;) {
      const events = await this.next();
      assert.ok(events !== undefined);
      if (events.rows !== undefined) return events.rows as Rows;
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function open(watched: TestWatched, closing = new AbortController()) {
  let ends = 0;
  const stream = eventStream(watched, closing.signal, () => ends++);
  return { reader: new Reader(stream), closing, ends: () => ends };
}

const decision = (n: number) =>
  sampleDecision({ event_id: `aevt_${n}`, resource: `host.invalid/${n}` });

Deno.test("eventStream() begins with the past and goes on with what is new", async () => {
  const watched = storyWatched([decision(1), decision(2)]);
  const { reader, ends } = open(watched);
  const first = await reader.next();
  assert.partialDeepStrictEqual(first!.rows, { reset: true, skipped: 0 });
  assert.deepEqual((first!.rows as Rows).rows.map(({ what }) => what), [
    "host.invalid/1",
    "host.invalid/2",
  ]);
  assert.partialDeepStrictEqual(first!.overview, {
    decisions: { names: 1, top: [["ALLOW", 2, 0]] },
    policy: { files: [{ file: "dev.cedar", permits: 0, forbids: 1 }] },
  });
  watched.add(decision(3));
  const news = await reader.rows();
  assert.deepEqual(news.rows.map(({ n, what }) => [n, what]), [[3, "host.invalid/3"]]);
  watched.add(sampleOutcome({ decision_event_id: "aevt_3", status: 503 }));
  assert.deepEqual((await reader.rows()).updates, [{ n: 3, status: 503 }]);
  await reader.cancel();
  assert.equal(ends(), 1);
});

Deno.test("eventStream() keeps nothing for a page that does not read", async () => {
  const watched = storyWatched([]);
  const { reader } = open(watched);
  await reader.rows();
  // One message may be on its way already.
  for (let n = 1; n <= 20_000; n++) watched.add(decision(n));
  let skipped = 0;
  let received = 0;
  for (let last = 0; last < 20_000;) {
    const message = await reader.rows();
    assert.ok(message.rows.length <= 1_000);
    skipped += message.skipped;
    received += message.rows.length;
    last = message.rows.at(-1)?.n ?? last;
  }
  assert.equal(skipped + received, 20_000);
  assert.ok(received <= 3_000, `${received}`);
  await reader.cancel();
});

Deno.test("eventStream() ends when the monitor does", async () => {
  const { reader, closing, ends } = open(storyWatched([]));
  await reader.rows();
  closing.abort();
  while (await reader.next() !== undefined);
  assert.equal(ends(), 1);
});
