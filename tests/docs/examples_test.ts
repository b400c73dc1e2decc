import assert from "node:assert/strict";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments, parseDocument } from "yaml";
import { checkConfigFile, readConfigFile } from "../../src/config/load.ts";
import { Person } from "../fixtures/cli.ts";
import { blocks } from "./guide.ts";

const EXAMPLES = "docs/examples";

async function withFirma(person: Person): Promise<Record<string, string>> {
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  return { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
}

/** Runs a program of this machine on a text. */
async function check(program: string, args: readonly string[], text: string): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(text));
  await input.close();
  const { success, stderr } = await child.output();
  return success ? "" : new TextDecoder().decode(stderr);
}

Deno.test("docs/examples/README.md names each example", async () => {
  const page = await Deno.readTextFile(`${EXAMPLES}/README.md`);
  for await (const { name, isDirectory } of Deno.readDir(EXAMPLES)) {
    if (isDirectory) assert.ok(page.includes(`(${name}/README.md)`), name);
  }
});

Deno.test("docs/examples/local-stack runs, decides three calls, and leaves nothing", async () => {
  await using person = await Person.create();
  const env = await withFirma(person);
  const readme = await Deno.readTextFile(`${EXAMPLES}/local-stack/README.md`);
  const [command] = blocks(readme, /(?!)/g);
  assert.equal(command!.text, "./run\n");
  const cwd = join(Deno.cwd(), EXAMPLES, "local-stack");
  const { code, stdout, stderr } = await person.startProgram("./run", [], { env, cwd }).finished();
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /reads the catalogue: apples, pears\norders for 20: +ordered\n/);
  assert.match(stdout, /empties the shop: +403\nasks without a session: 407\n/);
  assert.match(stdout, /ALLOW +GET[^\n]*\n[^\n]*ALLOW +POST[^\n]*\n[^\n]*DENY +DELETE/);
  assert.match(stdout, /the shop was asked 2 times/);
  assert.match(stdout, /whole, \d+ lines/);
  const directory = /policies and tokens of the Authority at unix:\/\/(\/tmp\/[\w-]+)/.exec(
    stdout,
  )!;
  await assert.rejects(Deno.stat(directory[1]!), Deno.errors.NotFound);
});

Deno.test("every demo of docs/examples/demos/README.md is one, and none is missing", async () => {
  const readme = await Deno.readTextFile(`${EXAMPLES}/demos/README.md`);
  const named = [...readme.matchAll(/^firma demo (\w+)$/gm)].map((match) => match[1]);
  const { SCENARIOS } = await import("../../src/demo/scenarios.ts");
  assert.deepEqual(named, SCENARIOS.map(({ name }) => name));
});

