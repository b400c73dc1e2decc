/** Follows the README in a fresh system; see scripts/fresh. */
import { join } from "../src/core/path.ts";
import { TestCa } from "../tests/fixtures/test_ca.ts";
import { VERSION } from "../src/config/version.ts";

const HOST = "github.com";
const RELEASES = "/firma/firma/releases/latest/download/";
/** From the first command to the denial that explains itself, in seconds. */
const MOST_SECONDS = 60;

/** What the output of a block has to show, in the order of the README. */
const EXPECTED: readonly (readonly [command: RegExp, shows: RegExp])[] = [
  [/^curl -fsSL/, /installed firma /],
  [/^firma demo/, /demo\.readers-publish-nothing[^]*whole/],
  [/^firma run --yes -- curl/, /"reason": ?"UnclassifiedIntent"/],
  [/^firma monitor/, /DENY +GET +example\.com\//],
  [/^firma policy explain 'DELETE/, /DENY/],
  [/^firma audit verify/, /whole/],
  [/^firma sidecar/, /running/],
];

const [directory] = Deno.args;
if (directory === undefined) throw new Error("scripts/fresh says how this is called");

async function run(command: string, args: readonly string[], env = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], env })
    .output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${command} ${args.join(" ")} failed\n${text}`);
  return text;
}

/** Runs a block of shell in the fresh system, as its root, with the network of this machine. */
function inside(text: string): Promise<string> {
  // Its root, not a change of root: from within one of those no user namespace can be made.
  const enter = `mount --rbind "$1" "$1" && cd "$1" && mount --rbind /proc proc &&
    mount --rbind /dev dev && mount -t tmpfs tmpfs run && mount -t tmpfs -o mode=1777 tmpfs tmp &&
    mkdir -p .before && pivot_root . .before && umount -l /.before && shift && exec "$@"`;
  const env = [
    "HOME=/root",
    "PATH=/root/.local/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ];
  return run("unshare", [
    ...["--mount", "--propagation", "private", "sh", "-ec", enter, "sh", directory!],
    ...["env", "--ignore-environment", ...env, "sh", "-e", "-c", `cd /root/project\n${text}`],
  ]);
}

/** The release that the fresh system finds at github.com. */
async function publish(): Promise<string> {
  const release = await Deno.makeTempDir({ prefix: "firma-release-" });
  await Deno.copyFile("dist/firma", join(release, `firma-${Deno.build.target}`));
  const key = join(await Deno.makeTempDir({ prefix: "firma-key-" }), "key");
  await run("scripts/release", ["--new-key", key]);
  const env = { FIRMA_RELEASE_KEY: await Deno.readTextFile(key) };
  await run("scripts/release", [release, `v${VERSION}`], env);
  return release;
}

async function serve(release: string): Promise<Deno.HttpServer> {
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue(HOST);
  const roots = join(directory!, "usr/local/share/ca-certificates/firma-test.crt");
  await Deno.writeTextFile(roots, ca.certificate);
  await Deno.writeTextFile(join(directory!, "etc/hosts"), `127.0.0.1 localhost ${HOST}\n`);
  await Deno.copyFile("/etc/resolv.conf", join(directory!, "etc/resolv.conf"));
  const options = { hostname: "127.0.0.1", port: 443, cert, key, onListen: () => {} };
  return Deno.serve(options, async (request) => {
    const { pathname } = new URL(request.url);
    const name = pathname.startsWith(RELEASES) ? pathname.slice(RELEASES.length) : "";
    if (!/^[\w.-]+$/.test(name)) return new Response("", { status: 404 });
    const file = await Deno.open(join(release, name)).catch(() => undefined);
    return file === undefined ? new Response("", { status: 404 }) : new Response(file.readable);
  });
}

const readme = (await Deno.readTextFile("README.md")).replaceAll(/^ {2}(?=\S)/gm, "");
const blocks = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text]) => text!)
  .filter((text) => !text.startsWith("scripts/"));
const release = await publish();
const server = await serve(release);
await Deno.mkdir(join(directory, "root/project"), { recursive: true });
await inside("update-ca-certificates");
const started = performance.now();
const seconds = () => (performance.now() - started) / 1_000;
let denied: number | undefined;
for (const text of blocks) {
  const said = await inside(text);
  console.log(
    `${seconds().toFixed(1).padStart(6)} s  ${text.trim().split("\n").join("\n          ")}`,
  );
  for (const [command, shows] of EXPECTED) {
    if (command.test(text) && !shows.test(said)) throw new Error(`${text} said\n${said}`);
  }
  if (text.startsWith("firma run")) denied ??= seconds();
  // What a new user does who is told so.
  const [, cure] = /: sudo (apt-get install bubblewrap)/.exec(said) ?? [];
  if (cure === undefined) continue;
  await inside(
    `apt-get update && ${cure.replace("install", "install --yes --no-install-recommends")}`,
  );
  console.log(`${seconds().toFixed(1).padStart(6)} s  ${cure}`);
}
await server.shutdown();
await Deno.remove(release, { recursive: true });
if (denied === undefined || denied > MOST_SECONDS) {
  throw new Error(`Cannot be so slow: the first denial took ${denied?.toFixed(0)} s`);
}
console.log(`the first denial was explained after ${denied.toFixed(1)} s`);
