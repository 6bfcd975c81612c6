/** Block time as custody counts it. */
import type { ReadContext } from "../../kit/context.ts";
import { divFloor, toSafeNumber } from "../../kit/math/mul-div.ts";
import { DAY_MS } from "./limits.ts";

/** Unix milliseconds, rounded down. */
export function nowMs({ header }: ReadContext): number {
  return toSafeNumber(divFloor(header.timeNs, 1_000_000n), "block time");
}

/** Days (UTC) since the Unix epoch. */
export function dayOf(ctx: ReadContext): number {
  const now = nowMs(ctx);
  return (now - (now % DAY_MS)) / DAY_MS;
}
