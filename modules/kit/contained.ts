/** Where a fault in one part of a block's work ends, so that the others go on. */
import { atomically } from "./atomically.ts";
import type { WriteContext } from "./context.ts";

/** Null: done. A fault undoes the work, events included, and is returned in words; out of memory or stack (any RangeError) is the machine's and goes on up. */
export function contained(ctx: WriteContext, work: (ctx: WriteContext) => void): string | null {
  try {
    atomically(ctx, work);
    return null;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return error instanceof Error ? error.message : "unknown fault";
  }
}
