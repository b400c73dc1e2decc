import { Argument, type Command, Option } from "commander";
import { discoverConfig } from "../../config/discover.ts";
import { checkConfigFile, type ConfigFile, readConfigFile } from "../../config/load.ts";
import { packNames } from "../../config/packs.ts";
import { type Environment, projectDataDir, runsDir } from "../../config/paths.ts";
import { join } from "../../core/path.ts";
import { actionClasses } from "../../core/action_class.ts";
import { isId } from "../../core/id.ts";
import { PROFILES } from "../../sandbox/profiles.ts";
import { serviceNames } from "../credentials/services.ts";
import { useProjectClasses } from "../project_classes.ts";
import type { Candidate, Completion } from "./complete.ts";

type Source = () => readonly Candidate[];

/** Where the values of options come from, by the names of these. */
const OF_OPTIONS: Readonly<Record<string, Source>> = {
  posture: () => words(packNames("posture"), "posture"),
  mapping: () => words(packNames("mapping"), "mapping"),
  profile: () => words(PROFILES.map(({ id }) => id), "profile"),
  actionClass: classes,
  action: classes,
  agent: () => [...agents(), ...agentNames()],
  agentId: agents,
  authority: () => words(["local"], "one of the run's own"),
  authorityProfile: () => words(["developer"], "the only kind"),
  backend: () => words(["bwrap"], "what there is, on Linux"),
  sidecar: () => words(["local"], "one of the run's own"),
  sandboxId: () => words(names(runsDir(environment())).filter((id) => isId("sbx", id)), "sandbox"),
};

/** Where the values of arguments come from, by command and argument; the command above may be named. */
const OF_ARGUMENTS: Readonly<Record<string, Source>> = {
  "show name": () => [
    ...words(packNames("posture"), "posture"),
    ...words(packNames("mapping"), "mapping"),
  ],
  "credentials add name": () => words(serviceNames(), "a service that firma knows"),
  "credentials test name": credentials,
  "credentials remove name": credentials,
  "remove name or id": () => [...agents(), ...agentNames()],
};

/** What may be given for an option, or for an argument of `command`. */
export async function valuesOf(
  parameter: Option | Argument,
  command?: Command,
): Promise<Completion> {
  const { argChoices, description } = parameter;
  if (argChoices) return { kind: "words", candidates: words(argChoices, description) };
  const named = `${command?.name()} ${parameter.name()}`;
  const source = parameter instanceof Argument
    ? OF_ARGUMENTS[`${command?.parent?.name()} ${named}`] ?? OF_ARGUMENTS[named]
    : OF_OPTIONS[parameter.attributeName()];
  if (source !== undefined) return { kind: "words", candidates: await quietly(source) };
  const what = parameter instanceof Argument
    ? parameter.name()
    : /[<[]([^>\]]*)[>\]]/.exec(parameter.flags)?.[1] ?? "";
  if (parameter instanceof Option && parameter.attributeName() === "stateDir") {
    return { kind: "directories", candidates: [] };
  }
  if (what === "command") return { kind: "commands", candidates: [] };
  if (/directory/.test(what)) return { kind: "directories", candidates: [] };
  if (/path|file|fixture|proof|^args$/.test(what)) return { kind: "files", candidates: [] };
  return { kind: "words", candidates: [] };
}

function words(values: readonly string[], text: string): Candidate[] {
  return values.map((value) => ({ value, text }));
}

/** What cannot be found out is no candidate: nobody wants a message while they type. */
function quietly(source: Source): readonly Candidate[] {
  try {
    return source();
  } catch {
    return [];
  }
}

function environment(): Environment {
  return Deno.env.toObject();
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

function classes(): readonly Candidate[] {
  useProjectClasses(undefined);
  return actionClasses().map(({ name, meaning }) => ({ value: name, text: meaning }));
}

/** The agent of the project, and those that its Authority has registered in a file. */
function agents(): readonly Candidate[] {
  const file = projectFile();
  if (file === undefined) return [];
  const own = /^\s*agent_id\s*=\s*"([^"]*)"/m.exec(file.text)?.[1];
  const ids = [own ?? "", ...registered(file.file).map(({ id }) => id)];
  return words([...new Set(ids)].filter((id) => isId("agt", id)), "agent");
}

function agentNames(): readonly Candidate[] {
  const file = projectFile();
  return file === undefined ? [] : words(registered(file.file).map(({ name }) => name), "agent");
}

/** The credentials of a configuration, whoever trusts it: names are words in lower case. */
function credentials(): readonly Candidate[] {
  const file = projectFile();
  const config = file && checkConfigFile(file, environment());
  if (!config?.ok) return [];
  return words(config.value.sidecar.credentials.map(({ label }) => label), "credential");
}

function projectFile(): ConfigFile | undefined {
  const found = discoverConfig({ env: environment(), cwd: Deno.cwd() });
  const file = found.ok && found.value ? readConfigFile(found.value.file) : undefined;
  return file?.ok ? file.value : undefined;
}

/** What the Authority of a project has registered in a file; a database is not asked. */
function registered(configFile: string): { readonly id: string; readonly name: string }[] {
  try {
    const path = join(projectDataDir(environment(), configFile), "authority/agents.json");
    const entries: unknown[] = JSON.parse(Deno.readTextFileSync(path));
    return entries.map((entry) => {
      const { id, name } = entry as Readonly<Record<string, unknown>>;
      return { id: String(id), name: String(name) };
    });
  } catch {
    return [];
  }
}
