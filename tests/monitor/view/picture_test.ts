import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeLine, lineWidth } from "../../../src/monitor/view/line.ts";
import { drawPicture, roomOf } from "../../../src/monitor/view/picture.ts";
import type { Scene } from "../../../src/monitor/view/scene.ts";
import { Screen } from "../../../src/monitor/view/screen.ts";
import { NOTHING_RUNS } from "../../../src/monitor/standing/standing.ts";
import { sampleDecision } from "../../audit/sample.ts";
import { STANDING } from "../storyboard.ts";
import { boardOf, storyScene } from "./scenes.ts";

function text(scene: Scene, columns = 132, rows = 36): string {
  return drawPicture(scene, { columns, rows })
    .map((line) => line.map(({ text }) => text).join("").trimEnd()).join("\n");
}

Deno.test("drawPicture() says at a glance what runs, what was decided and what is wrong", () => {
  const seen = text(storyScene());
  assert.match(seen, /● Sidecar 2h 14m {3}● Authority 2h 14m .* bundle 3f9c2a71d04be865/);
  assert.match(seen, /claude +~\/src\/shop +agt_…4x9q2k +14m +212 calls +2 denied/);
  assert.match(seen, /273 {2}ALLOW +model\.inference +103/);
  assert.match(
    seen,
    /DENY +POST +api\.stripe\.com\/v1\/payouts +payment\.payout +agt_…4x9q2k +PolicyDenied/,
  );
  assert.match(seen, /ABORT +GET +static\.crates\.io.* CONNECTOR_TIMEOUT/);
});

const WRONG: Readonly<Record<string, [Partial<Scene>, RegExp]>> = {
  "nothing runs": [{ standing: NOTHING_RUNS }, /○ nothing runs/],
  "a Sidecar that died": [{
    standing: {
      ...STANDING,
      components: [{ component: "sidecar", state: "dead", pid: 1, sinceMs: 0, restarts: 3 }],
    },
  }, /● Sidecar dead, 3 restarts/],
  "a stale bundle": [{ standing: { ...STANDING, isFresh: false } }, /3f9c2a71d04be865 stale/],
  "no room for the record": [
    { standing: { ...STANDING, audit: "failed" } },
    /audit cannot be written, every call is denied/,
  ],
  "an empty log": [{ board: boardOf([]) }, /nothing was decided yet/],
  "missing lines": [{
    board: boardOf([{ ...sampleDecision(), seq: 1 }, { ...sampleDecision(), seq: 5 }] as never),
  }, /audit 1 gap/],
};

for (const [what, [changes, expected]] of Object.entries(WRONG)) {
  Deno.test(`drawPicture() shows ${what}`, () => {
    assert.match(text(storyScene({}, changes)), expected);
  });
}

