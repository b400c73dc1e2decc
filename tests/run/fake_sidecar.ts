/** Stands in for a Sidecar: does what the environment variable `FAKE_SIDECAR` says. */
import { startFakeControl } from "./fake_control.ts";

const say = (message: unknown) => console.log(JSON.stringify(message));
const mode = Deno.env.get("FAKE_SIDECAR");

switch (mode) {
  case "dies":
    console.error("first line");
    console.error("the reason \x1b[2J");
    Deno.exit(3);
    break;
  case "fatal":
    say({
      type: "fatal",
      error: {
        code: "MAPPING_INVALID",
        message: "Cannot parse",
        cure: "fix it",
        at: { file: "a.toml", line: 3, column: 1, more: "ignored" },
      },
    });
    Deno.exit(1);
    break;
  case "silent":
    break;
  default: {
    // Before it says that it is ready: who hears that may send the signal at once.
    if (mode === "stubborn") Deno.addSignalListener("SIGTERM", () => {});
    console.log("not JSON\n[1]\nnull");
    say({ type: "unknown" });
    say({ type: "notice", level: "warn", text: "policy refused" });
    say({ type: "notice", level: "shouting", text: "odd level" });
    say({ type: "notice", level: "info" });
    const socket = await Deno.makeTempFile({ suffix: ".sock" });
    await Deno.remove(socket);
    if (mode === "serves") startFakeControl(socket);
    say({ type: "ready", control_socket: socket });
    say({ type: "arguments", arguments: Deno.args });
    console.error(JSON.stringify({ args: Deno.args, roots: Deno.env.get("DENO_TLS_CA_STORE") }));
  }
}

for await (const _ of Deno.stdin.readable) {
  // Until the parent ends.
}
if (mode === "stubborn") setInterval(() => {}, 1000);
else Deno.exit(0);
