/** Bytes of any kind, in every place where the application takes bytes from outside: an answer each time, and the market still works. */
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

const TYPES = [
  "/cosmos.bank.v1beta1.MsgSend",
  "/cosmos.bank.v1beta1.MsgMultiSend",
  "/keel.derivatives.v1.MsgPlaceOrder",
  "/keel.derivatives.v1.MsgCancelOrder",
  "/keel.derivatives.v1.MsgBatchOrders",
  "/keel.derivatives.v1.MsgCreateMarket",
  "/keel.derivatives.v1.MsgUpdateMarket",
  "/keel.derivatives.v1.MsgUpdateParams",
  "/keel.margin.v1.MsgDeposit",
  "/keel.margin.v1.MsgUpdateParams",
  "/keel.oracle.v1.MsgOracleUpdate",
  "/keel.oracle.v1.MsgUpdateFeeds",
  "/keel.insurance.v1.MsgFund",
] as const;

/** Repeated groups, deep nesting, endless varints and lengths, besides noise. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom(0x0b, 0x0a, 0xff, 0x80, 0x0c)
    .chain((byte) =>
      fc.integer({ min: 1, max: 40_000 }).map((length) => new Uint8Array(length).fill(byte)),
    ),
);

const number = fc.constantFrom(
  ...["0", "-1", "1e400", "NaN", "0.0000000000001", "9".repeat(60), "9".repeat(100_000)],
  ...["2147483647", "2147483648", "170141183460469231731687303715884105728", "65000", "0.01"],
);

/** Lists of hashes, whole and broken, in the field that inclusion lists have, besides any bytes. */
const extension = fc.oneof(
  bytes,
  fc
    .tuple(fc.constantFrom(0, 19, 20, 40, 2_000, 2_020), fc.integer({ min: 0, max: 255 }))
    .map(([length, step]) => Uint8Array.from({ length }, (_, i) => (i * step) & 255))
    .map((transactions) => OracleVote.encode(OracleVote.fromPartial({ transactions })).finish()),
);

describe("the application", () => {
  it("makes and runs blocks whatever validators say in their votes", async () => {
    const chain = new TestChain({ extensionsFrom: 1 });
    await openMarket(chain, "500000000");
    const [alice, bob] = [chain.account(0), chain.account(1)];
    await fc.assert(
      fc.asyncProperty(fc.array(extension, { minLength: 4, maxLength: 4 }), async (said) => {
        const commit = chain.lastCommit((index) => said[index] as Uint8Array);
        const unorderedUntilNs = chain.timeNs() + 5_000_000_000n;
        const pool = [alice.send(bob, "1ukeel"), bob.send(alice, "1ukeel", { unorderedUntilNs })];
        const txs = await chain.prepare(pool, commit);
        expect(txs).toHaveLength(3);
        expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
        const { txResults } = await chain.decide(txs);
        expect(txResults.map(({ log }) => log)).toEqual(["", "", ""]);
      }),
      { numRuns: 40 },
    );
    expect(chain.faults).toEqual([]);
    expect(chain.app.brokenInvariant()).toBeNull();
  });

  it("answers whatever bytes it is given", { timeout: 120_000 }, async () => {
    const chain = new TestChain({ extensionsFrom: 1 });
    await openMarket(chain, "500000000");
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const sequence = alice.sequence;
    const first = priceTx(chain);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TYPES),
        bytes,
        fc.record({ side: fc.constantFrom("buy", "sell"), price: number, size: number }),
        fc.nat(),
        async (typeUrl, value, order, at) => {
          const signed = alice.sign([{ typeUrl, value }], { sequence });
          const trade = alice.sign([orderMessage(alice, order as never)], { sequence });
          const flipped = trade.slice();
          flipped[at % flipped.length] =
            (flipped[at % flipped.length] as number) ^ (1 + (at % 255));
          const txs = [signed, trade, flipped, value];
          await chain.app.prefill(txs);
          for (const tx of txs) await chain.app.checkTx(tx, "new");
          await chain.app.processProposal(chain.proposed([value, ...txs], String(at)));
          await chain.app.processProposal(chain.proposed([first, ...txs], String(at)));
          await chain.app.finalizeBlock(chain.proposed([first, ...txs], `${at} decided`));
          await chain.app.verifyVoteExtension({
            blockHash: value,
            height: 1,
            address: value,
            extension: value,
          });
          const paths = ["/app/simulate", "/store/bank/key", "/keel.derivatives.v1.Query/Book"];
          for (const path of paths)
            await chain.app.query({ path, data: value, height: at - 5, prove: at % 2 === 0 });
        },
      ),
      { numRuns: 60 },
    );
    const sell = orderMessage(bob, { side: "sell", price: "65000", size: "0.01" });
    const { txResults } = await chain.decide([first, bob.sign([sell])]);
    expect(txResults.map(({ log }) => log)).toEqual(["", ""]);
    // A query's undecodable request is reported and contained; a block never has a fault.
    expect(chain.faults.filter(({ where }) => !where.startsWith("query "))).toEqual([]);
  });
});
