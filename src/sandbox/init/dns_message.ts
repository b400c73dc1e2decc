/** The part of DNS (RFC 1035) that a stub needs: one question in, one answer out. */

const HEADER = 12;
const TYPE_A = 1;
const TYPE_PTR = 12;
const CLASS_IN = 1;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;
const NOT_IMPLEMENTED = 4;

/** Seconds; an address belongs to its name for far longer. */
const TIME_TO_LIVE = 60;

// What a host name consists of; underscores are common in service names.
const HOST_NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

/** A question as the stub understands it. */
interface Question {
  /** Lower case, labels joined by dots; `undefined` when it is no host name. */
  readonly name: string | undefined;
  readonly type: number;
  readonly class: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

/**
 * Answers a DNS message, or returns `undefined` for what is not a well-formed query. An A question
 * gets the address that `addressOf` gives; every other type has no data, which makes clients go
 * on with IPv4 at once.
 */
export function answerQuery(
  query: Uint8Array,
  addressOf: (name: string) => string,
): Uint8Array<ArrayBuffer> | undefined {
  if (query.length < HEADER || query.length > 4096) return undefined;
  const view = new DataView(query.buffer, query.byteOffset, query.length);
  const flags = view.getUint16(2);
  if (flags & 0x8000 || view.getUint16(4) !== 1) return undefined; // an answer, or not one question
  const question = parseQuestion(query, view);
  if (!question) return undefined;
  if (flags & 0x7800) return reply(query, question, NOT_IMPLEMENTED);
  if (!question.name || question.type === TYPE_PTR) return reply(query, question, NO_SUCH_NAME);
  if (question.type !== TYPE_A || question.class !== CLASS_IN) {
    return reply(query, question, NO_ERROR);
  }
  const local = question.name === "localhost" || question.name.endsWith(".localhost");
  return reply(query, question, NO_ERROR, local ? "127.0.0.1" : addressOf(question.name));
}

function parseQuestion(query: Uint8Array, view: DataView): Question | undefined {
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = query[at];
    // The two top bits would make it a pointer, which a question has no use for.
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > query.length || at + length - HEADER > 255) return undefined;
    labels.push(String.fromCharCode(...query.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  const name = labels.join(".").toLowerCase();
  // A label that contains a dot itself would read as another name.
  const plain = labels.every((label) => !label.includes(".")) && HOST_NAME.test(name);
  return {
    name: plain ? name : undefined,
    type: view.getUint16(at),
    class: view.getUint16(at + 2),
    end: at + 4,
  };
}

function reply(
  query: Uint8Array,
  question: Question,
  code: number,
  address?: string,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(question.end + (address ? 16 : 0));
  message.set(query.subarray(0, question.end));
  const view = new DataView(message.buffer);
  // Response, authoritative, recursion available; recursion desired is copied.
  view.setUint16(2, 0x8480 | view.getUint16(2) & 0x0100 | code);
  view.setUint16(6, address ? 1 : 0);
  view.setUint32(8, 0);
  if (address) {
    view.setUint16(question.end, 0xc000 | HEADER); // the name, by reference
    view.setUint16(question.end + 2, TYPE_A);
    view.setUint16(question.end + 4, CLASS_IN);
    view.setUint32(question.end + 6, TIME_TO_LIVE);
    view.setUint16(question.end + 10, 4);
    message.set(address.split(".").map(Number), question.end + 12);
  }
  return message;
}
