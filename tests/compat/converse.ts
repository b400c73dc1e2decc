import { join } from "node:path";
import { parse } from "smol-toml";
import type { SignedEvent } from "../../src/core/event.ts";
import { type Finished, Person } from "../fixtures/cli.ts";
import { TestCa } from "../fixtures/test_ca.ts";
import type { Agent } from "./agents.ts";

/** What became of a prompt. */
export interface Conversation extends Finished {
  readonly events: readonly SignedEvent[];
  /** What the stand-in was asked: method and path. */
  readonly asked: readonly string[];
  /** The keys that the vendor was shown, as it was shown them. */
  readonly keys: ReadonlySet<string>;
}

/** Gives the real agent, at `program`, a prompt under firma. */
export async function converse(
  agent: Agent,
  program: string,
  prompt: string,
): Promise<Conversation> {
  // Whatever else it knows is on this machine too: no test speaks to anybody out there.
  const hosts = await hostsOf(agent.mapping);
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue(...hosts);
  const asked: string[] = [];
  const keys = new Set<string>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    async (request) => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      const ours = new URL(request.url).hostname === agent.vendor.host;
      if (ours) keys.add(request.headers.get(agent.header) ?? "none");
      return ours && await agent.vendor.answer(request) || Response.json({}, { status: 404 });
    },
  );
  await using person = await Person.create();
  await person.configure({
    servers: hosts.map((host) => ({
      host,
      address: `127.0.0.1:${server.addr.port}`,
      certificate: ca.certificate,
    })),
    mappings: [agent.mapping],
    more: `[sidecar.credentials.vendor]
provider = "environment"
variable = "KEY_OF_THE_VENDOR"
hosts = ["${agent.vendor.host}"]
header = "${agent.header}"
env = ${JSON.stringify(agent.env)}
`,
  });
  for (const [name, text] of Object.entries(agent.home ?? {})) {
    await person.write(join("..", name), text);
  }
  const finished = await person.run([program, ...agent.words(prompt)], {
    env: { KEY_OF_THE_VENDOR: agent.key },
  });
  return { ...finished, events: await person.events(), asked, keys };
}

/** Whether the vendor was shown the agent's key in each call, and never what the agent holds. */
export function isKeyOf({ key, header }: Agent, keys: ReadonlySet<string>): boolean {
  return keys.size === 1 && keys.has(header === "authorization" ? `Bearer ${key}` : key);
}

/** The hosts that a mapping pack names. */
export async function hostsOf(mapping: string): Promise<[string, ...string[]]> {
  const file = new URL(`../../packs/mappings/${mapping}.toml`, import.meta.url);
  const { rules } = parse(await Deno.readTextFile(file)) as {
    rules: { host: string | string[] }[];
  };
  const hosts = new Set(rules.flatMap(({ host }) => host).filter((host) => !host.includes("*")));
  return [...hosts] as [string, ...string[]];
}
