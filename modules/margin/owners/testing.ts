/** The small market with owners of several sub-accounts, for tests. */
import { type AccountId, accountId } from "../../kit/account-id.ts";
import type { ClearResult, Trade } from "../ports.ts";
import { BTC, btcTerms, createWorld, DENOM, ETH, type World } from "../testing/world.ts";

export const UNIT = 1_000_000n;

export interface OwnersWorld extends World {
  /** Collateral for a sub-account of a test owner, in units. */
  funds(owner: number, subaccount: number, units: bigint): AccountId;
  trade(buyer: AccountId, seller: AccountId, lots: bigint, over?: Partial<Trade>): ClearResult;
  /** Initial and maintenance requirement, in units. */
  required(id: AccountId): readonly [number, number];
}

/** BTC and ETH: 10 % / 5 % up to 200 lots, which are 10,000 units, and 20 % / 10 % above. */
export function ownersWorld(): OwnersWorld {
  const world = createWorld();
  const { ctx, bank, margin, markets } = world;
  markets.list(ctx, btcTerms());
  markets.list(ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
  for (const id of [BTC, ETH]) markets.setMark(ctx, id, 50_000n);
  const party = (account: AccountId) => ({ account, feeQuanta: 0n, orderId: null });
  return {
    ...world,
    funds(owner, subaccount, units) {
      const id = accountId(world.owner(owner), subaccount);
      bank.mint(ctx, world.owner(owner), units * UNIT, DENOM);
      margin.keeper.deposit(ctx, world.owner(owner), id, units * UNIT);
      return id;
    },
    trade: (buyer, seller, lots, over = {}) =>
      margin.keeper.clear(ctx, {
        market: BTC,
        priceTicks: 50_000n,
        lots,
        buyer: party(buyer),
        seller: party(seller),
        taker: "buy",
        kind: "order",
        ...over,
      }),
    required(id) {
      const health = margin.keeper.health(ctx, id);
      if (health === undefined) throw new Error("no such account");
      return [Number(health.initial) / 1e6, Number(health.maintenance) / 1e6];
    },
  };
}
