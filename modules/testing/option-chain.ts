/** A chain of options held by many accounts, for the tests and the benchmark of its expiry. */

import { createRandom } from "../derivatives/random.ts";
import type { AccountId } from "../kit/account-id.ts";
import {
  BTC,
  createWorld,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  VOL,
  type World,
} from "./world.ts";

export const EXPIRY: number = START_MS + HOUR_MS;
// The shortest window: one block of it is enough.
const END = maturity(EXPIRY, 60_000);

export interface Chain {
  readonly world: World;
  readonly accounts: readonly AccountId[];
  /** Strike in whole units and right, by market id − 1. */
  readonly options: readonly { readonly strike: bigint; readonly right: "call" | "put" }[];
}

/** Every account holds `held` of the options, bought from or sold to the next one, through the ledger's own door. */
export function chain(
  accountsCount: number,
  held: number,
  options: Partial<Parameters<typeof createWorld>[0]> = {},
): Chain {
  const world = createWorld(options);
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  const list = Array.from({ length: held }, (_, i) => ({
    strike: 58_000n + 200n * BigInt(i >> 1),
    right: i % 2 === 0 ? ("call" as const) : ("put" as const),
  }));
  list.forEach(({ strike, right }, i) => {
    world.list(optionMarket(`O-${i}`, END, { strike: `${strike}`, right }));
  });
  const accounts = Array.from({ length: accountsCount }, (_, n) => world.funded(n + 1, 1_000_000n));
  const random = createRandom(3);
  for (let i = 0; i < accountsCount; i += 2) {
    for (let market = 1; market <= held; market++) {
      const [a, b] = [accounts[i]!, accounts[i + 1]!];
      const swap = random.below(2) === 0;
      const fee = { feeQuanta: 0n, orderId: null };
      const cleared = world.margin.keeper.clear(world.ctx, {
        market,
        priceTicks: BigInt(1 + random.below(4000)),
        lots: BigInt(1 + random.below(20)),
        buyer: { account: swap ? a : b, ...fee },
        seller: { account: swap ? b : a, ...fee },
        taker: "buy",
        // As a deleveraging, which asks nobody for margin: making 50,000 positions is not what is measured.
        kind: "deleverage",
      });
      if (!cleared.ok) throw new Error(cleared.reason);
    }
  }
  return { world, accounts, options: list };
}

export function expire(world: World, price: string): void {
  const set = (): void => world.setPrice(BTC, price);
  world.block(3540, set);
  world.block(60, set);
}
