import { isSensitiveName, REDACTED, redactQuery } from "./redaction.ts";

/** Values that look like what they are, wherever they stand. */
const TOKEN =
  /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|sk_(?:live|test)_\w{8,}|xox[abposr]-[\w-]{10,}|AKIA[0-9A-Z]{12,}|npm_[A-Za-z0-9]{20,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|v4\.public\.[\w-]{16,})/g;
/** No text that {@linkcode TOKEN} finds is shorter. */
const SHORTEST_TOKEN = 14;
/** What is behind a name of a secret, or in an address, has one of these before it. */
const PLAIN = /^[^=:?@\s]*$/;
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi;
const SCHEME = /\b(bearer|basic|token)\s+[\w.~+/=:-]{6,}/gi;
const ASSIGNMENT = /^(-{0,2})([A-Za-z_][\w.-]*)=(.+)$/s;
const HEADER = /^([A-Za-z][\w-]*):\s*(.+)$/s;
const FLAG = /^--?([A-Za-z][\w-]*)$/;
/** Options that take a password without saying so. */
const MYSQL = /^-p.+$/s;
const WITH_PASSWORD: ReadonlySet<string> = new Set(["mysql", "mysqldump", "mariadb", "sshpass"]);
const USER_AND_PASSWORD: ReadonlySet<string> = new Set(["-u", "--user", "--proxy-user", "-U"]);

/**
 * Replaces what is a secret in a command line, as far as that can be told: values behind names of
 * secrets, passwords in URLs and headers, tokens by their form.
 */
export function redactArguments(argv: readonly string[]): string[] {
  const program = argv[0]?.slice(argv[0].lastIndexOf("/") + 1) ?? "";
  const redacted: string[] = [];
  let isSecret = false;
  argv.forEach((argument, index) => {
    if (isSecret) {
      isSecret = false;
      redacted.push(REDACTED);
      return;
    }
    const previous = argv[index - 1];
    if (previous !== undefined && USER_AND_PASSWORD.has(previous) && argument.includes(":")) {
      redacted.push(`${argument.slice(0, argument.indexOf(":"))}:${REDACTED}`);
      return;
    }
    if (index > 0 && WITH_PASSWORD.has(program) && MYSQL.test(argument)) {
      redacted.push(`-p${REDACTED}`);
      return;
    }
    const flag = FLAG.exec(argument)?.[1];
    if (index > 0 && flag !== undefined) isSecret = isSensitiveName(flag);
    redacted.push(redactArgument(argument));
  });
  return redacted;
}

function redactArgument(argument: string): string {
  if (PLAIN.test(argument)) {
    return argument.length < SHORTEST_TOKEN ? argument : argument.replace(TOKEN, REDACTED);
  }
  const [, dashes = "", name, value] = ASSIGNMENT.exec(argument) ?? [];
  if (name !== undefined && value !== undefined && isSensitiveName(name)) {
    return `${dashes}${name}=${REDACTED}`;
  }
  const [, header] = HEADER.exec(argument) ?? [];
  if (header !== undefined && !argument.includes("://") && isSensitiveName(header)) {
    return `${header}: ${REDACTED}`;
  }
  const query = argument.indexOf("?");
  const shown = query < 0
    ? argument
    : argument.slice(0, query) + redactQuery(argument.slice(query));
  return shown.replace(USER_INFO, `$1${REDACTED}@`)
    .replace(SCHEME, `$1 ${REDACTED}`)
    .replace(TOKEN, REDACTED)
    // Inside of what a shell is told: NAME=value, --name value.
    .replace(
      /\b([A-Za-z_][\w-]*)=("[^"]*"|'[^']*'|[^\s"'&;|]+)/g,
      (pair, name: string) => isSensitiveName(name) ? `${name}=${REDACTED}` : pair,
    )
    .replace(
      /(\s--?)([A-Za-z][\w-]*)(\s+)("[^"]*"|'[^']*'|[^\s"'-]\S*)/g,
      (all, dashes, name, gap) => isSensitiveName(name) ? `${dashes}${name}${gap}${REDACTED}` : all,
    );
}
