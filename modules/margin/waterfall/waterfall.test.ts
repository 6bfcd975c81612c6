import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import {
  type FundAdvance,
  MsgSetWaterfall,
  type WaterfallParams,
} from "@keel/proto/gen/keel/margin/v1/waterfall";
import { beforeEach, describe, expect, test } from "vitest";
import { ownerOf } from "../../kit/account-id.ts";
import { createAddresses, moduleAddress } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { BTC, createWorld, DENOM, ETH } from "../testing/world.ts";
import { exportWaterfall, initWaterfall } from "./genesis.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;

let world: InsuredWorld;
beforeEach(() => {
  world = createInsuredWorld();
});

const mark = (ticks: bigint, market = BTC) => world.markets.setMark(world.ctx, market, ticks);
const endBlock = () => world.margin.keeper.endBlock(world.ctx);
/** Of the only loss. */
function theLoss() {
  const losses = world.losses();
  expect(losses.length).toBe(1);
  const [loss] = losses;
  if (loss === undefined) throw new Error("no loss");
  return loss;
}
function sum(lines: ReadonlyMap<string, bigint>): bigint {
  return [...lines.values()].reduce((total, quanta) => total + quanta, 0n);
}

describe("a loss", () => {
  /** 100 long lots with ten units behind them, against somebody rich; the book is empty. */
  function ruin(): void {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 1_000n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    mark(850n);
    endBlock();
  }

  test("is paid by the class's fund before the shared one, and its lines sum to zero", () => {
    world.endow(3n * UNIT, "major");
    world.endow(20n * UNIT);
    world.endow(50n * UNIT, "minor");
    ruin();
    // 15 units lost, 10 were there: 5 missing, 3 by the class and 2 by all; nobody is deleveraged at a loss.
    const { attributes, lines } = theLoss();
    expect(attributes).toMatchObject({ cause: "liquidation", amount: "5000000" });
    expect(attributes["classes"]).toBe("major=5000000");
    expect(lines).toEqual(
      new Map([
        ["defaulter", -5n * UNIT],
        ["treasury:major", 3n * UNIT],
        ["treasury:", 2n * UNIT],
      ]),
    );
    expect([world.balance("major"), world.balance(), world.balance("minor")]).toEqual([
      0n,
      18n * UNIT,
      50n * UNIT,
    ]);
    expect(world.violated()).toBeNull();
  });

  test("asks other classes only as far as they said beforehand, and before anyone is deleveraged at a loss", () => {
    world.endow(UNIT, "major");
    world.endow(10n * UNIT, "minor");
    world.insurance.keeper.setFund(world.ctx, DENOM, "minor", 200_000);
    ruin();
    const { lines } = theLoss();
    expect(lines).toEqual(
      new Map([
        ["defaulter", -5n * UNIT],
        ["treasury:major", UNIT],
        // A fifth of ten; without underwriters all of it is the protocol's.
        ["treasury:minor", 2n * UNIT],
        ["deleveraging", 2n * UNIT],
      ]),
    );
    expect(sum(lines)).toBe(0n);
    // And no more within thirty days.
    expect(world.insurance.keeper.assessable(world.ctx, DENOM, "minor")).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  test("that nobody can bear stands in the queue with its classes, and is paid from there later", () => {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 3n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    // The short side has gained it all, but so far is the band that it bears a tenth of the mark at most.
    mark(500n);
    endBlock();
    const { lines } = theLoss();
    const open = lines.get("queue") ?? 0n;
    expect(open > 0n).toBe(true);
    expect(sum(lines)).toBe(0n);
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(open);
    expect(world.margin.state.custody.losses.size(world.ctx)).toBe(1);
    expect(world.violated()).toBeNull();
    world.endow(open, "minor");
    world.ctx.nextBlock();
    endBlock();
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(open);
    world.endow(open, "major");
    endBlock();
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(0n);
    expect(world.margin.state.custody.losses.size(world.ctx)).toBe(0);
    const last = world.losses().at(-1);
    expect(last?.attributes["cause"]).toBe("queue");
    expect(last?.lines).toEqual(
      new Map([
        ["queue", -open],
        ["treasury:major", open],
      ]),
    );
  });

  test("of a cross-margined account is charged to the classes that stand at a loss, in proportion", () => {
    world.endow(100n * UNIT, "major");
    world.endow(100n * UNIT, "minor");
    const long = world.funded(1, 10n * UNIT);
    const rich = world.funded(2, 1_000n * UNIT);
    world.trade(long, rich, 100n, 1_000n);
    world.trade(long, rich, 20n, 1_000n, ETH);
    mark(880n);
    mark(800n, ETH);
    endBlock();
    // Twelve lost in the one, four in the other, ten were there.
    const { attributes, lines } = theLoss();
    expect(attributes["classes"]).toBe("major=4500000,minor=1500000");
    expect(lines.get("treasury:major")).toBe(4_500_000n);
    expect(lines.get("treasury:minor")).toBe(1_500_000n);
    expect(world.violated()).toBeNull();
  });
});

describe("penalties and fees", () => {
  test("go to the class of the market they came from", () => {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 1_000n * UNIT);
    world.trade(long, short, 100n, 1_000n, ETH);
    mark(930n, ETH);
    world.markets.rest(world.ctx, {
      account: short,
      market: ETH,
      side: "buy",
      ticks: 925n,
      lots: 100n,
      feeReserve: 0n,
    });
    endBlock();
    expect(world.balance("minor") > 0n).toBe(true);
    expect(world.balance("major") + world.balance()).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  test("of the insurance part of a block's fees go by what each class's markets took in", () => {
    const { ctx, margin } = world;
    const params = margin.state.params.require(ctx);
    margin.state.params.set(ctx, {
      ...params,
      feeSplit: { stakersPpm: 0, insurancePpm: 1_000_000, treasury: "", treasuryPpm: 0 },
    });
    const buyer = world.funded(1, 1_000n * UNIT);
    const seller = world.funded(2, 1_000n * UNIT);
    const pay = (market: number, feeQuanta: bigint) =>
      margin.keeper.clear(ctx, {
        market,
        priceTicks: 1_000n,
        lots: 1n,
        buyer: { account: buyer, feeQuanta, orderId: null },
        seller: { account: seller, feeQuanta: 0n, orderId: null },
        taker: "buy",
        kind: "order",
      });
    pay(BTC, 300n);
    pay(ETH, 100n);
    world.set({ feeds: [{ feedId: BTC, riskClass: "major" }] });
    pay(ETH, 50n);
    endBlock();
    expect([world.balance("major"), world.balance("minor"), world.balance()]).toEqual([
      300n,
      100n,
      50n,
    ]);
    expect(margin.state.waterfall.classFees.size(ctx)).toBe(0);
    expect(world.violated()).toBeNull();
  });
});

describe("invariants", () => {
  test("shortfalls-laid: an account without a deficit is remembered to have lost", () => {
    const id = world.funded(1, UNIT);
    const losses = [{ market: BTC, amount: "1", borne: "" }];
    world.margin.state.custody.losses.set(world.ctx, id, { losses });
    expect(world.violated()).toMatch(/^shortfalls-laid/);
  });
});

describe("parameters", () => {
  const gov = moduleAddress("gov");
  const addresses = createAddresses("keel");
  const send = (params: Partial<WaterfallParams> | undefined, authority = gov): void => {
    const route = world.margin.module.messages.find(({ typeUrl }) =>
      typeUrl.endsWith(".MsgSetWaterfall"),
    );
    const message = MsgSetWaterfall.fromPartial({
      authority: addresses.format(authority),
      ...(params === undefined ? {} : { params }),
    });
    route?.validate(message);
    route?.handle(world.ctx.signedBy(authority), message);
  };

  test("are the authority's, and may be taken away again", () => {
    send({ feeds: [{ feedId: BTC, riskClass: "minor" }], hedgesLast: true });
    expect(world.margin.state.waterfall.params.get(world.ctx)?.hedgesLast).toBe(true);
    send(undefined);
    expect(world.margin.state.waterfall.params.get(world.ctx)).toBeUndefined();
    expect(() => send({}, world.owner(1))).toThrow("authority");
  });

  test.each([
    [{ feeds: [{ feedId: BTC, riskClass: "none" }] }, 'no fund of class "none"'],
    [{ feeds: [{ feedId: BTC, riskClass: "" }] }, "expected a risk class"],
    [
      {
        feeds: [
          { feedId: ETH, riskClass: "minor" },
          { feedId: BTC, riskClass: "major" },
        ],
      },
      "ascending order",
    ],
    [{ gainsHaircutPpm: 500_001 }, "half the gains"],
    [{ deleverageSharePpm: 1_000_001 }, "expected a share"],
    [{ stressMovesPpm: [-1_000_001n] }, "expected a move"],
    [
      { tail: { exceedancePpm: 1, thresholdPpm: 1, alphaPpm: 1_000_000, atMarginPpm: 1 } },
      "tail index above 1",
    ],
    [
      { tail: { exceedancePpm: 0, thresholdPpm: 1, alphaPpm: 2_000_000, atMarginPpm: 1 } },
      "expected shares",
    ],
  ])("that are out of range are refused: %o", (params, message) => {
    expect(() => send(params)).toThrow(message);
  });

  test("and what is kept go through genesis unchanged", () => {
    const long = world.funded(1, 10n * UNIT);
    world.trade(long, world.funded(2, 3n * UNIT), 100n, 1_000n);
    mark(500n);
    endBlock();
    world.margin.state.waterfall.classFees.set(world.ctx, "major", -7n);
    world.margin.state.waterfall.advances.set(world.ctx, [long, "major"], {
      amount: 5n,
      ownShares: 7n,
      assessed: 0n,
    });
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const state = GenesisState.decode(genesis.export(world.ctx));
    expect(state.custody?.losses).toMatchObject([{ shares: { losses: [{ market: BTC }] } }]);
    const other = createInsuredWorld();
    initWaterfall(other.ctx, other.margin.state.waterfall, state, addresses);
    expect(exportWaterfall(other.ctx, other.margin.state.waterfall, addresses)).toEqual({
      waterfall: state.waterfall,
      classFees: [{ riskClass: "major", amount: "-7" }],
      endings: [],
      endingShares: [],
      fundAdvances: [
        {
          owner: addresses.format(ownerOf(long)),
          subaccount: 0,
          ...{ riskClass: "major", amount: "5", ownShares: "7", assessed: "" },
        },
      ],
    });
  });

  test("are not taken from a genesis in which an account owes a fund twice, or that has no such account", () => {
    const long = world.funded(1, 10n * UNIT);
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const exported = GenesisState.decode(genesis.export(world.ctx));
    const owed = (owner: Uint8Array, over: Partial<FundAdvance> = {}): FundAdvance => ({
      ...{ owner: addresses.format(owner), subaccount: 0, riskClass: "major" },
      ...{ amount: "5", ownShares: "", assessed: "", ...over },
    });
    const own = owed(ownerOf(long));
    const start = (fundAdvances: FundAdvance[]): void => {
      const other = createWorld();
      const { genesis: target } = other.margin.module;
      if (target.kind !== "proto") throw new Error("expected proto genesis");
      target.init(other.ctx, GenesisState.encode({ ...exported, fundAdvances }).finish());
    };
    expect(() => start([own, { ...own, amount: "6" }])).toThrow('owes the fund "major" twice');
    expect(() => start([owed(world.owner(9))])).toThrow("has paid for no account");
    expect(() => start([{ ...own, assessed: "6" }])).toThrow("6 is an assessment");
    for (const over of [{ amount: "0" }, { amount: "-1" }, { ownShares: "x" }]) {
      expect(() => start([{ ...own, ...over }])).toThrow('what the fund "major" has paid');
    }
  });
});
