/** The fees of fills: whose rates apply, what each side pays, and what of it goes to others. */
import type { BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { type AccountId, ownerKeyOf } from "../../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";
import { type FeeTerms, feeTerms } from "./params.ts";
import { builderFee, type FillFees, fillFees, shareOf } from "./rates.ts";
import { FeeTally } from "./tally.ts";
import { BASE_TIER, discounted, makerRate, type Tier, takerRate, tierIndex } from "./tiers.ts";
import { traderOf } from "./volume.ts";

/** What an owner's record says about its fees today. */
export interface Standing {
  readonly tier: Tier;
  /** Address of who gets a share of the owner's taker fees; null: nobody. */
  readonly referrer: Uint8Array | null;
}

const UNKNOWN: Standing = { tier: BASE_TIER, referrer: null };

export function standingOf(
  ctx: ReadContext,
  venue: Venue,
  terms: FeeTerms | null,
  account: AccountId,
): Standing {
  if (terms === null) return UNKNOWN;
  const [only, second] = terms.tiers;
  if (second === undefined && !terms.refers) return { tier: only ?? BASE_TIER, referrer: null };
  const { referrer, window } = traderOf(ctx, venue, ownerKeyOf(account));
  const tier = terms.tiers[tierIndex(terms.tiers, window)] ?? BASE_TIER;
  return { tier, referrer: terms.refers && referrer.length > 0 ? referrer : null };
}

/** Makers pay by their tier alone. */
function makerTier(ctx: ReadContext, venue: Venue, { tiers }: FeeTerms, account: AccountId): Tier {
  if (tiers.length === 1) return tiers[0] ?? BASE_TIER;
  const { window } = traderOf(ctx, venue, ownerKeyOf(account));
  return tiers[tierIndex(tiers, window)] ?? BASE_TIER;
}

/** Rate of a taker, or of anyone in an auction, for a market's rate. */
export function payerRate(marketPpm: bigint, standing: Standing, terms: FeeTerms | null): bigint {
  if (terms === null) return marketPpm;
  const rate = takerRate(marketPpm, standing.tier);
  return standing.referrer === null ? rate : discounted(rate, terms.referredDiscountPpm);
}

function referrerShare(standing: Standing, terms: FeeTerms | null): bigint {
  return terms === null || standing.referrer === null ? 0n : terms.referrerSharePpm;
}

export interface Party {
  readonly account: AccountId;
  readonly builder: BuilderTerms | undefined;
}

export interface Charged {
  /** All that the party pays: its fee, or less its rebate, and its builder's. */
  readonly takerQuanta: bigint;
  readonly makerQuanta: bigint;
  readonly fees: FillFees;
}

/** Fees of the fills of one incoming order, which differ in their makers. */
export class FeeDesk {
  readonly #ctx: WriteContext;
  readonly #venue: Venue;
  readonly #instrument: Instrument;
  readonly #taker: Party;
  readonly #liquidation: boolean;
  readonly #terms: FeeTerms | null;
  readonly #standing: Standing;
  readonly #takerPpm: bigint;
  /** Made when there is something to keep. */
  #tally: FeeTally | null = null;

  constructor(
    place: { readonly ctx: WriteContext; readonly venue: Venue; readonly instrument: Instrument },
    taker: Party,
    liquidation: boolean,
  ) {
    this.#ctx = place.ctx;
    this.#venue = place.venue;
    this.#instrument = place.instrument;
    this.#taker = taker;
    this.#liquidation = liquidation;
    this.#terms = feeTerms(place.ctx, place.venue);
    this.#standing = standingOf(place.ctx, place.venue, this.#terms, taker.account);
    this.#takerPpm = payerRate(place.instrument.takerPpm, this.#standing, this.#terms);
  }

  /** Of a fill of `notional` quanta. Changes nothing. */
  charge(notional: bigint, maker: Party): Charged {
    const terms = this.#terms;
    const instrument = this.#instrument;
    const makerPpm =
      terms === null
        ? instrument.makerPpm
        : makerRate(instrument, makerTier(this.#ctx, this.#venue, terms, maker.account));
    const referrerSharePpm = referrerShare(this.#standing, terms);
    const rates = { takerPpm: this.#takerPpm, makerPpm, referrerSharePpm };
    const fees = fillFees(notional, rates, this.#liquidation);
    return {
      takerQuanta: fees.takerQuanta + builderPart(notional, this.#taker.builder),
      makerQuanta: fees.makerQuanta + builderPart(notional, maker.builder),
      fees,
    };
  }

  /** The fill was cleared at these fees. */
  cleared(notional: bigint, maker: Party, { fees }: Charged): void {
    const taker = this.#taker;
    const kept = this.#terms !== null;
    if (!kept && taker.builder === undefined && maker.builder === undefined) return;
    this.#tally ??= new FeeTally(this.#instrument, this.#terms);
    const tally = this.#tally;
    if (!this.#liquidation) tally.trade(taker.account, notional);
    tally.trade(maker.account, notional);
    shareFees(tally, { notional, quanta: fees.referrerQuanta }, taker, this.#standing);
    shareFees(tally, { notional, quanta: 0n }, maker, UNKNOWN);
  }

  /** After the last fill. */
  close(): void {
    this.#tally?.write(this.#ctx, this.#venue);
  }
}

function builderPart(notional: bigint, builder: BuilderTerms | undefined): bigint {
  return builder === undefined ? 0n : builderFee(notional, builder.feePpm);
}

/** The referrer's share in quanta, and the builder's fee of the fill. */
function shareFees(
  tally: FeeTally,
  { notional, quanta }: { readonly notional: bigint; readonly quanta: bigint },
  { account, builder }: Party,
  { referrer }: Standing,
): void {
  if (referrer !== null) {
    tally.share({ kind: "referral", payer: account, recipient: referrer, quanta });
  }
  if (builder === undefined) return;
  const recipient = builder.builder;
  tally.share({
    kind: "builder",
    payer: account,
    recipient,
    quanta: builderPart(notional, builder),
  });
}

/** Fees of fills in which everyone pays one rate of the market: an auction. */
export class UniformFees {
  readonly #ctx: WriteContext;
  readonly #venue: Venue;
  readonly #terms: FeeTerms | null;
  readonly #tally: FeeTally;

  constructor(place: {
    readonly ctx: WriteContext;
    readonly venue: Venue;
    readonly instrument: Instrument;
  }) {
    this.#ctx = place.ctx;
    this.#venue = place.venue;
    this.#terms = feeTerms(place.ctx, place.venue);
    this.#tally = new FeeTally(place.instrument, this.#terms);
  }

  /** Rounded up, once. */
  charge(notional: bigint, marketPpm: bigint, party: Party): bigint {
    return this.#fee(notional, marketPpm, party).quanta + builderPart(notional, party.builder);
  }

  cleared(notional: bigint, marketPpm: bigint, party: Party): void {
    const { quanta, standing } = this.#fee(notional, marketPpm, party);
    const share = shareOf(quanta, referrerShare(standing, this.#terms));
    this.#tally.trade(party.account, notional);
    shareFees(this.#tally, { notional, quanta: share }, party, standing);
  }

  close(): void {
    this.#tally.write(this.#ctx, this.#venue);
  }

  #fee(notional: bigint, marketPpm: bigint, { account }: Party) {
    const standing = standingOf(this.#ctx, this.#venue, this.#terms, account);
    const takerPpm = payerRate(marketPpm, standing, this.#terms);
    const rates = { takerPpm, makerPpm: 0n, referrerSharePpm: 0n };
    return { quanta: fillFees(notional, rates, false).takerQuanta, standing };
  }
}
