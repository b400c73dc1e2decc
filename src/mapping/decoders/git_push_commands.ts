import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import { packetAt } from "./git_pkt_line.ts";
import { type PushCertificate, readPushCertificate } from "./git_push_certificate.ts";
import { isRefName } from "./git_ref.ts";
import { utf8 } from "./text.ts";

/** What a push asks for one ref. Identifiers are hex in lower case. */
export interface RefCommand {
  readonly ref: string;
  readonly oldId: string;
  readonly newId: string;
  readonly change: "create" | "update" | "delete";
}

/** The part of a push before its pack (gitprotocol-pack, "Reference Update Request"). */
export interface PushCommands {
  /** Empty for the probe by which git finds out whether it must sign in. */
  readonly commands: readonly RefCommand[];
  readonly capabilities: ReadonlySet<string>;
  readonly options: readonly string[];
  /** Where the pack begins, if there is one. */
  readonly packAt: number;
}

const MOST_COMMANDS = 500;
/** Of headers and signature. */
const MOST_CERTIFICATE_LINES = 500;
const MOST_OPTIONS = 16;
const LONGEST_OPTION = 256;
const NUL = 0;
const COMMAND = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^]+)$/i;
const SHALLOW = /^shallow (?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const ZERO = /^0+$/;

/**
 * Reads the commands of a push; those of a signed one are in its certificate. An error
 * where git itself would understand anything else than what is returned here.
 */
export function parsePushCommands(bytes: Uint8Array): Result<PushCommands, string> {
  const commands: RefCommand[] = [];
  const capabilities = new Set<string>();
  const section = packets(bytes, 0, MOST_COMMANDS + MOST_CERTIFICATE_LINES);
  if (!section.ok) return section;
  const certified = readSection(section.value.payloads, commands, capabilities);
  if (!certified.ok) return certified;
  if (commands.length > MOST_COMMANDS) return err(`it has more than ${MOST_COMMANDS} commands`);
  let packAt = section.value.end;
  const options: string[] = [...certified.value];
  if (capabilities.has("push-options") && commands.length > 0) {
    const list = packets(bytes, packAt, MOST_OPTIONS);
    if (!list.ok) return list;
    for (const payload of list.value.payloads) {
      const option = utf8(chomp(payload));
      if (option === undefined) return err("a push option is not UTF-8");
      if (option.length > LONGEST_OPTION) return err("a push option is too long");
      options.push(option);
    }
    packAt = list.value.end;
  }
  return ok({ commands, capabilities, options: [...new Set(options)], packAt });
}

function packets(
  bytes: Uint8Array,
  start: number,
  most: number,
): Result<{ payloads: Uint8Array[]; end: number }, string> {
  const payloads: Uint8Array[] = [];
  for (let at = start;;) {
    const next = packetAt(bytes, at);
    if (!next.ok) return next;
    if (next.value.kind === "cut") return err("it ends within its commands");
    at = next.value.end;
    if (next.value.kind === "flush") return ok({ payloads, end: at });
    if (payloads.push(next.value.payload) > most) return err(`it has more than ${most} lines`);
  }
}

/** Returns the push options in a certificate. */
function readSection(
  payloads: readonly Uint8Array[],
  commands: RefCommand[],
  capabilities: Set<string>,
): Result<readonly string[], string> {
  let certificate: PushCertificate | undefined;
  for (let at = 0; at < payloads.length; at++) {
    const line = readLine(payloads[at]!, capabilities);
    if (!line.ok) return line;
    if (SHALLOW.test(line.value)) continue;
    if (line.value === "push-cert") {
      if (certificate !== undefined) return err("it has two certificates");
      const read = readPushCertificate(payloads.slice(at + 1));
      if (!read.ok) return read;
      certificate = read.value;
      at += certificate.size;
      continue;
    }
    const fault = readCommand(line.value, commands);
    if (fault !== undefined) return err(fault);
  }
  if (certificate === undefined) return ok([]);
  if (commands.length > 0) return err("it has commands outside of its certificate");
  for (const line of certificate.commands) {
    const fault = readCommand(line, commands);
    if (fault !== undefined) return err(fault);
  }
  if (commands.length === 0) return err("its certificate has no commands");
  const { options } = certificate;
  const isLong = options.length > MOST_OPTIONS || options.some((o) => o.length > LONGEST_OPTION);
  return isLong ? err("its certificate has too many push options") : ok(options);
}

/** The text of a line; notes its capabilities. */
function readLine(payload: Uint8Array, capabilities: Set<string>): Result<string, string> {
  const line = chomp(payload);
  const nul = line.indexOf(NUL);
  const text = utf8(nul < 0 ? line : line.subarray(0, nul));
  if (text === undefined) return err("a command is not UTF-8");
  if (nul < 0) return ok(text);
  const list = utf8(line.subarray(nul + 1));
  if (list === undefined || list.includes("\0")) return err("its capabilities are not text");
  for (const capability of list.split(" ")) {
    if (capability !== "") capabilities.add(capability);
  }
  return ok(text);
}

function readCommand(text: string, commands: RefCommand[]): string | undefined {
  const match = COMMAND.exec(text);
  if (match === null) return "a command is not <old> <new> <ref>";
  const [oldId, newId, ref] = [match[1]!.toLowerCase(), match[2]!.toLowerCase(), match[3]!];
  const sample = commands[0]?.oldId ?? oldId;
  if (oldId.length !== newId.length || oldId.length !== sample.length) {
    return "its object identifiers are of two kinds";
  }
  if (!isRefName(ref)) return `${quote(ref)} is not the name of a ref`;
  const change = ZERO.test(newId) ? "delete" : ZERO.test(oldId) ? "create" : "update";
  commands.push({ ref, oldId, newId, change });
}

function chomp(line: Uint8Array): Uint8Array {
  return line.at(-1) === 0x0a ? line.subarray(0, -1) : line;
}
