/** A repository, as GitHub compares it: in lower case, without `.git`. */
export interface Repository {
  readonly owner: string;
  readonly name: string;
}

/** Letters, digits and hyphens; accounts that a company manages have an underscore as well. */
const OWNER = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const NAME = /^[a-z0-9._-]{1,100}$/;

/** Reads `owner/name`; `undefined` when it is no name of a repository. */
export function parseRepository(text: string): Repository | undefined {
  const [owner = "", written = "", ...more] = text.toLowerCase().split("/");
  const name = written.replace(/\.git$/, "");
  if (more.length > 0 || !OWNER.test(owner) || !NAME.test(name)) return undefined;
  // "." and ".." would be other places in the paths of the interface.
  return /^\.+$/.test(name) ? undefined : { owner, name };
}
