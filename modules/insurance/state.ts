/** State layout of store "insurance". Prefixes ascend and are never reused. */
import {
  Fund as FundMessage,
  Params,
  Underwriter as UnderwriterMessage,
} from "@keel/proto/gen/keel/insurance/v1/types";
import type { ValueCodec } from "../kit/collections/codecs.ts";
import {
  asciiKey,
  markerValue,
  pairKey,
  prefixedBytesKey,
  protoValue,
  u64Key,
} from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import { assert } from "../kit/errors.ts";

/** Quanta; balance = funded + received − paid − redeemed ≥ 0. */
export interface Fund {
  readonly denom: string;
  readonly balance: bigint;
  readonly funded: bigint;
  readonly received: bigint;
  readonly paid: bigint;
  readonly redeemed: bigint;
  /** 0: no underwriters, all of it is the protocol's. */
  readonly shares: bigint;
  readonly ownShares: bigint;
  /** What the draw cap still counts, as of then. */
  readonly drawn: bigint;
  readonly drawnAtNs: bigint;
}

export interface Underwriter {
  readonly shares: bigint;
  /** Of them under notice. */
  readonly leaving: bigint;
  readonly leavesAtNs: bigint;
}

/** Owner's address bytes, denom. */
export type UnderwriterKey = readonly [Uint8Array, string];

export interface InsuranceState {
  readonly params: ItemCollection<Params>;
  readonly funds: MapCollection<string, Fund>;
  readonly underwriters: MapCollection<UnderwriterKey, Underwriter>;
  /** Notices by when they end; derived from the underwriters. */
  readonly leaving: MapCollection<readonly [bigint, UnderwriterKey], true>;
}

const INTEGER = /^(0|[1-9][0-9]*)$/;

function stored(text: string): bigint {
  assert(INTEGER.test(text), `expected a stored amount, got "${text}"`);
  return BigInt(text);
}

/** Zero is not written, so that a fund without underwriters is what it always was. */
function storedOrZero(text: string): bigint {
  return text === "" ? 0n : stored(text);
}

function textOrNothing(amount: bigint): string {
  return amount === 0n ? "" : amount.toString();
}

export function fundToMessage(fund: Fund): FundMessage {
  return {
    denom: fund.denom,
    balance: fund.balance.toString(),
    funded: fund.funded.toString(),
    received: fund.received.toString(),
    paid: fund.paid.toString(),
    redeemed: textOrNothing(fund.redeemed),
    shares: textOrNothing(fund.shares),
    ownShares: textOrNothing(fund.ownShares),
    drawn: textOrNothing(fund.drawn),
    drawnAtNs: fund.drawnAtNs,
  };
}

export function fundFromMessage(message: FundMessage): Fund {
  return {
    denom: message.denom,
    balance: stored(message.balance),
    funded: stored(message.funded),
    received: stored(message.received),
    paid: stored(message.paid),
    redeemed: storedOrZero(message.redeemed),
    shares: storedOrZero(message.shares),
    ownShares: storedOrZero(message.ownShares),
    drawn: storedOrZero(message.drawn),
    drawnAtNs: message.drawnAtNs,
  };
}

const message = protoValue(FundMessage);

const fundValue: ValueCodec<Fund> = {
  encode: (fund) => message.encode(fundToMessage(fund)),
  decode: (bytes) => fundFromMessage(message.decode(bytes)),
};

const underwriterMessage = protoValue(UnderwriterMessage);

/** Owner and denom are the key's. */
const underwriterValue: ValueCodec<Underwriter> = {
  encode: ({ shares, leaving, leavesAtNs }) =>
    underwriterMessage.encode({
      owner: "",
      denom: "",
      shares: shares.toString(),
      leaving: textOrNothing(leaving),
      leavesAtNs,
    }),
  decode: (bytes) => underwriterFromMessage(underwriterMessage.decode(bytes)),
};

export function underwriterFromMessage(message: UnderwriterMessage): Underwriter {
  return {
    shares: stored(message.shares),
    leaving: storedOrZero(message.leaving),
    leavesAtNs: message.leavesAtNs,
  };
}

export function underwriterToMessage(
  { shares, leaving, leavesAtNs }: Underwriter,
  owner: string,
  denom: string,
): UnderwriterMessage {
  return { owner, denom, shares: shares.toString(), leaving: textOrNothing(leaving), leavesAtNs };
}

const underwriterKey = pairKey(prefixedBytesKey, asciiKey);

export function insuranceState(schema: Schema): InsuranceState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    funds: schema.map(1, "funds", asciiKey, fundValue),
    underwriters: schema.map(2, "underwriters", underwriterKey, underwriterValue),
    leaving: schema.map(3, "leaving", pairKey(u64Key, underwriterKey), markerValue),
  };
}
