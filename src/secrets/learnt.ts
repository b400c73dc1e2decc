/** A value of a secret store, of which a session was shown a placeholder. */
export interface StoredValue {
  readonly kind: "stored";
  /** The store. */
  readonly store: string;
  readonly secret: string;
  readonly placeholder: string;
  /** The placeholder goes out as the value to where the store says; the others are masked alone. */
  readonly isUsable: boolean;
}

/** Secrets of a credential that calls of a session were handed, by their places in the hand-out. */
export interface HandedSecrets {
  readonly kind: "handed";
  /** The credential. */
  readonly label: string;
  readonly secrets: readonly string[];
}

/** What must not reach the agent of a session, as it was learnt. */
export type Learnt = HandedSecrets | StoredValue;
