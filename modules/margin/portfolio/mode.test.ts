import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import {
  QueryRequirementRequest,
  QueryRequirementResponse,
} from "@keel/proto/gen/keel/margin/v1/query";
import { MsgSetMarginMode, MsgSetPortfolioModel } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { accountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { MARGIN_CODES, type MarginCode } from "../errors.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";
import { models } from "./testing/models.ts";

const UNIT = 1_000_000n;
const FUTURE = 3;
const addresses = createAddresses("keel");

/** 10 % of every price, and 2 % of what is hedged. */
const model = PortfolioModel.fromPartial({
  ...models.s35,
  name: "ten-percent",
  offsetCapPpm: 0n,
  collateral: [],
  underlyings: [{ underlying: "", rangeMinimumPpm: 100_000n, rangeMaximumPpm: 100_000n }],
  addOns: {
    deltaMinimum: {
      net: { initialPpm: 20_000n, maintenancePpm: 10_000n },
      hedged: { initialPpm: 20_000n, maintenancePpm: 10_000n },
      floor: true,
    },
  },
});

function code(name: MarginCode) {
  return (error: unknown): boolean =>
    error instanceof ModuleError && error.code === MARGIN_CODES[name];
}

function refusedBy(run: () => void): ModuleError {
  try {
    run();
  } catch (error) {
    if (error instanceof ModuleError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

/** Two markets on one underlying at 50,000 a lot of 50 units, and a third on another. */
function world(): World {
  const made = createWorld();
  const { ctx, markets } = made;
  markets.list(ctx, btcTerms());
  markets.list(ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
  markets.list(ctx, btcTerms({ id: FUTURE, symbol: "BTC-DEC" }));
  for (const id of [BTC, ETH, FUTURE]) markets.setMark(ctx, id, 50_000n);
  made.margin.keeper.setModel(ctx, model);
  return made;
}

function trade(made: World, market: number, buyer: AccountId, seller: AccountId, lots: bigint) {
  return made.margin.keeper.clear(made.ctx, {
    market,
    priceTicks: 50_000n,
    lots,
    buyer: { account: buyer, feeQuanta: 0n, orderId: null },
    seller: { account: seller, feeQuanta: 0n, orderId: null },
    taker: "buy",
    kind: "order",
  });
}

describe("markets that cannot be priced", () => {
  it("fall in the order of their ids, whoever holds them and whatever was looked at before", () => {
    const run = (blocks: number): readonly number[] => {
      const made = world();
      const { ctx, margin, markets } = made;
      const other = made.funded(9, 1_000_000n * UNIT);
      // The first account in key order holds the later market.
      const holders = [ETH, BTC].map((market, i) => {
        const id = made.funded(i + 1, 20_000n * UNIT);
        expect(trade(made, market, id, other, 10n)).toEqual({ ok: true });
        margin.keeper.setMode(ctx, id, "portfolio");
        return id;
      });
      expect(holders).toHaveLength(2);
      for (let i = 0; i < blocks; i++) margin.keeper.endBlock(ctx);
      markets.failRisk(ETH);
      markets.failRisk(BTC);
      margin.keeper.endBlock(ctx);
      // Each is charged as everywhere from now on, in messages too: 5 % of 500.
      for (const id of holders) {
        expect(margin.keeper.health(ctx, id)).toMatchObject({ maintenance: 25n * UNIT });
      }
      return markets.quarantined.map(({ market }) => market);
    };
    expect(run(0)).toEqual([BTC, ETH]);
    expect(run(3)).toEqual([BTC, ETH]);
  });
});

describe("an account judged as a portfolio", () => {
  it("needs less for a hedge across markets, and market by market again more", () => {
    const made = world();
    const { ctx, margin } = made;
    const alice = made.funded(1, 2_000n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    expect(trade(made, BTC, alice, bob, 150n).ok).toBe(true);
    expect(trade(made, FUTURE, bob, alice, 150n).ok).toBe(true);
    // 10 % of 7,500 twice.
    expect(margin.keeper.health(ctx, alice)?.initial).toBe(1_500n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    // Scenarios cancel: 2 % of 7,500 hedged, and half a quantum per lot.
    expect(margin.keeper.health(ctx, alice)).toMatchObject({
      initial: 150n * UNIT + 150n,
      maintenance: 75n * UNIT + 150n,
      equity: 2_000n * UNIT,
    });
    expect(margin.keeper.freeCollateral(ctx, alice)).toBe(1_850n * UNIT - 150n);
    margin.keeper.withdraw(ctx, alice, 1_000n * UNIT);
    const back = refusedBy(() => margin.keeper.setMode(ctx, alice, "cross"));
    expect(back.code).toBe(MARGIN_CODES.insufficientMargin);
    expect(back.message).toBe(
      "expected equity of at least 1500 (requirement), got 1000: short of 500",
    );
    expect(made.violated()).toBeNull();
  });

  it("is refused with the binding scenario, the requirement, the equity and the shortfall", () => {
    const made = world();
    const { ctx, margin } = made;
    const alice = made.funded(1, 600n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    const result = trade(made, BTC, alice, bob, 200n);
    expect(result).toMatchObject({
      ok: false,
      refused: "buy",
      code: MARGIN_CODES.insufficientMargin,
    });
    expect(result.ok ? "" : result.reason).toBe(
      "buyer: expected equity of at least 1000.0001 (requirement), got 600: short of 400.0001; " +
        "worst scenario of model ten-percent: BTC price -10 %, volatility down, loss 1000",
    );
    expect(trade(made, BTC, alice, bob, 100n).ok).toBe(true);
    const paid = refusedBy(() => margin.keeper.withdraw(ctx, alice, 200n * UNIT));
    expect(paid.code).toBe(MARGIN_CODES.insufficientCollateral);
    expect(paid.message).toContain("got 400: short of 100.00005; worst scenario");
  });

  it("cannot be entered below its requirement, without a model, or twice by one owner", () => {
    const made = createWorld();
    const { ctx, margin, markets } = made;
    const alice = made.funded(1, 500n * UNIT);
    expect(() => margin.keeper.setMode(ctx, alice, "portfolio")).toThrow();
    expect(code("noModel")(refusedBy(() => margin.keeper.setMode(ctx, alice, "portfolio")))).toBe(
      true,
    );
    // A market that asks for less than the model does.
    const tiers = [{ aboveQuanta: 0n, initialPpm: 50_000n, maintenancePpm: 20_000n }];
    markets.list(ctx, btcTerms({ tiers }));
    markets.setMark(ctx, BTC, 50_000n);
    margin.keeper.setModel(ctx, model);
    const bob = made.funded(2, 1_000_000n * UNIT);
    trade(made, BTC, alice, bob, 150n);
    const short = refusedBy(() => margin.keeper.setMode(ctx, alice, "portfolio"));
    expect(short.message).toContain(
      "at least 750.000075 (requirement), got 500: short of 250.000075",
    );
    expect(margin.keeper.account(ctx, alice)?.portfolio).toBe(false);
    margin.keeper.setMode(ctx, bob, "portfolio");
    const second = accountId(made.owner(2), 1);
    margin.keeper.transfer(ctx, bob, second, 10n * UNIT);
    const twice = refusedBy(() => margin.keeper.setMode(ctx, second, "portfolio"));
    expect(code("secondPortfolio")(twice)).toBe(true);
  });

  it("reserves its resting orders at their worst, hedges among them", () => {
    const made = world();
    const { ctx, margin, markets } = made;
    const alice = made.funded(1, 1_000n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    trade(made, BTC, alice, bob, 100n);
    const rest = (market: number, side: "buy" | "sell", lots: bigint) =>
      markets.rest(ctx, { account: alice, market, side, lots, ticks: 50_000n, feeReserve: 0n });
    // A sale of the other market hedges what is held; as long as it rests, it does not.
    rest(FUTURE, "sell", 100n);
    expect(margin.keeper.health(ctx, alice)?.initial).toBe(500n * UNIT + 100n);
    rest(FUTURE, "buy", 90n);
    expect(margin.keeper.health(ctx, alice)?.initial).toBe(950n * UNIT + 100n);
    const more = refusedBy(() => rest(BTC, "buy", 20n));
    expect(more.message).toContain("worst scenario of model ten-percent");
    // It closes what is held, so nothing more is asked.
    rest(BTC, "sell", 100n);
    expect(margin.keeper.health(ctx, alice)?.initial).toBe(950n * UNIT + 100n);
  });

  it("is liquidated leg by leg, the leg that hedges last", () => {
    const made = world();
    const { ctx, margin, markets } = made;
    const alice = made.funded(1, 1_100n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    trade(made, BTC, alice, bob, 300n);
    trade(made, FUTURE, bob, alice, 100n);
    // Quiet blocks, after which an account judged market by market is out of sight.
    margin.keeper.endBlock(ctx);
    margin.keeper.endBlock(ctx);
    markets.setMark(ctx, BTC, 48_500n);
    // Lost 450 on 300 lots; 650 left; 200 net lots need 80 % of 970 and more for the hedge apart.
    for (const market of [BTC, FUTURE]) {
      for (const side of ["buy", "sell"] as const) {
        const ticks = side === "buy" ? 48_400n : 50_100n;
        markets.rest(ctx, { account: bob, market, side, lots: 300n, ticks, feeReserve: 0n });
      }
    }
    margin.keeper.endBlock(ctx);
    const left = margin.keeper.account(ctx, alice);
    const lots = (market: number) =>
      left?.positions.find((position) => position.market === market)?.lots ?? 0n;
    expect(lots(BTC)).toBeLessThan(300n);
    expect(lots(FUTURE)).toBe(-100n);
    const health = margin.keeper.health(ctx, alice);
    expect(health !== undefined && health.equity >= health.maintenance).toBe(true);
    expect(made.violated()).toBeNull();
  });

  it("closes a perfect hedge too when its equity is gone", () => {
    const made = world();
    const { ctx, margin, markets } = made;
    const alice = made.funded(1, 300n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    trade(made, BTC, alice, bob, 100n);
    trade(made, FUTURE, bob, alice, 100n);
    markets.setMark(ctx, BTC, 47_400n);
    for (const market of [BTC, FUTURE]) {
      for (const side of ["buy", "sell"] as const) {
        const ticks = side === "buy" ? 47_300n : 50_100n;
        markets.rest(ctx, { account: bob, market, side, lots: 300n, ticks, feeReserve: 0n });
      }
    }
    margin.keeper.endBlock(ctx);
    margin.keeper.endBlock(ctx);
    expect(margin.keeper.account(ctx, alice)?.positions).toEqual([]);
    expect(made.violated()).toBeNull();
  });
});

describe("the portfolio model", () => {
  const authority = addresses.format(new Uint8Array(20).fill(7));

  function route(made: World, typeUrl: string) {
    const found = made.margin.module.messages.find((one) => one.typeUrl === typeUrl);
    if (found === undefined) throw new Error(`no route ${typeUrl}`);
    return found;
  }

  it("is refused when healthy accounts would be liquidatable under it, and when accounts use what is removed", () => {
    const made = world();
    const { ctx, margin } = made;
    const alice = made.funded(1, 600n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    trade(made, BTC, alice, bob, 100n);
    const stricter = PortfolioModel.fromPartial({
      ...model,
      underlyings: [{ underlying: "", rangeMinimumPpm: 200_000n, rangeMaximumPpm: 200_000n }],
    });
    const savepoint = ctx.state.savepoint();
    const refused = refusedBy(() => margin.keeper.setModel(ctx, stricter));
    ctx.state.revert(savepoint);
    expect(refused.code).toBe(MARGIN_CODES.modelInUse);
    expect(refused.message).toContain(
      `1 healthy accounts would be liquidatable at once; the first is ${addresses.format(made.owner(1))}/0: ` +
        "expected equity of at least 800.00005 (requirement), got 600: short of 200.00005; worst scenario of model ten-percent: ",
    );
    expect(margin.state.portfolioModel.get(ctx)?.name).toBe("ten-percent");
    expect(code("modelInUse")(refusedBy(() => margin.keeper.setModel(ctx, undefined)))).toBe(true);
    const milder = PortfolioModel.fromPartial({
      ...model,
      underlyings: [{ underlying: "", rangeMinimumPpm: 110_000n, rangeMaximumPpm: 110_000n }],
    });
    margin.keeper.setModel(ctx, milder);
    expect(margin.keeper.health(ctx, alice)?.initial).toBe(550n * UNIT + 50n);
  });

  it("asks for more initial margin while the settlement asset is below its peg, by the feed that it names", () => {
    const made = world();
    const { ctx, margin, prices } = made;
    const alice = made.funded(1, 600n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    trade(made, BTC, alice, made.funded(2, 1_000_000n * UNIT), 100n);
    const stable = 8;
    const depegged = PortfolioModel.fromPartial({
      ...model,
      depeg: { thresholdPpm: 990_000n, initialFactorPpm: 4_000_000n, feedId: stable },
    });
    expect(code("unknownFeed")(refusedBy(() => margin.keeper.setModel(ctx, depegged)))).toBe(true);
    prices.set(stable, { mantissa: 9_900n, exponent: -4, confidence: 0n, fresh: true });
    margin.keeper.setModel(ctx, depegged);
    const requirements = () => {
      ctx.nextBlock();
      const found = margin.keeper.health(ctx, alice);
      return [found?.initial, found?.maintenance];
    };
    expect(requirements()).toEqual([500n * UNIT + 50n, 400n * UNIT + 50n]);
    // Two hundredths below the threshold, four times: 8 % on the factor of the scenarios. What positions must keep stays what it is.
    prices.set(stable, { mantissa: 9_700n, exponent: -4, confidence: 0n, fresh: true });
    expect(requirements()).toEqual([540n * UNIT + 50n, 400n * UNIT + 50n]);
    // The last word counts while there is no fresh one.
    prices.set(stable, { mantissa: 9_700n, exponent: -4, confidence: 0n, fresh: false });
    expect(requirements()).toEqual([540n * UNIT + 50n, 400n * UNIT + 50n]);
    prices.set(stable, { mantissa: 10_000n, exponent: -4, confidence: 0n, fresh: true });
    expect(requirements()).toEqual([500n * UNIT + 50n, 400n * UNIT + 50n]);
  });

  it("is set by the authority alone, and its messages say what they did", () => {
    const made = createWorld({ authority });
    const { ctx } = made;
    const set = route(made, "/keel.margin.v1.MsgSetPortfolioModel");
    const encoded = (by: string) =>
      MsgSetPortfolioModel.encode(
        MsgSetPortfolioModel.fromPartial({ authority: by, model }),
      ).finish();
    const other = addresses.format(made.owner(9));
    expect(
      code("unauthorized")(
        refusedBy(() => void set.handle(ctx.signedBy(), set.decode(encoded(other)))),
      ),
    ).toBe(true);
    set.handle(ctx.signedBy(), set.decode(encoded(authority)));
    made.funded(1, UNIT);
    const mode = route(made, "/keel.margin.v1.MsgSetMarginMode");
    const sender = addresses.format(made.owner(1));
    const chosen = MsgSetMarginMode.encode(
      MsgSetMarginMode.fromPartial({ sender, portfolio: true }),
    ).finish();
    mode.handle(ctx.signedBy(), mode.decode(chosen));
    expect(ctx.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["portfolio_model_set", "margin_mode_set"]),
    );
  });

  it("answers the table of an account's scenarios before it is chosen", () => {
    const made = world();
    const { ctx } = made;
    const alice = made.funded(1, 2_000n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    trade(made, BTC, alice, bob, 100n);
    trade(made, ETH, alice, bob, 40n);
    const query = made.margin.module.queries.find(
      ({ path }) => path === "/keel.margin.v1.Query/Requirement",
    );
    const owner = addresses.format(made.owner(1));
    const request = QueryRequirementRequest.encode({ owner, subaccount: 0 }).finish();
    const answer = QueryRequirementResponse.decode(
      query?.handle(ctx, request) ?? new Uint8Array(0),
    );
    expect(answer).toMatchObject({
      model: "ten-percent",
      portfolio: false,
      equity: "2000000000",
      initial: "700000070",
      shortfall: "0",
      scenarioLoss: "700000000",
    });
    expect(answer.bindingScenario).toBe(
      "BTC price -10 %, volatility down; ETH price -10 %, volatility down",
    );
    expect(answer.scenarios).toHaveLength(35);
    expect(answer.scenarios[0]?.underlyings.map(({ profit }) => profit)).toEqual([
      "-500000000",
      "-200000000",
    ]);
  });

  it("must be there for portfolio accounts, and an owner has one of them: invariants", () => {
    const made = world();
    const { ctx, margin } = made;
    const alice = made.funded(1, 10n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    expect(made.violated()).toBeNull();
    const other = accountId(made.owner(1), 5);
    margin.keeper.transfer(ctx, alice, other, UNIT);
    const second = margin.state.accounts.get(ctx, other);
    if (second === undefined) throw new Error("no account");
    margin.state.accounts.set(ctx, other, { ...second, portfolio: true });
    expect(made.violated()).toContain("an owner has two portfolio accounts");
    margin.state.accounts.set(ctx, other, second);
    margin.state.portfolioModel.delete(ctx);
    expect(made.violated()).toContain("without a model");
  });
});
