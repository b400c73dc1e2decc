import * as v from "valibot";
import { join } from "../../core/path.ts";
import { isId } from "../../core/id.ts";
import { FirmaException } from "../../core/result.ts";
import { readFileIfThere, replaceFile, withFileLock } from "./files.ts";
import type { RegisteredAgent } from "./store.ts";

const Agents = v.array(v.strictObject({
  id: v.pipe(v.string(), v.check((id) => isId("agt", id))),
  name: v.pipe(v.string(), v.nonEmpty()),
  registered_at: v.string(),
}));

/** The registered agents in a JSON file, which other processes may change at any time. */
export class AgentFile {
  readonly #path: string;
  #known: { readonly identity: string; readonly agents: ReadonlyMap<string, RegisteredAgent> } = {
    identity: "",
    agents: new Map(),
  };

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * All agents by identifier, as they are now.
   *
   * @throws {FirmaException} `AGENTS_UNREADABLE`
   */
  async read(): Promise<ReadonlyMap<string, RegisteredAgent>> {
    const identity = identityOf(this.#path);
    if (this.#known.identity !== identity) {
      this.#known = { identity, agents: await readAgents(this.#path) };
    }
    return this.#known.agents;
  }

  /** Changes the agents; `change` says which there are to be, or `undefined` to leave them. */
  async change(
    change: (agents: readonly RegisteredAgent[]) => readonly RegisteredAgent[] | undefined,
  ): Promise<boolean> {
    return await withFileLock(this.#path, async () => {
      const changed = change([...(await readAgents(this.#path)).values()]);
      if (changed === undefined) return false;
      const entries = changed.map(({ id, name, registeredAt }) => ({
        id,
        name,
        registered_at: registeredAt,
      }));
      await replaceFile(this.#path, `${JSON.stringify(entries, null, 2)}\n`);
      return true;
    });
  }
}

/** The agents that are registered for the project whose durable data are in `directory`. */
export function agentRegistry(directory: string): AgentFile {
  return new AgentFile(join(directory, "authority", "agents.json"));
}

async function readAgents(path: string): Promise<ReadonlyMap<string, RegisteredAgent>> {
  const text = await readFileIfThere(path);
  if (text === undefined) return new Map();
  try {
    const entries = v.parse(Agents, JSON.parse(text));
    return new Map(entries.map((entry) => [entry.id, {
      id: entry.id,
      name: entry.name,
      registeredAt: entry.registered_at,
    }]));
  } catch (cause) {
    throw new FirmaException({
      code: "AGENTS_UNREADABLE",
      message: `Cannot read the registered agents in "${path}": it is not a list of agents`,
      cure: "restore the file, or move it away and register the agents again",
      at: { file: path },
      cause,
    });
  }
}

/** Changes whenever the file is replaced. */
function identityOf(path: string): string {
  try {
    // For each token: going through the event loop would take longer than looking.
    const { ino, size, mtime } = Deno.statSync(path);
    return `${ino} ${size} ${mtime?.getTime()}`;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "none";
    throw cause;
  }
}
