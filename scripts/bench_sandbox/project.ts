import { join } from "node:path";

/** How many files the repositories have, by their names. */
const REPOSITORIES = { "repository": 5_000, "large-repository": 20_000 } as const;
const FILES_OF_DIRECTORY = 50;
const PACKAGES = 20;
const FILES_OF_PACKAGE = 10;

/** Lays out what there is to be worked on: a repository, a package with dependencies, a program. */
export async function makeProject(project: string): Promise<void> {
  await Promise.all([makePackage(project), makeSource(project)]);
  for (const [name, files] of Object.entries(REPOSITORIES)) {
    await makeRepository(join(project, name), files);
  }
}

async function makeRepository(repository: string, files: number): Promise<void> {
  for (let index = 0; index < files; index++) {
    const directory = join(repository, `d${Math.floor(index / FILES_OF_DIRECTORY)}`);
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(join(directory, `f${index}.txt`), `file ${index}\n`);
  }
  const git = (...words: string[]) => run("git", words, repository);
  await git("init", "-q");
  await git("add", ".");
  await git("-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-qm", "all");
}

async function makePackage(project: string): Promise<void> {
  const root = join(project, "package");
  const dependencies: Record<string, string> = {};
  for (let index = 0; index < PACKAGES; index++) {
    const name = `dependency-${index}`;
    const directory = join(root, "made", name, "package");
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(join(directory, "package.json"), manifest({ name }));
    for (let file = 0; file < FILES_OF_PACKAGE; file++) {
      await Deno.writeTextFile(
        join(directory, `f${file}.js`),
        `exports.a = ${file};\n`.repeat(100),
      );
    }
    await run("tar", ["-czf", join(root, `${name}.tgz`), "package"], join(directory, ".."));
    dependencies[name] = `file:${name}.tgz`;
  }
  await Deno.writeTextFile(join(root, "package.json"), manifest({ name: "all", dependencies }));
}

function manifest(more: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ version: "1.0.0", ...more });
}

async function makeSource(project: string): Promise<void> {
  const directory = join(project, "source");
  await Deno.mkdir(directory, { recursive: true });
  const functions = Array.from(
    { length: 60 },
    (_, index) => `static int f${index}(int a) { return a * ${index} + printf("%d", a); }`,
  );
  const calls = functions.map((_, index) => `sum += f${index}(sum);`);
  const text = `#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n${
    functions.join("\n")
  }\nint main(void) { int sum = 1; ${calls.join(" ")} return sum; }\n`;
  await Deno.writeTextFile(join(directory, "program.c"), text);
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
