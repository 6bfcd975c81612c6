import type { FeeSplit } from "@keel/proto/gen/keel/margin/v1/types";
import { describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { createAddresses, moduleAddress } from "../../kit/addresses.ts";
import { defaultParams, validateParams } from "../params.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { BTC, btcTerms, createWorld, DENOM, type World } from "../testing/world.ts";

const addresses = createAddresses("keel");
const treasury = new Uint8Array(20).fill(9);
const split = (stakersPpm: number, insurancePpm: number, treasuryPpm: number): FeeSplit => ({
  stakersPpm,
  insurancePpm,
  treasuryPpm,
  treasury: treasuryPpm === 0 ? "" : addresses.format(treasury),
});

/** A world in which a trade has left this much in fees. */
function charged(fee: bigint, feeSplit: FeeSplit | undefined): World {
  const world = createWorld(feeSplit === undefined ? {} : { feeSplit });
  world.markets.list(world.ctx, btcTerms());
  world.markets.setMark(world.ctx, BTC, 1_000n);
  const [buyer, seller] = [world.funded(1, 10n ** 12n), world.funded(2, 10n ** 12n)];
  const result = world.margin.keeper.clear(world.ctx, {
    market: BTC,
    priceTicks: 1_000n,
    lots: 1n,
    buyer: { account: buyer, feeQuanta: fee, orderId: null },
    seller: { account: seller, feeQuanta: 0n, orderId: null },
    taker: "buy",
    kind: "order",
  });
  expect(result.ok).toBe(true);
  return world;
}

const held = ({ ctx, margin }: World): bigint => margin.keeper.totals(ctx).feesHeld;

describe("the split of fees", () => {
  it.each([
    // Fee, parts, then stakers, insurance, treasury.
    [1_000_000n, split(500_000, 300_000, 200_000), 500_000n, 300_000n, 200_000n],
    [7n, split(333_333, 333_333, 333_334), 2n, 3n, 2n],
    [1n, split(500_000, 0, 500_000), 0n, 1n, 0n],
    [99n, split(1_000_000, 0, 0), 99n, 0n, 0n],
    [99n, split(0, 1_000_000, 0), 0n, 99n, 0n],
  ])(
    "of %s is exact, with what does not divide to insurance",
    (fee, parts, stakers, fund, rest) => {
      const world = charged(fee, parts);
      const { ctx, margin, bank } = world;
      const vault = bank.balance(ctx, COLLATERAL_VAULT, DENOM);
      margin.keeper.endBlock(ctx);
      expect(held(world)).toBe(0n);
      expect(bank.balance(ctx, moduleAddress("fee_collector"), DENOM)).toBe(stakers);
      expect(bank.balance(ctx, treasury, DENOM)).toBe(rest);
      expect(world.fund.balance(ctx, DENOM)).toBe(fund);
      expect(vault - bank.balance(ctx, COLLATERAL_VAULT, DENOM)).toBe(stakers + rest);
      expect(world.violated()).toBeNull();
    },
  );

  it("does not happen without a parameter, or without fees", () => {
    const world = charged(50n, undefined);
    world.margin.keeper.endBlock(world.ctx);
    expect(held(world)).toBe(50n);
    const idle = charged(0n, split(1_000_000, 0, 0));
    idle.margin.keeper.endBlock(idle.ctx);
    expect(idle.ctx.events.map(({ type }) => type)).not.toContain("fees_split");
  });

  it("has parts that sum to the whole, and names its treasury", () => {
    const check = (feeSplit: FeeSplit) => () =>
      validateParams({ ...defaultParams(DENOM), feeSplit }, addresses);
    expect(check(split(500_000, 300_000, 200_000))).not.toThrow();
    expect(check(split(500_000, 300_000, 199_999))).toThrow("sum to 1000000 ppm, got 999999");
    expect(check({ ...split(500_000, 300_000, 200_000), treasury: "" })).toThrow("treasury");
    expect(check({ ...split(500_000, 500_000, 0), treasury: addresses.format(treasury) })).toThrow(
      "treasury",
    );
    expect(check({ ...split(500_000, 300_000, 200_000), treasury: "keel1x" })).toThrow();
  });
});

describe("a share of fees held", () => {
  it("becomes collateral, of a new sub-account too, and is never more than is held", () => {
    const world = charged(50n, undefined);
    const { ctx, margin } = world;
    const to = accountId(world.owner(7), 0);
    margin.keeper.shareFees(ctx, to, 20n);
    expect(margin.keeper.account(ctx, to)?.collateral).toBe(20n);
    expect(held(world)).toBe(30n);
    expect(world.violated()).toBeNull();
    expect(() => margin.keeper.shareFees(ctx, to, 31n)).toThrow("not held");
    margin.keeper.shareFees(ctx, to, 30n);
    expect(held(world)).toBe(0n);
    expect(world.violated()).toBeNull();
  });
});
