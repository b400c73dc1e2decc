/** What help says of the program as a whole. */

/** Help is never wider than this many characters. */
export const HELP_WIDTH = 100;

export const DESCRIPTION = "A boundary that every outbound call of an AI agent has to pass.";

/** The options of the program itself, as terms and texts. */
export const OPTIONS = {
  version: ["--version", "print the version"],
  config: ["-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)"],
  help: ["-h, --help", "show help"],
} as const;

/** What stands behind everything else. */
export const EXAMPLES = `
Examples:
  firma run -- claude              put an agent under enforcement, in this directory
  firma run --yes -- npm install   the same without a question on the first launch
  firma monitor                    watch its decisions from a second terminal
  firma audit verify               prove that the audit log is whole
  firma policy explain 'GET https://api.github.com/user'
                                   see how a call would be decided, and by whom
`;

/** The heading of commands that are not there yet. */
export const NOT_BUILT = "Not built yet:";
