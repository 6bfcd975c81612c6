/** Custody's invariants, broken one by one, and its genesis. */
import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { BTC, ETH } from "../testing/world.ts";
import { type CustodyWorld, custodyWorld, UNIT, withdrawal } from "./testing.ts";

let world: CustodyWorld;
let loser: AccountId;
let holder: AccountId;
let bystander: AccountId;

/** Closing at mark only: what is missing goes to the queue and nobody else pays. */
beforeEach(() => {
  world = custodyWorld({ deleverageBandPpm: 0n, marketGates: true });
  const [first, winner, third, fourth, fifth] = [60n, 60n, 1_000n, 1_000n, 1_000n].map(
    (units, at) => world.fund(at + 1, 0, units * UNIT),
  ) as [AccountId, AccountId, AccountId, AccountId, AccountId];
  [loser, holder, bystander] = [first, third, fourth];
  world.clear(world.trade(loser, winner, 10n));
  world.clear(world.trade(fifth, holder, 10n));
  world.clear(world.trade(bystander, fifth, 10n, { market: ETH }));
});

/** The loser ends 40 below zero. */
function crash(): void {
  world.markets.setMark(world.ctx, BTC, 40_000n);
  world.endBlock();
  expect(world.violated()).toBeNull();
}

describe("custody's invariants and genesis", () => {
  function everything(): void {
    world.setPolicy({ topUpPerDay: "5" }, 4);
    world.setPolicy({}, 1, 0);
    world.propose(11, withdrawal(world.text(77), 1n));
    world.setTopUp(4, 0, { from: [1] });
    crash();
  }

  it.each([
    [
      "market-shortfalls",
      () => {
        const { solvency } = world.margin.state.custody;
        const known = solvency.get(world.ctx, BTC);
        solvency.set(world.ctx, BTC, { ...known, shortfall: "1" } as never);
      },
    ],
    [
      "shortfalls-laid",
      () => world.margin.state.custody.losses.set(world.ctx, bystander, { losses: [] }),
    ],
    [
      "custody-whole: somebody without a key",
      () => {
        const { proposals } = world.margin.state.custody;
        const key = [loser, 1n] as const;
        const known = proposals.get(world.ctx, key);
        proposals.set(world.ctx, key, { ...known, rejections: [world.text(66)] } as never);
      },
    ],
    [
      "custody-whole: a key decided twice",
      () => {
        const { proposals } = world.margin.state.custody;
        const key = [loser, 1n] as const;
        const known = proposals.get(world.ctx, key);
        proposals.set(world.ctx, key, { ...known, rejections: [world.text(11)] } as never);
      },
    ],
    [
      "custody-whole: proposal 1 stands under no policy",
      () => world.margin.state.custody.policies.delete(world.ctx, loser),
    ],
    [
      "custody-whole: proposal 1 is not going to be forgotten",
      () => {
        const { expiries } = world.margin.state.custody;
        const keys: (readonly [number, AccountId, bigint])[] = [];
        expiries.each(world.ctx, (key) => void keys.push(key));
        for (const key of keys) expiries.delete(world.ctx, key);
      },
    ],
    [
      "custody-whole: something was spent",
      () =>
        world.margin.state.custody.spent.set(world.ctx, holder, {
          day: 1,
          tradingLoss: "1",
          topUps: "0",
        }),
    ],
    [
      "custody-whole: what was spent is no amount",
      () =>
        world.margin.state.custody.spent.set(world.ctx, loser, {
          day: 1,
          tradingLoss: "x",
          topUps: "0",
        }),
    ],
    [
      "custody-whole: what was topped up is no amount",
      () => world.margin.state.custody.toppedUp.set(world.ctx, holder, { day: 1, amount: "" }),
    ],
    [
      "custody-whole: market 7 is covered by no amount",
      () =>
        world.margin.state.custody.solvency.set(world.ctx, 7, {
          ...{ market: 7, shortfall: "0", covered: "x", backing: "0", gatedUntilNs: 0n },
        }),
    ],
    [
      "custody-whole: expected 1 to 8",
      () =>
        world.margin.state.custody.topUps.set(world.ctx, holder, {
          from: [],
          targetPpm: 1n,
          capPerDay: "1",
        }),
    ],
    [
      "custody-whole: expected a threshold",
      () => {
        const { policies } = world.margin.state.custody;
        const known = policies.get(world.ctx, loser);
        policies.set(world.ctx, loser, { ...known, threshold: 9 } as never);
      },
    ],
  ])("notices %s", (name, breakIt) => {
    everything();
    breakIt();
    expect(world.violated()?.startsWith(name)).toBe(true);
  });

  it("goes through genesis as it is, and refuses what does not fit", () => {
    everything();
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const exported = genesis.export(world.ctx);
    const again = custodyWorld();
    const init = (bytes: Uint8Array): void => {
      if (again.margin.module.genesis.kind === "proto") {
        again.margin.module.genesis.init(again.ctx, bytes);
      }
    };
    const decoded = GenesisState.decode(exported);
    expect(decoded.custody?.policies).toHaveLength(2);
    expect(decoded.custody?.losses).toHaveLength(1);
    const wrong = { ...decoded, custody: { ...decoded.custody, policies: [] } };
    expect(() => init(GenesisState.encode(GenesisState.fromPartial(wrong)).finish())).toThrow(
      /stands under no policy/,
    );
    const last = custodyWorld();
    if (last.margin.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    last.margin.module.genesis.init(last.ctx, exported);
    expect(last.margin.module.genesis.export(last.ctx)).toEqual(exported);
  });
});
