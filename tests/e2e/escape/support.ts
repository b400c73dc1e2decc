/** What the escape tests share: a host full of what an agent wants, and attempts to get at it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Finished, Person } from "../../fixtures/cli.ts";
import { outsideAddress } from "../../fixtures/outside_address.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
export const AS_ROOT = Deno.uid() === 0;

/** The outcome of each attempt, by name. */
export type Outcomes = ReadonlyMap<string, unknown>;

/** What an attempt must come to inside, and what proves outside that it can succeed at all. */
export interface Expectation {
  /** A pattern stands for several outcomes. */
  readonly inside: unknown;
  /** Left out where the machine decides. */
  readonly outside?: unknown;
  /** For whom `outside` holds. @default anybody */
  readonly who?: "root";
}

/** For an outcome that its test looks at by itself. */
export const BY_HAND = Symbol("by hand");

/** Both for everybody. */
export const same = (inside: unknown, outside: unknown): Expectation => ({ inside, outside });
/** What only root could do even outside. */
export const rootOnly = (inside: unknown, outside: unknown): Expectation => ({
  inside,
  outside,
  who: "root",
});

/** Anything but what it comes to inside, for calls that fail outside as well, for other reasons. */
export const SOMETHING_ELSE = Symbol("something else");

/** Something of the host's to be found, and where it is. */
export interface Host extends AsyncDisposable {
  readonly person: Person;
  /** What the probe is told. */
  readonly planted: Readonly<Record<string, unknown>>;
}

/** A person whose project holds the probe, with secrets and servers around it. */
export async function makeHost(): Promise<Host> {
  const person = await Person.create();
  const sockets = {
    hostSocket: join(person.home, "host.sock"),
    workspaceSocket: join(person.project, "host.sock"),
  };
  const abstract = `firma-test-${crypto.randomUUID()}`;
  const server = person.startProgram("/usr/bin/python3", [
    ...[join(HERE, "host_server.py"), `@${abstract}`, ...Object.values(sockets)],
  ]);
  const [, ports] = await server.printed(/^(\[.*\])$/m);
  const [hostPort, hostDatagramPort] = JSON.parse(ports!) as [number, number];
  await person.configure({});
  await copyProbe(person);
  const plant = async (path: string, text: string) => {
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, text);
    return path;
  };
  const planted = {
    probe: join(person.project, "probe"),
    homeSecret: await plant(join(person.home, ".ssh/id_ed25519"), "home secret"),
    stateSecret: await plant(join(person.stateDir, "authority.key"), "state secret"),
    tmpSecret: await plant(join(person.home, "../tmp-secret"), "tmp secret"),
    tmpFile: join("/tmp", `firma-${crypto.randomUUID()}`),
    sealed: join(person.project, ".firma"),
    firma: fileURLToPath(new URL("../../../main.ts", import.meta.url)),
    auditLog: person.auditLog,
    abstractSocket: abstract,
    ...{ hostPort, hostDatagramPort, hostAddress: outsideAddress(), hostProcess: server.pid },
    ...sockets,
  };
  return {
    person,
    planted,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        ["/firma-probe", "/usr/firma-probe", "/etc/firma-probe", planted.tmpFile].map((path) =>
          Deno.remove(path).catch(() => {})
        ),
      );
      await person[Symbol.asyncDispose]();
    },
  };
}

async function copyProbe(person: Person): Promise<void> {
  const probe = join(HERE, "probe");
  for await (const { name } of Deno.readDir(probe)) {
    if (name.endsWith(".py")) {
      await person.write(`probe/${name}`, await Deno.readTextFile(join(probe, name)));
    }
  }
}

/** What is tried. */
export interface Tries {
  /** Of the probe. */
  readonly modules: readonly string[];
  /** Looks at what is left of the run, before the same is tried outside. */
  readonly after?: (run: Finished) => Promise<void>;
}

/** Makes every attempt of these modules, inside the sandbox and then outside of it. */
export async function tryEverything(
  { person, planted }: Pick<Host, "person" | "planted">,
  { modules, after }: Tries,
): Promise<{ readonly inside: Outcomes; readonly outside: Outcomes }> {
  const words = (outside: boolean) => [
    ...["/usr/bin/python3", "-B", planted.probe as string],
    JSON.stringify({ ...planted, modules, outside }),
  ];
  const env = { HOST_SECRET: "hunter2" };
  const run = await person.run(words(false), { env });
  const inside = outcomes(run);
  await after?.(run);
  const [program, ...args] = words(true);
  const outside = outcomes(await person.startProgram(program!, args, { env }).finished());
  return { inside, outside };
}

function outcomes({ code, stdout, stderr }: Finished): Outcomes {
  assert.equal(code, 0, `The probe did not come to its end: ${stdout}${stderr}`);
  const lines = stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return new Map(lines.map(({ name, outcome }) => [name, outcome]));
}

/** A step for each expectation. Every attempt that was made has to have one. */
export async function checkAttempts(
  t: Deno.TestContext,
  { inside, outside }: { readonly inside: Outcomes; readonly outside: Outcomes },
  expectations: Readonly<Record<string, Expectation>>,
): Promise<void> {
  for (const [name, expected] of Object.entries(expectations)) {
    if (expected.inside === BY_HAND) continue;
    await t.step(name, () => {
      const got = inside.get(name);
      if (expected.inside instanceof RegExp) assert.match(String(got), expected.inside, "inside");
      else assert.deepEqual(got, expected.inside, "inside");
      if (!("outside" in expected) || expected.who === "root" && !AS_ROOT) return;
      if (expected.outside === SOMETHING_ELSE) {
        assert.notDeepEqual(outside.get(name), got, "outside");
      } else {
        assert.deepEqual(outside.get(name), expected.outside, "outside");
      }
    });
  }
  await t.step("nothing was tried that nobody looks at", () => {
    assert.deepEqual([...inside.keys()].filter((name) => !(name in expectations)), []);
  });
}
