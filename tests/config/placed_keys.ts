import type { Key, Node, Section } from "../../src/config/key.ts";
import { ROOT } from "../../src/config/keys/root.ts";

/** A key and where it belongs. */
export interface PlacedKey {
  /** As an operator names it: `sidecar.connector.hosts[].host`. */
  readonly name: string;
  readonly key: Key<unknown>;
}

/** Every key of a `firma.toml`, in the order in which they are described. */
export function placedKeys(within: Section<unknown> = ROOT, prefix = ""): PlacedKey[] {
  return Object.entries(within.keys).flatMap(([name, node]) => below(node, prefix + name));
}

function below(node: Node<unknown>, name: string): PlacedKey[] {
  switch (node.kind) {
    case "key":
      return [{ name, key: node }];
    case "section":
      return placedKeys(node, `${name}.`);
    case "section list":
      return placedKeys(node.section, `${name}[].`);
    case "section map":
      return placedKeys(node.section, `${name}.${node.label}.`);
  }
}
