import project from "../../deno.json" with { type: "json" };

/** The version of firma, as `deno.json` states it. */
export const VERSION: string = project.version;
