import { key, type Section, section, type ValueOf } from "../key.ts";
import { fault } from "../reader.ts";
import { list, NOT_EMPTY, VARIABLE } from "../value_type.ts";
import { ACTION_CLASS_LIST } from "./action_classes.ts";
import { AUTHORITY } from "./authority.ts";
import { SIDECAR, type SidecarTable } from "./sidecar.ts";

const RUN = section("What `firma run` prepares for an agent", {
  profile: key(NOT_EMPTY, {
    about: "What the sandbox is prepared for: `generic`, `claude-code`, `codex` or `copilot`",
    otherwise: "chosen by the command",
    example: "claude-code",
    applies: "next run",
  }),
  env_passthrough: key(list(VARIABLE, "list of names"), {
    about: "Variables of your environment that the agent sees, beside those of its profile",
    default: [],
    example: ["LANG"],
    applies: "next run",
  }),
});

/** Tells whether a file is that of an Authority alone, which has no agent. */
function standsAlone(root: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(root, "authority") && !Object.hasOwn(root, "sidecar");
}

const SIDECAR_UNLESS_ALONE: Section<SidecarTable> = {
  ...SIDECAR,
  read: (value, path, context) =>
    SIDECAR.read(
      value,
      path,
      standsAlone(context.document.root) ? { ...context, errors: [] } : context,
    ),
};

const TABLE = section("What agents may do, and how it is enforced", {
  action_classes: ACTION_CLASS_LIST,
  authority: AUTHORITY,
  sidecar: SIDECAR_UNLESS_ALONE,
  run: RUN,
});

/** A `firma.toml` as it stands there, defaults filled in. */
export type RootTable = ValueOf<typeof TABLE>;

/** All of a `firma.toml`. */
export const ROOT: Section<RootTable> & Pick<typeof TABLE, "keys"> = {
  ...TABLE,
  read(value, path, context) {
    const before = context.errors.length;
    const root = TABLE.read(value, path, context);
    if (context.errors.length > before) return root;
    const secret = root.sidecar.authority.remote?.credentials?.key;
    root.run.env_passthrough.forEach((name, index) => {
      if (secret?.from !== "environment" || secret.variable !== name) return;
      const at = [...path, "run", "env_passthrough", index];
      fault(context, at, `the agent would see the pre-shared key in "${name}"`);
    });
    return root;
  },
};
