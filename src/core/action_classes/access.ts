import { domainEntries } from "./entry.ts";

/** Accounts, permissions and credentials: who may do what. */
export const ACCESS_CLASSES = domainEntries("access", [
  ["account.permission.change", "critical", "Change who may do what in an account", [
    ["account.admin", "critical", "Open, change or close an account"],
    ["account.block", "medium", "Block or unblock someone"],
    ["account.identity", "critical", "Change the addresses or keys that an account is known by"],
    ["account.profile.write", "medium", "Change the public profile of an account"],
    ["account.provision", "critical", "Create, change or suspend accounts of other people"],
    ["app.install", "critical", "Give an application access, or take it away"],
    ["app.revoke", "critical", "Cut a connected account or application off"],
    ["credential.approve", "critical", "Approve a credential that someone asks for"],
    ["mail.access", "critical", "Open or close a mailbox to other mail programs"],
    ["mail.delegation", "critical", "Let someone else use a mailbox"],
    ["mail.forwarding", "critical", "Forward all mail to another address"],
    ["mail.identity", "critical", "Change the addresses that a mailbox sends as"],
  ]],
  ["credential.read", "medium", "Read or exchange credentials", [
    ["audit.admin", "medium", "Read the keys of an audit stream"],
    ["card.read", "high", "Read issued cards, where the full number may be asked for"],
    ["credential.check", "medium", "Ask whether a credential is valid"],
    ["credential.list", "medium", "List credentials without their values"],
    ["secret.read", "high", "Read the value of a secret"],
    ["security.secret.read", "high", "Read secrets that a scan has found"],
  ]],
  ["credential.write", "critical", "Create, rotate or revoke credentials", [
    ["credential.key", "critical", "Add or remove a key that gives access or signs"],
    ["credential.link", "critical", "Make a link that opens a private file to whoever has it"],
    ["credential.mint", "critical", "Get a new token, session or link that logs someone in"],
    ["credential.revoke", "critical", "Revoke a credential"],
    ["credential.rotate", "critical", "Replace a credential by a new one"],
    ["credential.webhook", "critical", "Change hooks whose making returns a signing secret"],
    ["secret.write", "critical", "Store, change or delete a secret"],
  ]],
]);
