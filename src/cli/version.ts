import { Command } from "commander";
import { VERSION } from "../config/version.ts";
import { print } from "./output.ts";

/** `firma version [--json]` */
export function command(): Command {
  return new Command("version")
    .description("Print the version of firma and of what it is built on.")
    .option("--json", "print a JSON object")
    .action((options: { json?: boolean }) => {
      const { deno, v8 } = Deno.version;
      const { target, standalone } = Deno.build;
      print(
        options.json
          ? `${JSON.stringify({ version: VERSION, deno, v8, target, standalone })}\n`
          : `firma ${VERSION} (deno ${deno}, ${target}${standalone ? "" : ", from source"})\n`,
      );
    });
}
