/**
 * What a snapshot costs, and a storm of deletions from the first look to the last byte: a repository
 * of 20,000 files is taken, taken again, and 100,000 files are deleted while they are watched and
 * brought back.
 *
 *     scripts/bench restore
 */
import { join } from "node:path";
import { newId } from "../src/core/id.ts";
import { startDeleteWatch } from "../src/restore/delete_watch.ts";
import type { LossReport } from "../src/restore/messages.ts";
import { restoreSnapshot } from "../src/restore/restore_snapshot.ts";

const [REPOSITORY = 20_000, STORM = 100_000] = Deno.args.map(Number);

/** Files in directories of twenty, 8 KB each on average. */
async function furnish(directory: string, count: number, bytes: number): Promise<void> {
  const content = crypto.getRandomValues(new Uint8Array(65_536));
  for (let i = 0; i < count; i++) {
    const number = Math.floor(i / 20);
    const parent = join(directory, `d${number % 37}/e${number}`);
    if (i % 20 === 0) await Deno.mkdir(parent, { recursive: true });
    const from = (i * 131) % 30_000;
    await Deno.writeFile(join(parent, `f${i}`), content.subarray(from, from + (i * 7919) % bytes));
  }
}

/** Digest of every name, mode, time and content below a directory. */
async function digest(directory: string): Promise<string> {
  const script = 'find . -mindepth 1 -printf "%P %y %m %T@ %l\\n" | sort; ' +
    "find . -type f -print0 | sort -z | xargs -0 sha256sum";
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `{ ${script}; } | sha256sum`],
    cwd: directory,
    env: { LC_ALL: "C" },
  }).output();
  return new TextDecoder().decode(stdout).slice(0, 64);
}

function start(env: Record<string, string>, workspace: string) {
  return startDeleteWatch({
    order: {
      env,
      workspace,
      id: newId("sbx"),
      exclude: [],
      hidden: [],
      placeholders: [],
      maxFileSize: 2 ** 30,
      maxTotalSize: 2 ** 34,
      keepCount: 3,
      keepMs: 86_400_000,
    },
    onProgress() {},
  });
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(2)} s`;

const base = await Deno.makeTempDir({ prefix: "firma-bench-" });
const env = { HOME: base, XDG_RUNTIME_DIR: base };
try {
  const repository = join(base, "repository");
  await Deno.mkdir(repository);
  await furnish(repository, REPOSITORY, 16_000);
  // A clock of a file system is coarse: what was written just now is copied again.
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  for (const what of ["first", "second", "third"]) {
    const began = performance.now();
    await using watch = start(env, repository);
    const taken = await watch.taken;
    if (!taken.ok) throw new Error(taken.error.message);
    const { files, bytes, copiedBytes, tookMs } = taken.value;
    console.log(
      `${what} snapshot of ${files} files, ${Math.round(bytes / 1e6)} MB, ` +
        `${Math.round(copiedBytes / 1e6)} MB copied: ${(tookMs / 1000).toFixed(2)} s, ` +
        `${seconds(began)} with the thread and the list`,
    );
  }

  const workspace = join(base, "storm");
  await Deno.mkdir(workspace);
  await furnish(workspace, STORM, 2_000);
  const before = await digest(workspace);
  await using watch = start(env, workspace);
  const taken = await watch.taken;
  if (!taken.ok) throw new Error(taken.error.message);
  const reports: LossReport[] = [];
  watch.watch([], (report) => reports.push(report));
  const began = performance.now();
  await new Deno.Command("find", { args: [".", "-mindepth", "1", "-delete"], cwd: workspace })
    .output();
  const deleted = seconds(began);
  const looked = performance.now();
  const last = await watch.finish();
  console.log(
    `storm: ${STORM} files gone in ${deleted}, ${reports.length} reports meanwhile, ` +
      `${last?.deleted} seen ${seconds(looked)} after the end`,
  );
  const restoring = performance.now();
  const restored = restoreSnapshot({
    env,
    id: taken.value.id,
    cwd: workspace,
    paths: [],
    force: false,
    dryRun: false,
  });
  if (!restored.ok) throw new Error(restored.error.message);
  const took = seconds(restoring);
  const isSame = await digest(workspace) === before;
  console.log(`brought back ${restored.value.restored.length} in ${took}, the same: ${isSame}`);
  if (last?.deleted !== STORM || !isSame) Deno.exitCode = 1;
} finally {
  await Deno.remove(base, { recursive: true });
}
