import { actionClassEntry } from "../src/core/action_class.ts";

/**
 * Where a table has one finer name for operations of several classes: the children that
 * stand for the name in the classes that are not its parent; "" for the class itself.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "account.permission.change org.admin": "",
  "account.permission.change social.write": "account.block",
  "code.destructive compute.manage": "compute.delete",
  "code.destructive deploy.write": "deploy.delete",
  "code.destructive repo.export": "repo.export.delete",
  "code.destructive security.alert.write": "security.alert.delete",
  "credential.read account.read": "",
  "credential.read ci.read": "",
  "credential.read org.admin": "",
  "credential.write content.publish": "credential.link",
  "credential.write webhook.write": "credential.webhook",
  "customer.read account.read": "customer.account.read",
  "customer.read customer.identity": "customer.identity.read",
  "customer.write customer.identity": "customer.identity.write",
  "issue.write security.report": "",
  "payment.transfer payment.credit": "payment.balance",
  "repo.admin billing.write": "billing.admin",
};

/**
 * The finest registered class for an operation that a table gives a class and a finer name.
 *
 * @throws {Error} When the registry has neither the name as a child of the class nor a stand-in
 */
export function registeredClass(name: string, finer: string): string {
  if (actionClassEntry(name) === undefined) throw new Error(`Cannot use class "${name}"`);
  if (finer === "" || finer === name) return name;
  const child = ELSEWHERE[`${name} ${finer}`] ?? finer;
  if (child === "" || actionClassEntry(child)?.parent === name) return child || name;
  throw new Error(`Cannot use finer class "${finer}": "${name}" has no such child`);
}
