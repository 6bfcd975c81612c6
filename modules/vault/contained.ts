/** Work of the vault that happens as a whole, events included, or not at all. */
import type { WriteContext } from "../kit/context.ts";
import { ModuleError } from "../kit/errors.ts";

function undone(ctx: WriteContext, work: (ctx: WriteContext) => void): unknown {
  const savepoint = ctx.state.savepoint();
  const events: [string, Readonly<Record<string, string>>][] = [];
  try {
    work({
      header: ctx.header,
      state: ctx.state,
      gas: ctx.gas,
      emit: (type, attributes) => events.push([type, attributes]),
    });
  } catch (error) {
    ctx.state.revert(savepoint);
    return error;
  }
  for (const [type, attributes] of events) ctx.emit(type, attributes);
  return null;
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
