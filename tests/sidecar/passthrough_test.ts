/** A Sidecar that lets hosts pass which no rule names, from the configuration to the wire. */
import assert from "node:assert/strict";
import { HOST, Rig } from "./rig.ts";

Deno.test("unmapped hosts pass, are recorded, and open no way to this machine or around a rule", async () => {
  await using rig = await Rig.start({
    mappingTable: "default_protected = false",
    free: "free.test",
  });
  const session = await rig.session();
  assert.equal((await session.curl("https://free.test/any", "--data", "x")).status, 200);
  assert.equal((await session.curl("/unmapped", "--request", "PUT")).reason, "UnclassifiedIntent");
  const spelt = `https://${HOST.toUpperCase()}:444/echo`;
  assert.equal((await session.curl(spelt)).reason, "UnclassifiedIntent");
  assert.equal((await session.curl("https://[2001:db8::1]/")).reason, "UnclassifiedIntent");
  assert.equal((await session.curl("https://localhost/")).reason, "LoopbackBlocked");
  // A name of this machine's own, which no rule can know of, leads here or nowhere.
  const here = await session.curl(`http://${Deno.hostname()}.:${rig.upstream.plainPort}/`);
  assert.ok([403, 502].includes(here.status), String(here.status));
  assert.deepEqual(rig.upstream.seen.map(({ path }) => path), ["/any"]);
  await rig.end();
  const decisions = (await rig.events()).flatMap((event) =>
    event.kind === "decision" ? [event] : []
  );
  const [passed] = decisions;
  assert.deepEqual([passed?.decision, passed?.token_id], ["PASSTHROUGH", session.tokenId]);
});
