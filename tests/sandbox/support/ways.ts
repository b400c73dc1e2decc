/** Ways to start a program, each with one that is forbidden and one that may run. */

/** Python that executes what `PROGRAM` holds, by a descriptor of it. */
const byDescriptor = (open: string) =>
  `/usr/bin/python3 -c '
import os, sys
program, *rest = sys.argv[1:]
content = open(program, "rb").read()
${open}
os.execve(descriptor, [os.path.basename(program), *rest], os.environ)
' "$PROGRAM" $ARGUMENTS`;

/** Shell commands that start `$PROGRAM` with `$ARGUMENTS`. */
export const WAYS: Readonly<Record<string, string>> = {
  "a shell": `sh -c '"$PROGRAM" $ARGUMENTS'`,
  "by its name": `$(basename "$PROGRAM") $ARGUMENTS`,
  "execve": `/usr/bin/python3 -c '
import ctypes, os, sys
words = [word.encode() for word in sys.argv[1:]]
argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
ctypes.CDLL(None).execve(words[0], argv, None)
' "$PROGRAM" $ARGUMENTS`,
  "vfork and execve":
    `/usr/bin/python3 -c 'import subprocess, sys; subprocess.run(sys.argv[1:])' "$PROGRAM" $ARGUMENTS`,
  "posix_spawn": `/usr/bin/python3 -c 'import os, sys
os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)' "$PROGRAM" $ARGUMENTS`,
  "execveat": `/usr/bin/python3 -c '
import ctypes, os, sys
words = [word.encode() for word in sys.argv[1:]]
argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
directory = os.open(os.path.dirname(sys.argv[1]), os.O_PATH)
number = {"x86_64": 322, "aarch64": 281}[os.uname().machine]
ctypes.CDLL(None).syscall(number, directory, os.path.basename(words[0]), argv, None, 0)
' "$PROGRAM" $ARGUMENTS`,
  "env -i": `env -i "$PROGRAM" $ARGUMENTS`,
  "xargs": `echo $ARGUMENTS | xargs "$PROGRAM"`,
  "a link": `ln -s "$PROGRAM" link && ./link $ARGUMENTS`,
  "a copy under another name": `cp "$PROGRAM" copy && ./copy $ARGUMENTS`,
  "a hard link to a copy": `cp "$PROGRAM" one && ln one two && rm_() { ./two $ARGUMENTS; }; rm_`,
  "a false first argument": `bash -c 'exec -a innocent "$PROGRAM" $ARGUMENTS'`,
  "busybox": `busybox $(basename "$PROGRAM") $ARGUMENTS`,
  "a copy of busybox":
    `cp "$(command -v busybox)" busybox_ && ./busybox_ $(basename "$PROGRAM") $ARGUMENTS`,
  "a link to busybox":
    `mkdir bin && ln -s "$(command -v busybox)" bin/$(basename "$PROGRAM") && bin/$(basename "$PROGRAM") $ARGUMENTS`,
  "the first line of a script":
    `printf '#!%s\\n' "$PROGRAM" >script && chmod +x script && ./script $ARGUMENTS`,
  "a script": `printf '#!/bin/sh\\n%s %s\\n' "$PROGRAM" "$ARGUMENTS" >s && chmod +x s && ./s`,
  "the loader": `"$LOADER" "$PROGRAM" $ARGUMENTS`,
  "a copy of the loader": `cp "$LOADER" loader && ./loader "$PROGRAM" $ARGUMENTS`,
  "a file in memory": byDescriptor(`descriptor = os.memfd_create("x", 0)
os.write(descriptor, content)`),
  "a file without a name": byDescriptor(`made = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o700)
os.write(made, content)
descriptor = os.open(f"/proc/self/fd/{made}", os.O_RDONLY)
os.close(made)`),
  "a file that was deleted": byDescriptor(`open("gone", "wb").write(content)
os.chmod("gone", 0o700)
descriptor = os.open("gone", os.O_RDONLY)
os.unlink("gone")`),
  "a descriptor's name": `/usr/bin/python3 -c '
import os, sys
descriptor = os.open(sys.argv[1], os.O_RDONLY)
os.execv(f"/proc/self/fd/{descriptor}", sys.argv[1:])
' "$PROGRAM" $ARGUMENTS`,
};

const LOADER = 'LOADER="$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null)"';

/**
 * A script that tries ways by their names: whatever the one of number `i` did lies in `denied<i>`,
 * where `victim` is to stay, and in `allowed<i>`, where `made` is to appear.
 */
export function waysScript(names: readonly string[]): string {
  const script = [`export ${LOADER}`];
  names.forEach((name, index) => {
    for (
      const [kind, program, args] of [["denied", "rm", "-f victim"], ["allowed", "touch", "made"]]
    ) {
      script.push(
        `mkdir ${kind}${index}; : >${kind}${index}/victim`,
        `(cd ${kind}${index}; export PROGRAM=/bin/${program} ARGUMENTS='${args}'; ${
          WAYS[name]
        }) 2>>errors`,
      );
    }
  });
  return script.join("\n");
}
