/** Hyperliquid as its documentation says: BTC at 40 times, ETH at 25, tiers above, a vault that takes over below two thirds of maintenance, a queue by profit and leverage. */
import { closeAll, type Rules, tiered } from "../rules.ts";

const MILLION = 1_000_000;
const INITIAL = [
  tiered([
    [0, 1 / 40],
    [150 * MILLION, 1 / 20],
  ]),
  tiered([
    [0, 1 / 25],
    [100 * MILLION, 1 / 15],
  ]),
];
const WHOLE_BELOW = 100_000;
const FIRST_PART = 0.2;
const COOLDOWN_MS = 30_000;
/** A market order's worst distance. */
const REACH = 0.1;

function initial(underlying: number, notional: number): number {
  return INITIAL[underlying]?.(notional) ?? notional;
}

export const hyperliquidRules: Rules = {
  name: "hyperliquid",
  title: "Hyperliquid",
  initial,
  maintenance: (underlying, notional) => initial(underlying, notional) / 2,
  isolated: false,
  dynamic: false,
  closes(sick) {
    const gross = sick.notional.reduce((sum, one) => sum + one, 0);
    if (gross <= WHOLE_BELOW) return closeAll(sick, REACH);
    if (!sick.partlyClosed)
      return closeAll(sick, REACH).map((one) => ({ ...one, notional: FIRST_PART * one.notional }));
    return sick.restedMs >= COOLDOWN_MS ? closeAll(sick, REACH) : [];
  },
  penalty: 0,
  seizes: false,
  accountsPerSecond: Number.POSITIVE_INFINITY,
  flowShare: null,
  backstopHealth: 2 / 3,
  // No bound but its own money.
  backstopLeverage: Number.POSITIVE_INFINITY,
  auction: null,
  deleveragesPerSecond: Number.POSITIVE_INFINITY,
  bankrupt: "profit-queue",
  adlPrice: "last-mark",
  adlBand: 1,
  fundFirst: false,
  bookFirst: false,
  fundInVault: true,
};
