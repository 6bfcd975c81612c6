/** What was fixed of a market that was ended: by clearing because of a loss, or by the authority. */
import type { MarketStop } from "@keel/proto/gen/keel/derivatives/v1/stops";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import type { Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";

/** Undefined of a market that was not ended. */
export function endOf(
  ctx: ReadContext,
  { state }: Pick<Venue, "state">,
  { id, status }: Pick<Instrument, "id" | "status">,
): MarketStop | undefined {
  // Of a market that trades there is nothing to read, and where none was ever stopped it costs nothing.
  if (status !== "settling" && status !== "settled" && status !== "quarantined") return undefined;
  if (state.stops.size(ctx) === 0) return undefined;
  const stop = state.stops.get(ctx, id);
  return stop === undefined || stop.valuePerLot === "" ? undefined : stop;
}

/** Every stop is of a market that is listed, and one with a value of a market that does not trade any more. */
export function stopsFault(ctx: ReadContext, { state }: Venue): string | null {
  let fault: string | null = null;
  state.stops.each(ctx, (id, { valuePerLot }) => {
    const status = state.markets.get(ctx, id)?.status;
    if (status === undefined) fault ??= `market ${id} is stopped but not listed`;
    const over =
      status === MarketStatus.MARKET_STATUS_SETTLING ||
      status === MarketStatus.MARKET_STATUS_SETTLED ||
      status === MarketStatus.MARKET_STATUS_QUARANTINED;
    if (valuePerLot !== "" && !over) fault ??= `market ${id} has ended and trades`;
  });
  return fault;
}
