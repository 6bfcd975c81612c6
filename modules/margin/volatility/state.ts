/** State of dynamic margin in store "margin": terms per feed, and what was measured under them. Both or neither. */
import { DynamicMargin, FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { protoValue, u32Key } from "../../kit/collections/codecs.ts";
import type { MapCollection, Schema } from "../../kit/collections/schema.ts";

export interface VolatilityState {
  readonly terms: MapCollection<number, DynamicMargin>;
  readonly measured: MapCollection<number, FeedVolatility>;
}

export function volatilityState(schema: Schema): VolatilityState {
  return {
    terms: schema.map(0x0a, "dynamic_margin", u32Key, protoValue(DynamicMargin)),
    measured: schema.map(0x0b, "volatility", u32Key, protoValue(FeedVolatility)),
  };
}
