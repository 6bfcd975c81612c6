/** Events of markets that end by a loss, documented in keel/margin/v1/settlement.proto, and why they came. */
import type { MarketSettlementTerms } from "@keel/proto/gen/keel/margin/v1/settlement";
import type { WriteContext } from "../../kit/context.ts";
import { quantities } from "../../kit/explanation.ts";
import type { Bearer, Borne, Sharing } from "./share-math.ts";

export interface Short {
  readonly market: string;
  /** The market's part of the deficit queue. */
  readonly missing: bigint;
  readonly floor: bigint;
  /** What the funds that would bear it hold, whatever they may draw now. */
  readonly held: bigint;
}

/** It has stood for long enough, it is beyond what the funds hold, or another market is due with which it may have accounts in common. */
export type Due = "age" | "size" | "together";

const shortInputs = ({ floor, held, missing }: Short) =>
  quantities("quanta", { missing, floor, "held by the funds": held });

export function emitSuspended(ctx: WriteContext, short: Short): void {
  ctx.emit(
    "market_suspended",
    {
      market: short.market,
      missing: `${short.missing}`,
      floor: `${short.floor}`,
      held: `${short.held}`,
    },
    () => ({
      rule: "missing = the market's part of the deficit queue, each member's by what it had lost where; trading stops when funds, assessments and deleveraging have left at least the floor, and above zero",
      inputs: shortInputs(short),
      results: quantities("", { trading: "stopped" }),
    }),
  );
}

export function emitResumed(
  ctx: WriteContext,
  market: string,
  missing: bigint,
  why: { readonly reason: "covered" | "off"; readonly floor: bigint },
): void {
  const { floor, reason } = why;
  ctx.emit("market_resumed", { market, missing: `${missing}`, reason }, () => ({
    rule: "trading goes on when the market's part of the deficit queue that deleveraging does not bear is below the floor or nothing (covered), or when markets are not to end by losses any more (off)",
    inputs: quantities("quanta", { missing, floor }),
    results: quantities("", { reason, trading: "resumed" }),
  }));
}

export function emitEnded(
  ctx: WriteContext,
  short: Short,
  ended: {
    readonly terms: MarketSettlementTerms;
    readonly quantaPerLot: bigint;
    readonly markTicks: bigint;
    readonly reason: Due;
    readonly sinceHeight: bigint;
  },
): void {
  const { markTicks, quantaPerLot, reason, sinceHeight, terms } = ended;
  const age = BigInt(ctx.header.height) - sinceHeight;
  ctx.emit(
    "market_ended",
    {
      market: short.market,
      missing: `${short.missing}`,
      held: `${short.held}`,
      value_per_lot: `${quantaPerLot}`,
      mark_ticks: `${markTicks}`,
      reason,
      since_height: `${sinceHeight}`,
    },
    () => ({
      rule: "settled when missing > held by the funds x at once (where that is not 0), or when the loss has stood for after blocks, or with another market that is due, at a mark that is fresh, good enough to liquidate at and not in a halt of anyone else; every lot at the same value",
      inputs: [
        ...shortInputs(short),
        ...quantities("blocks", { age, after: terms.afterBlocks }),
        ...quantities("ppm", { "at once": terms.atOncePpm }),
        ...quantities("ticks", { mark: markTicks }),
      ],
      results: [
        ...quantities("", { reason }),
        ...quantities("quanta per lot", { value: quantaPerLot }),
      ],
    }),
  );
}

const SHARING_RULE =
  "by gains = smaller of missing and gains, in proportion to what positions have gained; the rest by size on the sides the price moved for, nobody more than its room; " +
  "down to the quantum, what is left over one by one to the largest remainders, ties by account";

export function emitMarketLoss(
  ctx: WriteContext,
  market: string,
  missing: bigint,
  sharing: Sharing<unknown>,
): void {
  const { byGains, bySize, gains, left, parts } = sharing;
  const accounts = parts.filter((part) => part.byGain + part.bySize > 0n).length;
  ctx.emit(
    "market_loss",
    {
      market,
      missing: `${missing}`,
      gains: `${gains}`,
      by_gains: `${byGains}`,
      by_size: `${bySize}`,
      left: `${left}`,
      accounts: `${accounts}`,
    },
    () => ({
      rule: SHARING_RULE,
      inputs: quantities("quanta", { missing, gains }),
      results: [
        ...quantities("quanta", { "by gains": byGains, "by size": bySize, left }),
        ...quantities("", { accounts }),
      ],
    }),
  );
}

export function emitMarketLossShare(
  ctx: WriteContext,
  market: string,
  account: string,
  share: {
    readonly bearer: Bearer<unknown>;
    readonly borne: Borne<unknown>;
    readonly paid: bigint;
    readonly sharing: Sharing<unknown>;
    readonly missing: bigint;
  },
): void {
  const { bearer, borne, missing, paid, sharing } = share;
  ctx.emit(
    "market_loss_share",
    {
      account,
      market,
      gain: `${bearer.gain}`,
      room: `${bearer.room}`,
      size: `${bearer.size}`,
      paid: `${paid}`,
    },
    () => ({
      rule: `${SHARING_RULE}; paid = both parts, at most what those below zero still miss`,
      inputs: [
        ...quantities("quanta", {
          missing,
          gains: sharing.gains,
          gain: bearer.gain,
          room: bearer.room,
          size: bearer.size,
        }),
      ],
      results: quantities("quanta", {
        "by gains": borne.byGain,
        "by size": borne.bySize,
        paid,
      }),
    }),
  );
}
