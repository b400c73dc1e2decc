/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { PolicyEngine } from "../../src/policy/engine.ts";
import { initCedar } from "../../src/policy/cedar_module.ts";

self.onmessage = ({ data }) => {
  let read = "allowed";
  try {
    Deno.readTextFileSync("/etc/hostname");
  } catch (cause) {
    read = (cause as Error).name;
  }
  initCedar(data.module);
  const created = PolicyEngine.create(data.bundle);
  self.postMessage({
    read,
    decisions: created.ok
      ? data.envelopes.map((each: Parameters<PolicyEngine["decide"]>[0]) =>
        created.value.decide(each)
      )
      : created.error,
  });
};