Deno.test("drawPicture() explains the selected denial, with the line that would allow it", () => {
  const forced = text(storyScene({ onlyDenied: true, isDetailOpen: true }));
  assert.match(forced, /A policy forbids this call\. \(PolicyDenied: forbidden by policy\)/);
  assert.match(
    forced,
    /forbid dev\.forbid-forced-push {2}~\/src\/shop\/\.firma\/policies\/dev\.cedar:105/,
  );
  assert.match(forced, /context\.git_ref = "refs\/heads\/main" {3}context\.git_forced = true/);
  assert.match(
    forced,
    /unless {\n +principal == Firma::Agent::"agt_01jx2w7s3kf8ar5wq0z74x9q2k" &&/,
  );
  const board = storyScene().board;
  const payout = board.rows.find(({ actionClass }) => actionClass === "payment.payout")!;
  const why = text(storyScene({ selected: payout.n, isDetailOpen: true }));
  assert.match(why, /permit \(\n +principal == Firma::Agent::/);
  assert.match(why, /firma policy explain 'POST https:\/\/api\.stripe\.com\/v1\/payouts'/);
});

Deno.test("drawPicture() names what is filtered, paused and typed", () => {
  const narrowed = text(storyScene({ onlyDenied: true, words: "stripe" }));
  assert.match(narrowed, /live only denials "stripe" 1 row /);
  assert.match(text(storyScene({ typing: "nothing like it" })), /filter {2}nothing like it/);
  assert.match(text(storyScene({ typing: "nothing like it" })), /nothing here matches/);
  assert.match(text(storyScene({ pausedAt: 100 })), /‖ paused[^]*\d+ new rows/);
  assert.match(text(storyScene({ isHelpOpen: true })), /Ctrl-Z +to the background/);
});

Deno.test("drawPicture() fills the terminal exactly and shows no control, whatever agents send", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    // Names that every object has.
    fc.constantFrom("valueOf", "constructor", "__proto__"),
  );
  const events = fc.array(fc.tuple(hostile, hostile, hostile), { maxLength: 6 });
  const size = fc.record({
    columns: fc.integer({ min: 1, max: 180 }),
    rows: fc.integer({ min: 1, max: 50 }),
  });
  const ui = fc.record({
    isDetailOpen: fc.boolean(),
    isHelpOpen: fc.boolean(),
    words: fc.constantFrom("", "x"),
    focus: fc.constantFrom("list" as const, "detail" as const),
    detailTop: fc.nat(40),
  });
  fc.assert(
    fc.property(events, size, ui, (sketches, size, ui) => {
      const board = boardOf(sketches.map(([resource, name, detail], i) =>
        sampleDecision({
          event_id: `aevt_${i}`,
          resource,
          method: name,
          action_class: name,
          agent_id: detail,
          detail,
          deny_reason: resource as "",
        })
      ));
      const [first] = STANDING.sessions;
      const sessions = sketches.map(([command, workspace, agentId]) => ({
        ...first!,
        command,
        workspace,
        agentId,
      }));
      const scene = storyScene(ui, { board, standing: { ...STANDING, sessions } });
      const lines = drawPicture(scene, size);
      assert.equal(lines.length, size.rows);
      for (const line of lines) {
        assert.equal(lineWidth(line), size.columns);
        for (const { text } of line) assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
        // deno-lint-ignore no-control-regex -- sequences begin with a control
        const bare = encodeLine(line, true).replace(/\x1b\[[0-9;]*m/g, "");
        assert.doesNotMatch(bare, /\p{Cc}/u);
      }
      const room = roomOf(scene, size);
      assert.ok(room.list >= 1 && room.detail >= 1);
    }),
    { numRuns: 60 },
  );
});

/** As much of a terminal as a view needs. */
class Emulator {
  readonly lines: string[] = [];
  write(text: string): void {
    let row = 0;
    // deno-lint-ignore no-control-regex -- sequences begin with a control
    for (const part of text.split(/(\x1b\[[0-9;?]*[A-Za-z])/)) {
      // deno-lint-ignore no-control-regex -- sequences begin with a control
      const goTo = /^\x1b\[(\d+);1H$/.exec(part);
      if (goTo) row = Number(goTo[1]) - 1;
      else if (part === "\x1b[2K") this.lines[row] = "";
      else if (part === "\x1b[J") this.lines.length = row;
      else if (part !== "" && !part.startsWith("\x1b")) {
        this.lines[row] = (this.lines[row] ?? "") + part;
      }
    }
  }
}

Deno.test("Screen sends only the lines that changed, and the terminal shows the picture", () => {
  const screen = new Screen(true);
  const emulator = new Emulator();
  const show = (scene: Scene, rows: number) => {
    const lines = drawPicture(scene, { columns: 100, rows });
    const sent = screen.draw(lines);
    emulator.write(sent);
    assert.deepEqual(emulator.lines, lines.map((line) => line.map(({ text }) => text).join("")));
    return sent;
  };
  const scene = storyScene();
  const whole = show(scene, 30);
  assert.equal(show(scene, 30), "");
  const next = show({ ...scene, nowMs: scene.nowMs + 60_000 }, 30);
  assert.ok(next.length < whole.length / 3, `${next.length} of ${whole.length}`);
  show(scene, 20);
  show(scene, 40);
  screen.forget();
  assert.equal(show(scene, 40).length > 0, true);
});
