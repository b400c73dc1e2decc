import { domainEntries } from "./entry.ts";

/** Messages, models, calendars and documents. */
export const COMMUNICATION_CLASSES = domainEntries("communication", [
  ["calendar.create", "medium", "Create a calendar event"],
  ["calendar.delete", "high", "Delete a calendar event"],
  ["calendar.read", "low", "Read calendars and events"],
  ["calendar.update", "medium", "Change a calendar event"],
  ["communication.external.delete", "high", "Delete messages for good", [
    ["mail.delete", "high", "Delete mail for good"],
    ["mail.label.delete", "high", "Delete a label"],
    ["mail.trash", "high", "Move mail to the trash"],
  ]],
  ["communication.external.draft", "medium", "Write drafts", [
    ["mail.draft", "medium", "Write drafts of mail"],
  ]],
  ["communication.external.filter", "critical", "Change how incoming messages are routed", [
    ["mail.filter", "critical", "Change the filters of a mailbox"],
  ]],
  ["communication.external.manage", "medium", "Label, archive or move messages", [
    ["mail.insert", "medium", "Put a message into a mailbox as if it had arrived"],
    ["mail.label", "medium", "Create or change labels"],
    ["mail.manage", "medium", "Change the labels of mail, take it out of the trash"],
    ["mail.watch", "medium", "Start or stop notices of what arrives in a mailbox"],
  ]],
  ["communication.external.read", "low", "Read messages", [
    ["mail.read", "low", "Read mail"],
    ["mail.settings.read", "low", "Read the settings of a mailbox"],
  ]],
  ["communication.external.send", "high", "Send data or messages to someone outside", [
    ["mail.autoreply", "high", "Change the automatic answer to incoming mail"],
    ["mail.send", "high", "Send mail"],
    ["model.inference", "high", "Send a prompt to a model and read its answer"],
    ["telemetry.send", "high", "Send usage data of a tool to its vendor"],
  ]],
  ["communication.internal.send", "medium", "Send messages inside the organisation"],
  ["document.delete", "high", "Delete a document"],
  ["document.read", "low", "Read documents"],
  ["document.schema.write", "high", "Change the structure of a document store"],
  ["document.write", "medium", "Write documents"],
]);
