/** Derive: 6.6 % and 5 % for perpetuals, Dutch auctions of slices of whole accounts, a security module, and a haircut on everybody's cash when it is empty. */
import type { Rules } from "../rules.ts";

const MINUTE_MS = 60_000;

export const deriveRules: Rules = {
  name: "derive",
  title: "Derive",
  initial: (_underlying, notional) => 0.066 * notional,
  maintenance: (_underlying, notional) => 0.05 * notional,
  isolated: false,
  dynamic: false,
  closes: () => [],
  penalty: 0,
  seizes: false,
  accountsPerSecond: Number.POSITIVE_INFINITY,
  flowShare: null,
  backstopHealth: 0,
  backstopLeverage: 0,
  auction: {
    bufferShare: 0.15,
    feeShare: 0.1,
    from: 0.95,
    slowFrom: 0.7,
    fastMs: 15 * MINUTE_MS,
    slowMs: 12 * 60 * MINUTE_MS,
    insolventMs: 60 * MINUTE_MS,
  },
  deleveragesPerSecond: Number.POSITIVE_INFINITY,
  bankrupt: "haircut",
  adlPrice: "bankruptcy",
  adlBand: 1,
  fundFirst: true,
  bookFirst: false,
  fundInVault: false,
};
