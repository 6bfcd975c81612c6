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
  terminatedKey,
  u64Key,
  u64Value,
} from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";
import { assert } from "../kit/errors.ts";

/** Quanta; balance + inventory = funded + received − paid − redeemed. */
export interface Fund {
  readonly denom: string;
  /** Empty: shared by all classes. */
  readonly riskClass: string;
  readonly balance: bigint;
  /** What was paid for assets that are not sold yet. */
  readonly inventory: bigint;
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
  readonly assessment: Assessment;
}

/** What losses of other classes may take of a class's fund, ppm in 30 days: until `atNs` one share, then the other; and what is counted. */
export interface Assessment {
  readonly sharePpm: number;
  readonly nextPpm: number;
  readonly atNs: bigint;
  readonly taken: bigint;
  readonly takenAtNs: bigint;
}

export const NO_ASSESSMENT: Assessment = {
  sharePpm: 0,
  nextPpm: 0,
  atNs: 0n,
  taken: 0n,
  takenAtNs: 0n,
};

/** "uusdc", or "uusdc#class": no denom has a "#". */
export type FundId = string;

export function fundId(denom: string, riskClass: string): FundId {
  return riskClass === "" ? denom : `${denom}#${riskClass}`;
}

export interface Underwriter {
  readonly shares: bigint;
  /** Of them under notice. */
  readonly leaving: bigint;
  readonly leavesAtNs: bigint;
}

/** Owner's address bytes. */
export type UnderwriterKey = readonly [Uint8Array, FundId];

export interface InsuranceState {
  readonly params: ItemCollection<Params>;
  readonly funds: MapCollection<FundId, Fund>;
  readonly underwriters: MapCollection<UnderwriterKey, Underwriter>;
  /** Block time before which no notice ends, ns: a shorter wait counts from when the longer one has passed. */
  readonly noticeFloor: ItemCollection<bigint>;
  /** Fund, when the notice ends, owner: derived from the underwriters. */
  readonly leaving: MapCollection<readonly [FundId, readonly [bigint, Uint8Array]], true>;
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
    riskClass: fund.riskClass,
    assessablePpm: fund.assessment.sharePpm,
    assessableNextPpm: fund.assessment.nextPpm,
    assessableAtNs: fund.assessment.atNs,
    assessed: textOrNothing(fund.assessment.taken),
    assessedAtNs: fund.assessment.takenAtNs,
    inventory: textOrNothing(fund.inventory),
  };
}

export function fundFromMessage(message: FundMessage): Fund {
  return {
    denom: message.denom,
    balance: stored(message.balance),
    inventory: storedOrZero(message.inventory),
    funded: stored(message.funded),
    received: stored(message.received),
    paid: stored(message.paid),
    redeemed: storedOrZero(message.redeemed),
    shares: storedOrZero(message.shares),
    ownShares: storedOrZero(message.ownShares),
    drawn: storedOrZero(message.drawn),
    drawnAtNs: message.drawnAtNs,
    riskClass: message.riskClass,
    assessment: {
      sharePpm: message.assessablePpm,
      nextPpm: message.assessableNextPpm,
      atNs: message.assessableAtNs,
      taken: storedOrZero(message.assessed),
      takenAtNs: message.assessedAtNs,
    },
  };
}

const message = protoValue(FundMessage);

const fundValue: ValueCodec<Fund> = {
  encode: (fund) => message.encode(fundToMessage(fund)),
  decode: (bytes) => fundFromMessage(message.decode(bytes)),
};

const underwriterMessage = protoValue(UnderwriterMessage);

/** Owner, denom and class are the key's. */
const underwriterValue: ValueCodec<Underwriter> = {
  encode: ({ shares, leaving, leavesAtNs }) =>
    underwriterMessage.encode({
      owner: "",
      denom: "",
      shares: shares.toString(),
      leaving: textOrNothing(leaving),
      leavesAtNs,
      riskClass: "",
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
  fund: FundId,
): UnderwriterMessage {
  const [denom = "", riskClass = ""] = fund.split("#");
  return {
    owner,
    denom,
    shares: shares.toString(),
    leaving: textOrNothing(leaving),
    leavesAtNs,
    riskClass,
  };
}

const underwriterKey = pairKey(prefixedBytesKey, asciiKey);

export function insuranceState(schema: Schema): InsuranceState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    funds: schema.map(1, "funds", asciiKey, fundValue),
    underwriters: schema.map(2, "underwriters", underwriterKey, underwriterValue),
    noticeFloor: schema.item(4, "notice_floor", u64Value),
    leaving: schema.map(
      5,
      "leaving",
      pairKey(terminatedKey, pairKey(u64Key, prefixedBytesKey)),
      markerValue,
    ),
  };
}
