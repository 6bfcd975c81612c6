/** State layout of store "insurance". Prefixes ascend and are never reused. */
import { Fund as FundMessage, Params } from "@keel/proto/gen/keel/insurance/v1/types";
import type { ValueCodec } from "../kit/collections/codecs.ts";
import { asciiKey, protoValue } from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import { assert } from "../kit/errors.ts";

/** Quanta; balance = funded + received − paid ≥ 0. */
export interface Fund {
  readonly denom: string;
  readonly balance: bigint;
  readonly funded: bigint;
  readonly received: bigint;
  readonly paid: bigint;
}

export interface InsuranceState {
  readonly params: ItemCollection<Params>;
  readonly funds: MapCollection<string, Fund>;
}

const INTEGER = /^(0|[1-9][0-9]*)$/;

function stored(text: string): bigint {
  assert(INTEGER.test(text), `expected a stored amount, got "${text}"`);
  return BigInt(text);
}

export function fundToMessage(fund: Fund): FundMessage {
  return {
    denom: fund.denom,
    balance: fund.balance.toString(),
    funded: fund.funded.toString(),
    received: fund.received.toString(),
    paid: fund.paid.toString(),
  };
}

export function fundFromMessage(message: FundMessage): Fund {
  return {
    denom: message.denom,
    balance: stored(message.balance),
    funded: stored(message.funded),
    received: stored(message.received),
    paid: stored(message.paid),
  };
}

const message = protoValue(FundMessage);

const fundValue: ValueCodec<Fund> = {
  encode: (fund) => message.encode(fundToMessage(fund)),
  decode: (bytes) => fundFromMessage(message.decode(bytes)),
};

export function insuranceState(schema: Schema): InsuranceState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    funds: schema.map(1, "funds", asciiKey, fundValue),
  };
}