Deno.test("the agents in docs/examples/agents are programs, with their packages pinned", async () => {
  for (const name of ["openai", "adk"]) {
    const directory = `${EXAMPLES}/agents/${name}`;
    const { type, bin, dependencies } = JSON.parse(
      await Deno.readTextFile(`${directory}/package.json`),
    );
    assert.equal(type, "module");
    for (const file of Object.values(bin)) {
      const { code, stderr } = await new Deno.Command("node", {
        args: ["--check", `${directory}/${file}`],
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      assert.ok(Deno.statSync(`${directory}/${file}`).mode! & 0o100);
    }
    const versions = Object.entries<string>(dependencies);
    assert.ok(versions.every(([, version]) => /^\d+\.\d+\.\d+$/.test(version)));
    const program = await Deno.readTextFile(`${directory}/agent.mjs`);
    for (const [, imported] of program.matchAll(/ from "(?!node:)([^"]+)"/g)) {
      assert.ok(imported! in dependencies, imported);
    }
  }
});

/** What may stand where in the manifest: names of the API (v1.29), and what they hold. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  ConfigMap: ["apiVersion", "kind", "metadata", "data", "binaryData", "immutable"],
  PersistentVolumeClaim: ["apiVersion", "kind", "metadata", "spec"],
  Deployment: ["apiVersion", "kind", "metadata", "spec"],
  NetworkPolicy: ["apiVersion", "kind", "metadata", "spec"],
};
const VERSIONS: Readonly<Record<string, string>> = {
  ConfigMap: "v1",
  PersistentVolumeClaim: "v1",
  Deployment: "apps/v1",
  NetworkPolicy: "networking.k8s.io/v1",
};
const POD = [
  ...["automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace"],
  ...["securityContext", "initContainers", "containers", "volumes"],
];
const CONTAINER = [
  ...["name", "image", "command", "args", "env", "workingDir", "resources", "volumeMounts"],
  ...["securityContext", "restartPolicy", "startupProbe"],
];
const SECURITY = [
  ...["runAsUser", "runAsGroup", "runAsNonRoot", "allowPrivilegeEscalation"],
  ...["readOnlyRootFilesystem", "capabilities", "seccompProfile"],
];
const VOLUMES = ["configMap", "secret", "emptyDir", "persistentVolumeClaim"];

// deno-lint-ignore no-explicit-any -- whatever the file holds
type Yaml = any;

async function manifest(): Promise<Map<string, Yaml>> {
  const text = await Deno.readTextFile(`${EXAMPLES}/kubernetes/sidecar.yaml`);
  const documents = parseAllDocuments(text, { strict: true, uniqueKeys: true });
  return new Map(documents.map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], []);
    const value = document.toJS();
    return [value.kind, value];
  }));
}

function only(value: object, names: readonly string[], where: string): void {
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, [], where);
}

Deno.test("docs/examples/kubernetes has the fields of the API, and what refers to what is there", async () => {
  const objects = await manifest();
  for (const [kind, object] of objects) {
    only(object, FIELDS[kind]!, kind);
    assert.equal(object.apiVersion, VERSIONS[kind]);
    assert.match(object.metadata.name, /^[a-z0-9-]{1,63}$/);
  }
  const { spec } = objects.get("Deployment");
  assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels);
  const pod = spec.template.spec;
  only(pod, POD, "pod");
  const volumes = new Map<string, Yaml>(pod.volumes.map((volume: Yaml) => [volume.name, volume]));
  for (const [name, volume] of volumes) only(volume, ["name", ...VOLUMES], name);
  const containers = [...pod.initContainers, ...pod.containers];
  for (const container of containers) {
    only(container, CONTAINER, container.name);
    only(container.securityContext, SECURITY, container.name);
    // Nothing of firma's, nor of the agent, may gain anything.
    assert.equal(container.securityContext.allowPrivilegeEscalation, false);
    assert.deepEqual(container.securityContext.capabilities.drop, ["ALL"]);
    for (const mount of container.volumeMounts) assert.ok(volumes.has(mount.name), mount.name);
  }
  const [confine, sidecar, agent] = containers;
  assert.deepEqual([confine.name, sidecar.name, agent.name], ["confine", "sidecar", "agent"]);
  assert.equal(sidecar.restartPolicy, "Always");
  assert.deepEqual(confine.securityContext.capabilities.add, ["NET_ADMIN"]);
  // The agent sees neither the Sidecar's state and keys nor its configuration.
  assert.deepEqual(agent.volumeMounts.map((mount: Yaml) => mount.name), ["session", "workspace"]);
  assert.notEqual(agent.securityContext.runAsUser, sidecar.securityContext.runAsUser);
  const { data, metadata } = objects.get("ConfigMap");
  assert.equal(volumes.get("config").configMap.name, metadata.name);
  assert.equal(
    volumes.get("data").persistentVolumeClaim.claimName,
    objects.get("PersistentVolumeClaim").metadata.name,
  );
  assert.match(data["confine.nft"], new RegExp(`skuid ${agent.securityContext.runAsUser} reject`));
  const policy = objects.get("NetworkPolicy").spec;
  only(policy, ["podSelector", "policyTypes", "egress", "ingress"], "NetworkPolicy");
  assert.deepEqual(policy.podSelector.matchLabels, spec.template.metadata.labels);
});

Deno.test("docs/examples/kubernetes holds a configuration and a script that are valid", async () => {
  const { data } = (await manifest()).get("ConfigMap");
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries<string>(data)) {
      await Deno.writeTextFile(join(directory, name), text);
    }
    const file = readConfigFile(join(directory, "firma.toml"));
    assert.ok(file.ok);
    const config = checkConfigFile(file.value, { HOME: directory });
    assert.ok(config.ok, JSON.stringify(config));
    const { listenAddr } = config.value.sidecar.interceptor;
    assert.ok(data["confine.nft"].includes(`dport ${listenAddr.port}`));
    assert.equal(
      config.value.sidecar.authority.agentId,
      /--agent (\S+)/.exec(data["sidecar.sh"])![1],
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  assert.equal(await check("sh", ["-n"], data["sidecar.sh"]), "");
  assert.ok(Array.isArray(parseToml(data["shop.toml"]).rules));
});

Deno.test("docs/examples/devcontainer is a container that installs what the README says", async () => {
  const text = await Deno.readTextFile(
    `${EXAMPLES}/devcontainer/.devcontainer/devcontainer.json`,
  );
  // JSON with comments is YAML once the comments are gone.
  const document = parseDocument(text.replaceAll(/^\s*\/\/.*$/gm, ""));
  assert.deepEqual(document.errors, []);
  const { onCreateCommand, postCreateCommand, runArgs, ...rest } = document.toJS();
  const install = /^curl -fsSL \S+install\.sh \| sh$/m.exec(await Deno.readTextFile("README.md"))!;
  assert.ok(onCreateCommand.endsWith(install[0]));
  for (const script of [onCreateCommand, postCreateCommand]) {
    assert.equal(await check("sh", ["-n"], script), "");
  }
  assert.ok(runArgs.every((argument: string) => argument.startsWith("--security-opt=")));
  only(rest, ["name", "image", "mounts", "remoteUser"], "devcontainer.json");
});
