/** Genesis of the waterfall: parameters, where open losses came from, and fees of classes not split yet. */
import type { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import { accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { parseMoney } from "../money.ts";
import { validateWaterfall } from "./params.ts";
import type { WaterfallState } from "./state.ts";

type Part = Pick<GenesisState, "waterfall" | "lossOrigins" | "classFees">;

export function initWaterfall(
  ctx: WriteContext,
  state: WaterfallState,
  { waterfall, lossOrigins, classFees }: Part,
  addresses: Addresses,
): void {
  if (waterfall !== undefined) {
    validateWaterfall(waterfall);
    state.params.set(ctx, waterfall);
  }
  for (const { owner, subaccount, classes } of lossOrigins) {
    const weights = classes.map(({ weight }) => parseMoney(weight) ?? 0n);
    if (weights.length === 0 || weights.some((weight) => weight <= 0n)) {
      throw refuse("invalidRequest", "margin genesis: a loss without weights");
    }
    const id = accountId(addresses.parse(owner), subaccount);
    state.origins.set(ctx, id, { owner: "", subaccount: 0, classes });
  }
  for (const { riskClass, amount } of classFees) {
    const fees = parseMoney(amount);
    if (fees === null || fees === 0n) {
      throw refuse("invalidRequest", `margin genesis: fees of class ${riskClass}`);
    }
    state.classFees.set(ctx, riskClass, fees);
  }
}

export function exportWaterfall(
  ctx: ReadContext,
  state: WaterfallState,
  addresses: Addresses,
): Part {
  const lossOrigins: Part["lossOrigins"] = [];
  state.origins.each(ctx, (id, { classes }) => {
    lossOrigins.push({ owner: addresses.format(ownerOf(id)), subaccount: numberOf(id), classes });
  });
  const classFees: Part["classFees"] = [];
  state.classFees.each(ctx, (riskClass, fees) => {
    classFees.push({ riskClass, amount: fees.toString() });
  });
  return { waterfall: state.params.get(ctx), lossOrigins, classFees };
}
