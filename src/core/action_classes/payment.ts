import { domainEntries } from "./entry.ts";

/** Money and customers. */
export const PAYMENT_CLASSES = domainEntries("payment", [
  ["browser.purchase", "high", "Buy something through a web page"],
  ["customer.read", "low", "Read customer records", [
    ["customer.account.read", "low", "Read connected accounts and their owners"],
    ["customer.identity.read", "medium", "Read checks of identity papers"],
  ]],
  ["customer.write", "medium", "Change customer records", [
    ["customer.identity.write", "medium", "Ask for, change or redact checks of identity papers"],
  ]],
  ["payment.cancel", "high", "Cancel a payment"],
  ["payment.catalog.write", "medium", "Change products and prices", [
    ["card.config", "medium", "Change the design of cards and notes on card transactions"],
    ["fraud.config", "high", "Change the lists that fraud checks go by"],
    ["terminal.config", "medium", "Change card readers and their places"],
    ["test.write", "low", "Act out events that exist for test keys only"],
  ]],
  ["payment.dispute", "high", "Answer or close a dispute", [
    ["content.upload", "high", "Upload a file as evidence, identity paper or input of a batch"],
  ]],
  ["payment.method.manage", "medium", "Change stored payment methods", [
    ["card.issue", "high", "Issue or change a card that can spend"],
    ["payment.method.config", "medium", "Change which ways to pay are offered"],
    ["payment.method.payout", "critical", "Change the account that payouts go to"],
  ]],
  ["payment.method.setup", "medium", "Set up a payment method"],
  ["payment.payout", "critical", "Pay money out to a bank account"],
  ["payment.purchase", "high", "Charge a customer or buy something", [
    ["card.authorize", "high", "Approve or decline spending with an issued card"],
    ["card.forward", "critical", "Send full card numbers to someone else"],
    ["fraud.approve", "high", "Release a payment that a fraud check holds"],
    ["payment.batch", "high", "Run many operations out of a file"],
    ["payment.invoice", "high", "Write, finalise or send an invoice or a quote"],
    ["payment.usage", "high", "Report usage, which raises the next bill"],
    ["payment.workflow", "high", "Run a workflow that someone has defined"],
  ]],
  ["payment.read", "low", "Read payments and balances", [
    ["billing.read", "low", "Read bills and usage of an account"],
    ["payment.report", "low", "Start a report or query over payments"],
    ["payment.tax.read", "low", "Read tax settings and records"],
    ["test.read", "low", "Read what exists for test keys only"],
    ["webhook.read", "low", "Read hooks without their secrets"],
  ]],
  ["payment.refund", "high", "Give money back", [
    ["payment.credit", "high", "Grant or void the credit of a customer"],
  ]],
  ["payment.subscription", "high", "Change a subscription", [
    ["billing.write", "high", "Buy or give up seats and sponsorships"],
  ]],
  ["payment.tax", "medium", "Change tax settings or records"],
  ["payment.transfer", "critical", "Move money between accounts", [
    ["payment.balance", "critical", "Change the balance that a customer holds"],
    ["payment.topup", "critical", "Pull money in from a bank account"],
  ]],
]);
