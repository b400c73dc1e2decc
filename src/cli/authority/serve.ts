import { startService } from "../../authority/service/run_service.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import { giveUpPermissions } from "../../config/permissions.ts";
import { printNotice } from "../output.ts";
import { refuse, STATUS } from "./project.ts";

/** Serves until a signal asks to end. */
export async function serveAuthority(config: AuthorityConfig): Promise<number> {
  const { promise: asked, resolve: end } = Promise.withResolvers<void>();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, end);
  const service = await startService(config, Deno.env.toObject(), printNotice);
  if (!service.ok) return refuse(service.error);
  await giveUpPermissions();
  printNotice("info", "authority ready");
  await asked;
  for (const signal of signals) Deno.removeSignalListener(signal, end);
  await service.value.close();
  printNotice("info", "authority ended");
  return STATUS.ok;
}
