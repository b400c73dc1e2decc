/** Both are looked at. */
const EXEMPTIONS = ["NO_PROXY", "no_proxy"];

/**
 * Makes an HTTP client that goes the way that `options` say. A variable that
 * exempts hosts from proxies would exempt them from a socket as well, and a
 * request for the owner of the socket would go to whoever listens on port 80.
 */
export function createHttpClient(
  options: Deno.CreateHttpClientOptions & Partial<Deno.TlsCertifiedKeyPem>,
): Deno.HttpClient {
  const all = options as Deno.CreateHttpClientOptions & Deno.TlsCertifiedKeyPem;
  if (options.proxy === undefined) return Deno.createHttpClient(all);
  const exempt = EXEMPTIONS.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const [name] of exempt) Deno.env.delete(name);
    return Deno.createHttpClient(all);
  } finally {
    for (const [name, value] of exempt) if (value !== undefined) Deno.env.set(name, value);
  }
}
