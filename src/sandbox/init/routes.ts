import { SystemCallError } from "./libc.ts";
import { acknowledgement, netlinkMessage, NetlinkSocket } from "./netlink.ts";

const NETLINK_ROUTE = 0;
const RTM_NEWROUTE = 24;
const REQUEST_ACK_CREATE = 0x1 | 0x4 | 0x400;
const AF_INET = 2;
const AF_INET6 = 10;
const EEXIST = 17;

/**
 * Makes every address of both families local to this network namespace, so that a connection to
 * any of them arrives at a listener here: `ip route add local 0.0.0.0/0 dev lo`, and `::/0`.
 * A machine without IPv6 has nothing to route there.
 *
 * @throws {SystemCallError} when IPv4 cannot be routed.
 */
export function routeEverythingHere(): void {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    const error = addLocalDefault(socket, AF_INET);
    if (error !== 0 && error !== EEXIST) throw new SystemCallError("route IPv4", error);
    addLocalDefault(socket, AF_INET6);
  } finally {
    socket.close();
  }
}

function addLocalDefault(socket: NetlinkSocket, family: number): number {
  const body = new Uint8Array(12 + 8);
  const view = new DataView(body.buffer);
  // struct rtmsg: destination length 0 is the default route.
  body.set([family, 0, 0, 0, 255, /* table local */ 3, /* boot */ 254, /* host */ 2 /* local */]);
  // RTA_OIF: the loopback device is always the first of its namespace.
  view.setUint16(12, 8, true);
  view.setUint16(14, 4, true);
  view.setUint32(16, 1, true);
  return acknowledgement(socket.exchange(netlinkMessage(RTM_NEWROUTE, REQUEST_ACK_CREATE, body)))
    .error;
}
