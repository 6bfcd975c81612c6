/** The market a new chain lists: a BTC perpetual on the derivatives module's default terms. */

import { linearPerpetual } from "@keel/modules/derivatives/defaults";
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";

export function defaultMarket(feedId: number): Market {
  const market = linearPerpetual({
    symbol: "BTC-USD-PERP",
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId,
    tickSize: "0.1",
    lotSize: "0.0001",
  });
  return { ...market, id: 1 };
}
