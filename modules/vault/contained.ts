/** Work of the vault that happens as a whole, events included, or not at all. */
import { atomically } from "../kit/atomically.ts";
import type { WriteContext } from "../kit/context.ts";
import { ModuleError } from "../kit/errors.ts";

function undone(ctx: WriteContext, work: (ctx: WriteContext) => void): unknown {
  try {
    atomically(ctx, work);
    return null;
  } catch (error) {
    return error;
  }
}

/** Null: done. A refusal undoes the work and is returned; anything else undoes it and goes on up. */
export function attempt(ctx: WriteContext, work: (ctx: WriteContext) => void): ModuleError | null {
  const error = undone(ctx, work);
  if (error === null || error instanceof ModuleError) return error;
  throw error;
}

/** Null: done. A fault undoes the work and is returned; out of memory or stack is the machine's and goes on up. */
export function contained(ctx: WriteContext, work: (ctx: WriteContext) => void): string | null {
  const error = undone(ctx, work);
  if (error === null) return null;
  if (error instanceof RangeError) throw error;
  return error instanceof Error ? error.message : "unknown fault";
}
