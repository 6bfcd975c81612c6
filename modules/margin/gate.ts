/** Withdrawals are closed for a time after a deficit. */
import type { ReadContext } from "../kit/context.ts";
import { refuse } from "./errors.ts";
import type { MarginState } from "./state.ts";

/** Throws ModuleError "withdrawalsGated" while they are. */
export function requireOpenGate(ctx: ReadContext, state: MarginState): void {
  const gate = state.gate.get(ctx);
  if (gate === undefined || ctx.header.timeNs >= gate.untilNs) return;
  throw refuse(
    "withdrawalsGated",
    `withdrawals are closed until ${gate.untilNs} ns: ${gate.reason}`,
  );
}
