import assert from "node:assert/strict";
import type { Revocation } from "../../src/core/authority.ts";
import type { FirmaError } from "../../src/core/result.ts";
import { newId } from "../../src/core/id.ts";
import { RevocationSource } from "../../src/authority/revocation_source.ts";
import { eventually } from "../fixtures/deadline.ts";
import { directory, Listener } from "./support.ts";
import { takesAtMost } from "../fixtures/pace.ts";

const A = newId("ctok");
const B = newId("ctok");
const line = (id: string) => `${id}\t2030-01-01T00:00:00Z\ttest\n`;

async function source(file: string) {
  const errors: FirmaError[] = [];
  const opened = await RevocationSource.open(file, (error) => errors.push(error));
  assert.ok(opened.ok);
  const listener = new Listener<readonly Revocation[]>((signal) => opened.value.updates(signal));
  return {
    errors,
    heard: listener.heard,
    revoked: (...ids: string[]) =>
      eventually(`exactly ${ids.join(" and ")} revoked`, () => {
        const now = listener.heard.at(-1)?.map(({ tokenId }) => tokenId);
        return JSON.stringify(now) === JSON.stringify(ids) ? true : undefined;
      }),
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      await opened.value.close();
    },
  };
}

Deno.test("a token that is added to the file is revoked in under a second", async () => {
  await using dir = await directory({});
  const file = `${dir.path}/revocations.txt`;
  await using subject = await source(file);
  await subject.revoked();
  const revoked: string[] = [];
  await takesAtMost(900, async () => {
    const next = newId("ctok");
    revoked.push(next);
    await Deno.writeTextFile(file, line(next), { append: true });
    await subject.revoked(...revoked);
  });
  assert.deepEqual(subject.errors, []);
});

Deno.test("a token that is removed from the file is not revoked any more", async () => {
  await using dir = await directory({ "revocations.txt": line(A) + line(B) });
  await using subject = await source(`${dir.path}/revocations.txt`);
  await subject.revoked(A, B);
  await Deno.writeTextFile(`${dir.path}/revocations.txt`, line(B));
  await subject.revoked(B);
  await Deno.writeTextFile(`${dir.path}/revocations.txt`, "# none\n");
  await subject.revoked();
});

Deno.test("a file that vanishes, empties or cannot be read revokes as before", async (t) => {
  const acts: Record<string, (file: string) => Promise<void>> = {
    "vanishes": (file) => Deno.remove(file),
    "empties": (file) => Deno.writeTextFile(file, ""),
    "becomes blank": (file) => Deno.writeTextFile(file, "\n\n"),
    "becomes a directory": async (file) => {
      await Deno.remove(file);
      await Deno.mkdir(file);
    },
    "loses its directory": (file) => Deno.remove(file.replace(/\/[^/]*$/, ""), { recursive: true }),
  };
  for (const [name, act] of Object.entries(acts)) {
    await t.step(name, async () => {
      await using dir = await directory({ "revocations.txt": line(A) });
      await using subject = await source(`${dir.path}/revocations.txt`);
      await subject.revoked(A);
      await act(`${dir.path}/revocations.txt`);
      await eventually("an error", () => subject.errors.length > 0 ? true : undefined);
      for (const list of subject.heard) assert.deepEqual(list.map(({ tokenId }) => tokenId), [A]);
    });
  }
});

Deno.test("saving by truncating and writing never revives a token on the way", async () => {
  await using dir = await directory({ "revocations.txt": line(A) });
  await using subject = await source(`${dir.path}/revocations.txt`);
  await subject.revoked(A);
  using file = await Deno.open(`${dir.path}/revocations.txt`, { write: true, truncate: true });
  await eventually("an error", () => subject.errors.length > 0 ? true : undefined);
  await file.write(new TextEncoder().encode(line(A) + line(B)));
  await subject.revoked(A, B);
  for (const list of subject.heard) assert.ok(list.some(({ tokenId }) => tokenId === A));
});

Deno.test("a token is revoked even while the file never stops changing", async () => {
  await using dir = await directory({});
  const file = `${dir.path}/revocations.txt`;
  await using subject = await source(file);
  await Deno.writeTextFile(file, line(A));
  await eventually("the token revoked", async () => {
    await Deno.writeTextFile(file, `# ${crypto.randomUUID()}\n`, { append: true });
    return subject.heard.at(-1)?.[0]?.tokenId === A ? true : undefined;
  });
});

Deno.test("a malformed line revokes what it names and is told", async () => {
  await using dir = await directory({});
  await using subject = await source(`${dir.path}/revocations.txt`);
  await Deno.writeTextFile(`${dir.path}/revocations.txt`, `${A} lost\n`);
  await subject.revoked(A);
  const error = await eventually("an error", () => subject.errors[0]);
  assert.equal(error.code, "REVOCATION_MALFORMED");
});

Deno.test("a file that cannot be read does not open", async () => {
  await using dir = await directory({});
  await Deno.mkdir(`${dir.path}/revocations.txt`);
  const opened = await RevocationSource.open(`${dir.path}/revocations.txt`, () => {});
  assert.ok(!opened.ok);
  assert.equal(opened.error.code, "REVOCATIONS_UNREADABLE");
});
