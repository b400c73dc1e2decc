import assert from "node:assert/strict";
import fc from "fast-check";
import { ok } from "../../../src/core/result.ts";
import type { DecoderInput } from "../../../src/mapping/decoders/decoder.ts";
import { gmail } from "../../../src/mapping/decoders/gmail.ts";
import {
  actionClass,
  classes,
  decoded,
  input,
  MALFORMED,
  type Sketch,
  UNCLASSIFIED,
} from "./support.ts";

const HOST = "https://gmail.googleapis.com";
const JSON_TYPE = [["content-type", "application/json"]] as const;

function call(path: string, body: unknown, changes: Partial<Sketch> = {}): Sketch {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    url: `${HOST}${path}`,
    headers: JSON_TYPE,
    body: text,
    actionClass: "communication.external.manage",
    ...changes,
  };
}

const USER = "/gmail/v1/users/me";

Deno.test("gmail() takes the labels that delete for deleting", () => {
  const modify = (body: unknown, path = "/messages/1/modify") =>
    classes(gmail, call(USER + path, body));
  assert.deepEqual(modify({ addLabelIds: ["STARRED"], removeLabelIds: ["TRASH"] }), [
    "communication.external.manage",
  ]);
  for (const path of ["/messages/1/modify", "/threads/1/modify", "/messages/batchModify"]) {
    for (const label of ["TRASH", "SPAM", "trash"]) {
      const expected = ["communication.external.delete"];
      assert.deepEqual(modify({ addLabelIds: ["A", label] }, path), expected, path + label);
    }
  }
  // Google's servers take the name of the field as it is in the protocol, too.
  assert.deepEqual(modify({ add_label_ids: ["TRASH"] }), ["communication.external.delete"]);
  assert.equal(modify({ addLabelIds: ["A"], add_label_ids: ["TRASH"] }), MALFORMED);
  assert.equal(modify('{"addLabelIds":["A"],"addLabelIds":["TRASH"]}'), MALFORMED);
  assert.equal(modify({ addLabelIds: [["TRASH"]] }), MALFORMED);
});

Deno.test("gmail() takes a filter that forwards for a change of who reads the mail", () => {
  const filter = (action: unknown) =>
    classes(
      gmail,
      call(`${USER}/settings/filters`, { criteria: {}, action }, {
        actionClass: "communication.external.filter",
      }),
    );
  assert.deepEqual(filter({ addLabelIds: ["A"] }), ["communication.external.filter"]);
  assert.equal(filter({ forward: "x@evil.test" }).length, 2);
});

const MESSAGE = [
  "From: me@own.test",
  'To: a@own.test, "B, b" <b@Other.TEST>,',
  "\tc@own.test",
  "Cc : d@third.test",
  "bcc: =?utf-8?q?e=40hidden.test?=",
  "Subject: x@subject.test",
  "",
  "To: nobody@body.test",
].join("\r\n");

const RECIPIENTS = {
  mail_recipient_count: 5,
  mail_recipient_domains: ["hidden.test", "other.test", "own.test", "third.test"],
};

function recipients(sketch: Sketch): unknown {
  const found = decoded(gmail, { ...sketch, actionClass: "communication.external.send" });
  return typeof found === "string" ? found : found[0]![1];
}

const base64url = (text: string) =>
  btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

Deno.test("gmail() finds the recipients however a message is handed over", () => {
  const raw = base64url(MESSAGE);
  assert.deepEqual(recipients(call(`${USER}/messages/send`, { raw })), RECIPIENTS);
  assert.deepEqual(recipients(call(`${USER}/messages/send`, { raw: btoa(MESSAGE) })), RECIPIENTS);
  assert.deepEqual(recipients(call(`${USER}/drafts`, { message: { raw } })), RECIPIENTS);
  const upload = `/upload${USER}/messages/send?uploadType=`;
  const media = { headers: [["content-type", "message/rfc822"]] } as const;
  assert.deepEqual(recipients(call(`${upload}media`, MESSAGE, media)), RECIPIENTS);
  const related = {
    headers: [["content-type", 'multipart/related; boundary="b"']],
  } as const;
  const body = (content: string, more = "") =>
    `--b\r\nContent-Type: application/json\r\n\r\n{}\r\n` +
    `--b\r\nContent-Type: message/rfc822\r\n${more}\r\n${content}\r\n--b--\r\n`;
  assert.deepEqual(recipients(call(`${upload}multipart`, body(MESSAGE), related)), RECIPIENTS);
  const encoded = body(btoa(MESSAGE), "Content-Transfer-Encoding: base64\r\n");
  assert.deepEqual(recipients(call(`${upload}multipart`, encoded, related)), RECIPIENTS);
});

