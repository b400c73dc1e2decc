import type { Hono } from "hono";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { readJson } from "./control_body.ts";
import { invalidRequest } from "./session_body.ts";

/** Puts an edit of `firma.toml` in force. */
export interface ConfigControl {
  /**
   * Resolves when the file of this digest is in force, or with why it is not; then has the
   * credentials of these names obtained anew.
   */
  applyConfig(
    digest: string,
    renewed: readonly string[],
  ): Promise<Result<void, readonly FirmaError[]>>;
}

interface Wish {
  readonly digest: string;
  readonly renewed: readonly string[];
}

/** `POST /v1/config`: whoever edited the file hears what became of it. */
export function addConfigRoute(
  app: Hono,
  control: ConfigControl,
  refused: (error: FirmaError) => Response,
): void {
  app.post("/v1/config", async (context) => {
    const body = await readJson(context.req.raw);
    const wish = body.ok ? parseWish(body.value) : body;
    if (!wish.ok) return refused(wish.error);
    const applied = await control.applyConfig(wish.value.digest, wish.value.renewed);
    return applied.ok ? context.body(null, 204) : refused(applied.error[0]!);
  });
}

function parseWish(body: unknown): Result<Wish> {
  if (typeof body !== "object" || body === null) return invalidRequest("it is not an object");
  const { config_digest: digest, renewed = [], ...more } = body as Record<string, unknown>;
  if (Object.keys(more).length > 0) return invalidRequest("it says more than it may");
  if (typeof digest !== "string") return invalidRequest("config_digest is not a string");
  const areNames = Array.isArray(renewed) && renewed.every((name) => typeof name === "string");
  if (!areNames) return invalidRequest("renewed is not a list of names");
  return ok({ digest, renewed });
}
