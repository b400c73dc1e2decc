import assert from "node:assert/strict";
import { parseCheckpoint } from "../../../src/audit/checkpoint.ts";
import { Shipper } from "../../../src/audit/ship/shipper.ts";
import { readCosignedNote } from "../../../src/audit/witness/cosigned_file.ts";
import { findCosignature } from "../../../src/audit/witness/cosignature.ts";
import type { EventFilter } from "../../../src/audit/search/event_filter.ts";
import { AuditClient } from "../../../src/authority/client/audit_client.ts";
import { searchCollected } from "../../../src/authority/client/search_client.ts";
import type { ClientTlsFiles } from "../../../src/authority/client/connections.ts";
import { unwrap } from "../../../src/core/result.ts";
import { openLog } from "../../audit/ship/support.ts";
import { inTempDir } from "../../audit/sample.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { certificates } from "./certificates.ts";
import { serve } from "./support.ts";

type Log = Awaited<ReturnType<typeof openLog>>;

/** Ships a log to an Authority as a Sidecar does. */
async function ship(
  { path: logPath }: Log,
  endpoint: string,
  tls?: ClientTlsFiles,
) {
  const notices: string[] = [];
  const destination = unwrap(
    await AuditClient.open({
      endpoints: [endpoint],
      tls,
      logPath,
      onNotice: ({ message }) => notices.push(message),
    }),
  );
  const shipper = new Shipper({
    logPath,
    sink: "grpc",
    destination,
    notify: (level, text) => notices.push(`${level}: ${text}`),
    pollMs: 10,
    minBackoffMs: 5,
    maxBackoffMs: 20,
  });
  return {
    shipper,
    destination,
    notices,
    [Symbol.asyncDispose]: () => shipper.close(10_000),
  };
}

/** All lines that are kept for a client, in order. */
function keptOf(collected: string, client: string): string {
  const [log] = [...Deno.readDirSync(`${collected}/${client}`)];
  const branch = `${collected}/${client}/${log!.name}/1-from-1`;
  return [...Deno.readDirSync(branch)].map(({ name }) => name).filter((name) =>
    name.endsWith(".jsonl")
  ).sort().map((name) => Deno.readTextFileSync(`${branch}/${name}`)).join("");
}

Deno.test("AuditClient ships a log line for line, and brings back cosigned checkpoints", async () => {
  await using authority = await serve({ collects: true });
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(30);
    await using shipping = await ship(log, authority.endpoint);
    await eventually("all lines", () => shipping.shipper.state.delivered === 31 || undefined);
    for (const more of [1, 7, 20]) {
      await log.write(more);
      const size =
        JSON.parse((await Deno.readTextFile(log.path)).trimEnd().split("\n").at(-1)!).seq;
      await log.writer.flush();
      const note = await eventually(`a cosignature of ${size} lines`, () => {
        const note = readCosignedNote(log.path);
        const parsed = note && parseCheckpoint(note, [log.key.publicKey]);
        return parsed && parsed.ok && parsed.value.size === size ? note : undefined;
      });
      const cosigned = findCosignature(note, authority.witness);
      assert.ok(cosigned, note);
      assert.ok(Math.abs(cosigned.time - Date.now() / 1_000) < 600);
    }
    await log.writer.close();
    assert.equal(keptOf(authority.collected, "local"), await Deno.readTextFile(log.path));
    assert.deepEqual(shipping.notices, []);
  });
});

Deno.test("AuditClient goes on where an Authority that was gone for a while has stopped", async () => {
  await using authority = await serve({ collects: true });
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(10);
    await using shipping = await ship(log, authority.endpoint);
    await eventually("the first", () => shipping.shipper.state.delivered === 11 || undefined);
    await authority.stop();
    await log.write(500);
    await eventually(
      "the notice",
      () =>
        shipping.notices.some((text) => /^warn: Cannot ship the audit log to the/.test(text)) ||
        undefined,
    );
    assert.equal(log.writer.state, "ok");
    await authority.start();
    await eventually("the rest", () => shipping.shipper.state.delivered === 511 || undefined);
    await log.writer.close();
    assert.equal(keptOf(authority.collected, "local"), await Deno.readTextFile(log.path));
  });
});

