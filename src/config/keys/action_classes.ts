import {
  ACTION_CLASSES,
  type ActionClassEntry,
  type Domain,
  type Risk,
} from "../../core/action_class.ts";
import { nearest } from "../../core/nearest.ts";
import { key, section, type SectionList, sectionList } from "../key.ts";
import { type Checked, fault } from "../reader.ts";
import { text } from "../value_type.ts";

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

const ENTRIES = sectionList(section("Action classes beside those that firma ships", {
  name: key(text("action class", { pattern: NAME.source }, newName), {
    about: "Its name: words in lower case with dots between them",
    required: true,
    example: "deploy.production",
    applies: "restart",
  }),
  parent: key(
    text(
      "action class",
      { enum: [...shipped.keys()] },
      oneOf([...shipped.keys()], "class of the registry", false),
    ),
    {
      about: "The class of the registry that it is part of; a policy on that one covers it",
      required: true,
      example: "system.execute",
      applies: "restart",
    },
  ),
  domain: key(text("domain", { enum: DOMAINS }, oneOf(DOMAINS, "domain", true)), {
    about: "What kind of thing it does",
    otherwise: "that of its parent",
    example: "payment",
    applies: "restart",
  }),
  risk: key(text("risk", { enum: RISKS }, oneOf(RISKS, "risk", true)), {
    about: "How much harm it can do",
    otherwise: "that of its parent",
    example: "critical",
    applies: "restart",
  }),
  meaning: key(
    text<string>(
      "one line",
      { pattern: MEANING.source },
      (value) =>
        MEANING.test(value) ? { value } : {
          state: "it is not one line of up to 200 characters without quotes and backslashes",
        },
    ),
    {
      about: "What it means, for people",
      default: "Defined in firma.toml",
      example: "Puts a release into production",
      applies: "restart",
    },
  ),
}));

/**
 * `[[action_classes]]`: classes of the operator's own. Each has one parent, which is in
 * the registry, and takes its domain and risk where the file says nothing else.
 */
export const ACTION_CLASS_LIST: SectionList<ActionClassEntry[]> = {
  ...ENTRIES,
  read(value, path, context) {
    const before = context.errors.length;
    const entries = ENTRIES.read(value, path, context);
    if (context.errors.length > before) return [];
    entries.forEach(({ name }, index) => {
      if (entries.findIndex((other) => other.name === name) === index) return;
      fault(context, [...path, index, "name"], `"${name}" is there already`);
    });
    return entries.map(({ name, parent, domain, risk, meaning }) => {
      const above = shipped.get(parent)!;
      return { name, parent, domain: domain ?? above.domain, risk: risk ?? above.risk, meaning };
    });
  },
};
