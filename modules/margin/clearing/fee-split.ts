/**
 * Where trading fees go: at the end of a block all that is held is split among stakers, treasury and insurance. The first two are paid in
 * coins out of the vault; insurance's part stays there and becomes its claim. Each part rounds down, and insurance takes what is left.
 */
import type { FeeSplit } from "@keel/proto/gen/keel/margin/v1/types";
import type { Addresses } from "../../kit/addresses.ts";
import { moduleAddress } from "../../kit/addresses.ts";
import type { WriteContext } from "../../kit/context.ts";
import { maximum, mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { Collateral } from "../collateral.ts";
import { refuse } from "../errors.ts";
import { emitFeesSplit } from "../events.ts";
import type { InsurancePort } from "../ports.ts";
import type { MarginState } from "../state.ts";

/** The module account whose coins are shared out among stakers, under the name it has in the SDK. */
const STAKERS: Uint8Array = moduleAddress("fee_collector");

export function createFeeSplit(parts: {
  readonly state: MarginState;
  readonly collateral: Pick<Collateral, "collectFees">;
  readonly insurance: InsurancePort;
  readonly addresses: Addresses;
}): (ctx: WriteContext) => void {
  const { state, collateral, insurance, addresses } = parts;

  /** To the classes by the fees of their markets, each rounded down; the shared fund gets the rest. Begins to count anew. */
  function byClass(
    ctx: WriteContext,
    quanta: bigint,
    held: bigint,
  ): { riskClass: string; amount: bigint }[] {
    const { classFees } = state.waterfall;
    if (classFees.size(ctx) === 0) return [{ riskClass: "", amount: quanta }];
    const fees: [string, bigint][] = [];
    classFees.each(ctx, (riskClass, paid) => {
      fees.push([riskClass, maximum(paid, 0n)]);
    });
    const counted = fees.reduce((sum, [, paid]) => sum + paid, 0n);
    // Rebates and shares of others may have left less than the classes' markets have taken in.
    const all = maximum(counted, held);
    const parts: { riskClass: string; amount: bigint }[] = [];
    let left = quanta;
    for (const [riskClass, paid] of fees) {
      classFees.delete(ctx, riskClass);
      const amount = paid === 0n ? 0n : mulDivDown(quanta, paid, all);
      parts.push({ riskClass, amount });
      left -= amount;
    }
    return [...parts, { riskClass: "", amount: left }];
  }
  return (ctx) => {
    const totals = state.totals.require(ctx);
    const held = totals.feesHeld;
    if (held <= 0n) return;
    const { feeSplit, settlementDenom: denom } = state.params.require(ctx);
    if (feeSplit === undefined) return;
    const stakers = mulDivDown(held, BigInt(feeSplit.stakersPpm), PPM);
    const treasury = mulDivDown(held, BigInt(feeSplit.treasuryPpm), PPM);
    const rest = held - stakers - treasury;
    if (stakers > 0n) collateral.collectFees(ctx, STAKERS, stakers);
    if (treasury > 0n) collateral.collectFees(ctx, addresses.parse(feeSplit.treasury), treasury);
    for (const { riskClass, amount } of byClass(ctx, rest, held)) {
      insurance.credit(ctx, denom, amount, "fees", riskClass);
    }
    state.totals.set(ctx, { ...state.totals.require(ctx), feesHeld: 0n });
    emitFeesSplit(ctx, { denom, stakers, insurance: rest, treasury });
  };
}

/** Throws ModuleError unless the parts are a whole, and whoever has one is named. */
export function validateFeeSplit(split: FeeSplit | undefined, addresses: Addresses): void {
  if (split === undefined) return;
  const { insurancePpm, stakersPpm, treasury, treasuryPpm } = split;
  const sum = BigInt(stakersPpm) + BigInt(insurancePpm) + BigInt(treasuryPpm);
  if (sum !== PPM) {
    throw refuse("invalidRequest", `expected parts of the fees that sum to ${PPM} ppm, got ${sum}`);
  }
  if (treasury !== "") addresses.parse(treasury);
  if ((treasury === "") !== (treasuryPpm === 0)) {
    throw refuse("invalidRequest", "expected a treasury's address, if and only if it has a part");
  }
}
