import { type Kind, KINDS, type Route, ROUTES } from "./client.ts";
import type { Attempt } from "./measure.ts";

/** A client with what it was seen to do. */
export interface ClientRow {
  readonly name: string;
  readonly version: string;
  readonly attempts: readonly Attempt[];
}

/** An agent with what it was seen to do. */
export interface AgentRow {
  readonly name: string;
  readonly version: string;
  /** It printed what the model said. */
  readonly answers: boolean;
  /** A command that it ran was refused, and it showed why. */
  readonly showsDenial: boolean;
  /** It renewed a sign-in that firma had taken over, and printed none of its tokens. */
  readonly renews: boolean | undefined;
}

const TITLES: Readonly<Record<Kind, string>> = {
  http: "HTTP",
  https: "HTTPS",
  http2: "HTTP/2",
  websocket: "WebSocket",
  denied: "denied call",
};

const ROUTE_TITLES: Readonly<Record<Route, string>> = {
  proxy: "with proxy variables",
  transparent: "without",
};

/** The clients as a table in Markdown. */
export function clientTable(rows: readonly ClientRow[]): string {
  const titles = [
    ...KINDS.map((kind) => TITLES[kind]),
    ...ROUTES.map((route) => ROUTE_TITLES[route]),
  ];
  return table(["client", "version", ...titles], [
    ...rows.map(({ name, version, attempts }) => [
      name,
      version,
      ...KINDS.map((kind) => cell(attempts.filter((attempt) => attempt.kind === kind))),
      ...ROUTES.map((route) => cell(attempts.filter((attempt) => attempt.route === route))),
    ]),
  ]);
}

/** The agents as a table in Markdown. */
export function agentTable(rows: readonly AgentRow[]): string {
  const yes = (works: boolean | undefined) => works === undefined ? "–" : works ? "yes" : "**no**";
  return table(
    [
      ...["agent", "version", "answers a prompt", "shows why its command was refused"],
      "renews a sign-in",
    ],
    rows.map(({ name, version, answers, showsDenial, renews }) => [
      name,
      version,
      yes(answers),
      yes(showsDenial),
      yes(renews),
    ]),
  );
}

function cell(attempts: readonly Attempt[]): string {
  if (attempts.length === 0) return "–";
  const working = attempts.filter(({ works }) => works);
  if (working.length === attempts.length) return "yes";
  return working.length === 0 ? "**no**" : `${working.length} of ${attempts.length}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
