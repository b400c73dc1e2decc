import { STORE_PRESETS, type StorePreset, type StoreRules } from "../../secrets/store/presets.ts";
import type { SecretStore, SensitiveRule, StoreRule } from "../../secrets/store/secret_store.ts";
import { parseValuePath, type ValuePath } from "../../secrets/store/value_path.ts";
import { key, LABEL, section, type SectionList, sectionList } from "../key.ts";
import { fault } from "../reader.ts";
import { list, NOT_EMPTY, oneOf, text } from "../value_type.ts";
import { CREDENTIAL_HOST } from "./credentials/credential.ts";
import { checkHostPattern } from "./host_pattern.ts";

/** The name of a secret store. */
export const PROVIDER_ID = text<string>(
  "name",
  { pattern: LABEL.source },
  (value) =>
    LABEL.test(value) ? { value } : { state: `"${value}" is not letters, digits, "-" and "_"` },
);

const PATH_PATTERN = text<string>(
  "path pattern",
  { pattern: "^/" },
  (value) =>
    /^\/[\w.~@:+*/-]*$/.test(value) && !value.includes("//")
      ? { value }
      : { state: `"${value}" is not a path` },
);

const METHOD = text<string>(
  "method",
  { pattern: "^[A-Z]+$" },
  (value) =>
    /^[A-Z]{1,32}$/.test(value) ? { value } : { state: `"${value}" is not a method in capitals` },
);

const VALUE_PATH = text<ValuePath>("value path", { minLength: 1 }, (value) => {
  const path = parseValuePath(value);
  return path.ok ? { value: path.value } : { state: path.error };
});

const PRESETS = Object.keys(STORE_PRESETS) as [StorePreset, ...StorePreset[]];

const PROVIDERS = sectionList(section("Services whose answers hold secrets", {
  provider_id: key(PROVIDER_ID, {
    about: "What it is called in the log",
    required: true,
    example: "team-vault",
    applies: "restart",
  }),
  host: key(text("host", { minLength: 1 }, checkHostPattern), {
    about: "Where it is: a host, or `*.` and the domain that all its hosts are in",
    required: true,
    example: "vault.example.test",
    applies: "restart",
  }),
  hosts: key(list(CREDENTIAL_HOST), {
    about: "Where its values may go, in place of their placeholders: full names, over TLS alone",
    default: [],
    example: ["api.example.test"],
    applies: "restart",
  }),
  preset: key(oneOf(PRESETS), {
    about: "What it is: brings the matchers that are known for it",
    otherwise: "`matchers` alone",
    example: "vault",
    applies: "restart",
  }),
  matchers: sectionList(section("Which of its calls may pass; all others are denied", {
    kind: key(oneOf(["blocked", "sensitive", "safe"]), {
      about:
        "Such a call is denied (`blocked`), has its values replaced (`sensitive`), or has none (`safe`)",
      required: true,
      example: "safe",
      applies: "restart",
    }),
    path: key(PATH_PATTERN, {
      about: "Path of the call: `*` is anything within a segment, `**` any number of segments",
      required: true,
      example: "/v1/secret/data/**",
      applies: "restart",
    }),
    methods: key(list(METHOD), {
      about: "Methods of the call",
      default: ["GET", "HEAD"],
      example: ["POST"],
      applies: "restart",
    }),
    operation: key(NOT_EMPTY, {
      about: "What `X-Amz-Target` must say, for services of AWS",
      otherwise: "anything",
      example: "secretsmanager.GetSecretValue",
      applies: "restart",
    }),
    values: key(list(VALUE_PATH), {
      about:
        "Where values stand in the JSON: names with dots between, `*` for each member, `**` for all",
      otherwise: "none; needed with `sensitive`, and only there",
      example: ["data.data.**"],
      applies: "restart",
    }),
    encoding: key(oneOf(["plain", "base64"]), {
      about: "How those values are written",
      default: "plain",
      example: "base64",
      applies: "restart",
    }),
  })),
}));

const NONE: StoreRules = { blocked: [], sensitive: [], safe: [] };

/** `[[sidecar.http_secret_providers]]`. */
export const HTTP_SECRET_PROVIDERS: SectionList<SecretStore[]> = {
  ...PROVIDERS,
  read(value, path, context) {
    const before = context.errors.length;
    const providers = PROVIDERS.read(value, path, context);
    if (context.errors.length > before) return [];
    return providers.map(({ provider_id: id, host, hosts, preset, matchers }, index) => {
      const said = (name: string, state: string) => fault(context, [...path, index, name], state);
      if (providers.findIndex((other) => other.provider_id === id) < index) {
        said("provider_id", `"${id}" is there already`);
      }
      if (providers.findIndex((other) => other.host === host) < index) {
        said("host", `"${host}" is there already`);
      }
      if (preset === undefined && matchers.length === 0) {
        said("preset", "there is none, and there are no matchers, so that nothing could pass");
      }
      matchers.forEach(({ kind, values = [] }, at) => {
        if ((kind === "sensitive") === values.length > 0) return;
        const state = kind === "sensitive" ? "it is missing" : `a "${kind}" matcher has no values`;
        fault(context, [...path, index, "matchers", at, "values"], state);
      });
      const known: StoreRules = preset === undefined ? NONE : STORE_PRESETS[preset];
      const own = (kind: "blocked" | "sensitive" | "safe"): (StoreRule & SensitiveRule)[] =>
        matchers.filter((matcher) => matcher.kind === kind)
          .map(({ path, methods, operation, values = [], encoding }) => ({
            path,
            methods,
            operation,
            values,
            encoding,
          }));
      return {
        id,
        host,
        hosts,
        blocked: [...own("blocked"), ...known.blocked],
        sensitive: [...own("sensitive"), ...known.sensitive],
        safe: [...own("safe"), ...known.safe],
      };
    });
  },
};
