/** Choices of the modules' own parameters. */
import { defaultDynamicMargin } from "@keel/modules/margin/volatility/terms";
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { FEEDS } from "./markets.ts";

const CALM = 5n * 10n ** 17n;

/** Margin that follows volatility on both underlyings, after calm weeks. */
export function dynamicOfAll(): DynamicMargin[] {
  return FEEDS.map((feedId) => ({ ...defaultDynamicMargin(feedId), seedVolatility: CALM }));
}
