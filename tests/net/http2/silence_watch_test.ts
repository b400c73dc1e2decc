import assert from "node:assert/strict";
import { SilenceWatch } from "../../../src/net/http2/silence_watch.ts";
import { Watchdog } from "../../../src/net/watchdog.ts";

/** A watchdog whose time is up when a test says so. */
class StoppedWatchdog extends Watchdog {
  expire: (() => void) | undefined;
  ms = 0;

  override watch(ms: number, expire: () => void) {
    this.ms = ms;
    this.expire = () => {
      this.expire = undefined;
      expire();
    };
    return {
      touch: (ms?: number) => void (this.ms = ms ?? this.ms),
      clear: () => void (this.expire = undefined),
    };
  }
}

function silence() {
  const watchdog = new StoppedWatchdog(1);
  const said: string[] = [];
  const watch = new SilenceWatch(watchdog, 60, {
    answerMs: 15,
    ask: () => said.push("are you there?"),
    lost: () => said.push("lost"),
  });
  return { watchdog, said, watch };
}

Deno.test("a SilenceWatch asks a silent peer, and gives it up when it does not answer", () => {
  const { watchdog, said } = silence();
  assert.equal(watchdog.ms, 60);
  watchdog.expire!();
  assert.deepEqual(said, ["are you there?"]);
  assert.equal(watchdog.ms, 15);
  watchdog.expire!();
  assert.deepEqual(said, ["are you there?", "lost"]);
  assert.equal(watchdog.expire, undefined);
});

Deno.test("a SilenceWatch never gives up a peer that answers, and asks it again and again", () => {
  const { watchdog, said, watch } = silence();
  for (let hour = 0; hour < 24; hour++) {
    watchdog.expire!();
    watch.heard();
    assert.equal(watchdog.ms, 60);
  }
  assert.deepEqual(said, Array(24).fill("are you there?"));
  watch.clear();
  assert.equal(watchdog.expire, undefined);
});
