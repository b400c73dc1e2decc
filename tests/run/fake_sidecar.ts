/**
 * Stands in for a Sidecar: does what the environment variable `FAKE_SIDECAR` says, and opens
 * sessions with canned answers by sandbox id.
 */
import { jsonLines } from "../../src/core/json_lines.ts";

const say = (message: unknown) => console.log(JSON.stringify(message));
const mode = Deno.env.get("FAKE_SIDECAR");
const orders = jsonLines(Deno.stdin.readable);
const { value: start } = await orders.next();

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
    say({ type: "ready", control_socket: socket });
    say({ type: "arguments", arguments: Deno.args });
    console.error(
      JSON.stringify({ args: Deno.args, start, roots: Deno.env.get("DENO_TLS_CA_STORE") }),
    );
  }
}

for await (const { type, session, exit } of orders) {
  if (type === "end-session") console.error(JSON.stringify({ exit }));
  if (type !== "open-session") continue;
  const whole = { type: "session", session_id: "ses_1", proxy_socket: "/p.sock" };
  switch ((session as { readonly sandbox_id: string }).sandbox_id) {
    case "incomplete":
      say(whole);
      break;
    case "refused":
      say({
        type: "session-refused",
        error: { code: "NO_TOKEN", message: "not granted", cure: "ask" },
      });
      break;
    case "silent":
      break;
    default:
      say({ ...whole, ca_certificate: "PEM", environment: {}, sign_ins: {}, more: "ignored" });
  }
}
if (mode === "stubborn") setInterval(() => {}, 1000);
else Deno.exit(0);
