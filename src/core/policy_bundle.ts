/** A set of policies as it travels from the Authority to a Sidecar. */
export interface PolicyBundle {
  /** Rises with each change; an older one is refused. */
  readonly revision: number;
  /** First 16 hex digits of the SHA-256 over the files, named in audit events. */
  readonly version: string;
  /** Policy files, sorted by name. */
  readonly policies: readonly { readonly file: string; readonly text: string }[];
  /** Cedar schema in its human-readable form. */
  readonly schema: string;
  /** SHA-256, hex, over the mapping rules that the policies were written for, where it is known. */
  readonly mappingDigest?: string;
  /** How long the Sidecar may go on with this bundle without hearing from the Authority. */
  readonly ttlSeconds: number;
}
