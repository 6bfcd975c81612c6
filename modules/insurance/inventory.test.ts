import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import {
  QueryFundRequest,
  QueryFundResponse,
  QueryUnderwriterRequest,
  QueryUnderwriterResponse,
} from "@keel/proto/gen/keel/insurance/v1/query";
import { beforeEach, describe, expect, test } from "vitest";
import type { TestContext } from "../kit/testing/context.ts";
import { emptyFund } from "./keeper.ts";
import type { Insurance } from "./module.ts";
import type { InventorySale } from "./ports.ts";
import { worthOf } from "./shares.ts";
import { addresses, createInsured, DENOM, genesisOf, underwrittenGenesis } from "./testing.ts";

const ann = new Uint8Array(20).fill(1);
const bob = new Uint8Array(20).fill(2);
const NOTHING: InventorySale = { gain: 0n, loss: 0n, unpriced: 0n };

let shortfall: bigint;
let sale: InventorySale;
/** What went out of the vault, less what came in, by receiver. */
let moved: [Uint8Array, bigint][];
let ctx: TestContext;
let insurance: Insurance;

function build(): Insurance {
  const made = createInsured({
    onTransfer: (to, amount) => void moved.push([to, amount]),
    shortfall: () => shortfall,
    sale: () => sale,
  });
  ctx = made.ctx;
  return made.insurance;
}

/** A million of the protocol's and one of Ann's. */
function start(params = {}): void {
  insurance = build();
  genesisOf(insurance).init(ctx, underwrittenGenesis(params, "1000000"));
  underwrite(ann, 1_000_000n);
  moved = [];
}

beforeEach(() => {
  shortfall = 0n;
  sale = NOTHING;
  moved = [];
  start();
});

const underwrite = (who: Uint8Array, amount: bigint): bigint =>
  insurance.keeper.underwrite(ctx, who, DENOM, amount);
const buy = (cost: bigint) => insurance.keeper.buy(ctx, DENOM, cost);
const sell = (cost: bigint, proceeds: bigint) =>
  insurance.keeper.sell(ctx, DENOM, { cost, proceeds });
const fund = () => insurance.state.funds.get(ctx, DENOM) ?? emptyFund(DENOM, "");
const sharesOf = (who: Uint8Array): bigint =>
  insurance.state.underwriters.get(ctx, [who, DENOM])?.shares ?? 0n;
const worth = (who: Uint8Array): bigint => worthOf(fund(), sharesOf(who));
const own = (): bigint => worthOf(fund(), fund().ownShares);
const days = (count: number) => {
  ctx.nextBlock(count * 86_400);
  insurance.module.endBlock?.(ctx);
};
const faults = (): string[] =>
  Object.values({ ...insurance.module.invariants.running, ...insurance.module.invariants.full })
    .map((holds) => holds(ctx))
    .filter((fault) => fault !== null);

describe("buying assets", () => {
  test("is an exchange: nobody's shares move, and no loss is counted", () => {
    start({ drawCapPpm: 250_000 });
    const { shares, ownShares, paid } = fund();
    buy(700_000n);
    expect(fund()).toMatchObject({ balance: 1_300_000n, inventory: 700_000n });
    expect(fund()).toMatchObject({ shares, ownShares, paid, drawn: 0n });
    expect([worth(ann), own()]).toEqual([1_000_000n, 1_000_000n]);
    // The cap is a share of what the fund is worth, not of what it has not spent.
    expect(insurance.keeper.available(ctx, DENOM)).toBe(500_000n);
    buy(1_000_000n);
    expect(insurance.keeper.available(ctx, DENOM)).toBe(300_000n);
    expect(faults()).toEqual([]);
  });

  test("and selling them at cost changes nobody's share", () => {
    const before = fund();
    buy(700_000n);
    sell(300_000n, 300_000n);
    sell(400_000n, 400_000n);
    expect(fund()).toEqual(before);
  });

  test("stops where inventory is its part of what the fund is worth", () => {
    start({ purchaseCapPpm: 250_000 });
    expect(insurance.keeper.purse(ctx, DENOM)).toBe(500_000n);
    buy(400_000n);
    expect(insurance.keeper.purse(ctx, DENOM)).toBe(100_000n);
    insurance.keeper.allocate(ctx, DENOM, [{ riskClass: "", amount: 1_000_000n }]);
    expect(insurance.keeper.purse(ctx, DENOM)).toBe(0n);
    start({ purchaseCapPpm: 0 });
    expect(insurance.keeper.purse(ctx, DENOM)).toBe(2_000_000n);
  });

  test("for more than the fund has is a fault of who asks", () => {
    expect(() => buy(2_000_001n)).toThrow("the fund buys for 2000001 and has 2000000");
    expect(() => sell(1n, 1n)).toThrow("holds 0");
  });
});

