/** What a client is asked to do. */
export const KINDS = ["http", "https", "http2", "websocket", "denied"] as const;
export type Kind = (typeof KINDS)[number];

/** How its connections get to the Sidecar. */
export const ROUTES = ["proxy", "transparent"] as const;
export type Route = (typeof ROUTES)[number];

/** Where it is sent. */
export interface Targets {
  /** Answers `hello from /allowed`, over plain HTTP. */
  readonly plain: string;
  /** The same over TLS, as HTTP/1.1 or HTTP/2. */
  readonly secure: string;
  /** Sends back what it gets, over TLS; begins with `wss:`. */
  readonly echo: string;
  /** No policy permits it. */
  readonly denied: string;
  /** Where a git repository is, over HTTPS. */
  readonly repository: string;
}

/** A program that users run under firma. */
export interface Client {
  readonly name: string;
  /** npm packages that it needs, with their versions; everything else is from Debian. */
  readonly npm?: readonly string[];
  /** A shell command that prints the version; of a package of npm it is known. */
  readonly version?: string;
  /** Files that its commands name, by name; they lie in the working directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** Prepares its files in a shell, outside the sandbox. */
  readonly prepare?: string;
  /**
   * A shell command for each kind that the client can do at all. It prints the body of what it got,
   * over HTTP/2 the word `HTTP/2` besides, and of a denial the status `403`.
   */
  readonly commands: Partial<Readonly<Record<Kind, (targets: Targets) => string>>>;
  /** What shows that an allowed call went well, where that is not the body. */
  readonly success?: RegExp;
}
