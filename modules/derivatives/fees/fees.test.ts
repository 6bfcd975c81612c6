import { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { moduleAddress } from "../../kit/addresses.ts";
import {
  accountOf,
  createFeeWorld,
  type FeeWorld,
  feesHeld,
  SYMBOL,
  tier,
} from "../../testing/fee-world.ts";
import { DENOM } from "../../testing/world.ts";
import { defaultAuctionTerms } from "../defaults.ts";
import { DERIVATIVES_CODES, type DerivativesCode } from "../errors.ts";

const MILLION = 1_000_000n;
/** 1 lot of 1 BTC at 60,000: 30 units to the taker, 6 to the maker, at 5 and 1 bp. */
const NOTIONAL = 60_000n * MILLION;

function refuses(world: FeeWorld, code: DerivativesCode, work: () => unknown): void {
  const before = world.stored();
  expect(work).toThrow(
    expect.objectContaining({ codespace: "derivatives", code: DERIVATIVES_CODES[code] }),
  );
  expect(world.stored()).toEqual(before);
}

/** Money of all owners and what the venue holds: nothing is made or lost by a trade at mark. */
function total(world: FeeWorld): bigint {
  let sum = feesHeld(world);
  for (let n = 1; n < 10; n++) {
    sum += world.margin.keeper.health(world.ctx, accountOf(world, n))?.equity ?? 0n;
  }
  return sum;
}

function lossOf(world: FeeWorld, owner: number, work: () => void): bigint {
  const equity = (): bigint =>
    world.margin.keeper.health(world.ctx, accountOf(world, owner))?.equity ?? 0n;
  const before = equity();
  work();
  return before - equity();
}

function register(world: FeeWorld, owner: number, code: string): void {
  const message = { sender: world.address(owner), code };
  world.message("MsgRegisterReferralCode", message, tx.MsgRegisterReferralCodeResponse);
}

function refer(world: FeeWorld, owner: number, code: string): string {
  const message = { sender: world.address(owner), code };
  return world.message("MsgSetReferrer", message, tx.MsgSetReferrerResponse).referrer;
}

describe("without fee parameters", () => {
  it("nothing of owners is read or written, and the markets' rates hold", () => {
    const world = createFeeWorld();
    world.send(1, "sell 1 @ 60000");
    expect(world.send(2, "buy 1 @ 60000").fee).toBe("30");
    expect(world.venue.state.fees.traders.size(world.ctx)).toBe(0);
    expect(world.trader(2, SYMBOL)).toMatchObject({
      tier: 0,
      volume: "0",
      budget: undefined,
      rates: { takerPpm: 500, makerPpm: 100, auctionPpm: 0 },
    });
  });
});

describe("fee tiers", () => {
  const tiers = [
    tier(0, 1_000_000, 0),
    tier(100_000, 800_000, 100_000),
    tier(1e6, 500_000, 400_000),
  ];

  it("follow the volume of the days before today, of both sides, over all sub-accounts", () => {
    const world = createFeeWorld();
    world.setFees({ tiers });
    world.send(1, "sell 2 @ 60000");
    world.send(2, "buy 2 @ 60000");
    expect(world.trader(1)).toMatchObject({ tier: 0, volume: "0", volumeToday: "120000000000" });
    world.days(1);
    for (const owner of [1, 2]) {
      expect(world.trader(owner, SYMBOL)).toMatchObject({
        tier: 1,
        volume: "120000000000",
        volumeToday: "0",
        rates: { takerPpm: 400, makerPpm: 50 },
      });
    }
    expect(world.trader(3, SYMBOL).rates).toMatchObject({ takerPpm: 500, makerPpm: 100 });
    // 4 bp of 60,000 to the taker, half a basis point to the maker.
    const maker = lossOf(world, 1, () => {
      world.send(1, "buy 1 @ 60000");
      expect(world.send(2, "sell 1 @ 60000").fee).toBe("24");
    });
    expect(maker).toBe(3n * MILLION);
    expect(world.violation()).toBeNull();
  });

  it("end thirty days after the volume that reached them", () => {
    const world = createFeeWorld();
    world.setFees({ tiers });
    world.trade(SYMBOL, accountOf(world, 1), accountOf(world, 2), "2", "60000");
    world.days(30);
    expect(world.trader(1).tier).toBe(1);
    world.days(1);
    expect(world.trader(1)).toMatchObject({ tier: 0, volume: "0", volumeLifetime: "120000000000" });
  });

  it("make a rebate of a maker's fee, funded by the taker of the same trade", () => {
    const world = createFeeWorld();
    world.setFees({ tiers });
    world.trade(SYMBOL, accountOf(world, 1), accountOf(world, 2), "20", "60000");
    world.days(1);
    const held = feesHeld(world);
    const sum = total(world);
    // Maker rate 100 − 500 × 40 % = −100 ppm, taker rate 250 ppm of the best tier.
    const maker = lossOf(world, 1, () => {
      world.send(1, "buy 1 @ 60000");
      world.send(2, "sell 1 @ 60000");
    });
    expect(maker).toBe(-6n * MILLION);
    expect(feesHeld(world) - held).toBe((15n - 6n) * MILLION);
    expect(total(world)).toBe(sum);
  });

  it("never let a market's own rebate exceed what the taker pays", () => {
    // The market gives makers all of a full taker fee; its best takers pay a fifth of that.
    const world = createFeeWorld({ takerFeePpm: 500, makerFeePpm: -500 });
    world.setFees({ tiers: [tier(0, 1_000_000, 0), tier(100_000, 200_000, 0)] });
    world.trade(SYMBOL, accountOf(world, 1), accountOf(world, 2), "2", "60000");
    world.days(1);
    const held = feesHeld(world);
    const maker = lossOf(world, 3, () => {
      world.send(3, "buy 1 @ 60000");
      expect(world.send(2, "sell 1 @ 60000").fee).toBe("6");
    });
    expect(maker).toBe(-6n * MILLION);
    expect(feesHeld(world)).toBe(held);
    expect(world.violation()).toBeNull();
  });

  it("hold in auctions, for both sides alike", () => {
    const world = createFeeWorld({ auction: defaultAuctionTerms() });
    world.setFees({ tiers: [tier(0, 1_000_000, 0), tier(100_000, 500_000, 0)] });
    const round = (): void => {
      world.send(1, "sell 2 @ 60000 id=a");
      world.send(2, "buy 2 @ 60000 id=b");
      world.block();
    };
    round();
    const held = feesHeld(world);
    // 3 bp of 120,000 from each.
    expect(held).toBe(72n * MILLION);
    world.days(1);
    // A day without a block is an interruption: it opens again half a minute later.
    for (let i = 0; i < 5; i++) world.block(8);
    expect(world.trader(1)).toMatchObject({ tier: 1, volume: "120000000000" });
    round();
    expect(feesHeld(world) - held).toBe(36n * MILLION);
    expect(world.violation()).toBeNull();
  });
});

describe("referral", () => {
  const on = { referrerSharePpm: 100_000, referredDiscountPpm: 40_000 };

  it("takes the discount off the taker's fee and gives the referrer a share of the rest", () => {
    const world = createFeeWorld();
    world.setFees(on);
    register(world, 5, "FRIEND");
    expect(refer(world, 2, "FRIEND")).toBe(world.address(5));
    expect(world.trader(2, SYMBOL)).toMatchObject({
      referrer: world.address(5),
      rates: { takerPpm: 480, makerPpm: 100 },
    });
    const sum = total(world);
    world.send(1, "sell 1 @ 60000");
    const gain = lossOf(world, 5, () => {
      expect(world.send(2, "buy 1 @ 60000").fee).toBe("28.8");
    });
    expect(gain).toBe(-2_880_000n);
    expect(feesHeld(world)).toBe(28_800_000n + 6n * MILLION - 2_880_000n);
    expect(total(world)).toBe(sum);
    expect(world.eventsOf("fee_shared")).toEqual([
      {
        market: SYMBOL,
        kind: "referral",
        payer: `${world.address(2)}/0`,
        recipient: world.address(5),
        amount: "2.88",
      },
    ]);
    expect(world.violation()).toBeNull();
  });

  it("pays nothing for makers, and once per order however many fills it has", () => {
    const world = createFeeWorld();
    world.setFees(on);
    register(world, 5, "FRIEND");
    refer(world, 1, "FRIEND");
    refer(world, 2, "FRIEND");
    for (const price of [60_000, 60_001, 60_002]) world.send(1, `sell 0.1 @ ${price}`);
    world.send(2, "buy 0.3 @ 60010");
    expect(world.eventsOf("fee_shared")).toHaveLength(1);
    expect(world.eventsOf("fee_shared")[0]).toMatchObject({ payer: `${world.address(2)}/0` });
  });

  it("leaves a maker's rebate what the referrer does not get", () => {
    const world = createFeeWorld({ takerFeePpm: 500, makerFeePpm: -500 });
    world.setFees({ referrerSharePpm: 500_000 });
    register(world, 5, "FRIEND");
    refer(world, 2, "FRIEND");
    const maker = lossOf(world, 1, () => {
      world.send(1, "sell 1 @ 60000");
      world.send(2, "buy 1 @ 60000");
    });
    expect(maker).toBe(-15n * MILLION);
    expect(feesHeld(world)).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("is once, of one's own choice, without chains or circles", () => {
    const world = createFeeWorld();
    refuses(world, "invalidReferralCode", () => register(world, 5, "ab"));
    refuses(world, "unknownReferralCode", () => refer(world, 2, "FRIEND"));
    register(world, 5, "FRIEND");
    refuses(world, "referralCodeTaken", () => register(world, 6, "FRIEND"));
    refuses(world, "referralFixed", () => register(world, 5, "OTHER"));
    refuses(world, "referralFixed", () => refer(world, 5, "FRIEND"));
    register(world, 6, "OTHER");
    refuses(world, "referralFixed", () => refer(world, 5, "OTHER"));
    refer(world, 2, "FRIEND");
    refuses(world, "referralFixed", () => refer(world, 2, "OTHER"));
    refuses(world, "referralFixed", () => register(world, 2, "MINE"));
    expect(world.violation()).toBeNull();
  });
});

describe("the split of fees", () => {
  it("gives each its part to the unit at the end of the block, and insurance what does not divide", () => {
    const world = createFeeWorld(
      {},
      {
        margin: {
          feeSplit: {
            stakersPpm: 333_333,
            insurancePpm: 333_334,
            treasuryPpm: 333_333,
            treasury: createFeeWorld().address(9),
          },
        },
      },
    );
    world.send(1, "sell 1 @ 60000.5");
    world.send(2, "buy 1 @ 60000.5");
    const held = feesHeld(world);
    expect(held).toBe((NOTIONAL / MILLION) * 600n + 300n);
    const stakers = moduleAddress("fee_collector");
    const part = (held * 333_333n) / MILLION;
    world.block();
    expect(feesHeld(world)).toBe(0n);
    expect(world.bank.balance(world.ctx, stakers, DENOM)).toBe(part);
    expect(world.bank.balance(world.ctx, world.owner(9), DENOM)).toBe(part);
    expect(world.eventsOf("fees_split")).toEqual([
      {
        denom: DENOM,
        stakers: part.toString(),
        insurance: (held - 2n * part).toString(),
        treasury: part.toString(),
      },
    ]);
    expect(world.eventsOf("insurance_received")).toMatchObject([{ reason: "fees" }]);
    expect(world.violation()).toBeNull();
    world.block();
    expect(world.eventsOf("fees_split")).toHaveLength(1);
  });
});

describe("the authority", () => {
  it("sets the parameters within their bounds, and takes them away again", () => {
    const world = createFeeWorld();
    const { authority } = world.venue.state.params.require(world.ctx);
    const update = (params: Partial<FeeParams> | undefined, sender = authority): void => {
      const value = params === undefined ? undefined : FeeParams.fromPartial(params as FeeParams);
      const message = { authority: sender, params: value };
      world.message("MsgUpdateFeeParams", message, tx.MsgUpdateFeeParamsResponse);
    };
    refuses(world, "unauthorized", () => update({}, world.address(1)));
    const invalid: readonly Partial<FeeParams>[] = [
      { referrerSharePpm: 500_001 },
      { referredDiscountPpm: 500_001 },
      { builderFeeMaxPpm: 10_001 },
      { tiers: [tier(1, 1_000_000, 0)] },
      { tiers: [tier(0, 1_000_001, 0)] },
      { tiers: [tier(0, 900_000, 0), tier(0, 800_000, 0)] },
      { tiers: [tier(0, 900_000, 0), tier(1, 900_001, 0)] },
      { tiers: [tier(0, 900_000, 5), tier(1, 900_000, 4)] },
      // More back to makers than the best taker pays, once the referrer and the discount are served.
      { tiers: [tier(0, 500_000, 500_001)] },
      { tiers: [tier(0, 500_000, 450_000)], referrerSharePpm: 100_001 },
      { tiers: [tier(0, 500_000, 450_000)], referredDiscountPpm: 100_001 },
      { tiers: Array.from({ length: 17 }, (_, i) => tier(i, 1_000_000, 0)) },
      { tiers: [{ volume: "x", takerFactorPpm: 1_000_000, makerDiscountPpm: 0 }] },
      { actionBudget: { initial: 0n, quantaPerAction: 1n, trickleMs: 1n } },
      { actionBudget: { initial: 1n, quantaPerAction: 0n, trickleMs: 1n } },
      { actionBudget: { initial: 1n, quantaPerAction: 1n, trickleMs: 86_400_001n } },
    ];
    for (const params of invalid) refuses(world, "invalidFeeParams", () => update(params));
    update({ tiers: [tier(0, 500_000, 450_000)], referrerSharePpm: 100_000 });
    expect(world.trader(1, SYMBOL).rates).toMatchObject({ takerPpm: 250, makerPpm: -125 });
    update(undefined);
    expect(world.trader(1, SYMBOL).rates).toMatchObject({ takerPpm: 500, makerPpm: 100 });
  });
});
