/**
 * Bench 6: bankruptcies in a large market. A hundred thousand accounts hold one market when a fall makes more of them bankrupt than a block deleverages; no book, so that the
 * other side has to close all of it, and a fund for half of what is missing.
 */
import { testMarket } from "@keel/modules/derivatives/testing";
import type { AccountId } from "@keel/modules/kit/account-id";
import { BTC, createWorld } from "@keel/modules/testing/world";
import { ownSeconds } from "../machine.ts";
import type { Measurement } from "../report.ts";

const ACCOUNTS = 100_000;
const BANKRUPT = 60;
/** 0.01 of one, 600 units at the start. */
const LOTS = 10n;
const START = 60_000;
const FALLEN = 51_600;
const BLOCKS_MAX = 20;

export function benchBankruptcies(): Measurement[] {
  const world = createWorld({ fundUnits: 420n });
  const { ctx, margin } = world;
  world.setPrice(BTC, `${START}`);
  const market = world.list(testMarket());
  let number = 0;
  const open = (buyerUnits: bigint, sellerUnits: bigint): AccountId => {
    const buyer = world.funded((number += 1), buyerUnits);
    const seller = world.funded((number += 1), sellerUnits);
    const result = margin.keeper.clear(ctx, {
      ...{ market, priceTicks: BigInt(2 * START), lots: LOTS, taker: "buy", kind: "external" },
      buyer: { account: buyer, feeQuanta: 0n, orderId: null },
      seller: { account: seller, feeQuanta: 0n, orderId: null },
    });
    if (!result.ok) throw new Error(`the bench could not open a position: ${result.reason}`);
    ctx.state.clearJournal();
    return buyer;
  };
  const bankrupt = Array.from({ length: BANKRUPT }, () => open(70n, 1_000n));
  while (number < ACCOUNTS) open(1_000n, 1_000n);
  world.block(1, () => world.setPrice(BTC, `${START}`));
  ctx.state.clearJournal();
  world.setPrice(BTC, `${FALLEN}`);
  const blockMs: number[] = [];
  ctx.events.length = 0;
  const isOpen = (id: AccountId): boolean => margin.keeper.positionLots(ctx, id, market) !== 0n;
  while (bankrupt.some(isOpen) && blockMs.length < BLOCKS_MAX) {
    const before = ownSeconds();
    world.block(1, () => world.setPrice(BTC, `${FALLEN}`));
    blockMs.push((ownSeconds() - before) * 1_000);
    ctx.state.clearJournal();
  }
  const violated = world.violation();
  if (violated !== null) throw new Error(`after the bankruptcies: ${violated}`);
  const counts = (type: string): number => ctx.events.filter((event) => event.type === type).length;
  return [
    {
      name: `${BANKRUPT} bankruptcies among ${ACCOUNTS.toLocaleString("en")} accounts of a market: the longest block`,
      value: Math.max(...blockMs),
      unit: "ms",
      mark: null,
      details: {
        "blocks until all are closed": blockMs.length,
        "left open": bankrupt.filter(isOpen).length,
        "deleveraging rounds": counts("deleverage_round"),
        counterparties: counts("deleverage"),
        "deficits covered": counts("deficit_covered"),
      },
    },
  ];
}
