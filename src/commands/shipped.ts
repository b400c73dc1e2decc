import shipped from "../../packs/tables/commands.json" with { type: "json" };
import type { CommandFile } from "./rule_file.ts";

/** The rules that firma brings, of `packs/commands`. */
export const SHIPPED_COMMANDS: readonly CommandFile[] = shipped;
