import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import type { Event } from "@keel/consensus/wire/abci";
import { txHash } from "@keel/consensus/wire/block";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, test } from "vitest";
import { parseQuery, QueryError } from "../query-grammar.ts";
import { openBlockStore } from "./block-store.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { LevelStateStore } from "./state-store.ts";
import { eventOf, makeBlocks, responseOf, resultOf } from "./testing.ts";
import { openTxIndex, type TxIndex } from "./tx-index.ts";

const tx = (name: string): Uint8Array => utf8ToBytes(name);

interface IndexTx {
  readonly name: string;
  readonly events?: readonly Event[];
  readonly code?: number;
}

/** An index of these blocks (from height 1), each a list of transactions. */
async function indexOf(
  blocks: readonly (readonly IndexTx[])[],
  blockEvents: (height: number) => readonly Event[] = () => [],
): Promise<{ index: TxIndex; states: LevelStateStore; responses: FinalizeBlockResponse[] }> {
  const database = new MemoryDatabase();
  const states = new LevelStateStore(database);
  const index = await openTxIndex(database);
  const stored = makeBlocks(blocks.length, (height) =>
    (blocks[height - 1] ?? []).map(({ name }) => tx(name)),
  );
  const responses: FinalizeBlockResponse[] = [];
  for (const [i, list] of blocks.entries()) {
    const results = list.map(({ events, code }) => resultOf(events, code));
    const result = responseOf(results, blockEvents(i + 1));
    responses.push(result);
    await states.saveFinalizeBlockResponse(i + 1, result);
    await index.index({ block: (stored[i] as (typeof stored)[number]).stored.block, result });
  }
  return { index, states, responses };
}

const search = async (index: TxIndex, query: string): Promise<string[]> =>
  (await index.searchTxs(parseQuery(query))).map(({ height, index }) => `${height}/${index}`);

const send = (sender: string, recipient: string, amount: string): Event[] => [
  eventOf(
    "message",
    ["action", "/cosmos.bank.v1beta1.MsgSend"],
    ["sender", sender],
    ["module", "bank"],
  ),
  eventOf("transfer", ["recipient", recipient], ["sender", sender], ["amount", amount]),
];

const chain: readonly (readonly IndexTx[])[] = [
  [
    { name: "a", events: send("alice", "bob", "5ukeel") },
    {
      name: "b",
      events: [...send("bob", "carol", "12ukeel"), ...send("carol", "alice", "7uusdc")],
    },
  ],
  [],
  [
    { name: "c", events: send("alice", "carol", "100ukeel"), code: 5 },
    {
      name: "d",
      events: [
        eventOf("message", ["action", "/keel.derivatives.v1.MsgPlaceOrder"], ["sender", "alice"]),
        eventOf("message", ["action", "/cosmos.bank.v1beta1.MsgSend"], ["sender", "bob"]),
        { type: "order", attributes: [{ key: "id", value: "77", index: false }] },
      ],
    },
  ],
];

