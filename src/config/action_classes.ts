import {
  ACTION_CLASSES,
  type ActionClassEntry,
  type Domain,
  type Risk,
} from "../core/action_class.ts";
import { nearest } from "../core/nearest.ts";
import type { FirmaError } from "../core/result.ts";
import { type Checked, listOf, type Reader, requiredString, stringOr, table } from "./reader.ts";

const NAME = /^(?=.{3,64}$)[a-z]+(?:\.[a-z]+(?:_[a-z]+)*)+$/;
/** Calls that no mapping rule names have names of this form in the audit log. */
const RESERVED = /^(?:raw|network)\./;
// Stands in the Cedar schema and on terminals.
const MEANING = /^[^"\\\p{C}]{1,200}$/u;
const RISKS: readonly Risk[] = ["low", "medium", "high", "critical"];
const DOMAINS: readonly Domain[] = ["access", "code", "communication", "local", "payment"];

const shipped: ReadonlyMap<string, ActionClassEntry> = new Map(
  ACTION_CLASSES.map((entry) => [entry.name, entry]),
);

function newName(value: string): Checked<string> {
  if (shipped.has(value)) return { state: `"${value}" is in the registry already` };
  if (NAME.test(value) && !RESERVED.test(value)) return { value };
  return {
    state: `"${value}" is no name for an action class`,
    cure: 'write words in lower case with dots between them, such as "deploy.production"; ' +
      'names that begin with "raw." or "network." are taken',
  };
}

function oneOf<T extends string>(known: readonly T[], what: string, listed: boolean) {
  return (value: string): Checked<T> => {
    const found = known.find((each) => each === value);
    if (found !== undefined) return { value: found };
    const meant = nearest(value, known);
    const others = listed ? `known: ${known.join(", ")}` : "firma policy list --classes names them";
    return { state: `"${value}" is no ${what}`, cure: meant ? `did you mean "${meant}"?` : others };
  };
}

const readEntries = listOf(table({
  name: requiredString(newName),
  parent: requiredString(oneOf([...shipped.keys()], "class of the registry", false)),
  domain: stringOr<Domain | undefined>(undefined, oneOf(DOMAINS, "domain", true)),
  risk: stringOr<Risk | undefined>(undefined, oneOf(RISKS, "risk", true)),
  meaning: stringOr<string>(
    "Defined in firma.toml",
    (value) =>
      MEANING.test(value)
        ? { value }
        : { state: "it is not one line of up to 200 characters without quotes and backslashes" },
  ),
}));

/**
 * `[[action_classes]]`: classes of the operator's own. Each has one parent, which is in
 * the registry, and takes its domain and risk where the file says nothing else.
 */
export const actionClassList: Reader<ActionClassEntry[]> = (value, path, context) => {
  const before = context.errors.length;
  const entries = readEntries(value, path, context);
  if (context.errors.length > before) return [];
  entries.forEach(({ name }, index) => {
    if (entries.findIndex((other) => other.name === name) === index) return;
    const fault: FirmaError = {
      code: "CONFIG_INVALID",
      message: `Cannot use "action_classes[${index}].name": "${name}" is there already`,
      at: context.document.locate([...path, index, "name"]),
    };
    context.errors.push(fault);
  });
  return entries.map(({ name, parent, domain, risk, meaning }) => {
    const above = shipped.get(parent)!;
    return { name, parent, domain: domain ?? above.domain, risk: risk ?? above.risk, meaning };
  });
};
