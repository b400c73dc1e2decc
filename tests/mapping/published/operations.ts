/** Reads out of published packages which operations a service has. */

/** `METHOD host/path`, with `{…}` for a parameter. */
export type PublishedOperation = `${string} ${string}`;

/** Served by a host of its own, which the type definitions do not say. */
const UPLOAD = "POST api.github.com/repos/{owner}/{repo}/releases/{release_id}/assets";
const UPLOAD_PLACE = UPLOAD.replace("api.", "uploads.") as PublishedOperation;

/** GitHub's REST operations, out of the type definitions that it makes of its description. */
export function githubOperations(types: string): PublishedOperation[] {
  const [, paths = ""] = /^export interface paths \{\n([^]*?)^\}/m.exec(types) ?? [];
  const found: PublishedOperation[] = [];
  let path = "";
  for (const line of paths.split("\n")) {
    path = /^ {2}"(\/.*)": \{$/.exec(line)?.[1] ?? path;
    const method = /^ {4}(get|post|put|patch|delete|head): operations\["/.exec(
      line,
    )?.[1];
    if (method) found.push(`${method.toUpperCase()} api.github.com${path}`);
  }
  return found.map((operation) => operation === UPLOAD ? UPLOAD_PLACE : operation);
}

/** The fields of a type of a GraphQL schema. */
export function graphqlFields(schema: string, type: string): string[] {
  const body = new RegExp(`^type ${type} .*?\\{\\n([^]*?)^\\}`, "m").exec(schema)?.[1] ??
    "";
  return [...body.matchAll(/^ {2}(\w+)[(:]/gm)].map(([, name]) => name!);
}

/** Gmail's operations, uploads included, out of Google's client. */
export function gmailOperations(client: string): PublishedOperation[] {
  const call =
    /rootUrl \+\s*'(\/gmail\/v1\/[^']*)'\)[^]*?method: '(\w+)'(?:(?!rootUrl = )[^])*?(?=rootUrl = |$)/g;
  return [...client.matchAll(call)].flatMap(([text, path, method]) => {
    const upload = /mediaUrl: \(rootUrl \+\s*'([^']*)'/.exec(text)?.[1];
    return [path, upload].flatMap((path): PublishedOperation[] =>
      path === undefined ? [] : [`${method} gmail.googleapis.com${path}`]
    );
  });
}

const STRIPE_HOSTS: Readonly<Record<string, string>> = {
  connect: "connect.stripe.com",
  files: "files.stripe.com",
  meter_events: "meter-events.stripe.com",
};

/** Stripe's operations, out of one file of its client. */
export function stripeOperations(resource: string): PublishedOperation[] {
  const call = /_makeRequest\(\s*'(\w+)',\s*(?:'([^']+)'|`([^`]+)`)((?:(?!_makeRequest\()[^])*)/g;
  return [...resource.matchAll(call)].map(
    ([, method, plain, template, rest]) => {
      // What follows up to the next method may be the options of this one.
      const [options] = /^[^]*?\n {4}\}/.exec(rest!) ?? [""];
      const base = /apiBase: '(\w+)'/.exec(options)?.[1];
      const host = base === undefined ? "api.stripe.com" : STRIPE_HOSTS[base] ?? base;
      const path = plain ?? template!.replace(/\$\{[^}]*\}/g, "{id}");
      return `${method} ${host}${path}` as const;
    },
  );
}
