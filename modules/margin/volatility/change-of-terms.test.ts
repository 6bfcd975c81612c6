import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { PortfolioModel, VolatilitySource } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { MsgSetDynamicMargin } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import { atomically } from "../../kit/atomically.ts";
import { ModuleError } from "../../kit/errors.ts";
import { models } from "../portfolio/testing/models.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";
import { defaultDynamicMargin } from "./terms.ts";

const UNIT = 1_000_000n;
const PERCENT = 10n ** 16n;

/** Ranges of 3.3 deviations of a day by what is measured, and offsets by measured beta where there is one. */
const model = PortfolioModel.fromPartial({
  ...models.s35,
  name: "measured",
  offsetCapPpm: 800_000n,
  collateral: [],
  underlyings: [
    {
      underlying: "",
      rangeMultiplierPpm: 3_300_000n,
      rangeHorizonMs: 86_400_000n,
      rangeMinimumPpm: 50_000n,
      rangeMaximumPpm: 500_000n,
      volatilityFloorPpm: 600_000n,
      volatilitySource: VolatilitySource.VOLATILITY_SOURCE_MEASURED,
      betaPpm: 940_000n,
      betaMeasured: true,
    },
  ],
  addOns: undefined,
});

/** A portfolio long one underlying and, where it is hedged, short as much of the other. */
function portfolio(equity: bigint, hedged: boolean): World {
  const world = createWorld();
  const { ctx, margin, markets, prices } = world;
  markets.list(ctx, btcTerms());
  markets.list(ctx, btcTerms({ id: ETH, symbol: "ETH-PERP", feedId: ETH }));
  for (const id of [BTC, ETH]) {
    markets.setMark(ctx, id, 50_000n);
    prices.set(id, { mantissa: 5_000_000n, exponent: -2, confidence: 100n, fresh: true });
  }
  margin.keeper.setModel(ctx, model);
  const holder = world.funded(1, 1_000n * UNIT);
  const other = world.funded(2, 1_000_000n * UNIT);
  margin.keeper.setMode(ctx, holder, "portfolio");
  const sides = { taker: "buy", kind: "order", priceTicks: 50_000n, lots: 100n } as const;
  const long = { account: holder, feeQuanta: 0n, orderId: null };
  const short = { account: other, feeQuanta: 0n, orderId: null };
  const bought = margin.keeper.clear(ctx, { ...sides, market: BTC, buyer: long, seller: short });
  expect(bought).toEqual({ ok: true });
  if (hedged) {
    const sold = margin.keeper.clear(ctx, { ...sides, market: ETH, buyer: short, seller: long });
    expect(sold).toEqual({ ok: true });
  }
  margin.keeper.withdraw(ctx, holder, 1_000n * UNIT - equity);
  return world;
}

function set(
  { ctx, margin }: World,
  feedId: number,
  change: Partial<DynamicMargin> | null,
): string {
  const route = margin.module.messages.find(({ typeUrl }) => typeUrl.endsWith("SetDynamicMargin"));
  const terms = change === null ? undefined : { ...defaultDynamicMargin(feedId), ...change };
  const authority = margin.keeper.params(ctx).authority;
  const message = MsgSetDynamicMargin.fromPartial({ authority, feedId, terms });
  try {
    route?.validate(message);
    const caller = ctx.signedBy();
    atomically(ctx, (inner) => route?.handle({ ...caller, ...inner }, message));
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

function sunk({ ctx, margin, markets, prices }: World): boolean {
  for (let minute = 0; minute < 4; minute++) {
    for (const id of [BTC, ETH]) {
      const mantissa = 5_000_000n + (minute % 2 === 0 ? 500n : 0n);
      prices.set(id, { mantissa, exponent: -2, confidence: 100n, fresh: true });
      markets.setMark(ctx, id, mantissa / 100n);
    }
    ctx.nextBlock(60);
    margin.module.beginBlock?.(ctx);
    margin.keeper.endBlock(ctx);
  }
  return ctx.events.some(({ type }) => type === "account_liquidated" || type === "liquidation");
}

describe("new terms of margin that follows volatility", () => {
  it("are refused when a range that follows what is measured would sink a healthy portfolio", () => {
    const world = portfolio(700n * UNIT, false);
    const refused = set(world, BTC, { seedVolatility: 300n * PERCENT });
    expect(refused).toMatch(/^margin 65: 1 healthy accounts would be liquidatable at once/);
    expect(set(world, BTC, { seedVolatility: 60n * PERCENT })).toBe("accepted");
    expect(sunk(world)).toBe(false);
  });

  it("are refused when another common factor, of which nothing is measured, would sink a hedged one", () => {
    const world = portfolio(450n * UNIT, true);
    expect(set(world, BTC, { factorFeedId: BTC })).toBe("accepted");
    const refused = set(world, ETH, { factorFeedId: BTC });
    expect(refused).toMatch(/^margin 65: 1 healthy accounts would be liquidatable at once/);
    expect(sunk(world)).toBe(false);
  });
});
