import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { checkConfigFile, readConfigFile } from "../../src/config/load.ts";
import { operatorFiles } from "../../src/config/operator_files.ts";
import { recordTrust } from "../../src/config/trust.ts";
import type { PreparedConfig } from "../../src/run/prepare.ts";
import { sealedDirectories } from "../../src/run/sealed.ts";

interface Place {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a configuration and trusts it. */
  project(file: string, more?: string): Promise<PreparedConfig>;
}

async function withPlace(test: (place: Place) => Promise<void>): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const env = { HOME: join(root, "home"), FIRMA_STATE_DIR: join(root, "state") };
  try {
    await test({
      root,
      env,
      async project(file, more = "") {
        const path = join(root, file);
        await Deno.mkdir(join(path, "../policies"), { recursive: true });
        await Deno.writeTextFile(join(path, "../policies/dev.cedar"), "");
        await Deno.writeTextFile(
          path,
          `[sidecar.authority]\nagent_id = "${newId("agt")}"\n${more}`,
        );
        const read = readConfigFile(path);
        assert.ok(read.ok);
        const config = checkConfigFile(read.value, env);
        assert.ok(config.ok, JSON.stringify(config));
        const files = operatorFiles(config.value);
        recordTrust(read.value, files, "command", env);
        return { config: config.value, digest: read.value.digest, files };
      },
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The sealed directories below the root; others are those of the machine. */
function within({ root, env }: Place, cwd: string, prepared: PreparedConfig): string[] {
  const sealed = sealedDirectories(join(root, cwd), prepared, env);
  assert.ok(sealed.ok, JSON.stringify(sealed));
  return sealed.value.filter((path) => path.startsWith(root))
    .map((path) => path.slice(root.length + 1)).sort();
}

function code({ root, env }: Place, cwd: string, prepared: PreparedConfig): string {
  const sealed = sealedDirectories(join(root, cwd), prepared, env);
  return sealed.ok ? "" : sealed.error.code;
}

const OWN = ["home/.local/share/firma", "state"];

Deno.test("sealedDirectories() hides every .firma on the way up, keys and state", () =>
  withPlace(async (place) => {
    const above = await place.project("p/.firma/firma.toml");
    await Deno.mkdir(join(place.root, "p/a/b/.firma"), { recursive: true });
    await Deno.mkdir(join(place.root, "home/.firma"), { recursive: true });
    assert.deepEqual(
      within(place, "p/a/b", above),
      [...OWN, "home/.firma", "p/.firma", "p/a/b/.firma"].sort(),
    );
  }));

// Attack: an agent at the top of a repository plants a policy for the next run further down.
Deno.test("sealedDirectories() hides the .firma of trusted projects below the workspace", () =>
  withPlace(async (place) => {
    const top = await place.project("p/.firma/firma.toml");
    await place.project("p/services/api/.firma/firma.toml");
    await place.project("elsewhere/.firma/firma.toml");
    assert.deepEqual(
      within(place, "p", top),
      [...OWN, "p/.firma", "p/services/api/.firma"].sort(),
    );
  }));

Deno.test("sealedDirectories() refuses to work inside of what it hides", () =>
  withPlace(async (place) => {
    const prepared = await place.project("p/.firma/firma.toml");
    for (const cwd of ["p/.firma", "p/.firma/policies", "home/.local/share/firma/trust"]) {
      assert.equal(code(place, cwd, prepared), "WORKSPACE_SEALED", cwd);
    }
  }));

// Attack: what binds the agent lies where the agent writes.
Deno.test("sealedDirectories() refuses control files in the workspace", () =>
  withPlace(async (place) => {
    const loose = await place.project("p/firma.toml");
    assert.equal(code(place, "p", loose), "CONTROL_FILE_EXPOSED");
    assert.equal(code(place, "p/policies", loose), "CONTROL_FILE_EXPOSED");
    await Deno.mkdir(join(place.root, "q"));
    assert.equal(code(place, "q", loose), "");

    const table: Record<string, string> = {
      policies: `[authority]\npolicy_dir = "../p1"`,
      "issuance policies": `[authority]\nissuance_policy_dir = "../p2"`,
      revocations: `[authority]\nrevocation_file = "${place.root}/w/r.txt"`,
      mapping: `[sidecar.mapping]\nrules_paths = ["../m.toml"]`,
      "system call policy": `[run.seccomp]\npolicy = "../seccomp.toml"`,
      "audit log": `[sidecar.audit]\nfile_path = "${place.root}/w/audit.jsonl"`,
      roots: `[[sidecar.connector.hosts]]\nhost = "a.test"\nca_cert_path = "../ca.pem"`,
      "signing key": `[authority]\nkey_file = "../authority.key"`,
      "key of a server": `[authority]\ntls_key_path = "../server.key"`,
      "list of clients": `[authority]\nauthorized_clients_path = "../clients.toml"`,
      "socket of an Authority": `url = "unix://${place.root}/w/a.sock"`,
      "another socket": `url = "unix:///a.sock"\nfallback_urls = ["unix://${place.root}/w/a.sock"]`,
      "key of an Authority": `url = "unix:///a.sock"\npublic_key_path = "../a.pub"`,
      "roots of an Authority": `url = "unix:///a.sock"\nca_cert_path = "../ca.crt"`,
      "key of a client":
        `url = "unix:///a.sock"\ntls_client_key_path = "../c.key"\ntls_client_cert_path = "c.crt"`,
      "pre-shared key": `url = "unix:///a.sock"
[sidecar.authority.credentials]
workspace_id = "w"
sidecar_id = "s"
pre_shared_key_path = "../psk"`,
      "list of pre-shared keys": `[authority]\npre_shared_keys_path = "../keys.toml"`,
    };
    for (const [name, more] of Object.entries(table)) {
      const prepared = await place.project("w/.firma/firma.toml", more);
      assert.equal(code(place, "w", prepared), "CONTROL_FILE_EXPOSED", name);
    }
    assert.equal(code(place, "w", await place.project("w/.firma/firma.toml")), "");
    const remote = `url = "unix:///a.sock"\npublic_key_path = "a.pub"`;
    assert.equal(code(place, "w", await place.project("w/.firma/firma.toml", remote)), "");
  }));

// Attack: a link in .firma that leads back into the workspace.
Deno.test("sealedDirectories() follows links to where files really are", () =>
  withPlace(async (place) => {
    await place.project("p/.firma/firma.toml");
    await Deno.writeTextFile(join(place.root, "p/mine.cedar"), "");
    await Deno.symlink("../../mine.cedar", join(place.root, "p/.firma/policies/link.cedar"));
    const file = await place.project("p/.firma/firma.toml");
    assert.equal(code(place, "p", file), "CONTROL_FILE_EXPOSED");
  }));

// Attack: the agent writes what a credential helper runs, and the broker runs it outside of any sandbox.
Deno.test("sealedDirectories() refuses a workspace in which a credential's file or program lies", async () => {
  const credential = (lines: string) => `[sidecar.credentials.a]\nhosts = ["a.test"]\n${lines}\n`;
  const helper = (...words: string[]) =>
    credential(`provider = "command"\ncommand = ${JSON.stringify(words)}`);
  await withPlace(async (place) => {
    const inside = join(place.root, "home/app/token");
    const cases: [string, string][] = [
      [credential(`provider = "file"\npath = "${inside}"`), "CONTROL_FILE_EXPOSED"],
      [helper(inside), "CONTROL_FILE_EXPOSED"],
      [helper("/usr/bin/python3", inside), "CONTROL_FILE_EXPOSED"],
      [helper("/usr/bin/tool", `--config=${inside}`), "CONTROL_FILE_EXPOSED"],
      [helper("/usr/bin/op", "read", "op://Private/github"), ""],
      [credential(`provider = "file"\npath = "${place.root}/home/token"`), ""],
      // What is hidden from the agent may lie there.
      [credential(`provider = "file"\npath = "token"`), ""],
    ];
    for (const [more, wanted] of cases) {
      const prepared = await place.project("home/app/.firma/firma.toml", more);
      assert.equal(code(place, "home/app", prepared), wanted, more);
    }
  });
});
