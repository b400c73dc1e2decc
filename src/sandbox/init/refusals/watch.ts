import { addressBytes, unmapped } from "../address.ts";
import { checked, libc } from "../libc.ts";
import type { NameTable } from "../name_table.ts";
import type { SocketOwners } from "../socket_owner.ts";
import { type Attempt, readAttempt, resetOf } from "./packet.ts";
import { encodedAttemptFilter } from "./packet_filter.ts";
import { leaveOthersUnanswered } from "./rules.ts";
import type { Refusal } from "./tally.ts";

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const IPPROTO_RAW = 255;
const ETH_P_ALL_SWAPPED = 0x0300;
const LOOPBACK_DEVICE = 1;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;

/** As much of a packet as its headers take, with all options. */
const HEADERS = 128;

/** How many owners are looked for in a second; an agent that tries more gets no slower answer. */
const MOST_LOOKUPS = 100;

/** What watching needs around it. */
export interface WatchOptions {
  readonly names: NameTable;
  readonly owners: SocketOwners;
  readonly onRefusal: (refusal: Refusal) => void;
}

/**
 * Says who tried to reach what nobody serves. Connections over TCP and IPv4 are held for the moment
 * that it takes to find out, and then reset; the kernel refuses the others itself, and the program
 * behind one may be gone by the time that it is looked for. Without means for all that (an old
 * kernel), nobody is told.
 */
export function watchRefusals(options: WatchOptions): void {
  try {
    const packets = openPackets();
    const resets = checked(
      "open a raw socket",
      libc.socket(AF_INET, SOCK_RAW_CLOEXEC, IPPROTO_RAW),
    );
    const weRefuse = leaveOthersUnanswered();
    void serve(packets, weRefuse ? resets : undefined, options);
  } catch {
    // It stays as it was.
  }
}

/** A socket that shows what {@linkcode encodedAttemptFilter} lets through. */
function openPackets(): number {
  // Protocol 0 shows nothing: first the filter, then what it is for.
  const socket = checked(
    "open a packet socket",
    libc.socket(AF_PACKET, SOCK_DGRAM_CLOEXEC, 0),
  );
  const { bytes, count } = encodedAttemptFilter();
  const program = new Uint8Array(16); // struct sock_fprog
  const view = new DataView(program.buffer);
  view.setUint16(0, count, true);
  const at = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  view.setBigUint64(8, BigInt(at), true);
  checked(
    "attach a packet filter",
    libc.setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length),
  );
  // Each packet passes loopback twice; once is enough, and cheaper. Kernels before 4.20 do not know.
  const one = new Uint8Array([1, 0, 0, 0]);
  libc.setsockopt(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, one, one.length);
  const address = new Uint8Array(20); // struct sockaddr_ll
  const fields = new DataView(address.buffer);
  fields.setUint16(0, AF_PACKET, true);
  fields.setUint16(2, ETH_P_ALL_SWAPPED, true);
  fields.setInt32(4, LOOPBACK_DEVICE, true);
  checked("bind a packet socket", libc.bind(socket, address, address.length));
  return socket;
}

async function serve(
  packets: number,
  resets: number | undefined,
  options: WatchOptions,
): Promise<void> {
  const buffer = new Uint8Array(HEADERS);
  let [second, lookups] = [0, 0];
  const mayLookUp = () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, lookups] = [now, 0];
    return lookups++ < MOST_LOOKUPS;
  };
  for (;;) {
    const length = Number(await libc.waitForPacket(packets, buffer, BigInt(buffer.length), 0));
    if (length <= 0) continue;
    const packet = buffer.subarray(0, Math.min(length, HEADERS));
    const attempt = readAttempt(packet);
    if (attempt === undefined) continue;
    const { protocol, from, to } = attempt;
    // By somebody in the sandbox, then.
    if (protocol === "tcp" && options.owners.isAnswered(from, to)) continue;
    const refusal = describe(attempt, options, mayLookUp());
    const isHeld = protocol === "tcp" && packet[0]! >> 4 === 4;
    if (isHeld && resets !== undefined) send(resets, resetOf(packet), from.address);
    options.onRefusal(refusal);
  }
}

function describe(
  { protocol, from, to }: Attempt,
  { names, owners }: WatchOptions,
  lookUp: boolean,
): Refusal {
  const host = names.nameOf(to.address) ?? names.nameOf(unmapped(to.address));
  const owner = lookUp ? owners.find(from, to, protocol) : undefined;
  return {
    protocol,
    address: to.address,
    port: to.port,
    ...(host !== undefined && { host }),
    ...owner,
  };
}

function send(socket: number, packet: Uint8Array<ArrayBuffer>, to: string): void {
  const address = new Uint8Array(16); // struct sockaddr_in
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  address.set(addressBytes(to), 4);
  libc.sendto(socket, packet, BigInt(packet.length), 0, address, address.length);
}
