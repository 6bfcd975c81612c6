import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import {
  QueryRequirementRequest,
  QueryRequirementResponse,
} from "@keel/proto/gen/keel/margin/v1/query";
import { beforeEach, describe, expect, it } from "vitest";
import { type AccountId, ownerOf } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { MARGIN_CODES } from "../errors.ts";
import { models } from "../portfolio/testing/models.ts";
import { BTC, btcTerms } from "../testing/world.ts";
import { type OwnersWorld, ownersWorld } from "./testing.ts";

const FUTURE = 3;
const OK = { ok: true };

/** 10 % of every price × √(days to close a tenth of 1,000 units a day / 3). */
const model = PortfolioModel.fromPartial({
  ...models.s35,
  name: "concentrated",
  offsetCapPpm: 0n,
  collateral: [],
  underlyings: [
    {
      underlying: "",
      rangeMinimumPpm: 100_000n,
      rangeMaximumPpm: 100_000n,
      dailyVolume: "1000000000",
    },
  ],
  addOns: { concentration: { volumeSharePpm: 100_000n, horizonMs: 86_400_000n, impactPpm: 0n } },
});

let world: OwnersWorld;
let maker: AccountId;
let book: AccountId;
let cross: AccountId;

beforeEach(() => {
  world = ownersWorld();
  world.markets.list(world.ctx, btcTerms({ id: FUTURE, symbol: "BTC-DEC" }));
  world.markets.setMark(world.ctx, FUTURE, 50_000n);
  world.margin.keeper.setModel(world.ctx, model);
  maker = world.funds(9, 0, 1_000_000n);
  [book, cross] = [world.funds(1, 0, 1_000n), world.funds(1, 1, 10_000n)];
  // 500 units take five days.
  expect(world.trade(book, maker, 10n)).toEqual(OK);
});

describe("the concentration of a portfolio", () => {
  it("is of all that its owner holds of the underlying, in whichever market and sub-account", () => {
    world.margin.keeper.setMode(world.ctx, book, "portfolio");
    const [initial, maintenance] = world.required(book);
    // Four times the size, in a future: twice the square root.
    expect(world.trade(maker, cross, 30n, { market: FUTURE })).toEqual(OK);
    const [more, moreMaintained] = world.required(book);
    expect(more / initial).toBeCloseTo(2, 4);
    expect(moreMaintained / maintenance).toBeCloseTo(2, 4);
    // The same, whichever came first.
    world.margin.keeper.setMode(world.ctx, book, "cross");
    world.margin.keeper.setMode(world.ctx, book, "portfolio");
    expect(world.required(book)).toEqual([more, moreMaintained]);
    expect(world.violated()).toBeNull();
  });

  it("says what it counts, and before the account is one", () => {
    expect(world.trade(maker, cross, 30n, { market: FUTURE })).toEqual(OK);
    const route = world.margin.module.queries.find(({ path }) => path.endsWith("/Requirement"));
    const owner = createAddresses("keel").format(ownerOf(book));
    const ask = () => {
      const request = QueryRequirementRequest.encode({ owner, subaccount: 0 }).finish();
      return QueryRequirementResponse.decode(
        route?.handle(world.ctx, request) ?? new Uint8Array(0),
      );
    };
    const before = ask();
    expect(before.elsewhere).toEqual([{ market: "BTC-DEC", lots: "30", worstLots: "30" }]);
    world.margin.keeper.setMode(world.ctx, book, "portfolio");
    expect(ask()).toEqual({ ...before, portfolio: true });
  });

  it("lets no sibling grow beyond what the portfolio can bear", () => {
    world.margin.keeper.setMode(world.ctx, book, "portfolio");
    const [initial] = world.required(book);
    const free = world.margin.keeper.freeCollateral(world.ctx, book);
    world.margin.keeper.withdraw(world.ctx, book, free - 1_000_000n);
    expect(initial).toBeGreaterThan(1);
    expect(world.trade(maker, cross, 30n, { market: FUTURE })).toMatchObject({
      ok: false,
      refused: "sell",
      code: MARGIN_CODES.siblingMargin,
    });
    world.funds(1, 0, 1_000n);
    expect(world.trade(maker, cross, 30n, { market: FUTURE })).toEqual(OK);
    // What makes the owner smaller is never held up.
    world.markets.setMark(world.ctx, BTC, 49_000n);
    expect(world.trade(cross, maker, 10n, { market: FUTURE })).toEqual(OK);
  });
});
