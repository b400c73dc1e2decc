import type { CheckParseAnswer, StaticPolicySet } from "@cedar-policy/cedar-wasm/web";
import { preparsePolicySet } from "@cedar-policy/cedar-wasm/web";
import { callCedar } from "./call_cedar.ts";

// Cedar keeps a parsed set under its name for as long as the thread lives, so that
// names are used again once nobody can ask for them.
const free: string[] = [];
let made = 0;
const released = new FinalizationRegistry<string>((name) => {
  free.push(name);
});

/** A policy set that Cedar holds parsed, for as long as this object is reachable. */
export class ParsedPolicySet {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
    released.register(this, name);
  }

  /** Parses policies by id. Returns Cedar's answer when it refuses them. */
  static parse(
    policies: Extract<StaticPolicySet, Record<string, unknown>>,
  ): ParsedPolicySet | CheckParseAnswer & { type: "failure" } {
    const name = free.pop() ?? `set-${++made}`;
    const answer = callCedar(() => preparsePolicySet(name, { staticPolicies: policies }));
    if (answer.type === "failure") {
      free.push(name);
      return answer;
    }
    return new ParsedPolicySet(name);
  }
}
