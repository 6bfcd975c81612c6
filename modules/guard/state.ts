/** State layout of store "guard". Prefixes ascend and are never reused. */
import { Params } from "@keel/proto/gen/keel/guard/v1/types";
import { protoValue } from "../kit/collections/codecs.ts";
import type { ItemCollection, Schema } from "../kit/collections/schema.ts";

export interface GuardState {
  readonly params: ItemCollection<Params>;
}

export function guardState(schema: Schema): GuardState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
  };
}
