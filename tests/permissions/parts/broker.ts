import { main } from "../../../src/broker/main.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { EVERYTHING, type PartReport, tryAll } from "../attempts.ts";

/** The thread of the broker that passes on what its worker says; its orders come on standard input. */
export async function attempt(): Promise<PartReport> {
  const before = await tryAll(EVERYTHING, undefined);
  const ended = main().then((status) => {
    throw new Error(`it ended by itself: ${status}`);
  });
  // The last that it gives up.
  const serving = eventually("the broker to serve", async () => {
    const { state } = await Deno.permissions.query({ name: "env" });
    return state === "granted" ? undefined : true;
  });
  await Promise.race([serving, ended]);
  return { before, attempts: await tryAll(EVERYTHING, undefined) };
}
