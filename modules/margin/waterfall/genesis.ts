/** Genesis of the waterfall: parameters, fees of classes not split yet, markets that end by a loss and who bears it. */
import type { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { EndingShare } from "@keel/proto/gen/keel/margin/v1/settlement";
import { accountId, numberOf, ownerOf } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { parseMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";
import { endingsFault } from "./invariant.ts";
import { validateWaterfall } from "./params.ts";
import { advanceFrom, advanceTexts, type WaterfallState } from "./state.ts";

type Part = Pick<
  GenesisState,
  "waterfall" | "classFees" | "endings" | "endingShares" | "fundAdvances"
>;

export function initWaterfall(
  ctx: WriteContext,
  state: WaterfallState,
  { waterfall, classFees, endings, endingShares, fundAdvances }: Part,
  addresses: Addresses,
): void {
  if (waterfall !== undefined) {
    validateWaterfall(waterfall);
    state.params.set(ctx, waterfall);
  }
  for (const { riskClass, amount } of classFees) {
    const fees = parseMoney(amount);
    if (fees === null || fees === 0n) {
      throw refuse("invalidRequest", `margin genesis: fees of class ${riskClass}`);
    }
    state.classFees.set(ctx, riskClass, fees);
  }
  // A chain that begins lower counts the blocks it waits from its first one.
  const first = BigInt(ctx.header.height);
  for (const ending of endings) {
    const isLater = ending.endedHeight === 0n && ending.sinceHeight > first;
    state.endings.set(ctx, ending.market, isLater ? { ...ending, sinceHeight: first } : ending);
  }
  for (const { owner, subaccount, ...share } of endingShares) {
    const id = accountId(addresses.parse(owner), subaccount);
    state.shares.set(ctx, id, { owner: "", subaccount: 0, ...share });
  }
  for (const message of fundAdvances) {
    const { owner, riskClass, subaccount } = message;
    const id = accountId(addresses.parse(owner), subaccount);
    const advance = parseMoney(message.amount) === null ? null : advanceFrom(message);
    if (advance === null || advance.amount === 0n) {
      throw refuse("invalidRequest", `margin genesis: what the fund "${riskClass}" has paid`);
    }
    if (state.advances.has(ctx, [id, riskClass])) {
      const who = `${owner}/${subaccount}`;
      throw refuse("invalidRequest", `margin genesis: ${who} owes the fund "${riskClass}" twice`);
    }
    state.advances.set(ctx, [id, riskClass], advance);
  }
  const fault = endingsFault(ctx, state);
  if (fault !== null) throw refuse("invalidRequest", `margin genesis: ${fault}`);
}

export function exportWaterfall(
  ctx: ReadContext,
  state: WaterfallState,
  addresses: Addresses,
): Part {
  const classFees: Part["classFees"] = [];
  state.classFees.each(ctx, (riskClass, fees) => {
    classFees.push({ riskClass, amount: fees.toString() });
  });
  const endings: Part["endings"] = [];
  state.endings.each(ctx, (_market, ending) => void endings.push(ending));
  const endingShares = exportShares(ctx, state, addresses);
  const fundAdvances: Part["fundAdvances"] = [];
  state.advances.each(ctx, ([id, riskClass], advance) => {
    const owner = addresses.format(ownerOf(id));
    fundAdvances.push({ owner, subaccount: numberOf(id), riskClass, ...advanceTexts(advance) });
  });
  return { waterfall: state.params.get(ctx), classFees, endings, endingShares, fundAdvances };
}

function exportShares(
  ctx: ReadContext,
  state: WaterfallState,
  addresses: Addresses,
): EndingShare[] {
  const shares: EndingShare[] = [];
  state.shares.each(ctx, (id, share) => {
    shares.push({ ...share, owner: addresses.format(ownerOf(id)), subaccount: numberOf(id) });
  });
  return shares;
}
