import { FirmaException } from "../core/result.ts";
import type { Check } from "./check.ts";
import type { Finding, NamedFinding } from "./finding.ts";
import type { World } from "./world.ts";

/** Options of {@linkcode examine}. */
export interface ExamineOptions {
  /** How long one check may take, in milliseconds. @default 30_000 */
  readonly limitMs?: number;
  /** Hears which checks are still at work whenever one ends. */
  readonly onProgress?: (pending: readonly string[]) => void;
}

/**
 * Makes all checks at once. The findings come in the order of the checks. A check that throws or
 * takes too long has found just that.
 */
export async function examine(
  checks: readonly Check[],
  world: World,
  { limitMs = 30_000, onProgress = () => {} }: ExamineOptions = {},
): Promise<NamedFinding[]> {
  const pending = new Set(checks.map(({ category }) => category));
  const found = await Promise.all(checks.map(async (check) => {
    const findings = await findingsOf(check, world, limitMs);
    pending.delete(check.category);
    onProgress([...pending]);
    return findings.map((finding) => ({ category: check.category, ...finding }));
  }));
  return found.flat();
}

async function findingsOf(
  check: Check,
  world: World,
  limitMs: number,
): Promise<readonly Finding[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => {
      const reason = `Cannot tell: the check did not end within ${limitMs / 1000} s`;
      resolve([{ status: "warn", reason, cure: "firma doctor" }]);
    }, limitMs);
  });
  try {
    // In a microtask, so that one that throws at once does not keep the others from starting.
    const findings = Promise.resolve().then(() => check.run(world));
    return await Promise.race([findings, late]);
  } catch (thrown) {
    const error = thrown instanceof FirmaException ? thrown.error : undefined;
    const message = error?.message ?? (thrown instanceof Error ? thrown.message : String(thrown));
    return [{ status: "warn", reason: `Cannot tell: ${message}`, cure: "firma doctor" }];
  } finally {
    clearTimeout(timer);
  }
}
