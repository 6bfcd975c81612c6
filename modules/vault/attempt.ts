/** Work of the vault that may be refused. */
import { atomically } from "../kit/atomically.ts";
import type { WriteContext } from "../kit/context.ts";
import { ModuleError } from "../kit/errors.ts";

/** Null: done. A refusal undoes the work and is returned; anything else undoes it and goes on up. */
export function attempt(ctx: WriteContext, work: (ctx: WriteContext) => void): ModuleError | null {
  try {
    atomically(ctx, work);
    return null;
  } catch (error) {
    if (error instanceof ModuleError) return error;
    throw error;
  }
}
