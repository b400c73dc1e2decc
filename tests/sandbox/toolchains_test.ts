import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { findToolchains } from "../../src/sandbox/toolchains.ts";

/** A home with programs in it. */
class Home implements Disposable {
  readonly root = Deno.realPathSync(Deno.makeTempDirSync());
  readonly path = join(this.root, "home");

  constructor(...programs: readonly string[]) {
    for (const program of programs) this.add(program);
  }

  add(file: string, text = ""): string {
    const path = join(this.path, file);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, text);
    return path;
  }

  link(file: string, target: string): string {
    const path = join(this.path, file);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.symlinkSync(target, path);
    return path;
  }

  /** What is shown of the home, by its path below it, and PATH. */
  shown(directories: readonly string[], options: {
    readonly program?: string;
    readonly env?: Record<string, string>;
  } = {}): { readonly shown: string[]; readonly path: string } {
    const { mounts, path } = findToolchains({
      env: {
        ...options.env,
        PATH: [...directories.map((name) => join(this.path, name)), "/usr/bin"].join(":"),
      },
      homes: [this.path],
      shown: ["/usr", join(this.path, "project")],
      program: options.program ?? "/usr/bin/true",
    });
    return { shown: mounts.map((mount) => mount.target.slice(this.path.length + 1)), path };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("findToolchains() shows a program's directory and what belongs to it", () => {
  using home = new Home(
    ".nvm/versions/node/v20/bin/node",
    ".nvm/versions/node/v20/lib/node_modules/npm/index.js",
    ".nvm/versions/node/v20/etc/npmrc",
  );
  const { shown } = home.shown([".nvm/versions/node/v20/bin"]);
  assert.deepEqual(shown, [".nvm/versions/node/v20/bin", ".nvm/versions/node/v20/lib"]);
});

Deno.test("findToolchains() shows the whole of a version manager", () => {
  using home = new Home(".pyenv/shims/python", ".pyenv/bin/pyenv", ".pyenv/versions/3.12/x");
  assert.deepEqual(home.shown([".pyenv/shims", ".pyenv/bin"]).shown, [".pyenv"]);
});

Deno.test("findToolchains() shows Rust's programs and toolchains, and no credentials", () => {
  using home = new Home(".cargo/bin/cargo", ".cargo/credentials.toml", ".rustup/settings.toml");
  assert.deepEqual(home.shown([".cargo/bin"]).shown, [".cargo/bin", ".rustup"]);
});

Deno.test("findToolchains() never shows the home, nor what lies above or beside a program", () => {
  using home = new Home(
    "script",
    "bin/tool",
    "lib/private",
    ".docker/bin/docker",
    ".docker/config.json",
    ".local/bin/tool",
    ".local/share/keyrings/login",
  );
  const { shown } = home.shown(["", "bin", ".docker/bin", ".local/bin"]);
  assert.deepEqual(shown, ["bin", ".docker/bin", ".local/bin"]);
  const program = join(home.path, "script");
  assert.deepEqual(home.shown([], { program }).shown, ["script"]);
  const env = { JAVA_HOME: home.path, PYENV_ROOT: home.root, GOROOT: "/" };
  assert.deepEqual(home.shown([], { env }).shown, []);
});

Deno.test("findToolchains() leaves what is shown already", () => {
  using home = new Home("project/node_modules/.bin/tsc");
  const { shown, path } = home.shown(["project/node_modules/.bin", "nowhere"]);
  assert.deepEqual(shown, []);
  assert.match(path, /project\/node_modules\/\.bin:.*nowhere:\/usr\/bin$/);
});

Deno.test("findToolchains() shows the package that a program belongs to", () => {
  using home = new Home();
  home.add("prefix/lib/node_modules/agent/cli.js", "#!/usr/bin/env node\n");
  const program = home.link("links/agent", "../prefix/lib/node_modules/agent/cli.js");
  assert.deepEqual(home.shown(["links"], { program }).shown, [
    "links",
    "prefix/lib/node_modules",
  ]);
});

Deno.test("findToolchains() shows a virtual environment, its Python, and an interpreter", () => {
  using home = new Home("pythons/3.12/bin/python3.12", "venv/pyvenv.cfg", "venv/lib/x.py");
  home.link("venv/bin/python", "../../pythons/3.12/bin/python3.12");
  const interpreter = join(home.path, "venv/bin/python");
  const program = home.add("tools/agent", `#!${interpreter}\n`);
  assert.deepEqual(home.shown([], { program }).shown, ["tools/agent", "venv", "pythons/3.12"]);
});

Deno.test("findToolchains() goes to the end of a linked directory", () => {
  using home = new Home("real/bin/node");
  home.link("session/current", "../real");
  const { shown, path } = home.shown(["session/current/bin"]);
  assert.deepEqual(shown, ["real/bin"]);
  assert.ok(path.startsWith(join(home.path, "real/bin")));
});
