/**
 * How fast secrets are looked for in answers, with 100 secrets of the usual shapes, in bodies that
 * hold none; how long one piece takes at most; and how much memory an answer of a gibibyte takes.
 *
 *   deno run -A scripts/bench_masking.ts
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { MaskTable } from "../src/secrets/mask_table.ts";
import { Masker } from "../src/secrets/masker.ts";
import type { Body } from "../src/net/byte_source.ts";
import { MaskedBody } from "../src/sidecar/credentials/response_body.ts";
import { decodedContent } from "../src/sidecar/credentials/response_coding.ts";

const SECRETS = 100;
const PIECE = 65_536;
const SMALL_PIECE = 1_024;
const ROUNDS = 4_000;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PREFIXES = [
  "ghp_",
  "sk-ant-api03-",
  "github_pat_",
  "xoxb-",
  "AKIA",
  "glpat-",
  "eyJhbGciOi",
  "",
];

function random(length: number): string {
  return [...crypto.getRandomValues(new Uint8Array(length))]
    .map((byte) => LETTERS[byte % LETTERS.length]).join("");
}

function repeated(make: () => string): Buffer {
  let text = "";
  while (text.length < PIECE) text += make();
  return Buffer.from(text.slice(0, PIECE));
}

const BODIES: readonly (readonly [string, Buffer])[] = [
  [
    "JSON",
    repeated(() =>
      JSON.stringify({
        id: random(8),
        node_id: btoa(random(20)),
        full_name: `octo/${random(8)}`,
        html_url: `https://git.example.test/octo/${random(8)}`,
        description: 'What it is "for",\nin two lines & more',
        created_at: "2011-01-26T19:01:12Z",
      })
    ),
  ],
  ["JSON with \\/", repeated(() => `{"url":"https:\\/\\/git.example.test\\/${random(8)}"},`)],
  ["HTML", repeated(() => `<a href="/a?b=c&amp;d=e%20f">It's ${random(30)}&nbsp;and more</a>\n`)],
  ["Base64", repeated(() => random(76) + "\n")],
  ["binary", Buffer.from(crypto.getRandomValues(new Uint8Array(PIECE)))],
];

const secrets = Array.from({ length: SECRETS }, (_, i) => ({
  secret: PREFIXES[i % PREFIXES.length] + random(36 + i % 40),
  placeholder: `fsp_${random(26)}`,
}));

const cpuMs = (): number => process.cpuUsage().user / 1_000;

function measure(body: Buffer, piece: number, table: MaskTable): string {
  const masker = new Masker(() => table);
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < PIECE; from += piece) pieces.push(body.subarray(from, from + piece));
  // As many bytes in small pieces as in large ones: what compiles the code takes its time, too.
  const rounds = ROUNDS * pieces.length;
  let cpu = 0;
  for (let round = 0; round < rounds; round++) {
    if (round === rounds / 4) cpu = cpuMs();
    masker.push(pieces[round % pieces.length]!);
  }
  const rate = 0.75 * rounds * piece / 1_000 / (cpuMs() - cpu);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    masker.push(pieces[round % pieces.length]!);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(3);
  return `${rate.toFixed(0).padStart(5)} MB/s of CPU   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`;
}

/** A body that came in small pieces, which lie there together, as an agent's connection reads it. */
function gathered(body: Buffer, piece: number, table: MaskTable): string {
  const total = ROUNDS * 16 * piece;
  let sent = 0;
  let atHand = 0;
  const source = {
    length: undefined,
    trailers: [],
    take() {
      if (sent === total) return null;
      if (atHand === 0) return undefined;
      atHand--;
      const from = sent % PIECE;
      sent += piece;
      return body.subarray(from, from + piece);
    },
    wait() {
      atHand = PIECE / piece;
      return Promise.resolve();
    },
  };
  const masked = new MaskedBody(source, new Masker(() => table), undefined, (each) => each);
  const cpu = cpuMs();
  for (let out = masked.take(); out !== null; out = masked.take()) {
    if (out === undefined) void source.wait();
  }
  return `${(total / 1_000 / (cpuMs() - cpu)).toFixed(0).padStart(5)} MB/s of CPU`;
}

const start = cpuMs();
const table = MaskTable.of(secrets);
console.log(`${SECRETS} secrets, prepared in ${(cpuMs() - start).toFixed(0)} ms of CPU`);
for (const piece of [PIECE, SMALL_PIECE]) {
  console.log(`\npieces of ${piece} bytes`);
  for (const [name, body] of BODIES) {
    console.log(`  ${name.padEnd(14)} ${measure(body, piece, table)}`);
  }
}

console.log(`\npieces of ${SMALL_PIECE} bytes, ${PIECE / SMALL_PIECE} at hand at a time`);
for (const [name, body] of BODIES) {
  console.log(`  ${name.padEnd(14)} ${gathered(body, SMALL_PIECE, table)}`);
}

/** An answer that comes piece by piece, each after a wait, as `count` times the same. */
function repeatedBody(piece: Uint8Array, count: number): Body {
  let left = count;
  let isReady = false;
  return {
    length: undefined,
    trailers: [],
    take() {
      if (left === 0) return null;
      if (!isReady) return undefined;
      isReady = false;
      left--;
      return piece;
    },
    wait: async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      isReady = true;
    },
  };
}

/** Reads it to its end; its size, and by how much the memory of the process grew at most. */
async function memoryOf(body: Body): Promise<string> {
  let bytes = 0;
  let most = 0;
  let before: number | undefined;
  for (let out = body.take(); out !== null; out = body.take()) {
    if (out === undefined) {
      await body.wait();
      continue;
    }
    bytes += out.length;
    if (bytes < WARM) continue;
    const { rss } = process.memoryUsage();
    most = Math.max(most, rss - (before ??= rss));
  }
  return `${(bytes / MIB).toFixed(0)} MiB   memory grew by ${(most / MIB).toFixed(1)} MiB at most`;
}

const MIB = 1024 * 1024;
/** What is not counted, at the beginning: the code is compiled, and buffers are made. */
const WARM = 64 * MIB;
const TOTAL = 1024 * MIB;

console.log("\none answer");
const json = BODIES[0]![1];
const masked = (body: Body) =>
  new MaskedBody(body, new Masker(() => table), undefined, (trailers) => trailers);
const plain = repeatedBody(json, TOTAL / PIECE);
console.log(`  JSON           ${await memoryOf(masked(plain))}`);
const coded = repeatedBody(gzipSync(json), TOTAL / PIECE);
const decoded = decodedContent(coded, ["gzip"]);
console.log(`  JSON, gzip     ${await memoryOf(masked(decoded.body))}`);
