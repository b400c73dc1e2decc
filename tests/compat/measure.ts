import { Person } from "../fixtures/cli.ts";
import { type Client, type Kind, KINDS, type Route, ROUTES, type Targets } from "./client.ts";
import { startGitServer } from "../fixtures/git_server.ts";
import { type Servers, startServers } from "./servers.ts";

/** What became of one attempt. */
export interface Attempt {
  readonly kind: Kind;
  readonly route: Route;
  readonly works: boolean;
  /** What the client printed. */
  readonly output: string;
}

const SECURE_HOST = "api.firma.test";
const PLAIN_HOST = "plain.firma.test";
/** The API that gh knows, and the host whose addresses over SSH are rewritten. */
const GITHUB_API = "api.github.com";
const GIT_HOST = "github.com";
const TARGETS: Targets = {
  plain: `http://${PLAIN_HOST}/allowed`,
  secure: `https://${SECURE_HOST}/allowed`,
  echo: `wss://${SECURE_HOST}/allowed/echo`,
  denied: `https://${SECURE_HOST}/denied`,
  repository: `https://${GIT_HOST}/allowed/tool.git`,
};
const RULES = [SECURE_HOST, PLAIN_HOST, GITHUB_API, GIT_HOST].flatMap((host) =>
  [["allowed", "code.read"], ["denied", "payment.payout"]].flatMap(([path, actionClass]) =>
    [`/${path}`, `/${path}/**`].map((pattern) =>
      `[[rules]]\nhost = "${host}"\npath = "${pattern}"\naction_class = "${actionClass}"\n` +
      "websocket = true\n"
    )
  )
).join("\n");

/** Ends the output of one attempt. */
const MARK = "@@end";
const PROXY_VARIABLES = /_proxy$|^(?:YARN|PIP|DOCKER|CLOUDSDK)_.*PROXY/i;

/** The version of a client, as it says itself; of a package of npm, the one that was asked for. */
export async function versionOf({ npm, version }: Client): Promise<string> {
  const asked = npm?.[0];
  if (asked !== undefined) return asked.slice(asked.lastIndexOf("@") + 1);
  const { stdout } = await new Deno.Command("sh", { args: ["-c", version!] }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** Tries everything that `client` can do, in one sandbox. */
export async function measure(client: Client): Promise<Attempt[]> {
  await using servers = await startServers([SECURE_HOST, GITHUB_API]);
  await using git = await startGitServer({
    ca: servers.ca,
    host: GIT_HOST,
    repository: "allowed/tool.git",
  });
  await using person = await Person.create();
  await configure(person, servers, git.address);
  for (const [name, text] of Object.entries(client.files ?? {})) await person.write(name, text);
  await person.write("package.json", "{}");
  if (client.npm) {
    await prepare(person, ["npm", "install", "--no-audit", "--no-fund", ...client.npm]);
  }
  if (client.prepare) await prepare(person, ["sh", "-c", client.prepare]);
  const attempts = ROUTES.flatMap((route) =>
    KINDS.flatMap((kind) => {
      const command = client.commands[kind]?.(TARGETS);
      return command === undefined ? [] : [{ kind, route, command }];
    })
  );
  await person.write("attempts.sh", script(attempts));
  const { stdout, stderr } = await person.run(["bash", "attempts.sh"]);
  const outputs = stdout.split(`${MARK}\n`);
  if (outputs.length !== attempts.length + 1) {
    throw new Error(`${client.name}: ${stderr}\n${stdout}`);
  }
  const events = await person.events();
  const leaked = [...servers.requests, ...git.requests.map(({ target }) => target)]
    .some((request) => request.includes("/denied"));
  return attempts.map(({ kind, route }, index) => {
    const output = outputs[index]!.trim();
    return {
      kind,
      route,
      output,
      works: !leaked && events.length > 0 && isRight(client, kind, output),
    };
  });
}

function isRight({ success }: Client, kind: Kind, output: string): boolean {
  switch (kind) {
    case "denied":
      return output.includes("403") && !output.includes("hello from");
    case "websocket":
      return output.includes("echo of ping");
    case "http2":
      return output.includes("HTTP/2") && output.includes("hello from /allowed");
    default:
      return (success ?? /hello from \/allowed/).test(output);
  }
}

function script(attempts: readonly { readonly route: Route; readonly command: string }[]): string {
  const lines = attempts.map(({ route, command }) => {
    const unset = route === "transparent"
      ? `unset $(compgen -e | grep -iE '${PROXY_VARIABLES.source}');`
      : "";
    return `( ${unset} timeout 60 bash -c ${quote(command)} ) 2>&1\necho\necho ${MARK}`;
  });
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function prepare(person: Person, [program, ...words]: string[]): Promise<void> {
  const { code, stdout, stderr } = await person.startProgram(program!, words).finished();
  if (code !== 0) throw new Error(`${program}: ${stdout}\n${stderr}`);
}

async function configure(person: Person, servers: Servers, git: string): Promise<void> {
  const certificate = servers.ca.certificate;
  await person.configure({
    servers: [
      { host: SECURE_HOST, address: servers.secureAddress, certificate },
      { host: PLAIN_HOST, address: servers.plainAddress, certificate },
      { host: GITHUB_API, address: servers.secureAddress, certificate },
      { host: GIT_HOST, address: git, certificate },
    ],
    rules: RULES,
  });
}
