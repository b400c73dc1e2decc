import type { Duplex } from "node:stream";
import { err, ok, type Result } from "../../core/result.ts";
import type { Client } from "./client.ts";
import { type Admission, judgePeer, type Peer } from "./peer.ts";

/** Connections of all clients, and of one certificate: no client may take the others' room. */
const MOST_GUESTS = 4_096;
const MOST_OF_ONE = 1_024;

/** A connection that was let in. */
export interface Guest {
  /** Its address, for people. */
  readonly from: string;
  readonly peer: Peer;
  readonly socket: Duplex;
  /** Whose it is, by the last judgement. */
  readonly client: Client;
}

/** The connections that were let in, each only as long as it would be again. */
export class Guests {
  readonly #guests = new Set<{ -readonly [Key in keyof Guest]: Guest[Key] }>();
  readonly #counts = new Map<string, number>();

  /** Lets a connection in until it is closed, or says why not. */
  admit(
    arrival: Omit<Guest, "client">,
    admission: Admission,
    nowMs: number,
  ): Result<Guest, string> {
    const { peer, socket } = arrival;
    const judged = judgePeer(peer, admission, nowMs);
    if (!judged.ok) return judged;
    const count = this.#counts.get(peer.fingerprint) ?? 0;
    const who = JSON.stringify(peer.name);
    if (count >= MOST_OF_ONE) return err(`${who} has ${count} connections already`);
    if (this.#guests.size >= MOST_GUESTS) {
      return err(`there is no room for ${who}: ${MOST_GUESTS} connections are open`);
    }
    const guest = { ...arrival, client: judged.value };
    this.#guests.add(guest);
    this.#counts.set(peer.fingerprint, count + 1);
    socket.once("close", () => {
      this.#guests.delete(guest);
      const left = this.#counts.get(peer.fingerprint)! - 1;
      if (left > 0) this.#counts.set(peer.fingerprint, left);
      else this.#counts.delete(peer.fingerprint);
    });
    return ok(guest);
  }

  /** Judges everyone again and disconnects those who would not be let in; `tell` hears of them. */
  review(admission: Admission, nowMs: number, tell: (guest: Guest, reason: string) => void): void {
    for (const guest of [...this.#guests]) {
      const judged = judgePeer(guest.peer, admission, nowMs);
      if (judged.ok) {
        guest.client = judged.value;
        continue;
      }
      tell(guest, judged.error);
      guest.socket.destroy();
    }
  }
}
