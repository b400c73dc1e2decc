/**
 * A system-wide git configuration for the sandbox: the machine's, and over it who the user is,
 * which is all that is taken from their own. The rest of it may hold credentials.
 */
export function gitSystemConfig(ofUser: string): string {
  const identity: string[] = [];
  let section = "";
  for (const line of ofUser.split("\n")) {
    section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)?.[1]?.toLowerCase() ?? section;
    const entry = /^\s*(name|email)\s*=\s*(.*?)\s*$/i.exec(line);
    if (section === "user" && entry) identity.push(`\t${entry[1]} = ${entry[2]}`);
  }
  const user = identity.length === 0 ? [] : ["[user]", ...identity];
  return ["[include]", "\tpath = /etc/gitconfig", ...user, ""].join("\n");
}
