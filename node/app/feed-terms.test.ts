/** Terms of feeds and surfaces on the wired chain: marks follow them at once, and they may not close who is healthy. */
import { defaultTerms, optionTerms } from "@keel/modules/derivatives/defaults";
import { defaultMarkTerms } from "@keel/modules/derivatives/marking/terms";
import { ModuleError } from "@keel/modules/kit/errors";
import { defaultFeed } from "@keel/modules/oracle/feeds";
import { unwatched } from "@keel/modules/oracle/guard/breaker";
import { defaultGuard } from "@keel/modules/oracle/guard/terms";
import { defaultSurface } from "@keel/modules/oracle/surface/surfaces";
import { maturity, optionMarket } from "@keel/modules/testing/world";
import { MsgPlaceOrder, MsgUpdateMarket } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgUpdateFeeds, MsgUpdateSurfaces } from "@keel/proto/gen/keel/oracle/v1/tx";
import type { Feed, SurfaceParameters } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { createModuleWorld, type ModuleWorld } from "./testing/module-world.ts";

const UNIT = 1_000_000n;
const FEED = defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 });

function owner(n: number): Uint8Array {
  return new Uint8Array(20).fill(n);
}

function place(
  world: ModuleWorld,
  n: number,
  side: Side,
  price: string,
  size: string,
  market = "BTC-PERP",
): void {
  const type = OrderType.ORDER_TYPE_LIMIT;
  const timeInForce = TimeInForce.TIME_IN_FORCE_GTC;
  const order = { sender: world.keel.addresses.format(owner(n)), market };
  const message = MsgPlaceOrder.fromPartial({ ...order, type, timeInForce, side, price, size });
  world.handle("/keel.derivatives.v1.MsgPlaceOrder", MsgPlaceOrder.encode(message).finish());
}

function outcome(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

function setFeed(world: ModuleWorld, feed: Feed): string {
  const { authority } = world.keel.oracle.params(world.ctx);
  const message = MsgUpdateFeeds.encode({ authority, feeds: [feed] }).finish();
  return outcome(() => world.handle("/keel.oracle.v1.MsgUpdateFeeds", message));
}

describe("terms of a feed", () => {
  it("are refused when marks that follow them would close a healthy account", () => {
    const world = createModuleWorld();
    const { ctx, keel } = world;
    const guarded = { ...FEED, guard: defaultGuard() };
    expect(setFeed(world, guarded)).toBe("accepted");
    // A minute's move of 1 % is measured: the mark may be 5 % away from its index.
    const watches = keel.registry.collections.find(({ name }) => name === "watches");
    if (watches === undefined) throw new Error("the oracle has no watches");
    const watch = { ...unwatched(1), variance: 10_000n * 10_000n };
    ctx.state.set(watches.id, "\u0000\u0000\u0000\u0001", watches.hold(watch));
    world.setPrice(6_500_000n);
    for (const n of [1, 2]) world.fund(owner(n), 0, 100_000n * UNIT);
    const { authority } = keel.derivatives.params(ctx);
    const terms = {
      ...defaultTerms(),
      mark: { ...defaultMarkTerms(), slowTimeMs: 1n, fastTimeMs: 1n },
    };
    const update = MsgUpdateMarket.fromPartial({ authority, market: "BTC-PERP", terms });
    world.handle("/keel.derivatives.v1.MsgUpdateMarket", MsgUpdateMarket.encode(update).finish());
    place(world, 1, Side.SIDE_SELL, "67600", "0.1");
    place(world, 2, Side.SIDE_BUY, "67600", "0.1");
    place(world, 1, Side.SIDE_SELL, "67610", "1");
    place(world, 2, Side.SIDE_BUY, "67590", "1");
    for (let block = 0; block < 3; block++) {
      ctx.nextBlock(1);
      world.setPrice(6_500_000n);
      for (const { beginBlock } of keel.beginBlock) beginBlock?.(ctx);
    }
    expect(keel.derivatives.mark(ctx, 1)?.ticks).toBe(676_000n);
    world.fund(owner(3), 0, 4_000n * UNIT);
    place(world, 3, Side.SIDE_BUY, "67610", "1");
    expect(setFeed(world, FEED)).toContain(
      `margin 65: 1 healthy accounts would be liquidatable at once; the first is ${keel.addresses.format(owner(3))}/0`,
    );
    // What closes nobody may change, and a feed be turned off whoever it is.
    const calm = { ...defaultGuard(), sigmaMinutes: 30 };
    expect(setFeed(world, { ...FEED, guard: calm })).toBe("accepted");
    expect(setFeed(world, { ...FEED, guard: calm, enabled: false })).toBe("accepted");
    expect(setFeed(world, { ...FEED, enabled: false })).toContain("margin 65");
  });
});

describe("terms of a surface", () => {
  it("are refused when a bound that went down step by step would close a healthy account", () => {
    const world = createModuleWorld();
    const { ctx, keel } = world;
    world.setPrice(6_500_000n);
    const nowMs = ctx.header.timeNs / 1_000_000n;
    const expiryMs = nowMs + 365n * 86_400_000n;
    const bounded = (basisMaxPpm: bigint) => {
      const surface = { ...defaultSurface({ id: 1, symbol: "BTC.SSVI", feedId: 1 }), basisMaxPpm };
      const { authority } = keel.oracle.params(ctx);
      const message = MsgUpdateSurfaces.encode({ authority, surfaces: [surface] }).finish();
      return outcome(() => world.handle("/keel.oracle.v1.MsgUpdateSurfaces", message));
    };
    expect(bounded(400_000n)).toBe("accepted");
    const kept = keel.registry.collections.find(({ name }) => name === "surface_parameters");
    if (kept === undefined) throw new Error("the oracle has no surfaces");
    const theta = 160_000_000_000_000_000n;
    const parameters: SurfaceParameters = {
      surfaceId: 1,
      ...{ rhoPpm: 0, etaPpm: 1_000_000, gammaPpm: 500_000, height: 1n },
      expiries: [{ expiryMs, theta, basisPpm: 400_000, timeNs: ctx.header.timeNs }],
      ...{ timeNs: ctx.header.timeNs, shapeTimeNs: ctx.header.timeNs },
      reportingPowerPpm: 1_000_000n,
    };
    ctx.state.set(kept.id, "\u0000\u0000\u0000\u0001", kept.hold(parameters));
    const put = optionMarket("PUT", maturity(Number(expiryMs)), {
      ...{ right: "put", strike: "91000", surface: 1 },
    });
    const { optionRisk } = optionTerms();
    if (optionRisk === undefined) throw new Error("expected a grid");
    const terms = { ...optionTerms(), optionRisk: { ...optionRisk, initialShockPpm: 92_000n } };
    const market = keel.derivatives.createMarket(ctx, { ...put, terms });
    expect(keel.derivatives.mark(ctx, market)?.ticks).toBe(28_850n);
    world.fund(owner(1), 0, 10_530n * UNIT);
    world.fund(owner(2), 0, 25_000n * UNIT);
    place(world, 1, Side.SIDE_SELL, "14425", "1", "PUT");
    place(world, 2, Side.SIDE_BUY, "14425", "1", "PUT");
    // 0.05 % a year each: the bound on one step is none on many.
    let [bound, last] = [400_000n, "accepted"];
    while (last === "accepted" && bound > 380_000n) {
      bound -= 500n;
      last = bounded(bound);
    }
    expect(last).toContain(
      `margin 65: 1 healthy accounts would be liquidatable at once; the first is ${keel.addresses.format(owner(1))}/0`,
    );
    expect(world.violation()).toBeNull();
  });
});
