import assert from "node:assert/strict";
import { snapshotLog } from "../../../src/audit/log_parts.ts";
import { unwrap } from "../../../src/core/result.ts";
import { inTempDir } from "../../audit/sample.ts";
import { eventually } from "../../fixtures/deadline.ts";

const COUNT = 4_000;
const PROCESS = new URL("process.ts", import.meta.url).pathname;

function start(...args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", "--unstable-net", PROCESS, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  const read = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) output += text;
  })();
  return {
    get output() {
      return output;
    },
    kill: async () => {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended by itself */ }
      await child.status;
      await read;
    },
  };
}

/** All lines below a directory of a collection, in order, and in how many branches they are. */
function collected(directory: string): { readonly lines: string; readonly branches: number } {
  const lines: string[] = [];
  let branches = 0;
  const visit = (path: string) => {
    for (
      const { name, isDirectory } of [...Deno.readDirSync(path)].sort((a, b) =>
        a.name < b.name ? -1 : 1
      )
    ) {
      if (isDirectory) visit(`${path}/${name}`);
      else if (name.endsWith(".jsonl") && name.startsWith("lines-")) {
        if (name === "lines-0000000000000001.jsonl") branches++;
        lines.push(Deno.readTextFileSync(`${path}/${name}`));
      }
    }
  };
  visit(directory);
  return { lines: lines.join(""), branches };
}

Deno.test("no acknowledged line is lost, repeated or displaced when both sides are killed under load", async () => {
  await inTempDir(async (dir) => {
    const [socket, logs, store] = [`${dir}/a.sock`, `${dir}/logs`, `${dir}/collected`];
    await Deno.mkdir(logs);
    const sidecar = () => start("sidecar", socket, logs, String(COUNT));
    const authority = async () => {
      const server = start("authority", socket, store);
      await eventually(
        () => `the Authority: ${server.output}`,
        () => server.output.includes("READY") || undefined,
      );
      return server;
    };
    const size = () => collected(store).lines.length;
    let server = await authority();
    let client = sidecar();
    const seen: string[] = [];
    for (const victim of ["authority", "sidecar", "authority", "sidecar"]) {
      const before = size();
      await eventually(
        () => `lines to arrive: ${client.output}`,
        () => size() > before || client.output.includes("DONE") || undefined,
      );
      // What was kept stays, whatever is killed.
      seen.push(collected(store).lines.split("\n").slice(0, -1).join("\n"));
      if (victim === "authority") {
        await server.kill();
        server = await authority();
      } else {
        await client.kill();
        client = sidecar();
      }
      if (client.output.includes("DONE")) break;
    }
    await eventually(
      () => `the end: ${client.output}`,
      () => client.output.includes("DONE") || undefined,
    );
    await client.kill();
    await server.kill();
    const parts = unwrap(await snapshotLog(`${logs}/audit.jsonl`)).parts;
    let whole = "";
    for (const part of parts) {
      for await (const bytes of part.open()) whole += new TextDecoder().decode(bytes);
    }
    const { lines, branches } = collected(store);
    assert.ok(parts.length > 1);
    assert.equal(lines, whole);
    assert.equal(branches, 1);
    for (const text of seen) assert.ok(lines.startsWith(text));
    assert.doesNotMatch(server.output, /INCIDENT|FAULT/);
  });
});
