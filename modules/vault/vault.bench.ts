/** The vault's step of one block with one market: when nothing has to move, and when all of its quotes do. */
import { bench, describe } from "vitest";
import { createVaultWorld } from "../testing/vault-world.ts";
import { BTC } from "../testing/world.ts";

const world = createVaultWorld();
world.setMarket();
world.share(1, 100_000n);
world.block(1);
let height = 0;

/** Undone for the next run, as nothing commits here. */
function block(price: number): void {
  const savepoint = world.ctx.state.savepoint();
  world.setPrice(BTC, `${price}`);
  world.vault.keeper.beginBlock(world.ctx);
  world.ctx.state.revert(savepoint);
  world.ctx.events.length = 0;
  height += 1;
}

describe("vault::begin_block", () => {
  bench("quotes stay", () => block(60_000));
  bench("four quotes move", () => block(60_100 + (height % 2) * 100));
});
