import assert from "node:assert/strict";
import { AGENTS } from "./agents.ts";
import { CLIENTS } from "./clients.ts";
import { converse } from "./converse.ts";
import { install } from "./install.ts";
import { measure } from "./measure.ts";
import { converseSignedIn, isRenewed } from "./sign_in.ts";
import { SIGN_INS } from "./sign_ins.ts";
import { ELSEWHERE, GREETING } from "./vendors/vendor.ts";

/** Those that `scripts/test` installs; the others are tried by `scripts/compat`. */
const HERE = [
  ...["curl", "wget", "git over HTTPS", "git over SSH"],
  ...["node fetch", "undici", "npm", "ws for node", "python urllib"],
];

for (const client of CLIENTS.filter(({ name }) => HERE.includes(name))) {
  Deno.test(`firma run serves ${client.name} with and without proxy variables`, async () => {
    const attempts = await measure(client);
    assert.ok(attempts.length > 0);
    for (const { kind, route, works, output } of attempts) {
      assert.ok(works, `${kind}, ${route}: ${output}`);
    }
  });
}

Deno.test("firma run has claude answer without its key, and show why its command was refused", async () => {
  const agent = AGENTS.find(({ name }) => name === "claude-code")!;
  await using installed = await install(agent.npm, agent.program);
  const greeted = await converse(agent, installed.program, "hello");
  assert.equal(greeted.code, 0, greeted.stderr);
  assert.equal(greeted.stdout.trim(), GREETING);
  // It works with a placeholder; the vendor is shown the key, in every call.
  assert.deepEqual([...greeted.keys], [agent.key]);

  const sent = await converse(agent, installed.program, `Please get ${ELSEWHERE} with curl`);
  assert.match(sent.stdout, /The command said: .*firma refused GET example\.com/);
  const refused = sent.events.filter((event) =>
    event.kind === "decision" && event.resource === "example.com/"
  );
  assert.deepEqual(refused.map((event) => event.kind === "decision" && event.decision), ["DENY"]);

  // With the sign-in of a person, which it renews in the sandbox and never sees.
  const signIn = SIGN_INS.find(({ agent }) => agent === "claude-code")!;
  const signedIn = await converseSignedIn(signIn, installed.program, "hello");
  assert.ok(isRenewed(signIn, signedIn), JSON.stringify(signedIn, undefined, 2));
});
