import type { CheckedContents } from "../config/checked_contents.ts";
import { actionClasses } from "../core/action_class.ts";
import type { MappingSource } from "./worker/messages.ts";

/** What the main thread needs of a mapping. */
export interface Mapped {
  /** The hosts that it names, sorted. */
  readonly hosts: readonly string[];
  /** How many rules it has. */
  readonly size: number;
}

/** What is known of a mapping that was found valid; `undefined`: it has to be read. */
export function knownMapping(
  mapping: readonly MappingSource[],
  known: CheckedContents | undefined,
): Mapped | undefined {
  const { hosts, size } = (known?.get(contentOf(mapping)) ?? {}) as Partial<Mapped>;
  return isTexts(hosts) && typeof size === "number" ? { hosts, size } : undefined;
}

/** Remembers that a mapping is valid, and what there is in it. */
export function rememberMapping(
  mapping: readonly MappingSource[],
  { hosts, size }: Mapped,
  known: CheckedContents | undefined,
): void {
  known?.add(contentOf(mapping), { hosts, size });
}

/** A mapping is valid as long as the classes that it names are registered. */
function contentOf(mapping: readonly MappingSource[]): unknown {
  return [mapping, actionClasses().map(({ name }) => name)];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
