/** State layout of store "oracle". Prefixes ascend and are never reused. */
import {
  Feed,
  Params,
  Price,
  ValidatorReports,
  ValidatorSet,
} from "@keel/proto/gen/keel/oracle/v1/types";
import { heightKey, protoValue, u32Key } from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";

export interface OracleState {
  readonly params: ItemCollection<Params>;
  readonly feeds: MapCollection<number, Feed>;
  readonly prices: MapCollection<number, Price>;
  /** By the first height the set signs. */
  readonly validatorSets: MapCollection<number, ValidatorSet>;
  /** All validators in one value: it is rewritten whole every block, and one key is cheaper to commit than a hundred. */
  readonly reports: ItemCollection<ValidatorReports>;
}

export function oracleState(schema: Schema): OracleState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    feeds: schema.map(1, "feeds", u32Key, protoValue(Feed)),
    prices: schema.map(2, "prices", u32Key, protoValue(Price)),
    validatorSets: schema.map(3, "validator_sets", heightKey, protoValue(ValidatorSet)),
    reports: schema.item(4, "reports", protoValue(ValidatorReports)),
  };
}
