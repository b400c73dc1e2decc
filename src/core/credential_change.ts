/** What became of which credentials, by name. */
export interface CredentialChange {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Such as `github added, work changed`; `""` where nothing changed. */
export function credentialWords(change: CredentialChange): string {
  return (["added", "changed", "removed"] as const)
    .flatMap((what) => change[what].map((label) => `${label} ${what}`))
    .join(", ");
}
