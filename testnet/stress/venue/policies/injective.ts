/** Injective's defaults: margin per position, the whole of it sold down to its bankruptcy price, nothing returned; a fund per market, and a market that settles when it is empty. */
import { closeAll, type Rules } from "../rules.ts";

const INITIAL = 0.05;
const MAINTENANCE = 0.02;

export const injectiveRules: Rules = {
  name: "injective",
  title: "Injective",
  initial: (_underlying, notional) => INITIAL * notional,
  maintenance: (_underlying, notional) => MAINTENANCE * notional,
  isolated: true,
  dynamic: false,
  closes(sick) {
    const gross = sick.notional.reduce((sum, one) => sum + one, 0);
    // Down to the bankruptcy price; at mark for who is below it already.
    return closeAll(sick, Math.max(0, sick.equity / gross));
  },
  penalty: 0,
  seizes: true,
  accountsPerSecond: Number.POSITIVE_INFINITY,
  flowShare: null,
  backstopHealth: 0,
  backstopLeverage: 0,
  auction: null,
  deleveragesPerSecond: Number.POSITIVE_INFINITY,
  bankrupt: "settle-market",
  adlPrice: "bankruptcy",
  adlBand: 1,
  fundFirst: true,
  bookFirst: false,
  fundInVault: false,
};
