/** The rule sets by name, and Keel's own alternatives, one choice changed at a time. */
import { deriveRules } from "./policies/derive.ts";
import { dydxRules } from "./policies/dydx.ts";
import { hyperliquidRules } from "./policies/hyperliquid.ts";
import { injectiveRules } from "./policies/injective.ts";
import { type KeelChoices, keelRules, RECOMMENDED } from "./policies/keel.ts";
import type { Rules } from "./rules.ts";

export const RULE_SETS: Readonly<Record<string, Rules>> = {
  keel: keelRules(),
  dydx: dydxRules,
  injective: injectiveRules,
  hyperliquid: hyperliquidRules,
  derive: deriveRules,
};

/** Annual volatility of the weeks before a tape: what dynamic margin has measured by then. */
export const CALM_BEFORE = 0.5;
const NERVOUS_BEFORE = 1;

export interface Alternative {
  readonly key: string;
  /** Alternatives are read within their group; the first of each is the recommended one. */
  readonly group: string;
  readonly title: string;
  readonly rules: Rules;
  readonly before: number;
}

function alternative(
  key: string,
  group: string,
  title: string,
  change: Partial<KeelChoices>,
  before: number = CALM_BEFORE,
): Alternative {
  return { key, group, title, rules: keelRules({ ...RECOMMENDED, ...change }), before };
}

/** The recommended choice itself is the row of `keel`, but for the last group, whose weeks before were another's. */
export const ALTERNATIVES: readonly Alternative[] = [
  alternative("full", "what is closed", "the whole account at once", { close: "full" }),
  alternative("partial", "what is closed", "to 1.25 times maintenance, no throttle", {
    close: "partial",
  }),
  alternative("queue", "who is deleveraged", "queue by profit and leverage", { adl: "queue" }),
  alternative("pro-rata", "who is deleveraged", "everybody in proportion", { adl: "pro-rata" }),
  alternative("no-backstop", "backstop", "all capital in the fund", { backstop: false }),
  alternative(
    "nervous-dynamic",
    "margin, after nervous weeks",
    "follows volatility",
    {},
    NERVOUS_BEFORE,
  ),
  alternative(
    "nervous-fixed",
    "margin, after nervous weeks",
    "fixed",
    { margin: "fixed" },
    NERVOUS_BEFORE,
  ),
];
