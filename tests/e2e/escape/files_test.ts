/** Files that an agent would read or write to get out: secrets, firma's own, the machine's. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  AS_ROOT,
  BY_HAND,
  checkAttempts,
  type Expectation,
  makeHost,
  rootOnly,
  same,
  SOMETHING_ELSE,
  tryEverything,
} from "./support.ts";

const NONE = "0000000000000000";
/** Writable by root alone, and a user is told so by the host's own permissions. */
const kernelFile = (outside: unknown = "ok"): Expectation => ({
  inside: AS_ROOT ? "EROFS" : "EACCES",
  outside,
  who: "root",
});

/** Where a kernel has such a file at all. */
const REFUSED = /^(EROFS|EACCES|EPERM|ENOENT)$/;

const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  write_root: rootOnly("EROFS", "ok"),
  write_usr: rootOnly("EROFS", "ok"),
  write_etc: rootOnly("EROFS", "ok"),
  write_workspace: same("ok", "ok"),
  write_home: same("ok", "ok"),
  write_tmp: same("ok", "ok"),
  shadow: rootOnly(AS_ROOT ? "ENOENT" : "EACCES", SOMETHING_ELSE),
  home_secret: same("ENOENT", "read home secret"),
  state_secret: same("ENOENT", "read state secret"),
  tmp_secret: same("ENOENT", "read tmp secret"),
  audit_log: same("ENOE", "read"),
  audit_key: same("ENOE", "read"),
  preloaded_library: { inside: "EROFS" },
  symbolic_link_to_secret: same("ENOENT", "read home secret"),
  sealed_list: same([], ["firma.toml", "issuance-policies", "mappings", "policies"]),
  sealed_write: same("EROFS", "ok"),
  sealed_rename: same("EBUSY", "ok"),
  sealed_through_link: same("EROFS", "ok"),
  sealed_through_descriptor: same("EROFS", "ok"),
  sealed_through_parent_root: same("hidden", "seen"),
  sealed_race: same("kept out", "written"),
  own_executable: same(/^(EROFS|ENOENT)$/, "ok"),
  run_entries: { inside: ["firma"], outside: SOMETHING_ELSE },
  private_directory: { inside: "ENOENT" },
  public_write: { inside: "EROFS" },
  other_root: { inside: [], outside: SOMETHING_ELSE },
  working_directories_of_others: { inside: [] },
  environments_of_others: same("none", "found"),
  descriptors: { inside: [] },
  descriptors_of_others: { inside: [] },
  kernel_files: { inside: [], outside: SOMETHING_ELSE, who: "root" },
  core_pattern: kernelFile(),
  host_name: kernelFile(),
  forwarding: kernelFile(),
  random_pool: kernelFile(),
  dirty_pages: kernelFile(),
  module_loader: { inside: REFUSED },
  magic_request_key: { inside: REFUSED },
  kernel_memory: { inside: REFUSED },
  memory_device: { inside: "ENOENT" },
  kernel_log_device: { inside: "ENOENT", outside: SOMETHING_ELSE },
  block_devices: { inside: [], outside: SOMETHING_ELSE },
  make_block_device: rootOnly("EPERM", "ok"),
  make_character_device: rootOnly("EPERM", "ok"),
  setuid_programs: same("ignored", "honoured"),
  setuid_by_chmod: same("EPERM", "ok"),
  setuid_by_fchmod: same("EPERM", "ok"),
  setuid_by_fchmodat: same("EPERM", "ok"),
  setuid_by_create: same("EPERM", "ok"),
  setuid_by_mknod: same("EPERM", "ok"),
  file_capability: rootOnly("EPERM", "ok"),
  hard_link_to_system: { inside: "EXDEV" },
  root_entries: { inside: BY_HAND },
  identity: { inside: BY_HAND },
  status: {
    inside: {
      ...{ CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapBnd: NONE, CapAmb: NONE },
      ...{ NoNewPrivs: "1", Seccomp: "2" },
    },
    outside: SOMETHING_ELSE,
  },
};

/** What the sandbox shows of the root directory, where the host has it. */
const SHOWN = new Set([
  ...["bin", "dev", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "proc", "run"],
  ...["sbin", "tmp", "usr", "var"],
]);

Deno.test("firma run shows an agent no file that would get it out", async (t) => {
  await using host = await makeHost();
  const tried = await tryEverything(host, { modules: ["files"] });
  await checkAttempts(t, tried, EXPECTATIONS);
  const { inside, outside } = tried;
  await t.step("what is written to the workspace stays, elsewhere it does not", async () => {
    assert.equal(await host.person.read("written-by-probe"), "hello");
    assert.equal(host.person.home, join(host.person.project, ".."));
  });
  await t.step("root_entries", () => {
    const shown = (inside.get("root_entries") as string[]).filter((name) => !SHOWN.has(name));
    const above = host.person.home.split("/")[1]!;
    assert.deepEqual(shown.filter((name) => name !== above), []);
  });
  await t.step("identity: it is the user's own", () => {
    assert.deepEqual(inside.get("identity"), outside.get("identity"));
  });
});
