/** A trader, a maker and a ladder: what the tests of liquidation set up, and read. */
import { type LadderTerms, MsgBidLiquidation } from "@keel/proto/gen/keel/margin/v1/ladder";
import type { AccountId } from "../../kit/account-id.ts";
import { type Addresses, createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { MARGIN_CODES } from "../errors.ts";
import { defaultLadder } from "../liquidation/terms.ts";
import { BTC, btcTerms, createWorld, type World } from "./world.ts";

export const UNIT = 1_000_000n;
/** One lot at 50,000 ticks is 50 units of notional. */
export const MARK = 50_000n;
export const addresses: Addresses = createAddresses("keel");

/** Of the last set-up. */
export let world: World;
/** 60 units, and who is to be liquidated. */
export let trader: AccountId;
let maker: AccountId;

/** Nothing but what is named. */
const BARE: LadderTerms = {
  ...defaultLadder(),
  ...{ averageMs: 0n, flowPpm: 0n, offerWindowMs: 0n, penalty: undefined },
  depthCountedPpm: 1_000_000n,
};

export function setUp(
  terms: Partial<LadderTerms>,
  params: Parameters<typeof createWorld>[0] = {},
): void {
  world = createWorld({ liquidationNotionalMin: "0", ladder: { ...BARE, ...terms }, ...params });
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, MARK);
  trader = world.funded(1, 60n * UNIT);
  maker = world.funded(2, 100_000n * UNIT);
}

export function rest(side: "buy" | "sell", ticks: bigint, lots: bigint): void {
  world.markets.rest(world.ctx, { account: maker, market: BTC, side, ticks, lots, feeReserve: 0n });
}

export function open(side: "buy" | "sell", lots: bigint, account: AccountId = trader): void {
  rest(side === "buy" ? "sell" : "buy", MARK, lots);
  const order = { account, market: BTC, side, ticks: MARK, lots, feePpm: 0n };
  if (world.markets.take(world.ctx, order).filled !== lots) throw new Error("nothing was opened");
}

/** A block this many seconds later, at this mark. */
export function block(seconds: number, ticks: bigint): void {
  world.ctx.nextBlock(seconds);
  world.markets.setMark(world.ctx, BTC, ticks);
  world.ctx.events.length = 0;
  world.margin.keeper.endBlock(world.ctx);
  const fault = world.violated();
  if (fault !== null) throw new Error(fault);
}

export function events(type: string): Record<string, string>[] {
  return world.ctx.events
    .filter((event) => event.type === type)
    .map((event) => Object.fromEntries(event.attributes.map(({ key, value }) => [key, value])));
}

export function lots(id: AccountId): bigint {
  return world.margin.keeper.positionLots(world.ctx, id, BTC);
}

/** Of test owner `number`. */
export function bid(
  number: number,
  size: bigint,
  worstTicks: bigint,
  over: Partial<MsgBidLiquidation> = {},
): void {
  const route = world.margin.module.messages.find(({ typeUrl }) =>
    typeUrl.endsWith("MsgBidLiquidation"),
  );
  const message = MsgBidLiquidation.fromPartial({
    sender: addresses.format(world.owner(number)),
    ...{ market: "BTC-PERP", side: "buy", lots: size, worstTicks },
    goodTilMs: world.ctx.header.timeNs / 1_000_000n + 300_000n,
    ...over,
  });
  route?.validate(message);
  route?.handle(world.ctx.signedBy(world.owner(number)), message);
}

export function code(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return Object.entries(MARGIN_CODES).find(([, value]) => value === error.code)?.[0] ?? "";
  }
  return "taken";
}
