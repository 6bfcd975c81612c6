/** State layout of store "guard". Prefixes ascend and are never reused. */
import {
  EmergencyUse,
  MarketMeasures,
  MarketRules,
  Move,
  Params,
  RangeWatch,
  Restrictions,
  Survey,
  Velocity,
} from "@keel/proto/gen/keel/guard/v1/types";
import {
  asciiKey,
  pairKey,
  protoValue,
  u8Key,
  u32Key,
  u64Key,
  u64Value,
} from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import type { MarketId } from "./ports.ts";

/** Restrictions under this number hold in all markets. Ids of markets begin at 1. */
export const ALL_MARKETS: MarketId = 0;

export interface GuardState {
  readonly params: ItemCollection<Params>;
  readonly rules: MapCollection<MarketId, MarketRules>;
  /** No record: nothing is restricted. */
  readonly restrictions: MapCollection<MarketId, Restrictions>;
  /** (market, number of the range) */
  readonly watches: MapCollection<readonly [MarketId, number], RangeWatch>;
  readonly measures: MapCollection<MarketId, MarketMeasures>;
  /** By denom. */
  readonly velocities: MapCollection<string, Velocity>;
  /** Present while a market's rules ask who holds what. */
  readonly survey: ItemCollection<Survey>;
  readonly moves: MapCollection<bigint, Move>;
  /** Time of the last block in ms; present while gaps are watched. */
  readonly lastBlock: ItemCollection<bigint>;
  /** Present once the emergency key has been used. */
  readonly emergencyUse: ItemCollection<EmergencyUse>;
}

export function guardState(schema: Schema): GuardState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    rules: schema.map(1, "rules", u32Key, protoValue(MarketRules)),
    restrictions: schema.map(2, "restrictions", u32Key, protoValue(Restrictions)),
    watches: schema.map(3, "watches", pairKey(u32Key, u8Key), protoValue(RangeWatch)),
    measures: schema.map(4, "measures", u32Key, protoValue(MarketMeasures)),
    velocities: schema.map(5, "velocities", asciiKey, protoValue(Velocity)),
    survey: schema.item(6, "survey", protoValue(Survey)),
    moves: schema.map(7, "moves", u64Key, protoValue(Move)),
    lastBlock: schema.item(8, "last_block", u64Value),
    emergencyUse: schema.item(9, "emergency_use", protoValue(EmergencyUse)),
  };
}