/** Which attributes a call hides, or the code of the fault. */
function hidden(sketch: Sketch): unknown {
  const found = gmail.decode(input({ ...sketch, actionClass: "communication.external.send" }));
  return found.ok ? found.value.operations[0].hidden : found.error.code;
}

const SEND = `/upload${USER}/messages/send?uploadType=resumable&upload_id=x1`;
const BOTH = ["mail_recipient_count", "mail_recipient_domains"];

function piece(content: string, headers: Sketch["headers"] = [], path = SEND): Sketch {
  return { ...call(path, content), method: "PUT", headers };
}

Deno.test("gmail() reads the recipients of a message that an upload hands over later", () => {
  const size = MESSAGE.length;
  const whole: Sketch[] = [
    piece(MESSAGE),
    piece(MESSAGE, [["content-type", "application/octet-stream"]]),
    piece(MESSAGE, [["content-range", `bytes 0-${size - 1}/${size}`]]),
    piece(MESSAGE, [["content-range", `bytes 0-${size - 1}/*`]]),
    piece(MESSAGE, [["x-goog-upload-offset", "0"], ["x-goog-upload-command", "upload, finalize"]]),
    piece(MESSAGE, [], SEND.replace("/upload", "/resumable/upload")),
    { ...piece(MESSAGE), method: "POST" },
  ];
  for (const sketch of whole) {
    assert.deepEqual(recipients(sketch), RECIPIENTS, JSON.stringify(sketch.headers));
    assert.deepEqual(hidden(sketch), []);
  }
  assert.deepEqual(recipients(piece("", [["content-range", `bytes */${size}`]])), {});
});

// Attack: recipients of which a policy would hear nothing.
Deno.test("gmail() hides the recipients of a message that comes in pieces", () => {
  const pieces: Sketch[] = [
    piece("To: a@own.test\r\nSubject: hel", [["content-range", "bytes 0-26/300"]]),
    piece("Bcc: b@evil.test\r\n\r\n", [["content-range", "bytes 27-46/300"]]),
    piece(MESSAGE, [["content-range", "bytes 1-300/301"]]),
    piece(MESSAGE, [["x-goog-upload-offset", "40"], ["x-goog-upload-command", "upload"]]),
    { ...piece(MESSAGE, [["x-goog-upload-offset", "40"]]), method: "POST" },
    piece(MESSAGE, [["content-range", "bytes 9-300/301"]], SEND.replace("upload_id", "Upload_Id")),
  ];
  for (const sketch of pieces) {
    assert.deepEqual([recipients(sketch), hidden(sketch)], [{}, BOTH]);
  }
  const refused: Sketch[] = [
    piece(MESSAGE, [["content-range", "bytes 0-9"]]),
    piece(MESSAGE, [["content-range", "bytes 0-9/10"], ["content-range", "bytes 5-9/10"]]),
    piece(MESSAGE, [["content-range", "bytes 0-9/10"], ["x-goog-upload-offset", "5"]]),
    piece(MESSAGE, [["x-goog-upload-offset", "-1"]]),
    piece(MESSAGE, [], `${SEND}&upload_id=x2`),
  ];
  for (const sketch of refused) assert.equal(recipients(sketch), MALFORMED);
});

Deno.test("gmail() classifies no PUT that belongs to no upload", () => {
  for (const path of ["messages", "messages/send", "messages/import", "drafts", "drafts/send"]) {
    assert.equal(recipients(piece(MESSAGE, [], `/upload${USER}/${path}`)), UNCLASSIFIED, path);
  }
});

Deno.test("gmail() hides the recipients of a draft that is sent by its id", () => {
  const send = call(`${USER}/drafts/send`, { id: "1" });
  assert.deepEqual([recipients(send), hidden(send)], [{}, BOTH]);
  const whole = call(`${USER}/drafts/send`, { message: { raw: base64url(MESSAGE) } });
  assert.deepEqual([recipients(whole), hidden(whole)], [RECIPIENTS, []]);
});

Deno.test("gmail() says nothing of recipients where no message is handed over", () => {
  const update = { ...call(`${USER}/drafts/1`, {}), method: "PUT" };
  assert.deepEqual([recipients(update), hidden(update)], [{}, []]);
  assert.deepEqual(recipients(call(`/resumable/upload${USER}/messages/send`, "")), {});
});

Deno.test("gmail() refuses a message whose recipients readers may see differently", () => {
  const send = (message: string) =>
    recipients(call(`${USER}/messages/send`, { raw: btoa(message) }));
  assert.equal(send("To: a@(comment)evil.test\r\n\r\n"), MALFORMED);
  assert.equal(send("To: a@[10.0.0.1]\r\n\r\n"), MALFORMED);
  assert.equal(send("no header\r\nTo: a@evil.test\r\n\r\n"), MALFORMED);
  assert.deepEqual(send("To: a@own.test\nBcc: b@evil.test\n\n"), {
    mail_recipient_count: 2,
    mail_recipient_domains: ["evil.test", "own.test"],
  });
  assert.equal(recipients(call(`${USER}/messages/send`, { raw: "?" })), MALFORMED);
  const twice = { raw: base64url(MESSAGE), message: { raw: base64url(MESSAGE) } };
  assert.equal(recipients(call(`${USER}/drafts`, twice)), MALFORMED);
});

