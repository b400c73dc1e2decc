import type { Json } from "../../config/value_type.ts";
import { LABEL } from "../../config/key.ts";
import { join, resolve } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { type KnownService, knownService, serviceNames } from "./services.ts";
import { type Store, STORES } from "./store_secret.ts";

/** Flags of `firma credentials add`. */
export interface AddFlags {
  readonly config?: string;
  readonly host?: readonly string[];
  readonly header?: string;
  readonly prefix?: string;
  readonly basicUser?: string;
  readonly path?: readonly string[];
  readonly actionClass?: readonly string[];
  readonly env?: readonly string[];
  readonly fromSignIn?: boolean;
  readonly fromEnv?: string;
  readonly fromFile?: string;
  readonly fromKeyring?: string;
  readonly command?: readonly string[];
  readonly store?: string;
  /** `--no-test` */
  readonly test: boolean;
  readonly replace?: boolean;
  readonly json?: boolean;
}

type Keys = Readonly<Record<string, Json>>;

/** What a command line of `firma credentials add` asks for. */
export interface Wanted {
  readonly name: string;
  /** The keys to write, without those that say where the secret comes from. */
  readonly keys: Keys;
  /** Where it comes from; absent: it is to be asked for. */
  readonly source: Keys | undefined;
  /** It is to be taken over from the program that has it. */
  readonly fromSignIn: boolean;
  readonly store: Store;
  readonly service: KnownService | undefined;
}

/** Reads the flags. */
export function readAddFlags(name: string, flags: AddFlags, cwd: string): Result<Wanted> {
  if (!LABEL.test(name)) {
    return usage(`Cannot add "${name}": its name is not one word in lower case`);
  }
  const store = STORES.find((each) => each === (flags.store ?? "file"));
  if (store === undefined) {
    return usage(`Cannot use --store "${flags.store}": it is neither "file" nor "keyring"`);
  }
  const source = sourceOf(flags, cwd);
  if (!source.ok) return source;
  const known = flags.host === undefined ? knownService(name) : ok(undefined);
  if (!known.ok) return known;
  const service = known.value;
  if (service === undefined && flags.host === undefined) {
    return usage(
      `Cannot add "${name}": no --host says where it goes`,
      `give --host, or the name of one that firma knows: ${serviceNames().join(", ")}`,
    );
  }
  const fromSignIn = flags.fromSignIn ?? false;
  if (fromSignIn && (source.value !== undefined || service === undefined)) {
    return usage(
      source.value === undefined
        ? `Cannot take over a sign-in for "${name}": firma knows no program that has one`
        : "Cannot take the secret from several places: give one of the --from flags",
    );
  }
  const keys = keysOf(service, flags);
  return ok({ name, keys, source: source.value, fromSignIn, store, service });
}

function keysOf(service: KnownService | undefined, flags: AddFlags): Keys {
  const header = flags.header ?? service?.header;
  const basicUser = flags.basicUser ?? service?.basicUser;
  const paths = flags.path ?? service?.paths;
  // A client that looks for its secret in a variable goes on finding something there.
  const env = flags.env ?? service?.env ?? (flags.fromEnv === undefined ? [] : [flags.fromEnv]);
  return {
    hosts: flags.host ?? service?.hosts ?? [],
    ...(paths && { paths }),
    ...(flags.actionClass && { action_classes: flags.actionClass }),
    ...(header !== undefined && { header }),
    ...(flags.prefix !== undefined && { prefix: flags.prefix }),
    ...(basicUser !== undefined && { basic_user: basicUser }),
    ...(env.length > 0 && { env }),
  };
}

function sourceOf(flags: AddFlags, cwd: string): Result<Keys | undefined> {
  const { fromEnv, fromFile, fromKeyring, command } = flags;
  const sources: (Keys | false)[] = [
    fromEnv !== undefined && { provider: "environment", variable: fromEnv },
    // Relative to where it was typed, not to the file that it is written into.
    fromFile !== undefined && { provider: "file", path: resolve(cwd, expandHome(fromFile)) },
    fromKeyring !== undefined && { provider: "keyring", account: fromKeyring },
    command !== undefined && { provider: "command", command },
  ];
  const given = sources.filter((source) => source !== false);
  if (given.length <= 1) return ok(given[0]);
  return usage("Cannot take the secret from several places: give one of the --from flags");
}

/** A shell expands it only at the beginning of a word, and `--from-file=~/x` has none there. */
function expandHome(path: string): string {
  const home = Deno.env.get("HOME");
  return home !== undefined && path.startsWith("~/") ? join(home, path.slice(2)) : path;
}

function usage(message: string, cure = "firma credentials add --help"): Result<never> {
  return err({ code: "USAGE", message, cure });
}
