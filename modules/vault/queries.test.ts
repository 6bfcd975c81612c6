import {
  QueryMarketsRequest,
  QueryMarketsResponse,
  QueryQuotesRequest,
  QueryQuotesResponse,
  QuerySharesRequest,
  QuerySharesResponse,
  QueryVaultRequest,
  QueryVaultResponse,
  QueryWithdrawalsRequest,
  QueryWithdrawalsResponse,
} from "@keel/proto/gen/keel/vault/v1/query";
import { beforeEach, describe, expect, it } from "vitest";
import { createVaultWorld, PERP, type VaultWorld } from "../testing/vault-world.ts";
import { DENOM, UNIT } from "../testing/world.ts";

let world: VaultWorld;

function ask(name: string, request: Uint8Array): Uint8Array {
  const route = world.vault.module.queries.find(({ path }) => path.endsWith(`/${name}`));
  if (route === undefined) throw new Error(`no query ${name}`);
  return route.handle(world.ctx, request);
}

beforeEach(() => {
  world = createVaultWorld({ vault: { lockupMs: 60_000n, withdrawalDelayMs: 3_600_000n } });
  world.setMarket();
  world.share(1, 100_000n);
  world.block(61);
  world.share(1, 100n);
  world.share(2, 50_000n);
});

describe("queries of the vault", () => {
  it("say what it is worth, and what an owner holds", () => {
    const vault = QueryVaultResponse.decode(ask("Vault", QueryVaultRequest.encode({}).finish()));
    expect(vault).toMatchObject({
      denom: DENOM,
      equity: `${150_100n * UNIT}`,
      price: "1000000",
      priced: true,
      shortOfCollateral: false,
      idle: `${130_100n * UNIT}`,
    });
    const owner = world.address(1);
    const held = QuerySharesResponse.decode(
      ask("Shares", QuerySharesRequest.encode({ owner }).finish()),
    );
    expect(held.locks).toHaveLength(1);
    expect(BigInt(held.shares) - BigInt(held.unlockedShares)).toBe(100_000_000_000_000n);
    expect(BigInt(held.value)).toBe(100_100n * UNIT - 1_000n);
    expect(() => ask("Shares", QuerySharesRequest.encode({ owner: "keel1" }).finish())).toThrow();
  });

  it("list the queue by pages and by owner", () => {
    world.block(61);
    for (const n of [1, 2, 1, 2, 1]) {
      world.send("RequestWithdrawal", { sender: world.address(n), shares: "1000000000000" });
    }
    const page = (request: Partial<QueryWithdrawalsRequest>): number[] =>
      QueryWithdrawalsResponse.decode(
        ask(
          "Withdrawals",
          QueryWithdrawalsRequest.encode({ owner: "", afterId: 0n, limit: 0, ...request }).finish(),
        ),
      ).withdrawals.map(({ id }) => Number(id));
    expect(page({})).toEqual([1, 2, 3, 4, 5]);
    expect(page({ limit: 2, afterId: 1n })).toEqual([2, 3]);
    expect(page({ owner: world.address(2) })).toEqual([2, 4]);
    expect(page({ owner: world.address(3) })).toEqual([]);
    expect(() => page({ limit: 1001 })).toThrow(expect.objectContaining({ code: 2 }));
  });

  it("show quotes and markets as they stand", () => {
    const quotes = (market: string) =>
      QueryQuotesResponse.decode(ask("Quotes", QueryQuotesRequest.encode({ market }).finish()))
        .quotes;
    expect(quotes("")).toHaveLength(4);
    expect(quotes(PERP)).toEqual(quotes(""));
    expect(quotes("ETH")).toEqual([]);
    expect(quotes(PERP)[0]).toMatchObject({ market: PERP, side: "buy", reduceOnly: false });
    world.place(PERP, world.funded(3, 10_000n), "buy 0.033 @ 60100 ioc");
    const { markets } = QueryMarketsResponse.decode(
      ask("Markets", QueryMarketsRequest.encode({}).finish()),
    );
    expect(markets).toHaveLength(1);
    expect(markets[0]).toMatchObject({
      market: PERP,
      subaccount: 1,
      lots: "-33",
      spreadPpm: "1000",
    });
    expect(Number(markets[0]?.leveragePpm)).toBeCloseTo(-99_000, -3);
  });
});
