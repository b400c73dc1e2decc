/** `__authority`: the Authority of a daemon; talks JSON lines with its supervisor. */
import { startService } from "../authority/service/run_service.ts";
import { parseAuthorityConfig } from "../config/authority_config.ts";
import { readConfigFile } from "../config/load.ts";
import { giveUpPermissions } from "../config/permissions.ts";
import { setOperatorClasses } from "../core/action_class.ts";
import { jsonLines } from "../core/json_lines.ts";
import { err, type FirmaError, type Result } from "../core/result.ts";
import { say, sayable } from "../sidecar/say.ts";

type Orders = AsyncGenerator<Readonly<Record<string, unknown>>>;
type Service = Awaited<ReturnType<typeof startService>>;

/** Runs the Authority until standard input closes, or a signal or its supervisor asks it to end. */
export async function main(): Promise<number> {
  const ending = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => ending.resolve());
  }
  const orders: Orders = jsonLines(Deno.stdin.readable);
  const service = await Promise.race([start(orders), ending.promise]);
  if (!service) return 0;
  if (!service.ok) {
    for (const error of service.error.slice(1)) notice("error", error.message);
    say({ type: "fatal", error: sayable(service.error[0]!) });
    return 1;
  }
  await giveUpPermissions();
  say({ type: "ready", listen: service.value.address });
  // Whatever comes next asks it to end, and so does the end of the one who could ask.
  void orders.next().finally(() => ending.resolve());
  await ending.promise;
  await service.value.close();
  return 0;
}

/** `undefined`: whoever started it has no use for it. */
async function start(orders: Orders): Promise<Service | undefined> {
  const first = await orders.next();
  if (first.done) return undefined;
  const { config, config_digest: digest } = first.value;
  const file = readConfigFile(String(config));
  if (!file.ok) return err([file.error]);
  if (file.value.digest !== digest) return err([changed(file.value.file)]);
  const env = Deno.env.toObject();
  const parsed = parseAuthorityConfig(file.value, env);
  if (!parsed.ok) return parsed satisfies Result<never, readonly FirmaError[]>;
  setOperatorClasses(parsed.value.actionClasses);
  return await startService(parsed.value, env, notice);
}

function notice(level: "info" | "warn" | "error", text: string): void {
  say({ type: "notice", level, text });
}

function changed(file: string): FirmaError {
  return {
    code: "CONFIG_CHANGED",
    message: `Cannot use "${file}": it changed after it was checked`,
    cure: "start again",
    at: { file },
  };
}
