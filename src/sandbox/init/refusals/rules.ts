import { CAPTURED_PORTS } from "../../ports.ts";
import { addressBytes } from "../address.ts";
import { acknowledgement, netlinkMessage, NetlinkSocket } from "../netlink.ts";

const NETLINK_ROUTE = 0;
const RTM_NEWROUTE = 24;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const REQUEST_ACK_CREATE = 0x1 | 0x4 | 0x400;
const REQUEST_ACK = 0x1 | 0x4;
const AF_INET = 2;
const DNS_PORT = 53;

const IPPROTO_TCP = 6;
/** What firma serves. */
const SERVED = [DNS_PORT, ...CAPTURED_PORTS];

/** Attributes of a rule (linux/fib_rules.h) and of a route (linux/rtnetlink.h). */
const FRA = { destination: 1, priority: 6, protocol: 22, sourcePorts: 23, ports: 24 } as const;
const RTA = { device: 4, preferredSource: 7 } as const;

const TABLE_LOCAL = 255;
/** Of our own: everything is sent out over loopback, where it ends. */
const TABLE_NOWHERE = 101;
const LOOPBACK_DEVICE = 1;

/**
 * Has TCP over IPv4 to ports that nobody serves go unanswered, instead of being reset by the
 * kernel, by which time nothing is left to tell who tried: the kernel resets only what came to a
 * local address, and such packets are routed over the loopback device to one that is not. Whoever
 * listens in the sandbox is reached as before. IPv6 has no such routes. On kernels without rules by
 * port (before 4.17) everything stays as it was. Returns whether it holds.
 */
export function leaveOthersUnanswered(): boolean {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  const send = (type: number, flags: number, body: Uint8Array) =>
    acknowledgement(socket.exchange(netlinkMessage(type, flags, body))).error === 0;
  const add = (body: Uint8Array) => send(RTM_NEWRULE, REQUEST_ACK_CREATE, body);
  try {
    return send(RTM_NEWROUTE, REQUEST_ACK_CREATE, routeNowhere()) &&
      add(rule(1, TABLE_LOCAL, { loopbackOnly: true })) &&
      SERVED.every((port) =>
        add(rule(2, TABLE_LOCAL, {}, TCP, portRange(FRA.ports, port))) &&
        // Answers of our listeners.
        add(rule(2, TABLE_LOCAL, {}, TCP, portRange(FRA.sourcePorts, port)))
      ) &&
      add(rule(3, TABLE_NOWHERE, {}, TCP)) &&
      add(rule(4, TABLE_LOCAL)) &&
      // The first rule of every namespace, which finds everything local. Without it ours hold.
      send(RTM_DELRULE, REQUEST_ACK, rule(0, TABLE_LOCAL));
  } finally {
    socket.close();
  }
}

const TCP = attribute(FRA.protocol, [IPPROTO_TCP]);

/** `struct rtmsg`: everything over the loopback device, from an address that answers reach. */
function routeNowhere(): Uint8Array {
  const [boot, link, unicast] = [3, 253, 1];
  return join(
    new Uint8Array([AF_INET, 0, 0, 0, TABLE_NOWHERE, boot, link, unicast, 0, 0, 0, 0]),
    attribute(RTA.device, [LOOPBACK_DEVICE, 0, 0, 0]),
    attribute(RTA.preferredSource, addressBytes("127.0.0.1")),
  );
}

/** `struct fib_rule_hdr` with attributes: look into `table`. */
function rule(
  priority: number,
  table: number,
  { loopbackOnly = false } = {},
  ...attributes: Uint8Array[]
): Uint8Array {
  const toTable = 1;
  const length = loopbackOnly ? 8 : 0;
  return join(
    new Uint8Array([AF_INET, length, 0, 0, table, 0, 0, toTable, 0, 0, 0, 0]),
    attribute(FRA.priority, [priority, 0, 0, 0]),
    ...(loopbackOnly ? [attribute(FRA.destination, addressBytes("127.0.0.0"))] : []),
    ...attributes,
  );
}

function attribute(type: number, value: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + Math.ceil(value.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

/** A range of one port, in the byte order of the machine. */
function portRange(type: number, port: number): Uint8Array {
  const [low, high] = [port & 0xff, port >> 8];
  return attribute(type, [low, high, low, high]);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
