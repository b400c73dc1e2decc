import assert from "node:assert/strict";
import { commandTables } from "../../src/commands/build.ts";
import { classifyExecution } from "../../src/commands/classify.ts";
import { SHIPPED_COMMANDS } from "../../src/commands/shipped.ts";
import { CommandTable } from "../../src/commands/table.ts";

const FOLDER = new URL("../../packs/commands/", import.meta.url);
const TABLE = CommandTable.of(SHIPPED_COMMANDS);

function classesOf(argv: readonly string[], names = [argv[0]!]): string[] {
  const file = `/usr/bin/${argv[0]}`;
  const execution = { pid: 1, path: file, file, names, argv, argc: argv.length, cwd: "/" };
  return classifyExecution(TABLE, execution).map(({ rule }) => rule.actionClass);
}

Deno.test("packs/tables/commands.json holds what packs/commands says", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  const sources = files.map((file) => ({
    file,
    text: Deno.readTextFileSync(new URL(file, FOLDER)),
  }));
  const built = commandTables(sources);
  assert.ok(built.ok);
  const plain = JSON.parse(JSON.stringify(built.value));
  assert.deepEqual(SHIPPED_COMMANDS, plain, "run scripts/gen_commands.ts");
});

Deno.test("the rules that firma brings class commands by what they do", async (t) => {
  const cases: Record<string, string> = {
    "git status": "filesystem.read",
    "git commit -m x": "filesystem.write",
    "git fetch": "code.read",
    "git push origin main": "code.write",
    "git unheard-of": "code.write",
    "git push --force": "code.destructive",
    "git push origin +main": "code.destructive",
    "git push origin :old": "code.destructive",
    "git -C sub -c user.name=x push -uf": "code.destructive",
    "git --no-pager push --force-w": "code.destructive",
    "git reset --hard HEAD~1": "code.destructive",
    "git reset HEAD": "filesystem.write",
    "git reset --hard --no-recurse-submodules HEAD~1": "code.destructive",
    "git clean -fdx": "code.destructive",
    "cargo +nightly publish": "package.write",
    "git clean -n": "filesystem.read",
    "git -C sub clean -ndx": "filesystem.read",
    // Whatever would make a real one look like that: git takes it back, or takes it for a value.
    "git clean -fdx -n --no-dry-run": "code.destructive",
    "git clean -fdx -e -n": "code.destructive",
    "git clean -fdx --exclude -n": "code.destructive",
    "git clean -fdx -e--dry-run": "code.destructive",
    "git clean -fd -- -n": "code.destructive",
    "git clean --force --quiet -d -x :/": "code.destructive",
    "git clean --force --quiet -d --exclude=keep :/": "code.destructive",
    "git checkout -f -q -B main other": "code.destructive",
    "git prune --expire=2.weeks.ago --expire=now": "code.destructive",
    "git prune --expire 2.weeks.ago --expire now": "code.destructive",
    "git clean -fn": "filesystem.read",
    "git reflog expire --expire=now --all": "code.destructive",
    "git prune --expire now": "code.destructive",
    "git checkout -f main": "code.destructive",
    "git branch -D old": "code.destructive",
    "git -c alias.zap=push zap": "code.destructive",
    "rm -rf src": "filesystem.delete",
    "find . -name x -delete": "filesystem.delete",
    "find . -name x": "filesystem.read",
    "mv a b": "filesystem.delete",
    "dd if=a of=b": "filesystem.delete",
    "docker system prune -af": "filesystem.delete",
    "docker push x": "package.write",
    "kubectl -n prod delete pod x": "deploy.delete",
    "kubectl get pods": "code.read",
    "kubectl -n prod get secret x -o json": "secret.read",
    "kubectl get secrets/x": "secret.read",
    "pass show a/b": "secret.read",
    "pass a/b": "secret.read",
    "pass ls": "filesystem.read",
    "op read op://a/b/c": "secret.read",
    "op vault list": "code.read",
    "bws secret get x": "secret.read",
    "gpg --batch -d secret.gpg": "secret.read",
    "secret-tool lookup a b": "secret.read",
    "helm uninstall x": "deploy.delete",
    "terraform destroy -auto-approve": "deploy.delete",
    "terraform apply -destroy": "deploy.delete",
    "terraform plan": "code.read",
    "aws s3 rm s3://x": "deploy.delete",
    "aws --profile p ec2 terminate-instances": "deploy.delete",
    "aws iam create-user": "account.permission.change",
    "gcloud compute instances delete x": "deploy.delete",
    "az group delete -n x": "deploy.delete",
    "npm publish": "package.write",
    "npm install x": "system.install",
    "npm test": "system.execute",
    "pip install x": "system.install",
    "apt-get install x": "system.install",
    "curl https://x.test": "system.execute",
    "gh pr merge 1": "code.merge",
    "gh repo delete a/b": "repo.delete",
    "ssh host": "system.execute",
    // What carries another program without executing it.
    "busybox rm x": "filesystem.delete",
    "ld-linux-x86-64.so.2 --library-path /x /bin/rm x": "filesystem.delete",
    "node /usr/lib/node_modules/npm/bin/npm-cli.js publish": "package.write",
    "python3 -m pip install x": "system.install",
  };
  for (const [line, expected] of Object.entries(cases)) {
    await t.step(line, () => assert.deepEqual(classesOf(line.split(" ")), [expected]));
  }
  await t.step("what an option that nobody knows may leave it", () => {
    for (
      const line of [
        "kubectl --profile-output get delete pod x",
        "kubectl --profile-output delete get pod x",
        "helm --unknown list uninstall x",
        "terraform -unknown plan destroy",
      ]
    ) assert.deepEqual(classesOf(line.split(" ")), ["deploy.delete", "code.read"], line);
    assert.deepEqual(classesOf(["kubectl", "get", "--unknown", "delete"]), ["code.read"]);
  });
  await t.step("a question to a database", () => {
    assert.deepEqual(classesOf(["psql", "-c", "select 1; Drop table x"]), ["filesystem.delete"]);
  });
  await t.step("under another name", () => {
    assert.deepEqual(classesOf(["harmless", "-rf", "x"], ["harmless", "rm"]), [
      "filesystem.delete",
    ]);
  });
  await t.step("a program that no rule names", () => {
    assert.deepEqual(classesOf(["make", "-j2"]), []);
  });
});

