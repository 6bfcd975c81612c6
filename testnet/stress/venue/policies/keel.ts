/**
 * Keel's rules on the model, and the alternatives to each choice. The parameters are the modules' defaults (modules/margin/params.ts,
 * modules/derivatives/defaults.ts, modules/vault/params.ts).
 */
import { type AdlRule, closeAll, closePartly, type Rules, tiered } from "../rules.ts";

const MILLION = 1_000_000;
const initial = tiered([
  [0, 0.05],
  [MILLION, 0.1],
  [10 * MILLION, 0.2],
]);
const maintenance = tiered([
  [0, 0.03],
  [MILLION, 0.06],
  [10 * MILLION, 0.12],
]);

const PENALTY = 0.01;
const SLIPPAGE = 0.004;
const TARGET = 1.25;
const LEAST = 500;
const SPREAD = 1.5;
const BAND = 0.08;
/** Quarter of what one percent of the book holds, in ten seconds. */
const FLOW = 0.25;

export interface KeelChoices {
  readonly close: "full" | "partial" | "throttled";
  readonly adl: AdlRule;
  readonly margin: "fixed" | "dynamic";
  readonly backstop: boolean;
}

/** What the modules do with their defaults and a vault. */
export const RECOMMENDED: KeelChoices = {
  close: "throttled",
  adl: "water-filling",
  margin: "dynamic",
  backstop: true,
};

export function keelRules(choices: KeelChoices = RECOMMENDED): Rules {
  return {
    name: "keel",
    title: "Keel",
    initial: (_underlying, notional) => initial(notional),
    maintenance: (_underlying, notional) => maintenance(notional),
    isolated: false,
    dynamic: choices.margin === "dynamic",
    closes(sick) {
      // The price limit widens from mark at maintenance to one and a half times the rate at zero.
      const depth = Math.min(1, Math.max(0, 1 - sick.equity / sick.maintenance));
      const gross = sick.notional.reduce((sum, one) => sum + one, 0);
      const fillable = (depth * SPREAD * sick.maintenance) / gross;
      const limit = Math.min(BAND, Math.max(SLIPPAGE, fillable));
      if (choices.close === "full") return closeAll(sick, limit);
      return closePartly(sick, {
        ...{ target: TARGET, costs: PENALTY + SLIPPAGE, least: LEAST },
        limit: () => limit,
        maintenance: (_underlying, notional) => (sick.maintenance * notional) / Math.max(gross, 1),
      });
    },
    penalty: PENALTY,
    seizes: false,
    accountsPerSecond: 50,
    flowShare: choices.close === "throttled" ? FLOW : null,
    backstopHealth: choices.backstop ? 2 / 3 : 0,
    // A move of a fifth may cost a tenth of the vault, in each of two markets.
    backstopLeverage: 1,
    auction: null,
    deleveragesPerSecond: 20,
    bankrupt: choices.adl,
    adlPrice: "bankruptcy",
    adlBand: 0.1,
    fundFirst: true,
    bookFirst: false,
    fundInVault: false,
  };
}
