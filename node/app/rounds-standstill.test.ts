import type { RecordedEvent } from "@keel/consensus/wire/abci";
import { defaultAuctionTerms } from "@keel/modules/derivatives/defaults";
import { encodeExtension } from "@keel/modules/oracle/extension";
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import { MsgCancelOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { oracleTxOf } from "./oracle-tx.ts";
import { auctionMarketState } from "./testing/auction-load.ts";
import { TestChain } from "./testing/chain.ts";
import { holding } from "./testing/listing-chain.ts";
import { listingCommit, openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

const SECOND = 1_000_000_000n;
const START = 1_790_000_000n * SECOND;
const PRICE = 6_500_000n;
/** Invalid request: it has timed out. */
const TIMED_OUT = 18;

interface Venue {
  readonly chain: TestChain;
  /** The chain stands still before this height's votes are cast. */
  stand(height: number, seconds: bigint): void;
  order(account: number, side: "buy" | "sell", price: number): Uint8Array;
  cancel(account: number): Uint8Array;
  /** What the block says of orders: type and client id. */
  decide(txs: readonly Uint8Array[]): Promise<readonly string[]>;
  codes: readonly number[];
}

/** Of rounds, with a first sell that is collected in the last block. */
async function openVenue(held: () => readonly Uint8Array[] = () => []): Promise<Venue> {
  let standsAt = Number.POSITIVE_INFINITY;
  let standsNs = 0n;
  const clock = (height: number): bigint =>
    START + BigInt(height) * SECOND + (height >= standsAt ? standsNs : 0n);
  const chain = new TestChain({
    extensionsFrom: 1,
    accounts: 4,
    clock,
    app: { pending: holding(held) },
    appState: auctionMarketState({
      ...defaultAuctionTerms(),
      interruptionMs: 0n,
      inclusionLists: true,
    }),
  });
  await openMarket(chain, "500000000");
  const good = (account: number) => ({
    unorderedUntilNs: chain.timeNs() + 20n * SECOND + BigInt(account),
  });
  const venue: Venue = {
    chain,
    codes: [],
    stand(height, seconds) {
      standsAt = height;
      standsNs = seconds * SECOND;
    },
    order(n, side, price) {
      const account = chain.account(n);
      const order = { side, price: `${price}`, size: "0.002", clientId: `o${n}` };
      return account.sign([orderMessage(account, order)], good(n));
    },
    cancel(n) {
      const account = chain.account(n);
      const message = { sender: account.address, market: "BTC-PERP", clientId: `o${n}` };
      const value = MsgCancelOrder.encode(MsgCancelOrder.fromPartial(message)).finish();
      return account.sign([{ typeUrl: "/keel.derivatives.v1.MsgCancelOrder", value }], good(n));
    },
    async decide(txs) {
      expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
      const { events, txResults } = await chain.decide(txs);
      expect(chain.app.brokenInvariant()).toBeNull();
      expect(chain.faults).toEqual([]);
      venue.codes = txResults.map(({ code }) => code);
      return told(events);
    },
  };
  expect(await venue.decide([priceTx(chain), venue.order(0, "sell", 64_950)])).toEqual([]);
  return venue;
}

function told(events: readonly Pick<RecordedEvent, "type" | "attributes">[]): readonly string[] {
  return events.flatMap(({ type, attributes }) => {
    const id = attributes.find(({ key }) => key === "client_id")?.value ?? "";
    return /auction_fill|order_cancelled|order_placed/.test(type) ? [`${type} ${id}`] : [];
  });
}

/** An empty block that calls its votes outdated. */
function claim(chain: TestChain): Uint8Array {
  const extension = encodeExtension([{ feedId: 1, mantissa: PRICE, confidence: 1n }]);
  return oracleTxOf(
    chain.lastCommit(() => extension),
    true,
  );
}

describe("a round that is put off when the chain stands still", () => {
  it("ends with a block that calls its votes outdated: nothing fills at old prices, and what is missing is lost", async () => {
    const venue = await openVenue();
    const { chain } = venue;
    const buy = venue.order(1, "buy", 65_050);
    await venue.decide([priceTx(chain, PRICE, () => [buy])]);
    venue.stand(chain.height + 2, 3600n);
    expect(await venue.decide([claim(chain)])).toEqual([]);
    expect(venue.codes).toEqual([0]);
    // A tenth lower.
    const down = PRICE - 650_000n;
    const next = await chain.prepare(
      [buy],
      listingCommit(chain, down, () => []),
    );
    expect(await venue.decide(next)).toEqual(["order_placed o0"]);
    // Nobody asks for it any more, so a proposer may leave it out.
    expect(await venue.decide([priceTx(chain, down), venue.order(2, "sell", 60_000)])).toEqual([]);
  });

  it("loses nothing for good that is still good: the votes on such a block name it again", async () => {
    const held: Uint8Array[] = [];
    const venue = await openVenue(() => held);
    const { chain } = venue;
    held.push(venue.order(1, "buy", 65_050));
    const named = async (txs: readonly Uint8Array[]) => {
      const block = chain.proposed(txs);
      const extension = await chain.app.extendVote({ block, round: 0 });
      return keysOf(OracleVote.decode(extension).transactions);
    };
    await venue.decide([priceTx(chain, PRICE, () => held)]);
    // One that does nothing leaves it overdue, whatever votes say.
    expect(await named([priceTx(chain)])).toEqual([]);
    expect(await named([claim(chain)])).toEqual(txKeys(held));
  });

  it("carries out its cancels when a block calls its votes outdated", async () => {
    const venue = await openVenue();
    const { chain } = venue;
    const buy = venue.order(1, "buy", 65_050);
    const cancelled = [priceTx(chain, PRICE), venue.order(3, "sell", 64_940)];
    expect(await venue.decide(cancelled)).toEqual(["order_placed o0"]);
    // For the round of the next block, which waits for the buy.
    await venue.decide([priceTx(chain, PRICE), venue.cancel(3)]);
    await venue.decide([priceTx(chain, PRICE, () => [buy])]);
    expect(await venue.decide([claim(chain)])).toEqual(["order_cancelled o3"]);
  });

  it("is not held at the prices of before, nor by what has timed out, when nobody calls votes outdated", async () => {
    const venue = await openVenue();
    const { chain } = venue;
    const buy = venue.order(1, "buy", 65_050);
    await venue.decide([priceTx(chain, PRICE, () => [buy])]);
    venue.stand(chain.height + 2, 3600n);
    // Its proposer keeps silent, and the block does nothing.
    expect(await venue.decide([priceTx(chain)])).toEqual([]);
    expect(await venue.decide([priceTx(chain, PRICE - 650_000n), buy])).toEqual([
      "order_placed o0",
    ]);
    expect(venue.codes).toEqual([0, TIMED_OUT]);
  });

  it("is held as it was after a few seconds", async () => {
    const venue = await openVenue();
    const { chain } = venue;
    const buy = venue.order(1, "buy", 65_050);
    await venue.decide([priceTx(chain, PRICE, () => [buy])]);
    venue.stand(chain.height + 2, 5n);
    await venue.decide([priceTx(chain)]);
    expect(await venue.decide([priceTx(chain, PRICE - 650_000n), buy])).toContain(
      "auction_fill o0",
    );
    expect(venue.codes).toEqual([0, 0]);
  });
});

it("what is named in votes from before a standstill runs after it by the time of then", async () => {
  const venue = await openVenue();
  const { chain } = venue;
  const buy = venue.order(1, "buy", 65_050);
  const commit = listingCommit(chain, PRICE, () => [buy]);
  venue.stand(chain.height + 2, 3600n);
  await venue.decide([oracleTxOf(commit, true)]);
  expect(await venue.decide([priceTx(chain, PRICE), buy])).toEqual(["order_placed o0"]);
  expect(venue.codes).toEqual([0, TIMED_OUT]);
});
