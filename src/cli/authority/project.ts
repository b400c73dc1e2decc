import { type AuthorityConfig, parseAuthorityConfig } from "../../config/authority_config.ts";
import { discoverConfig } from "../../config/discover.ts";
import { readConfigFile } from "../../config/load.ts";
import { trustState } from "../../config/trust.ts";
import { setOperatorClasses } from "../../core/action_class.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { openStore } from "../../authority/store/open_store.ts";
import type { AuthorityStore } from "../../authority/store/store.ts";
import { printError, printNotice } from "../output.ts";

/** The exit statuses of `firma authority`. */
export const STATUS = { ok: 0, failed: 1, badInput: 2 } as const;

/**
 * The configuration of the Authority here. It has to be trusted: what it names is
 * signed with this user's key, and Sidecars elsewhere go by that.
 */
export function authorityProject(
  configFlag: string | undefined,
): Result<AuthorityConfig, readonly FirmaError[]> {
  const env = Deno.env.toObject();
  const found = discoverConfig({ flag: configFlag, env, cwd: Deno.cwd() });
  if (!found.ok) return err([found.error]);
  if (found.value === undefined) {
    return err([{
      code: "CONFIG_NOT_FOUND",
      message: `Cannot find a configuration: there is none from "${Deno.cwd()}" upwards`,
      cure: "write .firma/firma.toml with [authority], then: firma trust",
    }]);
  }
  const file = readConfigFile(found.value.file);
  if (!file.ok) return err([file.error]);
  const config = parseAuthorityConfig(file.value, env);
  if (!config.ok) return config;
  const { state } = trustState(file.value, env);
  if (state !== "trusted") {
    return err([{
      code: "CONFIG_NOT_TRUSTED",
      message: `Cannot use "${file.value.file}": ${
        state === "changed" ? "it changed since you trusted it" : "you have not trusted it"
      }`,
      cure: "read it, then: firma trust",
    }]);
  }
  setOperatorClasses(config.value.actionClasses);
  return ok(config.value);
}

/** Prints what is wrong and gives the exit status for it. */
export function refuse(errors: readonly FirmaError[], status: number = STATUS.failed): number {
  errors.forEach(printError);
  return status;
}

/** Runs `work` with the configuration and the store of the Authority here. */
export async function withStore(
  configFlag: string | undefined,
  work: (store: AuthorityStore, config: AuthorityConfig) => Promise<number>,
): Promise<number> {
  const config = authorityProject(configFlag);
  if (!config.ok) return refuse(config.error);
  const store = await openStore(config.value, {
    env: Deno.env.toObject(),
    onNotice: ({ message }) => printNotice("warn", message),
  });
  if (!store.ok) return refuse([store.error]);
  try {
    return await work(store.value, config.value);
  } finally {
    await store.value.close();
  }
}
