import assert from "node:assert/strict";
import { join } from "../../src/core/path.ts";
import { readPieces } from "../../src/core/read_pieces.ts";
import { err, ok, type Result } from "../../src/core/result.ts";
import { type GroundPlan, jsonLines, type LaunchPlan } from "../../src/sandbox/handoff.ts";
import { launch } from "../../src/sandbox/launch.ts";

const PLAN: LaunchPlan = {
  command: ["/bin/true"],
  cwd: "/",
  uid: 1000,
  gid: 1000,
  environment: {},
  innerMounts: [],
  sockets: [],
  limits: { rlimits: {}, agentFirst: false },
  shielded: false,
  defaultSignals: [],
};
const GROUND: GroundPlan = { view: [{ kind: "processes", target: "/proc" }] };

/** A layer without processes, and its `__init`, which is the test. */
class StandIn implements Disposable {
  readonly #directory = Deno.makeTempDirSync();
  readonly #listener: Deno.Listener;
  readonly #ended = Promise.withResolvers<number>();
  readonly #init: Promise<Deno.Conn>;
  readonly layer;
  isKilled = false;

  constructor() {
    const path = join(this.#directory, "handoff.sock");
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#init = Deno.connect({ transport: "unix", path });
    this.layer = {
      child: {
        pid: 0,
        ended: this.#ended.promise,
        kill: () => {
          this.isKilled = true;
          this.#ended.resolve(137);
        },
      },
      met: this.#listener.accept(),
    };
  }

  launch(plan: () => Promise<Result<LaunchPlan>>) {
    const nobody = () => {};
    return launch({ layer: this.layer, ground: GROUND, plan, onShims: nobody, onRefusal: nobody });
  }

  async heard(): Promise<AsyncGenerator<unknown>> {
    return jsonLines(readPieces(await this.#init));
  }

  async say(message: unknown): Promise<void> {
    await (await this.#init).write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }

  async end(code: number): Promise<void> {
    (await this.#init).close();
    this.#ended.resolve(code);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

Deno.test("launch() says what is to be seen before it is known what is to run", async () => {
  using init = new StandIn();
  const heard = await init.heard();
  const { promise: plan, resolve } = Promise.withResolvers<Result<LaunchPlan>>();
  const launched = init.launch(() => plan);
  assert.deepEqual((await heard.next()).value, GROUND);
  resolve(ok(PLAN));
  assert.deepEqual((await heard.next()).value, PLAN);
  await init.say({ type: "started" });
  const confined = await launched;
  assert.ok(confined.ok);
  await init.say({ type: "ended", code: 3 });
  assert.equal(await confined.value.ended, 3);
  await init.end(3);
  assert.equal(await confined.value.exitCode, 3);
});

Deno.test("launch() tells why what is to be seen cannot be, though nothing is to run yet", async () => {
  using init = new StandIn();
  const launched = init.launch(async () => {
    await init.say({ type: "failed", message: "Cannot show" });
    await init.end(1);
    return await new Promise<never>(() => {});
  });
  const failed = await launched;
  assert.ok(!failed.ok);
  assert.match(failed.error.message, /Cannot show/);
});

Deno.test("launch() ends the layer when nothing is to run after all", async () => {
  using init = new StandIn();
  const failure = { code: "NO_SESSION", message: "There is no session" };
  const failed = await init.launch(() => Promise.resolve(err(failure)));
  assert.ok(!failed.ok);
  assert.equal(failed.error.code, "NO_SESSION");
  assert.ok(init.isKilled);
  await init.end(137);
});