describe("selling them", () => {
  test("above cost is everybody's gain", () => {
    buy(1_000_000n);
    sell(1_000_000n, 1_200_000n);
    expect([worth(ann), own()]).toEqual([1_100_000n, 1_100_000n]);
    expect(fund()).toMatchObject({ inventory: 0n, received: 200_000n, paid: 0n });
    expect(faults()).toEqual([]);
  });

  test("below cost is a loss that the protocol's own part bears first", () => {
    buy(1_000_000n);
    sell(1_000_000n, 600_000n);
    // A quarter of 400 000 is the protocol's alone; what is left of it is 900 000 of 1 900 000.
    expect(worth(ann)).toBe((1_000_000n * 1_600_000n) / 1_900_000n);
    expect(fund()).toMatchObject({ inventory: 0n, received: 0n, paid: 400_000n, drawn: 0n });
    const sold = ctx.events.findLast(({ type }) => type === "insurance_sold");
    expect(sold?.attributes).toContainEqual({ key: "first_loss", value: "100000" });
    expect(faults()).toEqual([]);
  });
});

describe("who enters while the fund holds assets", () => {
  test("pays for what a sale would bring beyond cost", () => {
    buy(1_000_000n);
    sale = { ...NOTHING, gain: 200_000n };
    underwrite(bob, 1_100_000n);
    sell(1_000_000n, 1_200_000n);
    expect([worth(ann), worth(bob), own()]).toEqual([1_100_000n, 1_100_000n, 1_100_000n]);
  });

  test("gets no share cheaper for what it would lose", () => {
    buy(1_000_000n);
    sale = { ...NOTHING, loss: 500_000n };
    underwrite(bob, 1_000_000n);
    expect([worth(ann), worth(bob), own()]).toEqual([1_000_000n, 1_000_000n, 1_000_000n]);
  });

  test("gives to the protocol, if it is a gift, no more of it than it pays for", () => {
    buy(1_000_000n);
    sale = { ...NOTHING, gain: 200_000n };
    insurance.keeper.fund(ctx, bob, DENOM, 1_100_000n);
    sell(1_000_000n, 1_200_000n);
    expect([worth(ann), own()]).toEqual([1_100_000n, 2_200_000n]);
  });

  test("waits while some of them cannot be sold, and so have no price", () => {
    buy(1_000_000n);
    sale = { ...NOTHING, unpriced: 400_000n };
    expect(() => underwrite(bob, 1_000_000n)).toThrow("assets that cost the fund 400000");
    expect(moved).toEqual([]);
  });
});

