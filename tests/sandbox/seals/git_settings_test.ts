import assert from "node:assert/strict";
import fc from "fast-check";
import { findGit, readSettings } from "../../../src/sandbox/seals/git_program.ts";
import {
  type GitSetting,
  parseSettings,
  renderSettings,
  reviseSettings,
  runsProgram,
} from "../../../src/sandbox/seals/git_settings.ts";

const RUNS: Readonly<Record<string, string>> = {
  "core.fsmonitor": "/tmp/evil",
  "core.hookspath": "/tmp/hooks",
  "core.sshcommand": "ssh -o ProxyCommand=evil",
  "core.pager": "evil",
  "core.editor": "evil",
  "core.askpass": "evil",
  "core.gitproxy": "evil",
  "core.alternaterefscommand": "evil",
  "sequence.editor": "evil",
  "credential.helper": "!evil",
  "credential.https://example.com.helper": "evil",
  "diff.external": "evil",
  "diff.pdf.textconv": "evil",
  "diff.pdf.command": "evil",
  "difftool.x.cmd": "evil",
  "mergetool.x.path": "/tmp/evil",
  "merge.x.driver": "evil",
  "filter.x.clean": "evil",
  "filter.x.smudge": "evil",
  "filter.x.process": "evil",
  "gpg.program": "evil",
  "gpg.ssh.program": "evil",
  "gpg.ssh.defaultkeycommand": "evil",
  "alias.st": "!evil",
  "alias.co": "-c core.pager=evil checkout",
  "alias.up": "ls-remote --upload-pack=evil .",
  "alias.g": "grep -Oevil -e x",
  "alias.ci.command": "rebase -x evil",
  "pager.status": "evil",
  "interactive.difffilter": "evil",
  "include.path": "../evil",
  "includeif.gitdir:/.path": "../evil",
  "remote.origin.uploadpack": "evil",
  "remote.origin.receivepack": "evil",
  "remote.origin.vcs": "evil",
  "remote.origin.url": "ext::sh -c evil",
  "url.ext::evil.insteadof": "https://",
  "protocol.ext.allow": "always",
  "submodule.x.update": "!evil",
  "uploadpack.packobjectshook": "evil",
  "gc.recentobjectshook": "evil",
  "init.templatedir": "/tmp/evil",
  "trailer.x.command": "evil",
  "tar.tgz.command": "evil",
  "sendemail.smtpserver": "/tmp/evil",
  "imap.tunnel": "evil",
  "lfs.customtransfer.x.path": "evil",
  "hook.x.command": "evil",
  "browser.x.cmd": "evil",
  "web.browser": "evil",
};

const HARMLESS: Readonly<Record<string, string>> = {
  "branch.main.merge": "refs/heads/main",
  "branch.main.remote": "origin",
  "core.bare": "false",
  "core.filemode": "true",
  "core.fsmonitor": "true",
  "core.worktree": "../../../sub",
  "extensions.worktreeconfig": "true",
  "remote.origin.url": "git@github.com:a/b.git",
  "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
  "submodule.x.path": "vendor/x",
  "submodule.x.url": "https://example.com/x",
  "submodule.x.update": "rebase",
  "user.email": "a@b.test",
  "lfs.repositoryformatversion": "0",
  "pull.rebase": "true",
};

Deno.test("runsProgram() finds settings that make git run programs", () => {
  for (const [key, value] of Object.entries(RUNS)) {
    assert.ok(runsProgram({ key, value }), key);
  }
});

Deno.test("runsProgram() lets settings be that programs of the user's depend on", () => {
  for (const [key, value] of Object.entries(HARMLESS)) assert.ok(!runsProgram({ key, value }), key);
});

Deno.test("reviseSettings() undoes what runs programs and keeps the rest", () => {
  const before = [
    { key: "core.bare", value: "false" },
    { key: "core.editor", value: "vim" },
  ];
  const after = [
    { key: "core.bare", value: "false" },
    { key: "core.editor", value: "evil" },
    { key: "core.fsmonitor", value: "evil" },
    { key: "branch.x.remote", value: "origin" },
  ];
  const revision = reviseSettings(before, after);
  assert.deepEqual(revision?.undone, ["core.editor", "core.fsmonitor"]);
  assert.deepEqual(revision?.settings, [
    { key: "core.bare", value: "false" },
    { key: "branch.x.remote", value: "origin" },
    { key: "core.editor", value: "vim" },
  ]);
});

Deno.test("reviseSettings() has nothing to do where only other settings changed", () => {
  const before = [{ key: "core.editor", value: "vim" }];
  assert.equal(reviseSettings(before, [...before, { key: "user.name", value: "x" }]), undefined);
});

Deno.test("renderSettings() writes what git reads as the same settings", () => {
  const git = findGit();
  assert.ok(git);
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  // What git keeps of a subsection and of a value: everything but NUL and, in the former, newlines.
  const text = fc.string({ unit: "binary", maxLength: 12 })
    .map((text) => text.replace(/[\0\r]|[\ud800-\udfff]/g, ""));
  const setting: fc.Arbitrary<GitSetting> = fc.record({
    key: fc.tuple(name, fc.option(text.map((t) => t.replace(/\n/g, "")), { nil: undefined }), name)
      .map(([section, sub, last]) =>
        [section, ...(sub === undefined ? [] : [sub]), last].join(".")
      ),
    value: fc.option(text, { nil: undefined }),
  }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(setting, { maxLength: 6 }), (settings) => {
      assert.deepEqual(readSettings(git, renderSettings(settings)), settings);
    }),
    { numRuns: 25 },
  );
});

Deno.test("parseSettings() tells a name without a value from one with an empty value", () => {
  assert.deepEqual(parseSettings("a.b\0a.c\n\0a.d\nx\ny\0"), [
    { key: "a.b", value: undefined },
    { key: "a.c", value: "" },
    { key: "a.d", value: "x\ny" },
  ]);
});
