/** The parts of liquidation put together. */
import type { AccountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { Claims } from "../claims.ts";
import type { Conversion } from "../collateral-assets/conversion.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import type { BackstopPort, ClearingPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { type Bankruptcies, createBankruptcies } from "../waterfall/bankruptcies.ts";
import type { Deleveraging } from "../waterfall/deleverage.ts";
import type { Losses } from "../waterfall/losses.ts";
import { type Auction, createAuction } from "./auction.ts";
import { type Bids, createBids } from "./bids.ts";
import { createClosing } from "./closing.ts";
import { createLiquidation } from "./liquidation.ts";
import { createMeasures, type Measures } from "./measures.ts";
import { createOtherSide } from "./other-side.ts";
import { createRounds, type Rounds, type RoundsParts } from "./rounds.ts";
import { createSlices } from "./slices.ts";
import { createTakeover } from "./takeover.ts";
import { createUnfilled } from "./unfilled.ts";

export interface Ladder {
  readonly measures: Measures;
  readonly rounds: Rounds;
  readonly bids: Bids;
  readonly auction: Auction;
  readonly bankruptcies: Bankruptcies;
}

export function createLadder(parts: {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly clearing: Pick<ClearingPort, "clear">;
  readonly claims: Claims;
  readonly losses: Losses;
  readonly backstop: BackstopPort;
  readonly deleveraging: Deleveraging;
  readonly conversion: Conversion;
  readonly addresses: Addresses;
  readonly name: (id: AccountId) => string;
  readonly spared: RoundsParts["spared"];
}): Ladder {
  const { addresses, markets, state } = parts;
  const takeover = createTakeover(parts);
  const measures = createMeasures(state, markets);
  const closing = createClosing({ ...parts, measures });
  const unfilled = createUnfilled(state, closing);
  const slices = createSlices({ ...parts, closing });
  const bankruptcies = createBankruptcies(parts);
  const otherSide = createOtherSide({ ...parts, closing });
  const rungs = { unfilled, takeover, otherSide, bankruptcies };
  const liquidation = createLiquidation({ ...parts, ...rungs, closing, slices });
  const bids = createBids(state, markets, addresses);
  const auction = createAuction({ ...parts, closing, bids });
  const rounds = createRounds({
    ...parts,
    ...{ measures, closing, liquidation, auction, bids, unfilled },
  });
  return { measures, rounds, bids, auction, bankruptcies };
}