describe("transactions", () => {
  test("are found by hash, with place, bytes and result; failed ones too", async () => {
    const { index } = await indexOf(chain);
    const found = await index.get(txHash(tx("c")));
    expect(found).toMatchObject({ height: 3, index: 0, tx: tx("c") });
    expect(found?.result).toEqual(resultOf(send("alice", "carol", "100ukeel"), 5));
    expect(found?.hash).toEqual(txHash(tx("c")));
    expect(await index.get(txHash(tx("z")))).toBeNull();
    expect(await index.at({ height: 1, index: 1 })).toMatchObject({ tx: tx("b") });
  });

  test.each([
    ["tx.height=1", ["1/0", "1/1"]],
    ["tx.height=2", []],
    ["tx.height>1", ["3/0", "3/1"]],
    ["tx.height>=1 AND tx.height<3", ["1/0", "1/1"]],
    ["tx.height>1.5 AND tx.height<=3", ["3/0", "3/1"]],
    ["tx.height=1.5", []],
    ["tx.height='3'", ["3/0", "3/1"]],
    ["message.sender='alice'", ["1/0", "3/0", "3/1"]],
    ["message.sender='alice' AND tx.height=3", ["3/0", "3/1"]],
    ["message.sender='alice' AND tx.height<3", ["1/0"]],
    ["transfer.recipient='alice'", ["1/1"]],
    ["transfer.recipient='al'", []],
    ["transfer.recipient CONTAINS 'al'", ["1/1"]],
    ["transfer.recipient EXISTS", ["1/0", "1/1", "3/0"]],
    ["transfer.amount=12", ["1/1"]],
    ["transfer.amount>6", ["1/1", "3/0"]],
    ["transfer.amount>6 AND tx.height>1", ["3/0"]],
    ["transfer.amount>1000", []],
    // Of one event type: the same occurrence must meet both.
    ["message.action='/cosmos.bank.v1beta1.MsgSend' AND message.sender='alice'", ["1/0", "3/0"]],
    ["transfer.sender='bob' AND transfer.amount=7", []],
    ["transfer.sender='carol' AND transfer.amount=7", ["1/1"]],
    // Of two types: any occurrence of each.
    ["message.sender='bob' AND transfer.amount=7", ["1/1"]],
    ["message.sender='bob' AND transfer.amount=5", []],
    // Not searchable, unknown, or not of this index.
    ["order.id=77", []],
    ["order.id EXISTS", []],
    ["nothing.here EXISTS", []],
    ["tm.event='Tx'", []],
  ])("%s finds %j", async (query, expected) => {
    const { index } = await indexOf(chain);
    expect(await search(index, query)).toEqual(expected);
  });

  test("tx.hash finds in either case of hex and decides alone", async () => {
    const { index } = await indexOf(chain);
    const hash = bytesToHex(txHash(tx("d")));
    expect(await search(index, `tx.hash='${hash}'`)).toEqual(["3/1"]);
    expect(await search(index, `tx.hash='${hash.toLowerCase()}' AND tx.height=1`)).toEqual(["3/1"]);
    expect(await search(index, "tx.hash='00'")).toEqual([]);
    expect(await search(index, `tx.hash='${"0".repeat(64)}'`)).toEqual([]);
  });

  test("a success stays what its hash finds when the same bytes fail later, and replaces an earlier failure", async () => {
    const { index } = await indexOf([
      [{ name: "x" }, { name: "x", code: 32 }, { name: "y", code: 5 }],
      [{ name: "x", code: 32 }, { name: "y" }],
    ]);
    expect(await index.get(txHash(tx("x")))).toMatchObject({
      height: 1,
      index: 0,
      result: { code: 0 },
    });
    expect(await index.get(txHash(tx("y")))).toMatchObject({
      height: 2,
      index: 1,
      result: { code: 0 },
    });
    expect(await index.at({ height: 2, index: 0 })).toMatchObject({
      tx: tx("x"),
      result: { code: 32 },
    });
    expect(await search(index, "tx.height>0")).toEqual(["1/0", "1/1", "1/2", "2/0", "2/1"]);
  });

  test("values that are prefixes of one another, empty or very long stay apart", async () => {
    const { index } = await indexOf([
      [
        { name: "1", events: [eventOf("e", ["k", "ab"], ["kk", "v"])] },
        { name: "2", events: [eventOf("e", ["k", "a"])] },
        { name: "3", events: [eventOf("e", ["k", ""]), eventOf("e", ["k", "é€𝄞"])] },
        { name: "4", events: [eventOf("e", ["k", "a".repeat(5_000)])] },
      ],
    ]);
    expect(await search(index, "e.k='a'")).toEqual(["1/1"]);
    expect(await search(index, "e.k='ab'")).toEqual(["1/0"]);
    expect(await search(index, "e.k=''")).toEqual(["1/2"]);
    expect(await search(index, "e.k='é€𝄞'")).toEqual(["1/2"]);
    expect(await search(index, "e.k EXISTS")).toEqual(["1/0", "1/1", "1/2"]);
    expect((await index.get(txHash(tx("4"))))?.result.events).toHaveLength(1);
  });

  test("a rare condition narrows a common one; two common ones are refused in one sentence", async () => {
    const busy = Array.from({ length: 12_000 }, (_, i) => ({
      name: `busy ${i}`,
      events: [
        eventOf(
          "fill",
          ["market", "BTC"],
          ["side", "buy"],
          ["taker", i === 7_777 ? "rare" : `t${i}`],
        ),
      ],
    }));
    const { index } = await indexOf([busy]);
    expect(await search(index, "fill.market='BTC' AND fill.taker='rare'")).toEqual(["1/7777"]);
    expect(await search(index, "fill.market='BTC'")).toHaveLength(12_000);
    await expect(search(index, "fill.market='BTC' AND fill.side='buy'")).rejects.toThrow(
      QueryError,
    );
    await expect(search(index, "fill.market='BTC' AND fill.side='buy'")).rejects.toThrow(
      "query: more than 10000 candidates, narrow it by tx.height",
    );
  });
});

