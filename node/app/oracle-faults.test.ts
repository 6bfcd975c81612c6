/**
 * What goes wrong with prices on a whole chain, each fault by its name: nothing is matched or liquidated at a price that is not one, and the chain
 * goes on. The feed is guarded by the defaults.
 */

import { encodeExtension } from "@keel/modules/oracle/extension";
import { defaultFeed } from "@keel/modules/oracle/feeds";
import { defaultGuard } from "@keel/modules/oracle/guard/terms";
import { TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import {
  PriceLevel,
  QueryWatchRequest,
  QueryWatchResponse,
} from "@keel/proto/gen/keel/oracle/v1/guard";
import { QueryPriceRequest, QueryPriceResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import { Feed, OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { messageToJson } from "./genesis.ts";
import { oracleTxOf } from "./oracle-tx.ts";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage } from "./testing/market-load.ts";

const PRICE = 6_500_000n;

/** A chain with a market whose feed is guarded; time goes as the test says. */
class Faulty {
  readonly chain: TestChain;
  readonly #times: bigint[] = [];
  #nowNs = 1_790_000_000_000_000_000n;
  #stepNs = 1_000_000_000n;

  constructor(nowNs?: () => bigint) {
    const feed = Feed.fromPartial({
      ...defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 }),
      guard: defaultGuard(),
    });
    const json = messageToJson("keel.oracle.v1.Feed", Feed.encode(feed).finish());
    this.chain = new TestChain({
      extensionsFrom: 1,
      clock: (height) => this.#timeAt(height),
      appState: {
        oracle: { params: { ema_time_ms: "30000", report_window_blocks: "1000" }, feeds: [json] },
      },
      ...(nowNs === undefined ? {} : { app: { nowNs } }),
    });
  }

  #timeAt(height: number): bigint {
    while (this.#times.length <= height) {
      this.#nowNs += this.#stepNs;
      this.#times.push(this.#nowNs);
    }
    return this.#times[height] as bigint;
  }

  async open(): Promise<this> {
    await openMarket(this.chain, "500000000");
    const [alice, bob] = [this.chain.account(0), this.chain.account(1)];
    const sell = alice.sign([orderMessage(alice, { side: "sell", price: "65000", size: "0.02" })]);
    const buy = bob.sign([orderMessage(bob, { side: "buy", price: "65000", size: "0.01" })]);
    await this.votes([PRICE, PRICE, PRICE, PRICE], [sell, buy]);
    return this;
  }

  /** A block `seconds` after the last, with each validator's vote: a price, bytes, or null for none. */
  async votes(
    prices: readonly (bigint | Uint8Array | null)[],
    txs: readonly Uint8Array[] = [],
    seconds = 1,
  ): Promise<{ readonly logs: string[]; readonly events: string[] }> {
    this.#stepNs = BigInt(seconds) * 1_000_000_000n;
    const extension = (index: number): Uint8Array => {
      const said = prices[index] ?? null;
      if (said === null) return new Uint8Array(0);
      if (said instanceof Uint8Array) return said;
      return encodeExtension([{ feedId: 1, mantissa: said, confidence: 1n }]);
    };
    const all = [oracleTxOf(this.chain.lastCommit(extension)), ...txs];
    expect(await this.chain.app.processProposal(this.chain.proposed(all))).toBe(true);
    const { events, txResults } = await this.chain.decide(all);
    const emitted = [...events, ...txResults.flatMap((result) => result.events)];
    return {
      logs: txResults.map(({ log }) => log).slice(1),
      events: emitted.map(({ type }) => type),
    };
  }

  all(price: bigint, txs: readonly Uint8Array[] = [], seconds = 1) {
    return this.votes([price, price, price, price], txs, seconds);
  }

  /** Bob wants more: matched at once where the market takes it. */
  order(): Uint8Array {
    const bob = this.chain.account(1);
    const force = TimeInForce.TIME_IN_FORCE_IOC;
    return bob.sign([
      orderMessage(bob, { side: "buy", price: "65000", size: "0.001", timeInForce: force }),
    ]);
  }

  async price(): Promise<QueryPriceResponse["price"]> {
    const response = await this.chain.app.query({
      path: "/keel.oracle.v1.Query/Price",
      data: QueryPriceRequest.encode({ feedId: 1, symbol: "" }).finish(),
      height: 0,
      prove: false,
    });
    return QueryPriceResponse.decode(response.value).price;
  }

  async watch(): Promise<QueryWatchResponse> {
    const response = await this.chain.app.query({
      path: "/keel.oracle.v1.Query/Watch",
      data: QueryWatchRequest.encode({ feedId: 1, symbol: "" }).finish(),
      height: 0,
      prove: false,
    });
    expect(response.log).toBe("");
    return QueryWatchResponse.decode(response.value);
  }
}

const STALE = expect.stringContaining("cancels only");
const LATE = expect.stringContaining("reduce-only orders only");

