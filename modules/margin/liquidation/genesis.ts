/** The liquidation ladder in genesis: what was measured, what is bid and what is offered. */
import type {
  LiquidationBid,
  LiquidationOffer,
  MarketMeasure,
} from "@keel/proto/gen/keel/margin/v1/ladder";
import { accountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { ladderFault } from "./invariant.ts";
import { type LadderState, sideNumber } from "./state.ts";

const DIGITS = /^(0|[1-9][0-9]{0,79})$/;

interface LadderGenesis {
  readonly measures: MarketMeasure[];
  readonly liquidationBids: LiquidationBid[];
  readonly liquidationOffers: LiquidationOffer[];
}

export function initLadder(
  ctx: WriteContext,
  state: LadderState,
  genesis: LadderGenesis,
  addresses: Addresses,
): void {
  for (const measure of genesis.measures) {
    const { askDepth, average, bidDepth, bought, market, reference, sold, variance } = measure;
    for (const text of [average, reference, variance, bidDepth, askDepth, sold, bought]) {
      if (!DIGITS.test(text))
        throw refuse("invalidRequest", `margin genesis: market ${market} measured "${text}"`);
    }
    state.measures.set(ctx, market, measure);
  }
  for (const bid of genesis.liquidationBids) {
    if (bid.side !== "buy" && bid.side !== "sell")
      throw refuse("invalidRequest", `margin genesis: a bid to "${bid.side}"`);
    const account = accountId(addresses.parse(bid.owner), bid.subaccount);
    state.bids.set(ctx, [bid.market, sideNumber(bid.side), account], bid);
  }
  for (const offer of genesis.liquidationOffers) {
    const account = accountId(addresses.parse(offer.owner), offer.subaccount);
    state.offers.set(ctx, [account, offer.market], offer);
  }
  const fault = ladderFault(ctx, state);
  if (fault !== null) throw refuse("invalidRequest", `margin genesis: ${fault}`);
}

export function exportLadder(ctx: ReadContext, state: LadderState): LadderGenesis {
  const genesis: LadderGenesis = { measures: [], liquidationBids: [], liquidationOffers: [] };
  state.measures.each(ctx, (_market, measure) => void genesis.measures.push(measure));
  state.bids.each(ctx, (_key, bid) => void genesis.liquidationBids.push(bid));
  state.offers.each(ctx, (_key, offer) => void genesis.liquidationOffers.push(offer));
  return genesis;
}