describe("who leaves while the fund holds assets", () => {
  const notice = (who: Uint8Array) => insurance.keeper.giveNotice(ctx, who, DENOM, sharesOf(who));

  test("is paid out of what has not been spent, at what they cost", () => {
    buy(500_000n);
    notice(ann);
    sale = { ...NOTHING, gain: 100_000n };
    days(7);
    expect(moved).toEqual([[ann, 1_000_000n]]);
    expect(fund()).toMatchObject({ balance: 500_000n, inventory: 500_000n, redeemed: 1_000_000n });
    expect(own()).toBe(1_000_000n);
    expect(faults()).toEqual([]);
  });

  test("bears a loss that a sale would make", () => {
    buy(500_000n);
    notice(ann);
    sale = { ...NOTHING, loss: 200_000n };
    days(7);
    expect(moved).toEqual([[ann, 900_000n]]);
  });

  test("waits once more while they cannot be sold, then has no part in those", () => {
    buy(500_000n);
    notice(ann);
    sale = { ...NOTHING, unpriced: 500_000n };
    days(7);
    days(6);
    expect(moved).toEqual([]);
    days(1);
    expect(moved).toEqual([[ann, 750_000n]]);
  });

  test("leaves at the end of a block in which they can be sold again", () => {
    buy(500_000n);
    notice(ann);
    sale = { ...NOTHING, unpriced: 500_000n };
    days(7);
    expect(moved).toEqual([]);
    sale = NOTHING;
    ctx.nextBlock();
    insurance.module.endBlock?.(ctx);
    expect(moved).toEqual([[ann, 1_000_000n]]);
  });

  test("gets what the balance pays, and the rest, first in line, when they are sold", () => {
    underwrite(bob, 1_000_000n);
    moved = [];
    buy(2_400_000n);
    notice(ann);
    ctx.nextBlock();
    notice(bob);
    days(8);
    expect(moved).toEqual([[ann, 600_000n]]);
    expect(worth(ann)).toBe(400_000n);
    expect(faults()).toEqual([]);
    days(1);
    expect(moved).toHaveLength(1);
    sell(2_400_000n, 2_400_000n);
    days(1);
    expect(moved.slice(1)).toEqual([
      [ann, 400_000n],
      [bob, 1_000_000n],
    ]);
    expect(fund()).toMatchObject({ balance: 1_000_000n, inventory: 0n });
    expect(insurance.state.leaving.size(ctx)).toBe(0);
    expect(faults()).toEqual([]);
  });
});

describe("what is bought", () => {
  test("is seen in queries, and what a sale would bring", () => {
    buy(500_000n);
    sale = { gain: 30_000n, loss: 20_000n, unpriced: 100_000n };
    shortfall = 80_000n;
    const [ofFund, , , ofOwner] = insurance.module.queries;
    const asked = QueryFundRequest.encode({ denom: DENOM, riskClass: "" }).finish();
    const answer = QueryFundResponse.decode(ofFund?.handle(ctx, asked) ?? new Uint8Array(0));
    expect(answer).toMatchObject({
      fund: { balance: "1500000", inventory: "500000" },
      underwritten: "1000000",
      own: "1000000",
      inventoryGain: "30000",
      inventoryLoss: "20000",
      inventoryUnpriced: "100000",
    });
    const owner = addresses.format(ann);
    const request = QueryUnderwriterRequest.encode({ owner, denom: DENOM, riskClass: "" }).finish();
    expect(
      QueryUnderwriterResponse.decode(ofOwner?.handle(ctx, request) ?? new Uint8Array(0)),
    ).toMatchObject({ value: "1000000", leavingValue: "900000" });
  });

  test("is carried by genesis", () => {
    buy(500_000n);
    const bytes = genesisOf(insurance).export(ctx);
    const other = build();
    genesisOf(other).init(ctx, bytes);
    expect(genesisOf(other).export(ctx)).toEqual(bytes);
    const state = GenesisState.decode(bytes);
    const funds = state.funds.map((one) => ({ ...one, inventory: "" }));
    const broken = GenesisState.encode({ ...state, funds }).finish();
    expect(() => genesisOf(build()).init(ctx, broken)).toThrow("its history sums to 2000000");
  });

  test("is part of what a fund's history explains, and no class's", () => {
    const holds = insurance.module.invariants.running["fund-balances"];
    insurance.state.funds.set(ctx, DENOM, { ...fund(), inventory: 1n });
    expect(holds?.(ctx)).toContain("inventory 1, its history");
    insurance.state.funds.set(ctx, DENOM, { ...fund(), inventory: -1n });
    expect(holds?.(ctx)).toContain("negative");
    insurance.state.funds.set(ctx, DENOM, { ...fund(), inventory: 0n });
    insurance.state.funds.set(ctx, `${DENOM}#minor`, {
      ...emptyFund(DENOM, "minor"),
      funded: 1n,
      inventory: 1n,
    });
    expect(holds?.(ctx)).toContain("only the shared fund buys");
  });
});
