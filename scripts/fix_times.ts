/**
 * Gives every file inside an executable of `deno compile` the same time, so that the same sources
 * make the same bytes: `deno compile` writes down when each file was last changed on the machine
 * that built it.
 *
 *   deno run -A scripts/fix_times.ts EXECUTABLE SECONDS
 *
 * The list of embedded files is JSON, its length before it as 64 bits, low byte first. Anything
 * else than exactly one such list is an error: a later Deno may do it in another way.
 */
const MARK = new TextEncoder().encode('[{"Dir":{"n":".deno_compile_node_modules"');
const LENGTH_BYTES = 8;

/** Where the list of files is, as offsets of its first byte and behind its last. */
export function fileList(executable: Uint8Array): readonly [start: number, end: number] {
  const start = indexOf(executable, MARK, LENGTH_BYTES);
  if (start === -1) throw new Error("Cannot fix times: the executable lists no embedded files");
  if (indexOf(executable, MARK, start + 1) !== -1) {
    throw new Error("Cannot fix times: the executable lists its embedded files twice");
  }
  const view = new DataView(executable.buffer, executable.byteOffset, executable.byteLength);
  const end = start + Number(view.getBigUint64(start - LENGTH_BYTES, true));
  if (end > executable.length) throw new Error("Cannot fix times: the list of files is cut off");
  return [start, end];
}

/** Sets all times in the executable, in place; milliseconds since 1970, of 13 digits. */
export function fixTimes(executable: Uint8Array, time: number): void {
  const [start, end] = fileList(executable);
  const list = new TextDecoder("utf-8", { fatal: true }).decode(executable.subarray(start, end));
  JSON.parse(list);
  const fixed = new TextEncoder().encode(list.replaceAll(/"t":\d{13}(?=[,}])/g, `"t":${time}`));
  if (fixed.length !== end - start) {
    throw new Error(`Cannot fix times: "${time}" has not 13 digits`);
  }
  executable.set(fixed, start);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (
    let at = bytes.indexOf(wanted[0]!, from);
    at !== -1;
    at = bytes.indexOf(wanted[0]!, at + 1)
  ) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

if (import.meta.main) {
  const [path, seconds] = Deno.args;
  if (path === undefined || !/^\d{9,10}$/.test(seconds ?? "")) {
    console.error("usage: fix_times.ts EXECUTABLE SECONDS");
    Deno.exit(2);
  }
  const executable = await Deno.readFile(path);
  fixTimes(executable, Number(seconds) * 1000);
  await Deno.writeFile(path, executable);
}
