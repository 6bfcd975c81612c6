/** Work that either happens as a whole, events included, or not at all. */
import type { WriteContext } from "./context.ts";
import type { Why } from "./explanation.ts";

/** Runs `work`; when it throws, its state and events are undone and the error goes on to the caller. */
export function atomically<T>(ctx: WriteContext, work: (ctx: WriteContext) => T): T {
  const savepoint = ctx.state.savepoint();
  const events: [string, Readonly<Record<string, string>>, Why | undefined][] = [];
  let result: T;
  try {
    result = work({
      header: ctx.header,
      state: ctx.state,
      gas: ctx.gas,
      emit: (type, attributes, why) => events.push([type, attributes, why]),
    });
  } catch (error) {
    ctx.state.revert(savepoint);
    throw error;
  }
  for (const [type, attributes, why] of events) ctx.emit(type, attributes, why);
  return result;
}
