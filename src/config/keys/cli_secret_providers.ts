import { basename } from "../../core/path.ts";
import { PROGRAM_PRESETS, type ProgramPreset } from "../../secrets/cli/presets.ts";
import type { CliSecretProvider } from "../../secrets/cli/provider.ts";
import { key, section, type SectionList, sectionList } from "../key.ts";
import { fault } from "../reader.ts";
import { DURATION, list, oneOf, SIZE, text, VARIABLE } from "../value_type.ts";
import { CREDENTIAL_HOST } from "./credentials/credential.ts";
import { PROGRAM } from "./credentials/program.ts";
import { PROVIDER_ID } from "./http_secret_providers.ts";

const NAME_PATTERN = text<string>(
  "name pattern",
  { pattern: "^[^/]" },
  (value) =>
    value !== "" && !value.startsWith("/") && !/\p{Cc}/u.test(value)
      ? { value }
      : { state: `"${value}" is not the name of a secret, which does not begin with "/"` },
);

const PRESETS = Object.keys(PROGRAM_PRESETS) as [ProgramPreset, ...ProgramPreset[]];

const PROVIDERS = sectionList(section("Programs of yours that read secrets for agents", {
  provider_id: key(PROVIDER_ID, {
    about: "What the store is called in the log",
    required: true,
    example: "team-pass",
    applies: "restart",
  }),
  preset: key(oneOf(PRESETS), {
    about: "Which program it is: what it may be asked for, and where values are in what it prints",
    required: true,
    example: "pass",
    applies: "restart",
  }),
  program: key(PROGRAM, {
    about:
      "The program; it runs outside of the sandbox, as you, and agents find a stub in its place",
    required: true,
    example: "/usr/bin/pass",
    applies: "restart",
  }),
  names: key(list(NAME_PATTERN), {
    about: "What may be read: `*` is anything within a segment, `**` any number of segments",
    default: ["**"],
    example: ["agents/**"],
    applies: "restart",
  }),
  hosts: key(list(CREDENTIAL_HOST), {
    about: "Where its values may go, in place of their placeholders: full names, over TLS alone",
    default: [],
    example: ["api.example.test"],
    applies: "restart",
  }),
  env_passthrough: key(list(VARIABLE, "list of names"), {
    about: "Variables that the program needs; no agent gets them",
    default: [],
    example: ["PASSWORD_STORE_DIR"],
    applies: "restart",
  }),
  timeout: key(DURATION, {
    about: "How long it may take",
    default: "30s",
    example: "2m",
    applies: "restart",
  }),
  max_output: key(SIZE, {
    about: "More output than this passes nothing on",
    default: "1 MiB",
    example: "64 KiB",
    applies: "restart",
  }),
}));

/** `[[sidecar.cli_secret_providers]]`. */
export const CLI_SECRET_PROVIDERS: SectionList<CliSecretProvider[]> = {
  ...PROVIDERS,
  read(value, path, context) {
    const before = context.errors.length;
    const providers = PROVIDERS.read(value, path, context);
    if (context.errors.length > before) return [];
    return providers.map((provider, index) => {
      const { provider_id: id, preset, program, names, hosts } = provider;
      const said = (name: string, state: string) => fault(context, [...path, index, name], state);
      const earlier = providers.slice(0, index);
      if (earlier.some((other) => other.provider_id === id)) {
        said("provider_id", `"${id}" is there already`);
      }
      // A stub is found by the name of its program.
      const name = basename(program);
      if (earlier.some((other) => basename(other.program) === name)) {
        said("program", `a program "${name}" is there already`);
      }
      return {
        id,
        preset,
        program,
        names,
        hosts,
        envPassthrough: provider.env_passthrough,
        timeoutMs: provider.timeout,
        maxOutput: provider.max_output,
      };
    });
  },
};