describe("fault 31: oracle faults", () => {
  it("stale: with age first only reducing, then no withdrawal, then nothing; one fresh price opens all again", async () => {
    const faulty = await new Faulty().open();
    const silence = [null, null, null, null];
    const levels: PriceLevel[] = [];
    const logs: string[] = [];
    for (const seconds of [5, 1, 10, 45]) {
      const block = await faulty.votes(silence, [faulty.order()], seconds);
      logs.push(...block.logs);
      levels.push((await faulty.watch()).level);
    }
    expect(logs).toEqual(["", LATE, LATE, STALE]);
    expect(levels).toEqual([
      PriceLevel.PRICE_LEVEL_FRESH,
      PriceLevel.PRICE_LEVEL_REDUCE_ONLY,
      PriceLevel.PRICE_LEVEL_NO_WITHDRAWALS,
      PriceLevel.PRICE_LEVEL_STALE,
    ]);
    expect((await faulty.all(PRICE, [faulty.order()])).logs).toEqual([""]);
    expect(faulty.chain.faults).toEqual([]);
  });

  it("frozen: a price that is always the same is a price; one whose validators are silent is not", async () => {
    const faulty = await new Faulty().open();
    for (let i = 0; i < 5; i++) expect((await faulty.all(PRICE)).events).toContain("oracle_price");
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: true });
    // Half of the validators hang: what they said last is not repeated for them.
    for (let i = 0; i < 6; i++) await faulty.votes([PRICE, PRICE, null, null]);
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: false });
    expect((await faulty.votes([PRICE, PRICE, null, null], [faulty.order()])).logs).toEqual([LATE]);
  });

  it("a disagreeing third: the median stays with the others, and with votes too far apart there is no new price", async () => {
    const faulty = await new Faulty().open();
    // One of four within the band: it moves nothing.
    await faulty.votes([PRICE, PRICE, PRICE, PRICE + 100_000n]);
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: true });
    const { events } = await faulty.votes([6_510_000n, 6_510_000n, 6_510_000n, 3_000_000n]);
    // One alone stands at the fifth of power: the band is wide, the update is refused, and the price ages.
    expect(events).toContain("oracle_price_refused");
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: true });
    for (let i = 0; i < 6; i++) {
      await faulty.votes([6_510_000n, 6_510_000n, 6_510_000n, 3_000_000n]);
    }
    expect((await faulty.watch()).level).toBe(PriceLevel.PRICE_LEVEL_REDUCE_ONLY);
  });

  it("100x spike: recorded, not used; nothing is matched or liquidated until the price is back", async () => {
    const faulty = await new Faulty().open();
    const spike = await faulty.all(100n * PRICE, [faulty.order()]);
    expect(spike.events).toContain("oracle_price_refused");
    expect(spike.events).not.toContain("liquidation");
    expect(spike.logs).toEqual([STALE]);
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: false });
    expect(await faulty.watch()).toMatchObject({ pending: "6500000", refusedPrice: "6500000" });
    expect((await faulty.all(PRICE, [faulty.order()])).logs).toEqual([""]);
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: true });
    expect(faulty.chain.faults).toEqual([]);
  });

  it("zero and negative: not a vote but malformed bytes, counted as missed", async () => {
    const faulty = await new Faulty().open();
    const zero = OracleVote.encode(
      OracleVote.fromPartial({ feeds: [{ feedId: 1, mantissa: 0n, confidence: 0n }] }),
    ).finish();
    // A mantissa of −1 as a signed writer would send it: ten bytes, 2^64 − 1.
    const minus = Uint8Array.of(0x0a, 13, 8, 1, 16, ...Array(9).fill(0xff), 1);
    for (const bytes of [zero, minus]) {
      const { events } = await faulty.votes([bytes, bytes, PRICE, PRICE]);
      expect(events).toContain("oracle_below_quorum");
    }
    expect((await faulty.votes([minus, PRICE, PRICE, PRICE])).events).toContain("oracle_price");
    expect(await faulty.price()).toMatchObject({ price: "65000", fresh: true });
  });

  it("missing market: votes for a feed nobody listed are passed over, a listed one without votes is stale", async () => {
    const faulty = await new Faulty().open();
    const other = encodeExtension([{ feedId: 77, mantissa: PRICE, confidence: 1n }]);
    for (let i = 0; i < 6; i++) {
      const { events } = await faulty.votes([other, other, other, other]);
      expect(events).toContain("oracle_below_quorum");
    }
    expect((await faulty.votes([other, other, other, other], [faulty.order()])).logs).toEqual([
      LATE,
    ]);
    expect(faulty.chain.faults).toEqual([]);
  });

  it("all nodes restart together: the first block says its votes are from before, and trades on nothing", async () => {
    let lateNs = 0n;
    const faulty: Faulty = await new Faulty(() => faulty.chain.timeNs() + lateNs).open();
    const { chain } = faulty;
    lateNs = 120_000_000_000n;
    const extension = encodeExtension([{ feedId: 1, mantissa: PRICE, confidence: 1n }]);
    const first = await chain.prepare(
      [faulty.order()],
      chain.lastCommit(() => extension),
    );
    expect(first).toHaveLength(1);
    expect(await chain.app.processProposal(chain.proposed(first))).toBe(true);
    await chain.decide(first);
    expect((await faulty.watch()).level).toBe(PriceLevel.PRICE_LEVEL_STALE);
    lateNs = 0n;
    // The price moved by a fifth meanwhile: fresh votes are a price at once, in the slow lane.
    expect((await faulty.all((PRICE * 6n) / 5n)).events).toContain("oracle_slow_lane");
    expect(await faulty.price()).toMatchObject({ price: "78000", fresh: true });
    expect(chain.faults).toEqual([]);
  });
});
