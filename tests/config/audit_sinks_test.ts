import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/schema.ts";

const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };

function parse(lines: string) {
  const text = `[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n${lines}`;
  return parseConfig(text, "/p/.firma/firma.toml", DEFAULTS);
}

Deno.test("parseConfig() reads sinks by the names that OpenFirma has for them", () => {
  const parsed = parse(`[sidecar.audit]
sinks = ["stdout", "file", "wal", "grpc", "otlp"]
required_sinks = ["wal"]
`);
  assert.ok(parsed.ok);
  const { kinds, required } = parsed.value.sidecar.audit.shipping;
  assert.deepEqual(kinds, ["stdout", "grpc", "otlp"]);
  assert.deepEqual(required, ["grpc"]);
});

Deno.test("parseConfig() takes a collector over https, or on this machine", () => {
  const cases: Record<string, string | RegExp> = {
    "https://collector.test:4318": "https://collector.test:4318/v1/logs",
    "https://collector.test/otlp/v1/logs": "https://collector.test/otlp/v1/logs",
    "http://localhost:4318": "http://localhost:4318/v1/logs",
    "http://127.0.0.1:4318/": "http://127.0.0.1:4318/v1/logs",
    "http://[::1]:4318": "http://[::1]:4318/v1/logs",
    "http://collector.test:4318": /not encrypted/,
    "http://127.0.0.1.collector.test:4318": /not encrypted/,
    "https://user:secret@collector.test": /not a URL such as/,
    "https://collector.test?key=secret": /not a URL such as/,
    "ftp://collector.test": /not a URL such as/,
  };
  for (const [url, expected] of Object.entries(cases)) {
    const parsed = parse(`[sidecar.audit.otlp]\nendpoint = "${url}"\n`);
    if (typeof expected === "string") {
      assert.equal(parsed.ok && parsed.value.sidecar.audit.shipping.otlp?.url, expected);
    } else assert.match(parsed.ok ? "" : parsed.error[0]!.message, expected, url);
  }
});
