/** The markets as margin sees them while the guard raises initial margin in some. */
import type { GuardPort, MarketsPort, MarketTerms } from "../ports.ts";

/** Nobody raises or holds back anything. */
export const UNGUARDED: GuardPort = {
  initialRaisePpm: () => 0n,
  withdrawing: () => undefined,
  deposited: () => undefined,
  left: () => undefined,
  room: () => null,
};

// Terms are immutable, and asked for by every order and health check.
const last = new WeakMap<MarketTerms, MarketTerms>();

function raised(terms: MarketTerms, initialRaisePpm: bigint): MarketTerms {
  const known = last.get(terms);
  if (known?.initialRaisePpm === initialRaisePpm) return known;
  const made = { ...terms, initialRaisePpm };
  last.set(terms, made);
  return made;
}

export function guardedMarkets(guard: GuardPort, markets: MarketsPort): MarketsPort {
  return {
    ...markets,
    terms(ctx, market) {
      const terms = markets.terms(ctx, market);
      if (terms === undefined) return undefined;
      const raisePpm = guard.initialRaisePpm(ctx, market);
      return raisePpm === 0n ? terms : raised(terms, raisePpm);
    },
  };
}