Deno.test("the Authority takes logs from clients on its list alone, each its own", async () => {
  await using pki = await certificates();
  await pki.authorize('[[authorized]]\ncn = "one"\n[[authorized]]\ncn = "two"\n');
  const [one, two, nobody] = [
    await pki.client("one"),
    await pki.client("two"),
    await pki.client("nobody"),
  ];
  await using authority = await serve({ tls: pki.serverTls, collects: true });
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(5);
    {
      await using shipping = await ship(log, authority.endpoint, one.files);
      await eventually("the control", () => shipping.shipper.state.delivered === 6 || undefined);
    }
    await log.write(5);
    await Deno.remove(`${log.path}.grpc-cursor`);
    for (const [files, reason] of [[two.files, /another client's/], [nobody.files, /./]] as const) {
      await using shipping = await ship(log, authority.endpoint, files);
      await eventually("the refusal", () => shipping.notices.length > 0 || undefined);
      assert.match(shipping.notices[0]!, reason);
      assert.equal(shipping.shipper.state.delivered, 0);
    }
    await log.writer.close();
    const refused = authority.log.filter((line) => line.includes("refused"));
    assert.match(refused[0] ?? "", /"two" ships the audit log .* which is that of "one"/);
    assert.deepEqual(
      [...Deno.readDirSync(authority.collected)].map(({ name }) => name).sort(),
      [".lock", "one"],
    );
  });
});

Deno.test("an operator alone searches what was collected from all", async () => {
  await using pki = await certificates();
  await pki.authorize(
    '[[authorized]]\ncn = "one"\n[[authorized]]\ncn = "boss"\noperator = true\n',
  );
  const [one, boss] = [await pki.client("one"), await pki.client("boss")];
  await using authority = await serve({ tls: pki.serverTls, collects: true });
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(20);
    await using shipping = await ship(log, authority.endpoint, one.files);
    await eventually("all lines", () => shipping.shipper.state.delivered === 21 || undefined);
    const search = (files: ClientTlsFiles, filter: EventFilter) =>
      searchCollected({ endpoints: [authority.endpoint], tls: files }, filter, 5);
    const found = unwrap(await search(boss.files, { decision: "ALLOW" }));
    assert.deepEqual(found.map(({ sidecar }) => sidecar), Array(5).fill("one"));
    assert.deepEqual(found.map(({ line }) => JSON.parse(line).seq), [17, 18, 19, 20, 21]);
    assert.deepEqual(unwrap(await search(boss.files, { decision: "DENY" })), []);
    const refused = await search(one.files, {});
    assert.match(refused.ok ? "" : refused.error.message, /not an operator/);
    await log.writer.close();
  });
});

Deno.test("an Authority that collects nothing says so", async () => {
  await using authority = await serve();
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(1);
    await using shipping = await ship(log, authority.endpoint);
    await eventually("the notice", () => shipping.notices.length > 0 || undefined);
    assert.match(shipping.notices[0]!, /it collects no audit logs/);
    await log.writer.close();
  });
});

Deno.test("the witness cosigns no log that was cut or replaced, and the Authority says so", async () => {
  await using authority = await serve({ collects: true });
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(20);
    await log.writer.close();
    {
      await using shipping = await ship(log, authority.endpoint);
      await eventually("a cosignature", () => readCosignedNote(log.path));
      assert.deepEqual(shipping.notices, []);
    }
    const before = readCosignedNote(log.path);
    // Whoever has the user's rights puts an older log with its own checkpoint back.
    const lines = (await Deno.readTextFile(log.path)).split(/(?<=\n)/);
    await Deno.writeTextFile(log.path, lines.slice(0, 9).join(""));
    for (const name of ["checkpoint", "tree", "cosigned"]) {
      await Deno.remove(`${log.path}.${name}`);
    }
    const again = await log.open();
    await again.close();
    await using shipping = await ship(log, authority.endpoint);
    await eventually(
      "the report",
      () => authority.log.some((line) => /line 10 on \(truncated\)/.test(line)) || undefined,
    );
    await eventually(
      "the refusal",
      () => shipping.notices.some((text) => /does not vouch for the log/.test(text)) || undefined,
    );
    assert.equal(readCosignedNote(log.path), undefined);
    assert.ok(before);
  });
});
