/**
 * How bad a wrongly allowed call of a class would be. For people, and for
 * policies as `context.risk_score`; nothing else at run time depends on it.
 */
export type Risk = "critical" | "high" | "medium" | "low";

/** An entry of the action-class registry. */
export interface ActionClassEntry {
  readonly name: string;
  readonly risk: Risk;
  /** One line for the author of a policy. */
  readonly meaning: string;
  /** The class whose policies cover this one too. */
  readonly parent?: string;
}

function entry(name: string, risk: Risk, meaning: string, parent?: string): ActionClassEntry {
  return parent === undefined ? { name, risk, meaning } : { name, risk, meaning, parent };
}

/** The canonical action classes. A finer class has exactly one parent. */
export const ACTION_CLASSES: readonly ActionClassEntry[] = [
  entry("account.permission.change", "critical", "Change who may do what in an account"),
  entry("browser.purchase", "high", "Buy something through a web page"),
  entry("calendar.create", "medium", "Create a calendar event"),
  entry("calendar.delete", "high", "Delete a calendar event"),
  entry("calendar.read", "low", "Read calendars and events"),
  entry("calendar.update", "medium", "Change a calendar event"),
  entry(
    "code.destructive",
    "high",
    "Delete or rewrite code history: branches, tags, forced pushes",
  ),
  entry("code.merge", "critical", "Merge a change into a branch"),
  entry("code.read", "low", "Read code, commits and repository data"),
  entry("code.review.read", "low", "Read pull requests and reviews"),
  entry("code.review.submit", "medium", "Comment on or review a pull request"),
  entry("code.write", "high", "Push commits, create branches, open pull requests"),
  entry("communication.external.delete", "high", "Delete messages for good"),
  entry("communication.external.draft", "medium", "Write drafts"),
  entry("communication.external.filter", "critical", "Change how incoming messages are routed"),
  entry("communication.external.manage", "medium", "Label, archive or move messages"),
  entry("communication.external.read", "low", "Read messages"),
  entry("communication.external.send", "high", "Send data or messages to someone outside"),
  entry("communication.internal.send", "medium", "Send messages inside the organisation"),
  entry("credential.read", "medium", "Read or exchange credentials"),
  entry("credential.write", "critical", "Create, rotate or revoke credentials"),
  entry("customer.read", "low", "Read customer records"),
  entry("customer.write", "medium", "Change customer records"),
  entry("document.delete", "high", "Delete a document"),
  entry("document.read", "low", "Read documents"),
  entry("document.schema.write", "high", "Change the structure of a document store"),
  entry("document.write", "medium", "Write documents"),
  entry("filesystem.delete", "high", "Delete files"),
  entry("filesystem.read", "low", "Read files"),
  entry("filesystem.write", "medium", "Write files"),
  entry("issue.read", "low", "Read issues and discussions"),
  entry("issue.write", "medium", "Write issues and comments"),
  entry("memory.cross_namespace.read", "medium", "Read the memory of another agent"),
  entry("memory.cross_namespace.write", "high", "Write the memory of another agent"),
  entry(
    "model.inference",
    "high",
    "Send a prompt to a model and read its answer",
    "communication.external.send",
  ),
  entry("notification.manage", "low", "Read and mark notifications"),
  entry("payment.cancel", "high", "Cancel a payment"),
  entry("payment.catalog.write", "medium", "Change products and prices"),
  entry("payment.dispute", "high", "Answer or close a dispute"),
  entry("payment.method.manage", "medium", "Change stored payment methods"),
  entry("payment.method.setup", "medium", "Set up a payment method"),
  entry("payment.payout", "critical", "Pay money out to a bank account"),
  entry("payment.purchase", "high", "Charge a customer or buy something"),
  entry("payment.read", "low", "Read payments and balances"),
  entry("payment.refund", "high", "Give money back"),
  entry("payment.subscription", "high", "Change a subscription"),
  entry("payment.tax", "medium", "Change tax settings or records"),
  entry("payment.transfer", "critical", "Move money between accounts"),
  entry("repo.admin", "critical", "Change settings, hooks, secrets or access of a repository"),
  entry("repo.lifecycle", "medium", "Create, transfer, archive or delete a repository"),
  entry("security.alert.read", "medium", "Read security alerts"),
  entry("system.execute", "critical", "Run a program"),
  entry("system.install", "high", "Download and install packages"),
  entry(
    "telemetry.send",
    "high",
    "Send usage data of a tool to its vendor",
    "communication.external.send",
  ),
];

const BY_NAME: ReadonlyMap<string, ActionClassEntry> = new Map(
  ACTION_CLASSES.map((entry) => [entry.name, entry]),
);

/** The name of a registered action class, such as `code.read`. */
export type ActionClass = string & { readonly __brand: "ActionClass" };

/** Looks a class up by name. */
export function actionClassEntry(name: string): ActionClassEntry | undefined {
  return BY_NAME.get(name);
}

/** Returns `name` as an {@linkcode ActionClass} when it is registered. */
export function parseActionClass(name: string): ActionClass | undefined {
  return BY_NAME.has(name) ? name as ActionClass : undefined;
}

/** A class and its parents, finest first: the classes whose policies cover it. */
export function actionClassLineage(name: ActionClass): ActionClass[] {
  const lineage: ActionClass[] = [];
  for (let at = BY_NAME.get(name); at; at = at.parent ? BY_NAME.get(at.parent) : undefined) {
    lineage.push(at.name as ActionClass);
  }
  return lineage;
}
