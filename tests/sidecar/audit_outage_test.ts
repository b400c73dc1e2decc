import assert from "node:assert/strict";
import { selfCommand } from "../../src/config/self_command.ts";
import type { SignedEvent } from "../../src/core/event.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { unwrap } from "../../src/core/result.ts";
import { readPublicKeyFile } from "../../src/pki/signing_key.ts";
import { eventually } from "../fixtures/deadline.ts";
import { canMountDisk, mountIn, onSmallDisk, pathIn } from "../fixtures/small_disk.ts";
import { HOST, Rig, type RigSession } from "./rig.ts";

/** Room for the first lines of a log, and little more. */
const DISK_BYTES = 512 * 1024;

/** An outage of the disk that the log lies on. */
interface Outage {
  begin(rig: Rig, directory: string): Promise<void>;
  end(rig: Rig, directory: string): Promise<void>;
  /** What the operator is told. */
  readonly told: RegExp;
}

const FULL_DISK: Outage = {
  async begin({ pid }, directory) {
    using ballast = await Deno.create(pathIn(pid, `${directory}/ballast`));
    try {
      for (;;) await ballast.write(new Uint8Array(4_096));
    } catch {
      // full
    }
  },
  end: ({ pid }, directory) => Deno.remove(pathIn(pid, `${directory}/ballast`)),
  told: /No space left on device/,
};

/** Files that are open cannot keep this from happening, as they would keep a remount. */
const READ_ONLY: Outage = {
  begin: ({ pid }, directory) =>
    mountIn(pid, 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"', directory),
  end: ({ pid }, directory) => mountIn(pid, 'umount "$0"', directory),
  told: /Read-only file system/,
};

const CASES: Readonly<Record<string, readonly [Outage, "queued" | "durable"]>> = {
  "a full disk, durable": [FULL_DISK, "durable"],
  "a full disk, queued": [FULL_DISK, "queued"],
  "a log that became read-only": [READ_ONLY, "queued"],
};

/** Calls until a call is denied; returns how it was. */
async function firstDenied(session: RigSession, name: string): Promise<string> {
  let call = 0;
  return await eventually("a denial", async () => {
    const { status, reason } = await session.curl(`/${name}/${call++}`);
    return status === 403 ? reason : undefined;
  });
}

for (const [what, [outage, durability]] of Object.entries(CASES)) {
  Deno.test(`a Sidecar denies calls on ${what}, and lets them out when that is over`, async (t) => {
    if (!await canMountDisk()) {
      await t.step({ name: "skipped: nobody may mount a disk here", ignore: true, fn: () => {} });
      return;
    }
    // The directory of the rig has no name yet: its Sidecar has it in its environment.
    const directory = (rig: Rig) => `${rig.dir}/data/firma/audit`;
    const disk = onSmallDisk("$XDG_DATA_HOME/firma/audit", DISK_BYTES, selfCommand());
    await using rig = await Rig.start({
      program: ["sh", "-c", `exec ${disk.map(quoted).join(" ")} "$@"`, "sh"],
      more: `[sidecar.audit]\ndurability = "${durability}"\n`,
    });
    const log = pathIn(rig.pid, rig.auditFile);
    const session = await rig.session();
    const control = await session.curl("/before");
    assert.notEqual(control.status, 403, JSON.stringify(control));

    await outage.begin(rig, directory(rig));
    assert.equal(await firstDenied(session, "during"), "FailClosed");
    const arrived = rig.upstream.seen.length;
    for (let call = 0; call < 3; call++) {
      const { status, reason } = await session.curl(`/denied/${call}`);
      assert.deepEqual({ status, reason }, { status: 403, reason: "FailClosed" });
    }
    assert.equal(rig.upstream.seen.length, arrived, "a call left without a record");
    await eventually("the operator to be told", () => rig.notices(outage.told)[0]);

    await outage.end(rig, directory(rig));
    await eventually("calls to flow again", async () => {
      const { status } = await session.curl("/after");
      return status !== 403 || undefined;
    });
    assert.equal((await session.curl("/after/that")).reason, "");

    const events = await eventually("what the log says of it", async () => {
      const text = await Deno.readTextFile(log);
      const lines = text.split("\n").slice(0, -1).map((line): SignedEvent => JSON.parse(line));
      const isTold = lines.some((event) =>
        event.kind === "key" && event.change === "recovered" && outage.told.test(event.detail)
      );
      return isTold && text.includes("/after/that") ? lines : undefined;
    });
    const recorded = new Set(
      events.flatMap((event) => event.kind === "decision" ? [event.resource] : []),
    );
    for (const { path } of rig.upstream.seen) assert.ok(recorded.has(`${HOST}${path}`), path);
    const key = unwrap(await readPublicKeyFile(`${rig.dir}/data/firma/keys/audit.key.pub`));
    const report = unwrap(await verifyLog(log, { publicKeys: [key] }));
    assert.equal(report.whole, true, JSON.stringify(report));
  });
}

/** A word of a shell in which variables are filled in. */
function quoted(word: string): string {
  return word.startsWith("$XDG") ? `"${word}"` : `'${word.replaceAll("'", `'\\''`)}'`;
}
