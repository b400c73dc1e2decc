import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { startPostgres } from "../fixtures/postgres_server.ts";
import { Person, type Running } from "../fixtures/cli.ts";

/** Names of files in the prose of the guide. */
const FILE = /`(\.firma\/[\w./-]+)`[^`]*$/g;

Deno.test("every command of docs/guides/authority.md works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  await using stack = new AsyncDisposableStack();
  const postgres = await startPostgres();
  stack.defer(() => postgres.close());
  const database = { PGHOST: postgres.directory, PGUSER: "postgres" };
  const env = {
    ...database,
    PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
    FIRMA_SOURCE: Deno.cwd(),
  };
  const shell = (text: string) => person.startProgram("sh", ["-e", "-c", text], { env });
  let server: Running | undefined;
  let commands = 0;
  for (
    const { language, text, file } of blocks(
      await Deno.readTextFile("docs/guides/authority.md"),
      FILE,
    )
  ) {
    if (language === "python") await person.write("client.py", text);
    else if (language !== "sh" && file !== undefined) await person.write(file, text);
    if (language !== "sh") continue;
    commands++;
    if (text === "firma authority\n") {
      // The first terminal: whoever starts a server there has ended the one before.
      server?.kill("SIGTERM");
      assert.equal((await server?.finished())?.code ?? 0, 0);
      server = shell(`exec ${text}`);
      await server.printed(/authority ready/);
      continue;
    }
    const { code, stderr } = await shell(text).finished();
    assert.deepEqual([code, stderr], [0, ""], text);
  }
  assert.ok(commands >= 9);
});
