import { domainEntries } from "./entry.ts";

/** The machine that the agent runs on. */
export const LOCAL_CLASSES = domainEntries("local", [
  ["filesystem.delete", "high", "Delete files"],
  ["filesystem.read", "low", "Read files"],
  ["filesystem.write", "medium", "Write files"],
  ["memory.cross_namespace.read", "medium", "Read the memory of another agent"],
  ["memory.cross_namespace.write", "high", "Write the memory of another agent"],
  ["system.execute", "critical", "Run a program"],
  ["system.install", "high", "Download and install packages"],
]);
