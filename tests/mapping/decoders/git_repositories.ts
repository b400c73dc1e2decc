import { join } from "node:path";

/** Commits on disk, made by git itself, and the packs that it sends for them. */
export class GitRepository implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(objectFormat = "sha1"): Promise<GitRepository> {
    const path = await Deno.makeTempDir({ prefix: "firma-pack-" });
    const repository = new GitRepository(path);
    await repository.git(["init", "--quiet", `--object-format=${objectFormat}`]);
    return repository;
  }

  async git(args: readonly string[], stdin = ""): Promise<Uint8Array<ArrayBuffer>> {
    const child = new Deno.Command("git", {
      args: ["-c", "user.name=test", "-c", "user.email=test@firma.test", ...args],
      cwd: this.path,
      env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return stdout;
  }

  /** Makes a commit with a changed file and returns its identifier. */
  async commit(text: string, ...parents: string[]): Promise<string> {
    await Deno.writeTextFile(join(this.path, "file"), `${text}\n`);
    await this.git(["add", "file"]);
    const tree = this.#line(await this.git(["write-tree"]));
    const args = parents.flatMap((parent) => ["-p", parent]);
    return this.#line(await this.git(["commit-tree", tree, ...args, "-m", text]));
  }

  /** What git would send to bring `to` to a server that has `from`. */
  async pack(to: string, ...from: string[]): Promise<Uint8Array> {
    const wanted = [to, ...from.map((id) => `^${id}`)].join("\n");
    return await this.git(
      ["pack-objects", "--revs", "--stdout", "--quiet", "--thin", "--delta-base-offset"],
      `${wanted}\n`,
    );
  }

  #line(bytes: Uint8Array): string {
    return new TextDecoder().decode(bytes).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
