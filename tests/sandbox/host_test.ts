import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { findBwrap, isNewEnough } from "../../src/sandbox/bwrap.ts";
import { agentRoots, hostRoots } from "../../src/sandbox/ca_bundle.ts";
import { findProgram } from "../../src/sandbox/find_program.ts";
import { jsonLines } from "../../src/sandbox/handoff.ts";
import { boundPaths, hostSockets } from "../../src/sandbox/host_sockets.ts";
import { ignoredIn } from "../../src/sandbox/ignored_signals.ts";

class TemporaryDirectory implements Disposable {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync());
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("isNewEnough() wants the version that can turn user namespaces off", () => {
  const versions = {
    "bubblewrap 0.8.0": true,
    "bubblewrap 0.11.0": true,
    "bubblewrap 1.0.0": true,
    "bubblewrap 0.7.9": false,
    "bubblewrap 0.6.1": false,
    "": false,
    "something else": false,
  };
  for (const [text, expected] of Object.entries(versions)) {
    assert.equal(isNewEnough(text), expected, text);
  }
});

Deno.test("findBwrap() says what to install where it is missing or too old", async () => {
  using directory = new TemporaryDirectory();
  const old = join(directory.path, "bwrap");
  Deno.writeTextFileSync(old, "#!/bin/sh\necho bubblewrap 0.6.1\n", { mode: 0o755 });
  for (const [place, code] of [["/nowhere", "BWRAP_MISSING"], [old, "BWRAP_TOO_OLD"]] as const) {
    const result = await findBwrap([place]);
    assert.ok(!result.ok);
    assert.equal(result.error.code, code);
    assert.match(result.error.cure!, /^install bubblewrap 0\.8/);
  }
});

Deno.test("ignoredIn() reads which signals a process was started to ignore", () => {
  const status = (mask: string) => `Name:\tx\nSigIgn:\t${mask}\nSigCgt:\t0000000000000000\n`;
  assert.deepEqual([...ignoredIn(status("0000000000001000"))], []);
  assert.deepEqual([...ignoredIn(status("0000000000000001"))], ["HUP"]);
  assert.deepEqual([...ignoredIn(status("0000000000004003"))], ["INT", "HUP", "TERM"]);
  assert.deepEqual([...ignoredIn("")], []);
});

Deno.test("boundPaths() reads the kernel's table of unix sockets", () => {
  const table = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/a b.sock",
    "0000000000000000: 00000003 00000000 00000000 0001 03 12346",
    "0000000000000000: 00000002 00000000 00010000 0001 01 12347 @abstract",
    "0000000000000000: 00000002 00000000 00010000 0005 01 99 /x",
    "",
  ].join("\n");
  assert.deepEqual(boundPaths(table), ["/run/a b.sock", "/x"]);
});

Deno.test("hostSockets() finds a socket that is listened at, and none that was left", () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, "deep/er.sock");
  Deno.mkdirSync(join(directory.path, "deep"));
  {
    using _listener = Deno.listen({ transport: "unix", path });
    assert.deepEqual(hostSockets([directory.path]), [path]);
    assert.deepEqual(hostSockets([`${directory.path}/de`]), []);
  }
  assert.deepEqual(hostSockets([directory.path]), []);
});

Deno.test("findProgram() finds what a shell would", () => {
  using directory = new TemporaryDirectory();
  const write = (name: string, mode: number) => {
    Deno.writeTextFileSync(join(directory.path, name), "#!/bin/sh\n");
    Deno.chmodSync(join(directory.path, name), mode);
  };
  write("tool", 0o755);
  write("text", 0o644);
  Deno.mkdirSync(join(directory.path, "folder"));
  const find = (name: string, path = `/nowhere:${directory.path}`) => {
    const result = findProgram(name, path, directory.path);
    return result.ok ? result.value : result.error.code;
  };
  const tool = join(directory.path, "tool");
  assert.equal(find("tool"), tool);
  assert.equal(find("./tool", ""), tool);
  assert.equal(find(tool, ""), tool);
  assert.equal(find("tool", "/nowhere"), "COMMAND_NOT_FOUND");
  assert.equal(find("text"), "COMMAND_NOT_EXECUTABLE");
  assert.equal(find("folder"), "COMMAND_NOT_FOUND");
  assert.equal(find(""), "COMMAND_NOT_FOUND");
});

Deno.test("agentRoots() adds the roots of the host's variables and the session's own", () => {
  using directory = new TemporaryDirectory();
  const certificate = (text: string) =>
    `-----BEGIN CERTIFICATE-----\n${btoa(text)}\n-----END CERTIFICATE-----\n`;
  const company = join(directory.path, "company.pem");
  Deno.writeTextFileSync(company, `# Company\n${certificate("company")}`);
  const { bundle, extra } = agentRoots(
    hostRoots({ SSL_CERT_FILE: company, CURL_CA_BUNDLE: company, PIP_CERT: "/nowhere" }),
    certificate("session"),
  );
  assert.equal(extra, certificate("company") + certificate("session"));
  assert.ok(bundle.endsWith(extra));
});

Deno.test("jsonLines() puts lines together however they were cut", async () => {
  const values = fc.array(fc.oneof(fc.string(), fc.string({ unit: "binary" }).map((a) => ({ a }))));
  await fc.assert(fc.asyncProperty(values, fc.nat(20), async (values, size) => {
    const bytes = new TextEncoder().encode(
      values.map((value) => JSON.stringify(value) + "\n").join(""),
    );
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size + 1) chunks.push(bytes.slice(at, at + size + 1));
    const read: unknown[] = [];
    for await (const value of jsonLines(ReadableStream.from(chunks))) read.push(value);
    assert.deepEqual(read, values);
  }));
});
