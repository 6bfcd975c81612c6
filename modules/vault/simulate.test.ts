import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../derivatives/defaults.ts";
import { createRandom } from "../derivatives/random.ts";
import { simulateMessage } from "../derivatives/simulate.ts";
import { testMarket } from "../derivatives/testing.ts";
import { accountId } from "../kit/account-id.ts";
import { atomically } from "../kit/atomically.ts";
import { ModuleError } from "../kit/errors.ts";
import { createVaultWorld } from "../testing/vault-world.ts";
import { BTC, DENOM, UNIT } from "../testing/world.ts";
import { simulateVaultMessage, vaultOperations } from "./simulate.ts";
import { marketAccount } from "./state.ts";

/** Holders of the vault come and go while traders trade in the markets it quotes, one matched by auction, and the mark moves. */
function run(seed: number, blocks: number) {
  const random = createRandom(seed);
  const world = createVaultWorld({
    fundUnits: 20_000n,
    vault: { lockupMs: 3_000n, withdrawalDelayMs: 2_000n },
    // Whoever the book does not save at once is taken over.
    margin: { liquidationNotionalMin: "1", backstopHealthPpm: 1_000_000n },
  });
  const { bank, ctx, vault } = world;
  world.setMarket({
    capitalPpm: 700_000n,
    leverageMaxPpm: 3_000_000n,
    sampleMs: 2_000n,
    backstopOpenInterestPpm: 800_000n,
    backstopLossPpm: 400_000n,
    lossMaxPpm: 1_000_000n,
  });
  world.list(
    testMarket({
      symbol: "BTC-BATCH",
      terms: { ...defaultTerms(), auction: defaultAuctionTerms() },
    }),
  );
  world.setMarket({ capitalPpm: 200_000n, sampleMs: 2_000n, lossMaxPpm: 1_000_000n }, "BTC-BATCH");
  const senders = [1, 2, 3, 4, 5].map((n) => {
    bank.mint(ctx, world.owner(n), { denom: DENOM, amount: 100_000n * UNIT });
    return world.address(n);
  });
  const accounts = Array.from({ length: 8 }, (_, i) => {
    world.funded(20 + i, 250n);
    return { owner: world.address(20 + i), subaccount: 0 };
  });
  const ids = accounts.map((_, i) => accountId(world.owner(20 + i), 0));
  const subject = { state: vault.state, addresses: world.venue.addresses, denom: DENOM };
  const accepted = new Map<string, number>();
  const refused = new Map<string, number>();
  const deliver = (operation: string, message: { typeUrl: string; value: object }): void => {
    const route = world.modules
      .flatMap(({ messages }) => messages)
      .find(({ typeUrl }) => typeUrl === message.typeUrl)!;
    try {
      const decoded = route.decode(route.encode(message.value));
      route.validate(decoded);
      atomically(ctx, (inner) => route.handle({ ...inner, signers: [] }, decoded));
      accepted.set(operation, (accepted.get(operation) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      refused.set(operation, (refused.get(operation) ?? 0) + 1);
    }
  };
  let price = 60_000;
  world.share(1, 20_000n);
  for (let block = 0; block < blocks; block++) {
    price += random.below(2_401) - 1_200;
    world.block(1, () => {
      // What the block has left behind, before another price.
      if (block % 10 === 0) expect(world.violation()).toBeNull();
      world.setPrice(BTC, `${price}`, random.below(15) !== 0);
    });
    for (let i = 0; i < 3; i++) {
      const next = simulateVaultMessage(ctx, random, senders, subject);
      if (next !== null) deliver(next.operation, next.message);
    }
    for (let i = 0; i < 10; i++) {
      const next = simulateMessage(ctx, world.keeper, random, accounts);
      if (next !== null) deliver("trading", next.message);
    }
  }
  // At the end nobody bids or asks any more, and the mark runs away until somebody's position ends with the vault.
  const lots = ids.reduce((sum, id) => sum + world.margin.keeper.positionLots(ctx, id, 1), 0n);
  for (let i = 0; i < 60 && world.eventsOf("backstop_takeover").length === 0; i++) {
    price += (lots > 0n ? -1 : 1) * 300;
    for (const id of [...ids, marketAccount(1)]) world.keeper.cancelOrders(ctx, id, "user");
    world.block(1, () => {
      expect(world.violation()).toBeNull();
      world.setPrice(BTC, `${price}`);
    });
  }
  return { accepted, refused, world, events: JSON.stringify(ctx.events) };
}

describe("simulated holders of the vault", { timeout: 120_000 }, () => {
  it("do everything, are refused for what is wrong, and leave the invariants whole", () => {
    const { accepted, refused, world, events } = run(1, 150);
    const wrong = new Set([
      "deposit of dust",
      "deposit in another coin",
      "deposit for too many shares",
      "withdrawal of more",
    ]);
    for (const { name } of vaultOperations) {
      if (wrong.has(name)) {
        expect(accepted.get(name), name).toBeUndefined();
        expect(refused.get(name), name).toBeGreaterThan(0);
      } else expect(accepted.get(name), name).toBeGreaterThan(0);
    }
    const count = (type: string): number => events.split(`"type":"${type}"`).length - 1;
    for (const type of ["vault_withdrawn", "vault_capital", "backstop_takeover"]) {
      expect(count(type), type).toBeGreaterThan(0);
    }
    expect(world.eventsOf("auction_fill").some(({ account }) => account?.endsWith("/2"))).toBe(
      true,
    );
    expect(count("vault_fault")).toBe(0);
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("active");
    expect(world.violation()).toBeNull();
  });

  it("make the same history from the same seed, and another from another", () => {
    const first = run(9, 40);
    expect(run(9, 40).events).toBe(first.events);
    expect(run(10, 40).events).not.toBe(first.events);
  });
});
