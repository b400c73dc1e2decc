import assert from "node:assert/strict";
import { STATUS_CODES } from "node:http";
import { reasonPhrase } from "../../../src/net/http1/reason_phrase.ts";

/** Renamed by RFC 9110, or never registered. */
const DIFFERENT = new Set([413, 418, 422, 509, 510]);

Deno.test("reasonPhrase() says what Node says, but for what the registry says otherwise", () => {
  for (let status = 100; status < 600; status++) {
    if (DIFFERENT.has(status)) continue;
    assert.equal(reasonPhrase(status), STATUS_CODES[status] ?? "Unknown");
  }
  assert.equal(reasonPhrase(413), "Content Too Large");
});
