/** An answer that stands must not cover a program whose arguments say what it does. */
import assert from "node:assert/strict";
import type { Execution } from "../../../src/core/local_exec.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Events } from "../pipeline/support.ts";
import { answerTo } from "./support.ts";

const STATUS: Partial<Execution> = { names: ["git"], argv: ["git", "status"], argc: 2 };

const ALLOWED = { kind: "answer", number: 1, allow: true };

Deno.test("an answer stands for a program whatever its arguments, and for no carrier of others", async () => {
  assert.deepEqual(await answerTo({}), { ...ALLOWED, standing: "program" });
  const carried: Partial<Execution>[] = [
    { names: ["busybox"], argv: ["busybox", "true"], argc: 2 },
    { names: ["python3"], argv: ["python3", "-c", "print(1)"], argc: 3 },
    { names: ["ld-linux-x86-64.so.2"], argv: ["ld.so", "/bin/true"], argc: 2 },
    { names: ["tool"], interpreter: { file: "/usr/bin/node", names: ["node"] } },
    STATUS,
  ];
  for (const execution of carried) {
    assert.deepEqual(
      await answerTo(execution),
      { ...ALLOWED, standing: "question" },
      execution.names?.join(),
    );
  }
});

Deno.test("an answer stands for the same question only where it does little, and time changes nothing", async () => {
  const isAsked = async (execution: Partial<Execution>, policy?: string) => {
    const answer = await answerTo(execution, { policy });
    return answer.kind !== "answer" || (answer.allow && answer.standing === undefined);
  };
  const reading = (attribute: string) =>
    `permit (principal, action, resource); forbid (principal, action, resource) when { ${attribute} };`;
  assert.equal(
    await isAsked(STATUS, reading('context has exec_cwd && context.exec_cwd == "/"')),
    false,
  );
  assert.equal(await isAsked(STATUS, reading('context.credential == "agent"')), false);
  for (
    const attribute of [
      "context.action_count > 100",
      "context.timestamp_ms < 5",
      "context.session_duration_s > 100000",
      'context.prior_action_classes.contains("secret.read")',
      'context.last_resource == "x"',
      "context.deleted_files > 50",
      "context.transfers_last_10m > 5",
    ]
  ) {
    assert.equal(await isAsked(STATUS, reading(attribute)), true, attribute);
  }
  for (
    const argv of [
      ["git", "push"],
      ["git", "commit"],
      ["git", "push", "--force"],
      ["git", "some-alias"],
    ]
  ) {
    assert.equal(await isAsked({ names: ["git"], argv, argc: argv.length }), true, argv.join(" "));
  }
  const deletion = { names: ["rm"], argv: ["rm", "a"], argc: 2 };
  assert.equal(await isAsked(deletion), true);
});

Deno.test("no answer stands where records have to be on the disk first, and none allows without", async () => {
  for (const isRecorded of [true, false]) {
    const sink = new Events();
    sink.disk = Promise.withResolvers();
    const answering = answerTo({}, { sink });
    await eventually("the record", () => sink.all.length > 0 || undefined);
    sink.disk.resolve(isRecorded);
    assert.deepEqual(await answering, { kind: "answer", number: 1, allow: isRecorded });
  }
});
