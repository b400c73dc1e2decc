/** Ten agents in one Sidecar at once, each as if it were alone. */
import assert from "node:assert/strict";
import { newId } from "../../src/core/id.ts";
import type { DecisionEvent } from "../../src/core/event.ts";
import { projectDataDir } from "../../src/config/paths.ts";
import { eventually } from "../fixtures/deadline.ts";
import { HOST, Rig, type RigSession, RULES } from "./rig.ts";

const COUNT = 10;
/** Rounds of each agent before its neighbours lose something, and after. */
const ROUNDS = 6;

const AGENTS = Array.from({ length: COUNT }, (_, i) => ({ id: newId("agt"), name: `agent-${i}` }));

/** Each agent may read what is its own, and nothing else. */
const POLICY = AGENTS.map(({ id }, i) => `
@id("own-${i}") permit (
  principal == Firma::Agent::"${id}",
  action in [Firma::Action::"code.read"],
  resource
) when { resource has path && resource.path == "/echo/${i}" };`).join("\n");

interface Answer {
  readonly status: number;
  /** Of a denial. */
  readonly eventId: string;
  readonly reason: string;
}

/** An agent that does its best to pass for another one. */
class Impostor implements Disposable {
  readonly answers: Answer[] = [];
  readonly #client: Deno.HttpClient;

  constructor(readonly session: RigSession, readonly victim: RigSession) {
    this.#client = Deno.createHttpClient({
      proxy: { url: session.front.url },
      caCerts: [session.caPem],
    });
  }

  /** Asks until there is an answer: while the data plane starts again, there is none. */
  async ask(path: string): Promise<Answer> {
    return await eventually("an answer", async () => {
      try {
        const response = await fetch(`https://${HOST}${path}`, {
          client: this.#client,
          headers: {
            "x-firma-agent-id": this.victim.agentId,
            "x-firma-session-id": this.victim.id,
            "x-firma-token": this.victim.tokenId,
          },
        });
        const body = await response.json();
        const answer = {
          status: response.status,
          eventId: body.event_id ?? "",
          reason: body.reason ?? "",
        };
        this.answers.push(answer);
        return answer;
      } catch {
        return undefined;
      }
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

async function rows(rig: Rig): Promise<Map<string, Readonly<Record<string, unknown>>>> {
  const { sessions } = await (await rig.control("GET", "/v1/sessions")).json();
  return new Map(
    sessions.map((row: Readonly<Record<string, unknown>>) => [String(row.session_id), row]),
  );
}

Deno.test("ten agents at once have their own permissions, counters and records, whatever they claim and however the data plane ends", async () => {
  await using rig = await Rig.start({
    policy: POLICY,
    prepare: async (dir) => {
      const file = await Deno.realPath(`${dir}/firma.toml`);
      const store = `${projectDataDir({ XDG_DATA_HOME: `${dir}/data` }, file)}/authority`;
      await Deno.mkdir(store, { recursive: true });
      const registered = AGENTS.map((agent) => ({
        ...agent,
        registered_at: "2026-01-01T00:00:00Z",
      }));
      await Deno.writeTextFile(`${store}/agents.json`, JSON.stringify(registered));
    },
  });
  const sessions = await Promise.all(
    AGENTS.map(({ id, name }, i) => rig.session(i % 2 === 0 ? { agent: name } : { agent_id: id })),
  );
  assert.deepEqual(sessions.map(({ agentId }) => agentId), AGENTS.map(({ id }) => id));
  const agents = sessions.map((session, i) => new Impostor(session, sessions[(i + 1) % COUNT]!));
  const round = async (agent: Impostor, i: number) => {
    assert.equal((await agent.ask(`/echo/${i}`)).status, 200);
    const denied = await agent.ask(`/echo/${(i + 1) % COUNT}`);
    assert.deepEqual([denied.status, denied.reason], [403, "PolicyDenied"]);
  };
  const rounds = Promise.all(agents.map(async (agent, i) => {
    for (let n = 0; n < ROUNDS; n++) await round(agent, i);
  }));
  // Another host needs another worker: the one that serves all of them ends in the middle of it.
  await eventually(
    "calls under way",
    () => agents.every(({ answers }) => answers.length > 2) || undefined,
  );
  const other = `${RULES}\n[[rules]]\nhost = "other.test"\naction_class = "code.read"\n`;
  await Deno.writeTextFile(`${rig.dir}/mappings/test.toml`, other);
  await rounds;
  await eventually("the new worker", () => rig.notices(/data plane starts again/)[0]);

  const revoked = 3;
  const file = await Deno.realPath(`${rig.dir}/firma.toml`);
  const list = `${projectDataDir({ XDG_DATA_HOME: `${rig.dir}/data` }, file)}/revocations.txt`;
  await Deno.writeTextFile(list, `${sessions[revoked]!.tokenId}\n`, { append: true });
  await eventually("the revocation", async () => {
    const { reason } = await agents[revoked]!.ask(`/echo/${revoked}`);
    return reason === "TokenRevoked" || undefined;
  });
  await Promise.all(agents.map(async (agent, i) => {
    if (i !== revoked) return await round(agent, i);
    assert.equal((await agent.ask(`/echo/${i}`)).reason, "TokenRevoked");
  }));

  await eventually("every call to end", async () => {
    const { open_calls } = await (await rig.control("GET", "/v1/status")).json();
    return open_calls === 0 || undefined;
  });
  const told = await rows(rig);
  await Promise.all(sessions.map(({ id }) => rig.control("POST", `/v1/sessions/${id}/end`, {})));
  const decisions = (await rig.events()).filter((event): event is typeof event & DecisionEvent =>
    event.kind === "decision"
  );
  for (const [i, { answers, session }] of agents.entries()) {
    const own = decisions.filter(({ session_id }) => session_id === session.id);
    for (const event of own) {
      assert.equal(event.agent_id, AGENTS[i]!.id);
      if (event.decision === "ALLOW") assert.deepEqual(event.policy_ids, [`own-${i}`]);
      if (event.envelope) assert.equal(event.envelope.metadata.session_id, session.id);
    }
    // No call is counted twice or not at all, and none of another session.
    const denials = own.filter(({ decision }) => decision === "DENY");
    const { action_count, deny_count } = told.get(session.id)!;
    assert.deepEqual([action_count, deny_count], [own.length, denials.length], `agent ${i}`);
    for (const [n, { envelope }] of own.entries()) {
      if (envelope === undefined) continue;
      const { action_count, deny_count, last_resource } = envelope.metadata;
      const before = own.slice(0, n);
      const denied = before.filter(({ decision }) => decision === "DENY").length;
      const history = [action_count, deny_count, last_resource];
      assert.deepEqual(history, [n + 1, denied, before.at(-1)?.resource ?? ""], `agent ${i}`);
    }
    // Each answer that an agent had is on record as its own.
    const ids = new Set(denials.map(({ event_id }) => event_id));
    for (const { status, eventId } of answers) {
      if (status === 403) assert.ok(ids.has(eventId), `agent ${i}: ${eventId}`);
    }
    const allowed = answers.filter(({ status }) => status === 200).length;
    assert.ok(own.length - denials.length >= allowed, `agent ${i}`);
  }
  for (const { path, rawHeaders } of rig.upstream.seen) {
    assert.doesNotMatch(rawHeaders.join("\n"), /x-firma/i, path);
  }
  for (const agent of agents) agent[Symbol.dispose]();
});
