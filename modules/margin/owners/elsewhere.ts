/** What of an account's other sub-accounts enters its requirement in a market, lots; 0 for whoever has one. */
import type { Account, Elsewhere } from "../account-codec.ts";
import type { MarketId } from "../ports.ts";

function find({ elsewhere }: Account, market: MarketId): Elsewhere | undefined {
  for (const one of elsewhere) if (one.market === market) return one;
  return undefined;
}

/** Held. */
export function lotsElsewhere(account: Account, market: MarketId): bigint {
  return find(account, market)?.lots ?? 0n;
}

/** With resting orders at their worst side. */
export function worstElsewhere(account: Account, market: MarketId): bigint {
  return find(account, market)?.worstLots ?? 0n;
}
