/** See `scripts/compat`. */
import { AGENTS } from "./agents.ts";
import { CLIENTS } from "./clients.ts";
import { converse, isKeyOf } from "./converse.ts";
import { install } from "./install.ts";
import { measure, versionOf } from "./measure.ts";
import { converseSignedIn, isRenewed } from "./sign_in.ts";
import { SIGN_INS } from "./sign_ins.ts";
import { askStore, isKept } from "./store.ts";
import { type AgentRow, agentTable, type ClientRow, clientTable } from "./table.ts";
import { ELSEWHERE, GREETING } from "./vendors/vendor.ts";

const PAGE = new URL("../../docs/compatibility.md", import.meta.url);
const write = Deno.args.includes("--write");
const names = Deno.args.filter((word) => !word.startsWith("--"));
const wanted = <T extends { readonly name: string }>(all: readonly T[]) =>
  all.filter(({ name }) => names.length === 0 || names.includes(name));

const STORE = { name: "aws secretsmanager" };
const ALL = [...CLIENTS, ...AGENTS, STORE];
const unknown = names.find((name) => !ALL.some((one) => one.name === name));
if (unknown !== undefined) {
  console.error(`scripts/compat: no client or agent is called "${unknown}"`);
  Deno.exit(2);
}

let failures = 0;
function judge(what: string, works: boolean, output: string): boolean {
  console.error(`${works ? "ok  " : "FAIL"}  ${what}`);
  if (!works) {
    failures++;
    console.error(output.trim().split("\n").slice(-20).map((line) => `      ${line}`).join("\n"));
  }
  return works;
}

const clientRows: ClientRow[] = [];
for (const client of wanted(CLIENTS)) {
  const attempts = await measure(client);
  for (const { kind, route, works, output } of attempts) {
    judge(`${client.name}: ${kind}, ${route}`, works, output);
  }
  clientRows.push({ name: client.name, version: await versionOf(client), attempts });
}

const agentRows: AgentRow[] = [];
for (const agent of wanted(AGENTS)) {
  await using installed = await install(agent.example ?? agent.npm, agent.program);
  const greeted = await converse(agent, installed.program, "hello");
  const sent = await converse(agent, installed.program, `Please get ${ELSEWHERE} with curl`);
  const signIn = SIGN_INS.find((each) => each.agent === agent.name);
  const signedIn = signIn && await converseSignedIn(signIn, installed.program, "hello");
  agentRows.push({
    name: agent.name,
    version: agent.npm.slice(agent.npm.lastIndexOf("@") + 1),
    answers: judge(
      `${agent.name}: answers`,
      greeted.stdout.includes(GREETING) && isKeyOf(agent, greeted.keys),
      greeted.stdout + greeted.stderr,
    ),
    showsDenial: judge(
      `${agent.name}: shows a denial`,
      /firma refused GET example\.com/.test(sent.stdout) &&
        sent.events.some((event) =>
          event.kind === "decision" && event.decision === "DENY" &&
          event.resource === "example.com/"
        ),
      sent.stdout + sent.stderr,
    ),
    renews: signedIn && judge(
      `${agent.name}: renews a sign-in`,
      isRenewed(signIn!, signedIn),
      JSON.stringify(signedIn, undefined, 2),
    ),
  });
}

for (const { name } of wanted([STORE])) {
  const asked = await askStore();
  judge(`${name}: gives placeholders`, isKept(asked), JSON.stringify(asked, undefined, 2));
}

if (write) {
  let page = await Deno.readTextFile(PAGE);
  const tables = { clients: clientTable(clientRows), agents: agentTable(agentRows) };
  for (const [name, table] of Object.entries(tables)) {
    page = page.replace(
      new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`),
      (_, begin, end) => `${begin}\n${table}\n\n${end}`,
    );
  }
  await Deno.writeTextFile(PAGE, page);
}
Deno.exitCode = failures === 0 ? 0 : 1;