describe("blocks", () => {
  test("are found by height and by their own events, on the same occurrence", async () => {
    const { index, states } = await indexOf(
      [[], [{ name: "t", events: [eventOf("mint", ["amount", "3"])] }], []],
      (height) => [
        eventOf("mint", ["amount", String(height)], ["to", "alice"]),
        eventOf("mint", ["amount", "10"], ["to", "bob"]),
      ],
    );
    const blocks = (query: string) => index.searchBlocks(parseQuery(query), states);
    expect(await blocks("block.height>1")).toEqual([2, 3]);
    expect(await blocks("mint.amount=3")).toEqual([3]);
    expect(await blocks("mint.amount=10")).toEqual([1, 2, 3]);
    expect(await blocks("mint.amount<3 AND mint.to='alice' AND block.height<=2")).toEqual([1, 2]);
    expect(await blocks("mint.amount=3 AND mint.to='bob'")).toEqual([]);
    expect(await search(index, "mint.amount=10")).toEqual([]);
  });
});

describe("keeping up", () => {
  test("a height indexed already is skipped, a gap refused", async () => {
    const { index, responses } = await indexOf(chain);
    const blocks = makeBlocks(5);
    const result = responses[0] as FinalizeBlockResponse;
    await index.index({ block: (blocks[0] as (typeof blocks)[number]).stored.block, result });
    expect(index.height).toBe(3);
    const gap = index.index({ block: (blocks[4] as (typeof blocks)[number]).stored.block, result });
    await expect(gap).rejects.toThrow("index: expected block 4, got 5");
  });

  test("what a crash lost, or never got written, is caught up from blocks and responses", async () => {
    const database = new MemoryDatabase();
    const [blocks, states] = [await openBlockStore(database), new LevelStateStore(database)];
    const made = makeBlocks(6);
    const result = responseOf([resultOf([eventOf("e", ["k", "v"])])]);
    const index = await openTxIndex(database);
    for (const [i, { stored, seenCommit }] of made.entries()) {
      await blocks.save(stored, seenCommit);
      if (i === 5) break;
      await states.saveFinalizeBlockResponse(i + 1, result);
      if (i < 4) await index.index({ block: stored.block, result });
    }
    for (let kept = 0; kept <= database.bufferedBatches; kept++) {
      const after = database.crashed(kept);
      const reopened = await openTxIndex(after);
      await reopened.catchUp(await openBlockStore(after), new LevelStateStore(after));
      // Block 6 is stored but not executed.
      expect(reopened.height).toBe(5);
      expect(await search(reopened, "e.k='v'")).toEqual(["1/0", "2/0", "3/0", "4/0", "5/0"]);
    }
  });

  test("blocks pruned before they were indexed are passed over", async () => {
    const database = new MemoryDatabase();
    const [blocks, states] = [await openBlockStore(database), new LevelStateStore(database)];
    for (const { stored, seenCommit } of makeBlocks(6)) {
      await blocks.save(stored, seenCommit);
      await states.saveFinalizeBlockResponse(stored.block.header.height, responseOf([resultOf()]));
    }
    await blocks.prune(4);
    const index = await openTxIndex(database);
    await index.catchUp(blocks, states);
    expect(index.height).toBe(6);
    expect(await search(index, "tx.height>0")).toEqual(["4/0", "5/0", "6/0"]);
  });
});
