/** What holds for every command, for the reference and the manual. */

/** Exit statuses, and what they mean wherever a command says nothing else. */
export const EXIT_STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ["0", "It is done, and all is well."],
  [
    "1",
    "It failed, or what was asked about is not well: a broken log, an invalid policy, a finding.",
  ],
  ["2", "It was called wrongly, or could not find out; of doctor: something fails."],
  ["126, 127", "Of run: the command cannot be executed, or there is none of that name."],
  ["128 + n", "Of run: signal n ended the command."],
  ["141", "Nobody reads the output any more."],
];

/** Variables of the environment. */
export const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ["FIRMA_CONFIG", "The configuration file, where --config names none."],
  [
    "FIRMA_STATE_DIR",
    "Directory of running processes (default: $XDG_RUNTIME_DIR/firma, else /tmp/firma-UID).",
  ],
  ["FIRMA_DATABASE_URL", "The database of an Authority, where firma.toml says nothing of it."],
  [
    "FIRMA_AUTHORITY_…",
    "Any key of [authority], in capitals: FIRMA_AUTHORITY_MAX_TTL goes before max_ttl.",
  ],
  ["FIRMA_ALLOW_MONITOR_MODE", "1 permits the mode monitor, in which what policies deny goes out."],
  ["FIRMA_RUN_SANDBOX_ID", "Set inside a sandbox; firma run refuses to start another there."],
  [
    "XDG_DATA_HOME",
    "Where the directory firma of keys and the audit log lies (default: ~/.local/share).",
  ],
  ["XDG_RUNTIME_DIR", "Where the directory firma of running processes lies."],
  ["NO_COLOR", "No colours, whatever its value."],
];

/** Files. */
export const FILES: readonly (readonly [path: string, meaning: string])[] = [
  [
    ".firma/firma.toml",
    "The configuration of a project; found from the working directory upwards.",
  ],
  [".firma/policies/", "Cedar policies that decide each call."],
  [".firma/issuance-policies/", "Cedar policies that decide what an agent may ask for at all."],
  [".firma/mappings/", "Rules that say which call is which action."],
  ["~/.local/share/firma/audit/audit.jsonl", "The audit log, with its checkpoint beside it."],
  ["~/.local/share/firma/keys/", "Keys; for nobody else to read."],
  ["~/.local/share/firma/trust/", "Which configurations are trusted."],
];
