/** Fee parameters: what stands when nothing is set, what is refused, and their form in code. */
import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type { ReadContext } from "../../kit/context.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import {
  ACTIONS_MAX,
  BUILDER_FEE_CEILING_PPM,
  FEE_TIERS_MAX,
  REFERRAL_PART_MAX_PPM,
  TRADED_QUANTA_MAX,
  TRICKLE_MAX_MS,
} from "../limits.ts";
import type { Venue } from "../venue.ts";
import { BASE_TIER, type Tier } from "./tiers.ts";

const WHOLE = /^(0|[1-9][0-9]{0,18})$/;

/** 0.1 %: an owner has to approve of it anyway. */
const BUILDER_FEE_PPM = 1000;

export interface Budget {
  readonly initial: bigint;
  readonly quantaPerAction: bigint;
  readonly trickleMs: bigint;
}

export interface FeeTerms {
  /** Never empty. */
  readonly tiers: readonly Tier[];
  readonly referrerSharePpm: bigint;
  readonly referredDiscountPpm: bigint;
  /** Whether a taker's referrer changes anything. */
  readonly refers: boolean;
  readonly budget: Budget | null;
  /** Whether anything depends on what owners trade. */
  readonly keepsVolume: boolean;
}

export function defaultFeeParams(): FeeParams {
  return {
    tiers: [],
    referrerSharePpm: 0,
    referredDiscountPpm: 0,
    builderFeeMaxPpm: BUILDER_FEE_PPM,
    actionBudget: undefined,
  };
}

export function feeParams(ctx: ReadContext, { state }: Venue): FeeParams {
  return state.fees.params.get(ctx) ?? defaultFeeParams();
}

// Stored parameters are immutable values, so what is made of them is remembered with them.
const known = new WeakMap<FeeParams, FeeTerms>();

/** Null: none are set. Asking whether there are any costs neither gas nor a look-up. */
export function feeTerms(ctx: ReadContext, { state }: Venue): FeeTerms | null {
  const { params } = state.fees;
  if (ctx.state.size(params.id) === 0) return null;
  const set = params.require(ctx);
  let terms = known.get(set);
  if (terms === undefined) {
    terms = termsOf(set);
    known.set(set, terms);
  }
  return terms;
}

function termsOf(params: FeeParams): FeeTerms {
  const { actionBudget } = params;
  const tiers = params.tiers.map((tier) => ({
    volume: BigInt(tier.volume),
    takerFactorPpm: BigInt(tier.takerFactorPpm),
    makerDiscountPpm: BigInt(tier.makerDiscountPpm),
  }));
  return {
    tiers: tiers.length === 0 ? [BASE_TIER] : tiers,
    referrerSharePpm: BigInt(params.referrerSharePpm),
    referredDiscountPpm: BigInt(params.referredDiscountPpm),
    refers: params.referrerSharePpm > 0 || params.referredDiscountPpm > 0,
    budget: actionBudget ?? null,
    keepsVolume: tiers.length > 1 || actionBudget !== undefined,
  };
}

function requireThat(condition: boolean, expected: string): asserts condition {
  if (!condition) throw refuse("invalidFeeParams", `expected ${expected}`);
}

/** Throws ModuleError invalidFeeParams. */
export function validateFeeParams(params: FeeParams): void {
  const { actionBudget, builderFeeMaxPpm, referredDiscountPpm, referrerSharePpm } = params;
  requireThat(
    referrerSharePpm <= REFERRAL_PART_MAX_PPM && referredDiscountPpm <= REFERRAL_PART_MAX_PPM,
    `a referrer's share and discount of at most ${REFERRAL_PART_MAX_PPM} ppm`,
  );
  requireThat(
    builderFeeMaxPpm <= BUILDER_FEE_CEILING_PPM,
    `a builder fee of at most ${BUILDER_FEE_CEILING_PPM} ppm`,
  );
  validateTiers(params);
  if (actionBudget === undefined) return;
  const { initial, quantaPerAction, trickleMs } = actionBudget;
  requireThat(initial > 0n && initial <= ACTIONS_MAX, `1 to ${ACTIONS_MAX} actions at first`);
  requireThat(
    quantaPerAction > 0n && quantaPerAction <= TRADED_QUANTA_MAX,
    "a positive volume per action",
  );
  requireThat(
    trickleMs > 0n && trickleMs <= TRICKLE_MAX_MS,
    `1 to ${TRICKLE_MAX_MS} ms between actions beyond the budget`,
  );
}

/** More volume never costs more, and what a maker gets back is there whoever takes. */
function validateTiers({ tiers, referredDiscountPpm, referrerSharePpm }: FeeParams): void {
  requireThat(tiers.length <= FEE_TIERS_MAX, `at most ${FEE_TIERS_MAX} tiers`);
  let last: Tier | undefined;
  for (const { volume, takerFactorPpm, makerDiscountPpm } of tiers) {
    requireThat(
      WHOLE.test(volume) && BigInt(volume) <= TRADED_QUANTA_MAX,
      "a tier's volume in whole quanta",
    );
    const tier: Tier = {
      volume: BigInt(volume),
      takerFactorPpm: BigInt(takerFactorPpm),
      makerDiscountPpm: BigInt(makerDiscountPpm),
    };
    requireThat(tier.takerFactorPpm <= PPM, "a taker factor of at most 1,000,000 ppm");
    if (last === undefined) requireThat(tier.volume === 0n, "a first tier at volume 0");
    else {
      requireThat(tier.volume > last.volume, "tiers of ascending volume");
      requireThat(
        tier.takerFactorPpm <= last.takerFactorPpm &&
          tier.makerDiscountPpm >= last.makerDiscountPpm,
        "a higher tier that costs no more than a lower one",
      );
    }
    last = tier;
  }
  if (last === undefined) return;
  // Of the taker rate, times 10^18: what the best takers pay and keep for the venue, and what the best makers are given.
  const left =
    last.takerFactorPpm * (PPM - BigInt(referredDiscountPpm)) * (PPM - BigInt(referrerSharePpm));
  requireThat(
    last.makerDiscountPpm * PPM * PPM <= left,
    "a maker discount that the lowest taker fee covers, referral taken off",
  );
}
