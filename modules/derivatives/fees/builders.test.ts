import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import {
  accountOf,
  createFeeWorld,
  type FeeWorld,
  feesHeld,
  SYMBOL,
} from "../../testing/fee-world.ts";
import { defaultAuctionTerms } from "../defaults.ts";
import { DERIVATIVES_CODES, type DerivativesCode } from "../errors.ts";

const MILLION = 1_000_000n;

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

function approve(world: FeeWorld, owner: number, builder: number, feeMaxPpm: number): void {
  const message = { sender: world.address(owner), builder: world.address(builder), feeMaxPpm };
  world.message("MsgApproveBuilder", message, tx.MsgApproveBuilderResponse);
}

describe("a builder's fee", () => {
  it("is paid on the quote of each fill, by taker and maker, to the builder's collateral", () => {
    const world = createFeeWorld();
    approve(world, 1, 7, 1000);
    approve(world, 2, 8, 200);
    const sum = total(world);
    world.send(1, "sell 1 @ 60000", { builder: world.address(7), feePpm: 1000 });
    const builders = [7, 8].map((n) => world.collateral(accountOf(world, n)));
    // Half of it: 1,000 ppm and 200 ppm of 30,000 units, whatever the base asset is.
    const placed = world.send(2, "buy 0.5 @ 60000", { builder: world.address(8), feePpm: 200 });
    expect(placed.fee).toBe("21");
    const paid = [7, 8].map((n, i) => world.collateral(accountOf(world, n)) - (builders[i] ?? 0n));
    expect(paid).toEqual([30n * MILLION, 6n * MILLION]);
    expect(total(world)).toBe(sum);
    expect(world.violation()).toBeNull();
  });

  it("is held back with the order, so margin is never short of it", () => {
    const world = createFeeWorld();
    approve(world, 1, 7, 1000);
    const reserve = (): bigint =>
      world.margin.keeper.account(world.ctx, accountOf(world, 1))?.feeReserve ?? -1n;
    const builder = { builder: world.address(7), feePpm: 1000 };
    world.send(1, "buy 1 @ 59000", builder);
    // 1 bp for the maker and 10 bp for its builder.
    expect(reserve()).toBe((59_000n * MILLION * 1_100n) / MILLION);
    world.send(1, "buy 1 @ 58000 stop=61000", builder);
    expect(reserve()).toBe(((59_000n * 1_100n + 58_000n * 1_500n) * MILLION) / MILLION);
    world.send(2, "sell 0.4 @ 59000");
    expect(reserve()).toBe((59_000n * 1_100n * 6n) / 10n + 58_000n * 1_500n);
    world.message(
      "MsgCancelAll",
      { sender: world.address(1), subaccount: 0, market: "" },
      tx.MsgCancelAllResponse,
    );
    expect(reserve()).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("stays with an order that is amended, triggered or protects another", () => {
    const world = createFeeWorld();
    approve(world, 1, 7, 1000);
    const builder = { builder: world.address(7), feePpm: 1000 };
    world.send(1, "buy 1 @ 59000 tp=60000/60000 sl=50000 id=x", builder);
    const amendment = tx.Amendment.fromPartial({ clientId: "x", price: "60000" });
    world.message(
      "MsgAmendOrder",
      { sender: world.address(1), subaccount: 0, ...amendment, market: SYMBOL },
      tx.MsgAmendOrderResponse,
    );
    const shared = (): string[] => world.eventsOf("fee_shared").map(({ amount }) => amount ?? "");
    world.send(2, "sell 1 @ 60000");
    expect(shared()).toEqual(["60"]);
    // Its take-profit is due at this mark and sells to a bid.
    world.send(2, "buy 1 @ 60000");
    world.block();
    expect(shared()).toEqual(["60", "60"]);
    expect(world.violation()).toBeNull();
  });

  it("is charged in auctions too", () => {
    const world = createFeeWorld({ auction: defaultAuctionTerms() });
    approve(world, 1, 7, 1000);
    world.send(1, "sell 1 @ 60000 id=a", { builder: world.address(7), feePpm: 1000 });
    world.send(2, "buy 1 @ 60000 id=b");
    const gain = lossOf(world, 7, () => world.block());
    expect(gain).toBe(-60n * MILLION);
    // 3 bp from each.
    expect(feesHeld(world)).toBe(36n * MILLION);
    expect(world.violation()).toBeNull();
  });

  it("goes to an address and nothing else, whichever accounts this node has been asked about", () => {
    const world = createFeeWorld();
    approve(world, 1, 7, 1000);
    const builder = { builder: `${world.address(7)}/5`, feePpm: 1000 };
    const place = () => world.send(1, "buy 1 @ 59000", builder);
    expect(place).toThrow(/not bech32/);
    // A query is answered by one node alone.
    world.venue.accounts.of(world.address(7), 5);
    expect(place).toThrow(/not bech32/);
  });

  it("needs the owner's approval and the parameter's", () => {
    const world = createFeeWorld();
    const builder = { builder: world.address(7), feePpm: 500 };
    const place = () => world.send(1, "buy 1 @ 59000", builder);
    refuses(world, "builderNotApproved", place);
    approve(world, 1, 7, 499);
    refuses(world, "builderNotApproved", place);
    approve(world, 1, 7, 10_000);
    place();
    refuses(world, "builderFeeTooHigh", () =>
      world.send(1, "buy 1 @ 59000", { ...builder, feePpm: 1001 }),
    );
    refuses(world, "builderFeeTooHigh", () => approve(world, 1, 7, 10_001));
    approve(world, 1, 7, 0);
    refuses(world, "builderNotApproved", place);
    for (let n = 10; n < 42; n++) approve(world, 1, n, 10);
    refuses(world, "tooManyApprovals", () => approve(world, 1, 42, 10));
    expect(world.violation()).toBeNull();
  });
});
