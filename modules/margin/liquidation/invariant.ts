/** What always holds of the liquidation ladder's records. */
import type { ReadContext } from "../../kit/context.ts";
import { BID_MAX, BIDS_PER_SIDE_MAX } from "./bids.ts";
import type { LadderState } from "./state.ts";

/** Bids have lots and a price and are no more than the bound; what is offered has lots; what was measured is not negative. */
export function ladderFault(ctx: ReadContext, state: LadderState): string | null {
  let fault: string | null = null;
  let side = "";
  let standing = 0;
  state.bids.each(ctx, ([market, number], { lots, worstTicks }) => {
    const key = `${market}/${number}`;
    standing = key === side ? standing + 1 : 1;
    side = key;
    if (standing > BIDS_PER_SIDE_MAX) fault = `market ${market} has too many bids`;
    const valid = lots > 0n && lots <= BID_MAX && worstTicks > 0n && worstTicks <= BID_MAX;
    if (!valid) fault = `market ${market} has a bid of ${lots} lots at ${worstTicks}`;
    return fault !== null;
  });
  state.offers.each(ctx, ([, market], { lots }) => {
    if (lots === 0n) fault = `market ${market} has an offer of nothing`;
    return fault !== null;
  });
  state.measures.each(ctx, (market, measure) => {
    const { askDepth, average, bidDepth, bought, sold, variance } = measure;
    const least = [average, variance, bidDepth, askDepth, sold, bought].some((text) =>
      text.startsWith("-"),
    );
    if (least) fault = `market ${market} is measured below zero`;
    return fault !== null;
  });
  return fault;
}
