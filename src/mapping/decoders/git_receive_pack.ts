import { parseActionClass } from "../../core/action_class.ts";
import type { ContextValue } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import {
  type Decoded,
  type DecodeFault,
  type Decoder,
  type DecoderInput,
  type Operation,
  unreadable,
} from "./decoder.ts";
import { descends, readCommits } from "./git_pack.ts";
import { parsePushCommands, type PushCommands, type RefCommand } from "./git_push_commands.ts";
import { refAttributes } from "./git_ref.ts";
import { repositoryOf } from "./git_repository.ts";
import { expectType } from "./media_type.ts";

const DESTRUCTIVE = parseActionClass("code.destructive")!;

/**
 * A push over HTTP: one operation for each ref. Deleting a ref is `code.destructive`.
 * `git_forced` says that commits may be lost: always when a ref is deleted or a tag
 * is moved, and when a ref is moved unless the commits of the pack show that
 * the old one is an ancestor of the new one. The client cannot lie about the old one,
 * because the server compares it with what it has. Works with the beginning of a
 * push: commands and commits come first.
 */
export const gitReceivePack: Decoder = {
  reads: "start",
  gzip: true,
  decode(input) {
    const repository = repositoryOf(input.call);
    if (!repository.ok) return unreadable("the push", repository.error);
    const type = expectType(input.headers, ["application/x-git-receive-pack-request"]);
    if (!type.ok) return unreadable("the push", type.error);
    const push = parsePushCommands(input.body);
    if (!push.ok) return unreadable("the push", push.error);
    return describe(input, repository.value, push.value);
  },
};

function describe(
  { body, rule }: DecoderInput,
  repository: Readonly<Record<string, ContextValue>>,
  push: PushCommands,
): Result<Decoded, DecodeFault> {
  const { commands, capabilities, options } = push;
  const lost = mayLoseCommits(commands, body.subarray(push.packAt));
  const operation = (command: RefCommand): Operation => ({
    actionClass: command.change === "delete" ? DESTRUCTIVE : rule.actionClass,
    attributes: {
      ...repository,
      ...refAttributes(command.ref),
      git_operation: command.change,
      git_forced: lost.has(command),
      ...(options.length > 0 && { git_push_options: options }),
    },
  });
  const [first, ...rest] = commands.map(operation);
  if (first === undefined) {
    // The probe that git sends before a large push, to sign in: it changes nothing.
    const attributes = { ...repository, git_operation: "read" };
    return ok({ operations: [{ actionClass: rule.actionClass, attributes }] });
  }
  const reports = capabilities.has("report-status") || capabilities.has("report-status-v2");
  if (!reports) return ok({ operations: [first, ...rest] });
  const refs = commands.map(({ ref }) => ref);
  const sideBand = capabilities.has("side-band-64k") || capabilities.has("side-band");
  return ok({ operations: [first, ...rest], denialForm: { kind: "git-push", refs, sideBand } });
}

function mayLoseCommits(
  commands: readonly RefCommand[],
  pack: Uint8Array,
): ReadonlySet<RefCommand> {
  const harmless = (command: RefCommand) =>
    command.change === "create" || command.oldId === command.newId;
  const suspects = new Set(commands.filter((command) => !harmless(command)));
  const provable = [...suspects].filter(({ change, ref }) =>
    change === "update" && !ref.startsWith("refs/tags/")
  );
  if (provable.length > 0) {
    const hash = provable[0]!.oldId.length === 40 ? "sha1" : "sha256";
    readCommits(pack, hash, (graph) => {
      for (const command of provable) {
        if (descends(graph, command.newId, command.oldId)) suspects.delete(command);
      }
      return provable.every((command) => !suspects.has(command));
    });
  }
  return suspects;
}
