/** Choices of the modules' own parameters that can be compared on the real modules. */
import { defaultDynamicMargin } from "@keel/modules/margin/volatility/terms";
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { FEEDS } from "./markets.ts";
import type { ChainVariant } from "./world.ts";

const CALM = 5n * 10n ** 17n;

/** Margin that follows volatility on both underlyings, after calm weeks. */
export function dynamicOfAll(): DynamicMargin[] {
  return FEEDS.map((feedId) => ({ ...defaultDynamicMargin(feedId), seedVolatility: CALM }));
}

export interface NamedVariant {
  readonly title: string;
  /** `vault`: settlement units. */
  of(vault: number): ChainVariant;
}

export const VARIANTS: Readonly<Record<string, NamedVariant>> = {
  defaults: {
    title: "keel, real modules",
    of: (vault) => ({ vault, dynamic: dynamicOfAll() }),
  },
  full: {
    title: "keel, real modules: whole accounts closed",
    // As far as ten times maintenance, which is everything.
    of: (vault) => ({
      ...{ vault, dynamic: dynamicOfAll() },
      margin: { liquidationTargetPpm: 10_000_000n },
    }),
  },
  slow: {
    title: "keel, real modules: at most a quarter million closed in a block",
    of: (vault) => ({
      ...{ vault, dynamic: dynamicOfAll() },
      margin: { liquidationNotionalPerBlockMax: "250000000000" },
    }),
  },
  fixed: {
    title: "keel, real modules: fixed margin",
    of: (vault) => ({ vault }),
  },
  "no-vault": {
    title: "keel, real modules: no backstop",
    of: () => ({ vault: 0, dynamic: dynamicOfAll() }),
  },
};
