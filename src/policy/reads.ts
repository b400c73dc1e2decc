import type { Expr, PolicyJson } from "@cedar-policy/cedar-wasm/web";

/** What of a request a policy can look at, beyond the action in its scope. */
export interface Reads {
  /** Top-level keys of the context. */
  readonly context: ReadonlySet<string>;
  /** Attributes of the resource. */
  readonly resource: ReadonlySet<string>;
  /** Whether the context is used other than through its keys. */
  readonly wholeContext: boolean;
  readonly principalId: boolean;
  readonly resourceId: boolean;
  /** Whether a condition looks at the action. */
  readonly actionId: boolean;
  /** Whether there was an expression of a shape that this code does not know. */
  readonly unknown: boolean;
}

interface MutableReads {
  context: Set<string>;
  resource: Set<string>;
  wholeContext: boolean;
  principalId: boolean;
  resourceId: boolean;
  actionId: boolean;
  unknown: boolean;
}

const BINARY: ReadonlySet<string> = new Set([
  "==",
  "!=",
  "in",
  "<",
  "<=",
  ">",
  ">=",
  "&&",
  "||",
  "+",
  "-",
  "*",
  "contains",
  "containsAll",
  "containsAny",
  "getTag",
  "hasTag",
]);

function nothing(): MutableReads {
  return {
    context: new Set(),
    resource: new Set(),
    wholeContext: false,
    principalId: false,
    resourceId: false,
    actionId: false,
    unknown: false,
  };
}

/**
 * Derives what a policy can look at from its JSON form, and how deep its
 * expressions nest. Errs towards more: a shape that it does not know counts as
 * reading everything.
 */
export function policyReads(policy: PolicyJson): { reads: Reads; depth: number } {
  const reads = nothing();
  reads.principalId = scopeReadsId(policy.principal);
  reads.resourceId = scopeReadsId(policy.resource);
  // A stack of our own: the nesting is the author's, and recursion has a limit.
  const pending = policy.conditions.map(({ body }) => ({ expr: body, depth: 1 }));
  let deepest = 0;
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { expr, depth } = next;
    if (depth > deepest) deepest = depth;
    const children = visit(expr, reads);
    if (children === undefined) reads.unknown = true;
    else for (const child of children) pending.push({ expr: child, depth: depth + 1 });
  }
  if (reads.unknown) {
    Object.assign(reads, {
      wholeContext: true,
      principalId: true,
      resourceId: true,
      actionId: true,
    });
  }
  return { reads, depth: deepest };
}

/** What any of several policies can look at. */
export function unionReads(all: readonly Reads[]): Reads {
  const union = nothing();
  for (const reads of all) {
    reads.context.forEach((key) => union.context.add(key));
    reads.resource.forEach((key) => union.resource.add(key));
    union.wholeContext ||= reads.wholeContext;
    union.principalId ||= reads.principalId;
    union.resourceId ||= reads.resourceId;
    union.actionId ||= reads.actionId;
    union.unknown ||= reads.unknown;
  }
  return union;
}

function scopeReadsId(constraint: PolicyJson["principal"] | PolicyJson["resource"]): boolean {
  if (constraint.op === "All") return false;
  return !(constraint.op === "is" && constraint.in === undefined);
}

/** Notes what one node reads and returns its children; `undefined` for an unknown shape. */
function visit(expr: Expr, reads: MutableReads): Expr[] | undefined {
  if (typeof expr !== "object" || expr === null) return undefined;
  const entries = Object.entries(expr as Record<string, unknown>);
  if (entries.length !== 1) return undefined;
  const [op, body] = entries[0]!;
  if (op === "Value") return [];
  if (op === "Var") return noteVariable(body, reads);
  if (Array.isArray(body)) return body as Expr[]; // Set, and calls of extension functions
  if (typeof body !== "object" || body === null) return undefined;
  const part = body as Record<string, unknown>;
  if (op === "Record") return Object.values(part) as Expr[];
  if (op === "." || op === "has") return visitAccess(part, reads);
  if (op === "like") return [part.left as Expr];
  if (op === "is") return part.in === undefined ? [part.left as Expr] : both(part.left, part.in);
  if (op === "!" || op === "neg") return [part.arg as Expr];
  if (op === "isEmpty") return [(part.arg ?? part.left) as Expr];
  if (op === "if-then-else") return [part.if as Expr, ...both(part.then, part.else)];
  return BINARY.has(op) ? both(part.left, part.right) : undefined;
}

function both(left: unknown, right: unknown): Expr[] {
  return [left as Expr, right as Expr];
}

function noteVariable(name: unknown, reads: MutableReads): Expr[] | undefined {
  if (name === "context") reads.wholeContext = true;
  else if (name === "principal") reads.principalId = true;
  else if (name === "resource") reads.resourceId = true;
  else if (name === "action") reads.actionId = true;
  else return undefined;
  return [];
}

/** `context.key`, `context has key` and `context has key.inner` read just the key. */
function visitAccess(part: Record<string, unknown>, reads: MutableReads): Expr[] | undefined {
  const key = Array.isArray(part.attr) ? part.attr[0] : part.attr;
  if (typeof key !== "string") return undefined;
  const left = part.left as Record<string, unknown> | undefined;
  const variable = left !== undefined && Object.keys(left).length === 1 ? left.Var : undefined;
  if (variable === "context") reads.context.add(key);
  else if (variable === "resource") reads.resource.add(key);
  else return [part.left as Expr];
  return [];
}
