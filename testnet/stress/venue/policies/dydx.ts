/** dYdX v4 as its reference genesis has it: both underlyings are large caps. */
import type { Rules } from "../rules.ts";

const INITIAL = 0.02;
const MAINTENANCE = 0.012;
/** Per block and sub-account, and blocks in a second at the pace of its launch. */
const PORTION = 0.1;
const PORTION_LEAST = 1_000;
const NOTIONAL_PER_BLOCK = 100_000;
/** Fillable price: mark less this many times the maintenance rate at zero equity. */
const SPREAD = 1.5;

export const dydxRules: Rules = {
  name: "dydx",
  title: "dYdX v4",
  initial: (_underlying, notional) => INITIAL * notional,
  maintenance: (_underlying, notional) => MAINTENANCE * notional,
  isolated: false,
  dynamic: false,
  closes(sick) {
    const adjusted = Math.min(1, Math.max(0, 1 - sick.equity / sick.maintenance));
    const limit = adjusted * SPREAD * MAINTENANCE;
    let left = NOTIONAL_PER_BLOCK;
    return sick.notional.flatMap((notional, underlying) => {
      const taken = Math.min(notional, Math.max(PORTION_LEAST, PORTION * notional), left);
      left -= taken;
      return taken > 0 ? [{ underlying, notional: taken, limit }] : [];
    });
  },
  penalty: 0.015,
  seizes: false,
  accountsPerSecond: 50,
  flowShare: null,
  backstopHealth: 0,
  backstopLeverage: 0,
  auction: null,
  deleveragesPerSecond: 10,
  // The code closes against accounts from a random offset; the ranking that governance pages describe is not in it.
  bankrupt: "random",
  adlPrice: "bankruptcy",
  adlBand: 1,
  // The fund pays for fills below the bankruptcy price; what nobody fills is closed against the other side at that price, without it.
  fundFirst: false,
  bookFirst: true,
  fundInVault: false,
};
