/**
 * What people complain of who run agents in sandboxes and behind proxies, and the tests that show
 * how firma fares: each named test has to be there. `not` says what firma does not do.
 */
import assert from "node:assert/strict";

interface Complaint {
  /** Files below this directory, with what the title of the test has in it. */
  readonly tests?: Readonly<Record<string, readonly string[]>>;
  /** Clients and agents of `scripts/compat`, each with and without proxy variables. */
  readonly compat?: readonly string[];
  readonly not?: string;
}

const FORWARD = "sidecar/transport/forward_test.ts";
const FRONT = "sidecar/transport/front_test.ts";
const RELAY = "sidecar/transport/relay_test.ts";
const UPSTREAM = "sidecar/transport/upstream_behaviour_test.ts";
const ATTACKS = "e2e/escape/http_test.ts";
const NETWORK = "sandbox/network_test.ts";
const ENVIRONMENT = "sandbox/environment_test.ts";
const CONFINE = "sandbox/confine_test.ts";
const TERMINAL = "sandbox/terminal_test.ts";

const COMPLAINTS: Readonly<Record<string, Complaint>> = {
  "1 Node's fetch has no network while curl has": {
    tests: { "e2e/clients_test.ts": ["node fetch"] },
    compat: ["node fetch"],
  },
  "2 undici opens a tunnel for http, too": {
    tests: { [FRONT]: ["front serves plain HTTP inside a CONNECT tunnel"] },
    compat: ["undici"],
  },
  "3 Go does not take the proxy's certificate": { compat: ["Go net/http", "gh"] },
  "4 Java ignores proxy variables": { compat: ["Java HttpClient"] },
  "5 git wants the certificate of an HTTPS proxy": {
    tests: { [ENVIRONMENT]: ["agentEnvironment() leads clients to the Sidecar"] },
    compat: ["git over HTTPS"],
  },
  "6 git over SSH cannot get out": {
    tests: { "e2e/git_test.ts": ["takes git over SSH to HTTPS at a known code host"] },
    compat: ["git over SSH"],
  },
  "7 NO_PROXY of the host, or of the wrapper, makes local services unreachable": {
    tests: {
      [NETWORK]: ["an agent's own servers are reached directly"],
      [ENVIRONMENT]: ["whatever the host says"],
    },
  },
  "8 an https address for the proxy is refused by clients of WebSocket": { compat: ["codex"] },
  "9 frames are dropped after the switch to WebSocket": {
    tests: { [RELAY]: ["relays a WebSocket both ways", "more than it may hold in memory"] },
    compat: ["undici", "ws for node"],
  },
  "10 a WebSocket hangs where the upstream speaks HTTP/2": {
    tests: { [RELAY]: ["relays a WebSocket both ways", "hands on a refusal to switch"] },
    compat: ["python httpx"],
  },
  "11 each tunnel ends after one request": {
    tests: { [FORWARD]: ["denies with a problem and goes on on the same connection"] },
  },
  "12 HTTP/2 is broken, or tunnelled unseen": {
    tests: {
      "e2e/clients_test.ts": ["curl with HTTP/2"],
      [ATTACKS]: ["on a connection that was good for one (coalescing)"],
    },
    compat: ["curl", "node fetch", "Go net/http"],
  },
  "13 adding a secret takes a call down to HTTP/1.1, and breaks gRPC": {
    tests: {
      "sidecar/transport/trailers_test.ts": ["carries gRPC with its status in the trailers"],
      [FORWARD]: ["replaces the fields that the verdict names"],
    },
  },
  "14 clients that look names up themselves get no answer": {
    tests: { [NETWORK]: ["past the proxy variables, with the name that was looked up"] },
    compat: ["ws for node"],
  },
  "15 roots are taken from variables alone, or replace those that were there": {
    tests: { "sandbox/host_test.ts": ["agentRoots() adds the roots of the host's variables"] },
    compat: ["wget"],
  },
  "16 a server refuses the proxy's own TLS": {
    tests: { [RELAY]: ["tunnels blindly what the gate says"] },
  },
  "17 what cannot be inspected becomes a tunnel without a word": {
    tests: {
      [FRONT]: ["front refuses a server name unlike the CONNECT host"],
      [RELAY]: ["does not tunnel to another server name than the one decided on"],
    },
  },
  "18 the company's own proxy is not used for what goes out": {
    not: "The data plane connects by itself; a proxy between it and the Internet is not supported.",
  },
  "19 plain HTTP is not filtered, or CONNECT to hosts that are not listed passes": {
    tests: {
      "e2e/egress_test.ts": ["a denied call gets nowhere", "refuses a host that no mapping names"],
    },
  },
  "20 a relay in the sandbox decides once and replays": {
    tests: { [ATTACKS]: ["a tunnel in a tunnel", "a tunnel under TLS"] },
  },
  "21 ignoring the proxy leads past it": {
    tests: {
      [ATTACKS]: ["a denied path, ignoring the proxy", "a denied path by address"],
      [NETWORK]: ["by a child with an empty environment"],
    },
  },
  "22 the smallest configuration blocks everything": {
    tests: { "e2e/run_test.ts": ["asks once on a terminal before it sets anything up"] },
  },
  "23 whoever may call a host may do anything there": {
    tests: {
      "e2e/git_test.ts": [
        "clone but not push",
        "add to a protected branch but not rewrite it",
      ],
    },
  },
  "24 an agent takes a denial for a fault, and tries to get around it": {
    tests: {
      "sidecar/pipeline/gate_test.ts": [
        "tells the agent in a problem document what was refused and why",
      ],
      "compat/compat_test.ts": ["show why its command was refused"],
    },
    compat: ["claude-code", "codex", "gemini-cli", "opencode"],
  },
  "25 approvals block, come too late, or are good for something else": {
    tests: {
      "approvals/approvals_test.ts": ["outlive the Sidecar", "for a time or for the session"],
      "approvals/fingerprint_test.ts": ["callFingerprint() tells"],
      "e2e/approval_test.ts": ["runs once after a person approved it"],
    },
  },
  "26 a push needs another credential than a fetch": {
    tests: {
      "sidecar/credentials/brokered_test.ts": [
        "keeps sessions, hosts, classes and resources apart",
      ],
    },
  },
  "27 namespaces within namespaces fail, and another sandbox cannot run inside": {
    tests: {
      "doctor/checks/machine_checks_test.ts": ["name the setting that forbids namespaces"],
    },
    compat: ["codex"],
  },
  "28 a mount point that cannot be made ends every command": {
    tests: {
      "sandbox/mount_plan_test.ts": ["seals nothing that is not shown"],
      "sandbox/init/cover_sockets_test.ts": ["passes over one that is gone by now"],
      [CONFINE]: ["a workspace that is not the user's to write"],
    },
  },
  "29 a session of its own breaks job control and SIGWINCH, and without it one can type": {
    tests: {
      [TERMINAL]: ["an interactive shell has job control", "a resized window is seen"],
      "e2e/escape/system_calls_test.ts": ["tiocsti"],
    },
  },
  "30 servers that a command leaves running are ended with it": {
    tests: { [CONFINE]: ["a server that goes on after the command that started it"] },
  },
  "31 seconds pass before each command, and probes of file systems hang": {
    tests: {
      "sandbox/known_tools_test.ts": ["asks the programs once"],
      "run/choose_sidecar_test.ts": ["mayJoin() answers at once"],
    },
  },
  "32 without a program that it needs the sandbox is off without a word": {
    tests: { "sandbox/host_test.ts": ["findBwrap() says what to install"] },
  },
  "33 npm works in one kind of sandbox and not in the other": { compat: ["npm"] },
  "34 arguments of tools are not seen by policies": {
    tests: {
      "mapping/decoders/mcp_test.ts": ["looks at the arguments of a tool that does several things"],
    },
  },
  "35 a connection that the server had closed is used again": {
    tests: {
      [UPSTREAM]: [
        "sends a request again when its pooled connection had been closed",
        "never sends a request with a body twice",
      ],
    },
  },
};

const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));

for (const [name, { tests = {}, compat = [], not }] of Object.entries(COMPLAINTS)) {
  Deno.test(`complaint ${name} has its tests`, () => {
    for (const [file, titles] of Object.entries(tests)) {
      const text = read(file);
      for (const title of titles) assert.ok(text.includes(title), `${file}: ${title}`);
    }
    const clients = read("compat/clients.ts") + read("compat/agents.ts");
    for (const client of compat) assert.ok(clients.includes(`name: "${client}"`), client);
    assert.equal(Object.keys(tests).length + compat.length > 0, not === undefined);
  });
}
