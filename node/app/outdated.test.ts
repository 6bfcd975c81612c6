import { encodeExtension } from "@keel/modules/oracle/extension";
import { timestampToNanos } from "@keel/proto/bytes/timestamp";
import { describe, expect, it } from "vitest";
import { oracleTxOf } from "./oracle-tx.ts";
import { TestChain } from "./testing/chain.ts";
import { openMarket, orderMessage, priceTx } from "./testing/market-load.ts";

/** Twice the default `max_age_ms` of a feed. */
const CLAIMED_NS = 10_000_000_000n;

function claimOf(chain: TestChain): Uint8Array {
  const extension = encodeExtension([{ feedId: 1, mantissa: 6_500_000n, confidence: 1n }]);
  return oracleTxOf(
    chain.lastCommit(() => extension),
    true,
  );
}

/** How long after its own time a block with these transactions is a proposal. */
function waitNs(chain: TestChain, txs: readonly Uint8Array[]): bigint | null {
  const block = chain.proposed(txs);
  const from = chain.app.proposableFrom(block);
  return from === null ? null : timestampToNanos(from) - timestampToNanos(block.time);
}

describe("a block that calls its votes outdated", () => {
  it("is a proposal from half of the age on from which an honest proposer says so, any other at any time", async () => {
    let lateNs = 0n;
    const chain: TestChain = new TestChain({
      extensionsFrom: 1,
      app: { nowNs: () => chain.timeNs() + lateNs },
    });
    await openMarket(chain, "500000000");
    // An honest one, whose clock may be ahead of the voters' by five seconds.
    lateNs = CLAIMED_NS + 1n;
    const extension = encodeExtension([{ feedId: 1, mantissa: 6_500_000n, confidence: 1n }]);
    const honest = await chain.prepare(
      [],
      chain.lastCommit(() => extension),
    );
    expect(honest).toEqual([claimOf(chain)]);
    expect(waitNs(chain, honest)).toBe(CLAIMED_NS / 2n);
    // The voter's own clock has no say in that: the host compares.
    lateNs = 0n;
    expect(waitNs(chain, honest)).toBe(CLAIMED_NS / 2n);
    const order = chain
      .account(0)
      .sign([orderMessage(chain.account(0), { side: "sell", price: "65000", size: "0.01" })]);
    expect(waitNs(chain, [priceTx(chain)])).toBeNull();
    expect(waitNs(chain, [priceTx(chain), order])).toBeNull();
  });

  it("is the same to everybody once it is decided, whatever a clock says", async () => {
    const ages = [0n, CLAIMED_NS / 2n, 100n * CLAIMED_NS];
    const chains = await Promise.all(
      ages.map(async (lateNs) => {
        const chain: TestChain = new TestChain({
          extensionsFrom: 1,
          app: { nowNs: () => chain.timeNs() + lateNs },
        });
        await openMarket(chain, "500000000");
        expect(await chain.app.processProposal(chain.proposed([claimOf(chain)]))).toBe(true);
        const { txResults } = await chain.decide([claimOf(chain)]);
        expect(txResults.map(({ code }) => code)).toEqual([0]);
        expect(chain.faults).toEqual([]);
        return chain;
      }),
    );
    const hashes = await Promise.all(chains.map(async ({ app }) => (await app.info()).lastAppHash));
    expect(hashes[1]).toEqual(hashes[0]);
    expect(hashes[2]).toEqual(hashes[0]);
  });

  it("is judged by what is not a block, too, without a throw", () => {
    const chain = new TestChain({ extensionsFrom: 1 });
    for (const txs of [[], [new Uint8Array(0)], [Uint8Array.of(10, 255)]])
      expect(waitNs(chain, txs)).toBeNull();
  });
});
