/** Events of the guard, documented in keel/guard/v1/events.proto, and the moves that queries remember. */
import type { ReadContext, WriteContext } from "../kit/context.ts";
import type { Why } from "../kit/explanation.ts";
import { divFloor } from "../kit/math/mul-div.ts";
import { MOVES_MAX } from "./limits.ts";
import type { MarketId } from "./ports.ts";
import type { GuardState } from "./state.ts";

type Attributes = Readonly<Record<string, string | bigint | number | boolean>>;

export function emit(ctx: WriteContext, type: string, attributes: Attributes, why?: Why): void {
  const text: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) text[key] = value.toString();
  ctx.emit(type, text, why);
}

/** Block time in Unix milliseconds, rounded down. */
export function nowMs(ctx: ReadContext): bigint {
  return divFloor(ctx.header.timeNs, 1_000_000n);
}

export interface MoveReport {
  readonly market: MarketId;
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly cause: string;
}

/** Remembers the newest moves: as many as the limit says. */
export function remember(ctx: WriteContext, state: GuardState, report: MoveReport): void {
  let last = 0n;
  const newest = (id: bigint): boolean => {
    last = id;
    return true;
  };
  state.moves.each(ctx, newest, { descending: true });
  const id = last + 1n;
  state.moves.set(ctx, id, {
    id,
    height: BigInt(ctx.header.height),
    timeMs: nowMs(ctx),
    ...report,
  });
  if (state.moves.size(ctx) > MOVES_MAX) state.moves.delete(ctx, id - BigInt(MOVES_MAX));
}