Deno.test("the rules that firma brings let git start what its everyday commands consist of", async (t) => {
  const cases: Record<string, readonly string[]> = {
    "git stash -u": [
      "git clean --force --quiet -d :/",
      "git reset --hard -q --no-recurse-submodules",
    ],
    "git worktree add -q": [
      "git branch --quiet tree HEAD",
      "git reset --hard --no-recurse-submodules",
      "git reset --hard --no-recurse-submodules --quiet",
    ],
    "git cherry-pick --abort": ["git reset --merge 2769afbe796b535a42e3d925c637a44fa484f25c"],
    "git clone --recursive": [
      "git --super-prefix sub/ submodule--helper update --recursive --jobs=1 --init",
      "git checkout -q -f ac60da6b2b360c507fab657e4a22d00144ba49ef",
    ],
    "git submodule add": ["git checkout -f -q"],
    "git bisect": ["git bisect--helper start"],
    "git gc": [
      "git reflog expire --all",
      "git prune --expire 2.weeks.ago --no-progress",
      "git worktree prune --expire 3.months.ago",
    ],
  };
  for (const [outer, started] of Object.entries(cases)) {
    await t.step(outer, () => {
      for (const line of started) {
        assert.deepEqual(classesOf(line.split(" ")), ["filesystem.write"], line);
      }
    });
  }
});

Deno.test("commandTables() refuses rules that nobody could tell apart", () => {
  const rule = (argv: string, actionClass: string) =>
    `[[commands]]\nexecutable = "x"\nargv = "${argv}"\naction_class = "${actionClass}"\n`;
  const read = (text: string) => commandTables([{ file: "own.toml", text }]);
  assert.ok(read(rule("a --b", "code.read") + rule("a --c", "code.read")).ok);
  assert.ok(read(rule("get-*", "code.read") + rule("put-*", "code.write")).ok);
  const tied = read(rule("a --b", "code.read") + rule("a --c", "code.write"));
  assert.ok(!tied.ok);
  assert.match(tied.error[0]!.message, /neither says more/);
  for (
    const text of [
      '[[commands]]\nexecutable = "/bin/x"\naction_class = "code.read"\n',
      '[[commands]]\nexecutable = "x"\naction_class = "code.everything"\n',
      '[[commands]]\nexecutable = "x"\naction_class = "code.read"\nargs = "y"\n',
      '[[commands]]\nexecutable = "x"\naction_class = "code.read"\ndeletes = "all"\n',
      "[[rules]]\n",
      "commands = 1\n",
      "[[",
    ]
  ) assert.ok(!read(text).ok, text);
});
