import { expect, test } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { bid, block, events, lots, open, setUp, trader, UNIT, world } from "../testing/ladder.ts";
import { BTC } from "../testing/world.ts";

function funds(owner: number, subaccount: number, quanta: bigint): AccountId {
  const id = accountId(world.owner(owner), subaccount);
  world.bank.mint(world.ctx, world.owner(owner), quanta);
  world.margin.keeper.deposit(world.ctx, world.owner(owner), id, quanta);
  return id;
}

/** Ten lots long on 60 units, at a price where four of them are to go; and what is short of it at that price. */
function sunk(short: AccountId, size: bigint): void {
  open("buy", 10n);
  world.markets.setMark(world.ctx, BTC, 46_200n);
  const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
  const [buyer, seller] = [party(funds(9, 0, 100_000n * UNIT)), party(short)];
  const at = { market: BTC, priceTicks: 46_200n, lots: size, taker: "sell" } as const;
  expect(world.margin.keeper.clear(world.ctx, { ...at, buyer, seller, kind: "order" }).ok).toBe(
    true,
  );
}

test("a bid is not filled that its owner's other sub-account could not bear", () => {
  setUp({ offerWindowMs: 60_000n });
  const rich = funds(3, 0, 10_000n * UNIT);
  // 216 lots are 9,979 units, in the first tier: with four more they are not, and need 16 units more than is there.
  const other = funds(3, 1, 998n * UNIT);
  sunk(other, 216n);
  bid(3, 5n, 46_200n);
  block(1, 46_200n);
  expect([lots(rich), lots(trader)]).toEqual([0n, 10n]);
  expect(events("liquidation_bid")).toMatchObject([{ reason: "margin" }]);
  // With enough there it is.
  funds(3, 1, 100n * UNIT);
  bid(3, 5n, 46_200n);
  block(1, 46_200n);
  expect([lots(rich), lots(trader)]).toEqual([4n, 6n]);
});
