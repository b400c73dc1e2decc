/** What a run asks when its watch has seen files go. */
export interface LossQuestion {
  readonly sessionId: string;
  /** Files of the snapshot that are gone. */
  readonly deleted: number;
  /** Some of them, escaped. */
  readonly paths: readonly string[];
  /**
   * `look`: whether policies object, while the agent goes on; `ask`: it has been stopped, and a
   * person is to be asked; `wait`: until that person has decided.
   */
  readonly step: "look" | "ask" | "wait";
}

/** What is to become of the agent. */
export type LossVerdict =
  | { readonly kind: "free" }
  /** A person has to say whether it goes on. */
  | { readonly kind: "ask" }
  /** It is to end. */
  | { readonly kind: "end"; readonly detail: string }
  /** Nobody could be asked just now. */
  | { readonly kind: "unknown" };
