import { after } from "../core/after.ts";

/** What `promise` gives, or `undefined` when it takes longer than `milliseconds`. */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const callOff = after(milliseconds, () => late.resolve(undefined));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    callOff();
  }
}
