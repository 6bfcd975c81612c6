/**
 * Expiry of a chain: 50,000 option positions of 2,500 accounts, 2,500 a block, through the end of the block of both modules; state as in a
 * running node, without commitment. Run: npx vitest bench modules/derivatives/settlement --run --project unit
 */
import { bench, describe } from "vitest";
import { chain, expire } from "../../testing/option-chain.ts";
import { BTC, createWorld, maturity, optionMarket, START_MS, VOL } from "../../testing/world.ts";

const DAY_MS = 86_400_000;

describe("expiry", () => {
  const { world } = chain(2_500, 20);
  expire(world, "59876.54");
  // The first block after the expiry begins the sweep; it is undone with the rest.
  const start = world.ctx.state.savepoint();
  bench("expiry/50000-positions", () => {
    while (world.margin.state.active.size(world.ctx) > 0) {
      world.keeper.endBlock(world.ctx);
      world.margin.keeper.endBlock(world.ctx);
    }
    world.ctx.state.revert(start);
    world.ctx.events.length = 0;
  });
});

describe("a block without activity", () => {
  const quiet = createWorld();
  quiet.setPrice(BTC, "60000");
  quiet.setPrice(VOL, "0.6");
  for (let n = 0; n < 4_000; n++) {
    const strike = `${20_000 + 20 * (n >> 1)}`;
    const end = maturity(START_MS + 30 * DAY_MS);
    const right = n % 2 === 0 ? "call" : "put";
    quiet.list(optionMarket(`O-${n}`, end, { strike, right }));
  }
  bench("block/4000-listed-options", () => {
    quiet.ctx.header = { ...quiet.ctx.header, timeNs: quiet.ctx.header.timeNs + 1_000n };
    quiet.keeper.beginBlock(quiet.ctx);
    quiet.keeper.endBlock(quiet.ctx);
    quiet.margin.keeper.endBlock(quiet.ctx);
  });
});
