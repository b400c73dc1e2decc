import { Command } from "commander";
import type { AuthorityStore, RegisteredAgent } from "../../authority/store/store.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { isAgentName } from "../../core/agent_name.ts";
import { isId, newId } from "../../core/id.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { STATUS, withStore } from "./project.ts";

interface Flags {
  readonly config?: string;
  readonly id?: string;
  readonly json?: boolean;
}

function line({ id, name, registeredAt }: RegisteredAgent): string {
  return `${id}  ${escapeForTerminal(name)}  ${escapeForTerminal(registeredAt)}\n`;
}

async function add(store: AuthorityStore, name: string, given?: string): Promise<number> {
  if (!isAgentName(name)) {
    printError({
      code: "AGENT_NAME_INVALID",
      message: `Cannot register agent "${name}": the name is not letters, digits, ".", "_" or "-"`,
    });
    return STATUS.badInput;
  }
  const id = given ?? newId("agt");
  if (!isId("agt", id)) {
    printError({
      code: "AGENT_ID_INVALID",
      message: `Cannot register agent "${name}": "${id}" is not an identifier such as agt_01jd…`,
    });
    return STATUS.badInput;
  }
  const agent = { id, name, registeredAt: new Date().toISOString() };
  if (await store.addAgent(agent)) {
    print(`${id}\n`);
    return STATUS.ok;
  }
  printError({
    code: "AGENT_REGISTERED",
    message: `Cannot register agent "${name}": the name or the identifier is registered already`,
    cure: "firma authority agents list",
  });
  return STATUS.failed;
}

async function remove(store: AuthorityStore, nameOrId: string): Promise<number> {
  const agent = (await store.listAgents()).find(({ id, name }) =>
    id === nameOrId || name === nameOrId
  );
  if (agent !== undefined && await store.removeAgent(agent.id)) return STATUS.ok;
  printError({
    code: "AGENT_NOT_REGISTERED",
    message: `Cannot remove agent "${nameOrId}": it is not registered`,
    cure: "firma authority agents list",
  });
  return STATUS.failed;
}

async function list(store: AuthorityStore, json: boolean): Promise<number> {
  const agents = await store.listAgents();
  const entries = agents.map(({ id, name, registeredAt }) => ({
    id,
    name,
    registered_at: registeredAt,
  }));
  print(json ? `${JSON.stringify(entries)}\n` : agents.map(line).join(""));
  return STATUS.ok;
}

/** `firma authority agents add | list | remove` */
export function agentsCommand(): Command {
  const config = ["-c, --config <path>", "configuration file"] as const;
  const run = async (command: Command, work: (store: AuthorityStore) => Promise<number>) => {
    Deno.exitCode = await withStore(withGlobals<Flags>(command).config, work);
  };
  return new Command("agents")
    .description("The agents that tokens are issued for. A running Authority follows at once.")
    .helpCommand(false)
    .addHelpText("after", examples("firma authority agents add builder"))
    .addCommand(
      new Command("add").description("Register an agent; prints its identifier.")
        .argument("<name>", "what people call it")
        .option("--id <agt_…>", "an identifier that it has already")
        .option(...config)
        .addHelpText("after", examples("firma authority agents add builder"))
        .action((name: string, flags: Flags, command: Command) =>
          run(command, (store) => add(store, name, flags.id))
        ),
    )
    .addCommand(
      new Command("list").description("List the registered agents.")
        .option("--json", "print a JSON array")
        .option(...config)
        .addHelpText("after", examples("firma authority agents list --json"))
        .action((flags: Flags, command: Command) =>
          run(command, (store) => list(store, flags.json === true))
        ),
    )
    .addCommand(
      new Command("remove").description("Issue no further token for an agent.")
        .argument("<name or id>", "what list prints of it")
        .option(...config)
        .addHelpText("after", examples("firma authority agents remove builder"))
        .action((name: string, _flags: Flags, command: Command) =>
          run(command, (store) => remove(store, name))
        ),
    );
}
