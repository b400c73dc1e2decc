import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { PassThrough } from "node:stream";
import { unwrap } from "../../../src/core/result.ts";
import { Guests } from "../../../src/authority/service/guests.ts";
import { namesOf, type Peer } from "../../../src/authority/service/peer.ts";
import { RefusalLog } from "../../../src/authority/service/refusal_log.ts";
import { createAuthority, issueCertificate } from "../../../src/pki/certificate_authority.ts";
import { eventually } from "../../fixtures/deadline.ts";

const NOW = Date.now();
const ca = unwrap(await createAuthority("Client CA", 10));
const clientCas = [new X509Certificate(ca.certificate)];
const admission = (...names: string[]) => ({
  allowList: { authorized: names.map((cn) => ({ cn })), revoked: new Set<string>() },
  clientCas,
});

async function peer(commonName: string): Promise<Peer> {
  const subject = { commonName, names: [], purpose: "client", days: 1 } as const;
  const certificate = new X509Certificate(unwrap(await issueCertificate(ca, subject)).certificate);
  return {
    ...namesOf(certificate),
    name: commonName,
    certificate,
    validFromMs: Date.parse(certificate.validFrom),
    validToMs: Date.parse(certificate.validTo),
    verified: true,
    issuers: new WeakMap(),
  };
}

function arrival(peer: Peer) {
  return { from: "192.0.2.1:1", peer, socket: new PassThrough() };
}

Deno.test("admit() gives no certificate more than its share, and room back when one leaves", async () => {
  const guests = new Guests();
  const [greedy, other] = await Promise.all([peer("greedy"), peer("other")]);
  const list = admission("greedy", "other");
  const first = arrival(greedy);
  assert.ok(guests.admit(first, list, NOW).ok);
  for (let i = 1; i < 1_024; i++) assert.ok(guests.admit(arrival(greedy), list, NOW).ok);
  const refused = guests.admit(arrival(greedy), list, NOW);
  assert.ok(!refused.ok);
  assert.equal(refused.error, '"greedy" has 1024 connections already');
  assert.ok(guests.admit(arrival(other), list, NOW).ok, "there is room for others");
  first.socket.destroy();
  await eventually("room", () => guests.admit(arrival(greedy), list, NOW).ok || undefined);
});

Deno.test("review() disconnects who would not be let in again, and knows what the others may now", async () => {
  const guests = new Guests();
  const [stays, goes] = await Promise.all([peer("stays"), peer("goes")]);
  const [staying, going] = [arrival(stays), arrival(goes)];
  const admitted = guests.admit(staying, admission("stays", "goes"), NOW);
  assert.ok(admitted.ok);
  assert.ok(guests.admit(going, admission("stays", "goes"), NOW).ok);
  const told: string[] = [];
  const list = {
    allowList: { authorized: [{ cn: "stays", agents: ["agt_x"] }], revoked: new Set<string>() },
    clientCas,
  };
  guests.review(list, NOW, ({ peer }, reason) => told.push(`${peer.name}: ${reason}`));
  assert.deepEqual(told, ['goes: "goes" is not on the list of clients']);
  assert.deepEqual([staying.socket.destroyed, going.socket.destroyed], [false, true]);
  assert.deepEqual(admitted.value.client.agents, ["agt_x"]);
  guests.review(list, stays.validToMs, ({ peer }, reason) => told.push(`${peer.name}: ${reason}`));
  assert.equal(told[1], 'stays: the certificate of "stays" has expired');
});

Deno.test("a RefusalLog tells of refusals, and counts those of a flood", () => {
  const lines: string[] = [];
  const log = new RefusalLog((level, text) => lines.push(`${level}: ${text}`));
  for (let i = 0; i < 100_000; i++) log.add(`Refused ${i}`);
  log.flush();
  log.flush();
  assert.equal(lines[0], "warn: Refused 0");
  const told = lines.filter((line) => /Refused \d+$/.test(line)).length;
  const counted = lines.flatMap((line) => /(\d+) more clients/.exec(line)?.[1] ?? []);
  // More than at first only by what ten a second add while this runs.
  assert.ok(told >= 100 && told < 5_000, `${told} lines`);
  assert.equal(told + counted.reduce((sum, count) => sum + Number(count), 0), 100_000);
});
