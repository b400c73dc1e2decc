import type { SidecarMessage } from "../../../core/local_exec.ts";
import { KnownPrograms } from "./known_programs.ts";
import { Subjects } from "./subjects.ts";

/** What a gate is told of governed programs before it begins. */
export interface GovernedOrders {
  /** Where they lie, as in `PATH`. */
  readonly path: string;
  /** The only programs that are asked about, by name or absolute path. */
  readonly only?: readonly string[] | undefined;
}

/** What a Sidecar's greeting means to a gate with these orders. */
export function governedBy(
  { governed, carriers, deleting }: Extract<SidecarMessage, { readonly kind: "hello" }>,
  { only, path }: GovernedOrders,
): {
  readonly governed: ReadonlySet<string>;
  readonly deleting: ReadonlySet<string>;
  readonly subjects: Subjects;
  readonly known: KnownPrograms;
} {
  const subjects = new Subjects(only, carriers);
  const known = new KnownPrograms(new Set([...governed, ...subjects.names]), path, subjects.paths);
  return { governed: new Set(governed), deleting: new Set(deleting), subjects, known };
}
