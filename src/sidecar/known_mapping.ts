import type { CheckedContents } from "../config/checked_contents.ts";
import { actionClasses } from "../core/action_class.ts";
import type { MappingSource } from "./worker/messages.ts";

/** The hosts of a mapping that is known to be valid, sorted; `undefined`: it has to be read. */
export function knownHosts(
  mapping: readonly MappingSource[],
  known: CheckedContents | undefined,
): readonly string[] | undefined {
  const hosts = known?.get(contentOf(mapping));
  return isTexts(hosts) ? hosts : undefined;
}

/** Remembers that a mapping is valid, and the hosts that it names. */
export function rememberHosts(
  mapping: readonly MappingSource[],
  hosts: readonly string[],
  known: CheckedContents | undefined,
): void {
  known?.add(contentOf(mapping), hosts);
}

/** A mapping is valid as long as the classes that it names are registered. */
function contentOf(mapping: readonly MappingSource[]): unknown {
  return [mapping, actionClasses().map(({ name }) => name)];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