/** Remembers the requests of a batch, and takes each for reading. */
function recorder(): { asked: string[]; inner: DecoderInput["inner"] } {
  const asked: string[] = [];
  return {
    asked,
    inner: ({ method, target, headers, body }) => {
      const type = headers.find(([name]) => name === "content-type")?.[1] ?? "-";
      asked.push(`${method} ${target} ${type} ${new TextDecoder().decode(body).trim()}`);
      return ok({
        operations: [{ actionClass: actionClass("communication.external.read"), attributes: {} }],
      });
    },
  };
}

function part(request: string, headers = "Content-Type: application/http\r\n"): string {
  return `--batch_x\r\n${headers}\r\n${request}\r\n`;
}

const BATCH_TYPE = { headers: [["content-type", "multipart/mixed; boundary=batch_x"]] } as const;

function batch(body: string, inner?: DecoderInput["inner"]): Sketch {
  return call("/batch/gmail/v1", body, { ...BATCH_TYPE, ...(inner && { inner }) });
}

Deno.test("gmail() decides each part of a batch as if it were sent alone", () => {
  const { asked, inner } = recorder();
  const body = part(`GET ${USER}/messages/1\r\n\r\n`) +
    part(
      `POST ${USER}/messages/2/modify HTTP/1.1\r\nContent-Type: application/json\r\n` +
        `Content-Length: 2\r\n\r\n{}`,
      "Content-Type: application/http\r\nContent-ID: <1>\r\n",
    ) + "--batch_x--";
  assert.equal(classes(gmail, batch(body, inner)).length, 2);
  assert.deepEqual(asked, [
    `GET ${USER}/messages/1 - `,
    `POST ${USER}/messages/2/modify application/json {}`,
  ]);
});

const GET = `GET ${USER}/messages/1\r\n\r\n`;
const REFUSED: Record<string, string> = {
  "no parts": "--batch_x--",
  "no end": part(GET),
  "something before the first part": `x\r\n${part(GET)}--batch_x--`,
  "something after the last part": `${part(GET)}--batch_x--\r\n${part(GET)}`,
  "a boundary within a line": part(`GET ${USER}/x--batch_x\r\n\r\n`) + "--batch_x--",
  "a part of another type": part(GET, "Content-Type: text/plain\r\n") + "--batch_x--",
  "a part that is encoded":
    part(btoa(GET), "Content-Type: application/http\r\nContent-Transfer-Encoding: base64\r\n") +
    "--batch_x--",
  "a request to another host": part("GET https://evil.test/x\r\n\r\n") + "--batch_x--",
  "a request with a host": part(`GET /x HTTP/1.1\r\nHost: evil.test\r\n\r\n`) + "--batch_x--",
  "a request that is longer than it says":
    part(`POST ${USER}/x\r\nContent-Length: 2\r\n\r\n{}{"more":1}`) + "--batch_x--",
  "a request line in lower case": part("delete /x\r\n\r\n") + "--batch_x--",
  "too many parts": part(GET).repeat(101) + "--batch_x--",
};
for (const [what, body] of Object.entries(REFUSED)) {
  Deno.test(`gmail() refuses a batch with ${what}`, () => {
    assert.equal(classes(gmail, batch(body, recorder().inner)), MALFORMED);
  });
}

Deno.test("gmail() takes the largest batch that Google takes", () => {
  const body = part(GET).repeat(100) + "--batch_x--";
  assert.equal(classes(gmail, batch(body, recorder().inner)).length, 100);
});

Deno.test("gmail() never throws, whatever the body", () => {
  const paths = ["/messages/1/modify", "/messages/send", "/settings/filters", "/drafts"];
  fc.assert(fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, body) => {
    gmail.decode(input(call(USER + path, JSON.stringify(body))));
  }));
  const line = fc.constantFrom("--batch_x", "--batch_x--", "GET /x", "A: b", "", "{}", "\t");
  fc.assert(fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
    gmail.decode(input(batch(lines.join("\r\n"), recorder().inner)));
  }));
  fc.assert(fc.property(fc.uint8Array(), (body) => {
    gmail.decode(input({ ...batch(""), body }));
    const media = { headers: [["content-type", "message/rfc822"]] as const, body };
    gmail.decode(input({ ...call(`/upload${USER}/messages/send`, ""), ...media }));
  }));
});
