import { MsgBatchOrders } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import { GAS, type GasMeter, limitedGas } from "../../kit/gas.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { COLLECTED_CANCEL_GAS } from "../limits.ts";
import { runBatch } from "../orders/batch.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const OPEN_MAX = 5;

function market(): TestVenue {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true };
  const terms = { ...defaultTerms(), openOrdersMax: OPEN_MAX, auction };
  return createTestVenue(testMarket({ terms }));
}

function end({ ctx, keeper }: TestVenue): void {
  keeper.endRound(ctx);
  keeper.endBlock(ctx);
  ctx.nextBlock(1);
  keeper.beginBlock(ctx);
}

/** Orders of account 1 that rest, and then as many that were collected for the next round. */
function having(resting: number, collected: number): TestVenue {
  const venue = market();
  const place = (from: number, to: number) => {
    for (let n = from; n < to; n++)
      venue.place(venue.account(1), `sell 1 @ ${60_100 + n} id=o${n}`);
  };
  place(0, resting);
  end(venue);
  end(venue);
  place(resting, resting + collected);
  return venue;
}

function gasOf(venue: TestVenue, work: () => void): number {
  const metered = venue.ctx as { gas: GasMeter };
  const before = metered.gas;
  metered.gas = limitedGas(1n << 60n);
  try {
    work();
    return Number(metered.gas.used);
  } finally {
    metered.gas = before;
  }
}

function cancel(venue: TestVenue, clientId: string, account = 1): void {
  venue.keeper.cancel(venue.ctx, venue.account(account), { market: SYMBOL, orderId: 0n, clientId });
}

function cancelAll(venue: TestVenue): void {
  venue.keeper.cancelAll(venue.ctx, venue.account(1), SYMBOL);
}

function codeOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace} ${error.code}`;
    throw error;
  }
  return "accepted";
}

describe("a cancel that waits for its round", () => {
  it("of everything pays for each order that rests or was collected, and for one where there is none", () => {
    const pays = (resting: number, collected: number) => {
      const venue = having(resting, collected);
      return gasOf(venue, () => cancelAll(venue));
    };
    const none = pays(0, 0);
    expect(none).toBeGreaterThan(COLLECTED_CANCEL_GAS);
    expect(pays(1, 0)).toBe(none);
    expect(pays(4, 0)).toBe(none + 3 * COLLECTED_CANCEL_GAS);
    // Those that were collected are read, too.
    expect(pays(2, 2)).toBeGreaterThanOrEqual(none + 3 * COLLECTED_CANCEL_GAS);
    expect(pays(2, 2)).toBeLessThan(none + 4 * COLLECTED_CANCEL_GAS);
  });

  it("by name pays for one order, whether there is one of that name or not", () => {
    const venue = having(1, 0);
    const known = gasOf(venue, () => cancel(venue, "o0"));
    const unknown = gasOf(venue, () => cancel(venue, "oX"));
    expect(known).toBeGreaterThan(COLLECTED_CANCEL_GAS + 2_000);
    expect(unknown).toBe(known + 30);
  });

  it("makes its round for no more than it has paid", () => {
    const round = (count: number) => {
      const venue = having(count, 0);
      end(venue);
      cancelAll(venue);
      end(venue);
      return gasOf(venue, () => end(venue));
    };
    expect(round(5) - round(1)).toBeLessThan(4 * COLLECTED_CANCEL_GAS);
    expect(round(5) - round(1)).toBeGreaterThan(COLLECTED_CANCEL_GAS);
  });

  it("by id of an order that rests reads none that were collected since", () => {
    const round = (orders: readonly { readonly orderId: bigint; readonly clientId: string }[]) => {
      const venue = having(2, 0);
      const { ctx, keeper } = venue;
      for (const order of orders)
        keeper.cancel(ctx, venue.account(1), { market: SYMBOL, ...order });
      for (let n = 2; n < OPEN_MAX; n++)
        venue.place(venue.account(1), `sell 1 @ ${60_100 + n} id=o${n}`);
      end(venue);
      const used = gasOf(venue, () => end(venue));
      expect(venue.book()).toBe(" | 60102:1 60103:1 60104:1");
      return used;
    };
    const byClientId = ["o0", "o1"].map((clientId) => ({ orderId: 0n, clientId }));
    const byId = [1n, 2n].map((orderId) => ({ orderId, clientId: "" }));
    // By client id it looks for one in the collection.
    expect(round(byClientId) - round(byId)).toBeGreaterThanOrEqual(2 * GAS.readFlat);
  });

  it("is refused where as many wait for the round as orders may be open, but for one of everything and for others", () => {
    const venue = having(2, 0);
    for (let n = 0; n < OPEN_MAX; n++) cancel(venue, `none${n}`);
    expect(codeOf(() => cancel(venue, "o0"))).toBe("derivatives 53");
    expect(codeOf(() => cancel(venue, "none9"))).toBe("derivatives 53");
    expect(codeOf(() => cancel(venue, "x", 2))).toBe("accepted");
    expect(codeOf(() => cancelAll(venue))).toBe("accepted");
    expect(venue.violation()).toBeNull();
    end(venue);
    // Of the next round.
    expect(codeOf(() => cancel(venue, "o0"))).toBe("accepted");
    end(venue);
    expect(venue.book()).toBe(" | ");
  });

  it("pays in a batch as it does alone", () => {
    const names = ["o0", "o1", "oX"].map((clientId) => ({ market: SYMBOL, orderId: 0n, clientId }));
    const alone = having(2, 0);
    const apart = gasOf(alone, () => {
      for (const { clientId } of names) cancel(alone, clientId);
    });
    const together = having(2, 0);
    const used = gasOf(together, () => {
      const batch = MsgBatchOrders.fromPartial({ cancels: names });
      const account = together.account(1);
      const { cancels } = runBatch(together.ctx, together.venue, together.keeper, account, batch);
      expect(cancels.map(({ code }) => code)).toEqual([0, 0, 0]);
    });
    expect(used).toBe(apart);
  });
});
