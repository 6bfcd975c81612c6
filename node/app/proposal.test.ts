import type { ExtendedCommit } from "@keel/consensus/wire/types";
import { encodeExtension } from "@keel/modules/oracle/extension";
import { QueryPriceRequest, QueryPriceResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import { describe, expect, it } from "vitest";
import { oracleTxOf } from "./oracle-tx.ts";
import { TestChain } from "./testing/chain.ts";

const none: Uint8Array = new Uint8Array(0);
const priced = (mantissa: bigint) => () =>
  encodeExtension([{ feedId: 1, mantissa, confidence: 10n }]);

/** At height 1, so that the next block must begin with an oracle update. */
async function withOracle() {
  const chain = await new TestChain({ extensionsFrom: 1 }).start();
  await chain.decide([]);
  return chain;
}

async function priceOf(chain: TestChain): Promise<string | undefined> {
  const response = await chain.app.query({
    path: "/keel.oracle.v1.Query/Price",
    data: QueryPriceRequest.encode({ feedId: 1, symbol: "" }).finish(),
    height: 0,
    prove: false,
  });
  expect(response.log).toBe("");
  return QueryPriceResponse.decode(response.value).price?.price;
}

describe("transaction 0", () => {
  it("carries the last commit's prices into state, ahead of everything else", async () => {
    const chain = await withOracle();
    const transfer = chain.account(0).send(chain.account(1), "5uusdc");
    const commit = chain.lastCommit(priced(6_543_210n));
    const txs = await chain.prepare([transfer], commit);
    expect(txs).toEqual([oracleTxOf(commit), transfer]);
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults } = await chain.decide(txs);
    expect(txResults.map(({ code, log }) => `${code}${log}`)).toEqual(["0", "0"]);
    expect(await priceOf(chain)).toBe("65432.1");
    expect(chain.faults).toEqual([]);
  });

  it("missing, second, altered, forged, from another height or short of power makes a proposal refused", async () => {
    const chain = await withOracle();
    const transfer = chain.account(0).send(chain.account(1), "5uusdc");
    const commit = chain.lastCommit(priced(6_543_210n));
    const accepted = (txs: readonly Uint8Array[], salt: string) =>
      chain.app.processProposal(chain.proposed(txs, salt));
    const first = oracleTxOf(commit);
    const change = (
      index: number,
      part: Partial<ExtendedCommit["extendedSignatures"][number]>,
    ): ExtendedCommit => ({
      ...commit,
      extendedSignatures: commit.extendedSignatures.map((one, i) =>
        i === index ? { ...one, ...part } : one,
      ),
    });
    const absent = {
      flag: "absent" as const,
      validatorAddress: none,
      timestamp: { seconds: -62_135_596_800n, nanos: 0 },
      signature: none,
      extension: none,
      extensionSignature: none,
    };
    expect(await accepted([transfer], "missing")).toBe(false);
    expect(await accepted([], "empty")).toBe(false);
    expect(await accepted([transfer, first], "late")).toBe(false);
    expect(await accepted([first, first], "twice")).toBe(false);
    expect(await accepted([Uint8Array.from([...first, 0x1a, 0])], "signed")).toBe(false);
    const forged = oracleTxOf(change(0, { extension: priced(1n)() }));
    expect(await accepted([forged], "forged")).toBe(false);
    const swapped = commit.extendedSignatures[1]?.extensionSignature as Uint8Array;
    expect(await accepted([oracleTxOf(change(0, { extensionSignature: swapped }))], "swap")).toBe(
      false,
    );
    expect(await accepted([oracleTxOf({ ...commit, height: 2 })], "height")).toBe(false);
    // Three of four equal validators are more than two thirds; two are not.
    const three = change(0, absent);
    expect(await accepted([oracleTxOf(three)], "three")).toBe(true);
    const two = {
      ...three,
      extendedSignatures: three.extendedSignatures.map((one, i) => (i === 1 ? absent : one)),
    };
    expect(await accepted([oracleTxOf(two)], "two")).toBe(false);
    expect(await accepted([first, transfer], "good")).toBe(true);
  });

  it("is refused in CheckTx and outside its place", async () => {
    const chain = await withOracle();
    const update = oracleTxOf(chain.lastCommit(priced(6_543_210n)));
    expect((await chain.app.checkTx(update, "new")).code).toBe(4);
    const { txResults } = await chain.decide([
      chain.account(0).send(chain.account(1), "1uusdc"),
      update,
    ]);
    expect(txResults.map(({ code }) => code)).toEqual([0, 4]);
    const off = await new TestChain().start();
    expect((await off.decide([update])).txResults[0]?.code).toBe(4);
  });

  it("that does not verify fails alone where a block is decided anyway", async () => {
    const chain = await withOracle();
    const commit = chain.lastCommit(priced(6_543_210n));
    const bad = oracleTxOf({ ...commit, round: 1 });
    const { txResults } = await chain.decide([
      bad,
      chain.account(0).send(chain.account(1), "1uusdc"),
    ]);
    expect(txResults.map(({ code, codespace }) => [codespace, code])).toEqual([
      ["oracle", 4],
      ["", 0],
    ]);
  });

  it("an extension takes the source's prices of enabled feeds and survives a broken source", async () => {
    const broken = await new TestChain({
      app: {
        prices: {
          latest() {
            throw new Error("no feed today");
          },
        },
      },
    }).start();
    const at = { block: broken.proposed([]), round: 0 };
    expect(await broken.app.extendVote(at)).toEqual(none);
    expect(broken.faults).toHaveLength(1);
    const prices = [1, 9].map((feedId) => ({ feedId, mantissa: 5n, confidence: 1n }));
    const chain = await new TestChain({ app: { prices: { latest: () => prices } } }).start();
    const extension = await chain.app.extendVote(at);
    expect(extension).toEqual(encodeExtension([{ feedId: 1, mantissa: 5n, confidence: 1n }]));
    const verify = (bytes: Uint8Array) =>
      chain.app.verifyVoteExtension({
        blockHash: none,
        height: 1,
        address: none,
        extension: bytes,
      });
    expect(await verify(extension)).toBe(true);
    expect(await verify(none)).toBe(true);
    expect(await verify(Uint8Array.of(0xff))).toBe(false);
    expect(await verify(new Uint8Array(4_097))).toBe(false);
  });
});

describe("a proposal", () => {
  it("is ordered by lanes, sequenced transactions last in their order, and refused in any other order", async () => {
    const chain = await new TestChain().start();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const unorderedUntilNs = chain.timeNs() + 1_000_000_000n;
    const sequenced = [alice.send(bob, "1uusdc"), alice.send(bob, "2uusdc")];
    const unordered = bob.send(alice, "1uusdc", { unorderedUntilNs });
    const undecodable = Uint8Array.of(7);
    const txs = await chain.prepare([
      sequenced[0] as Uint8Array,
      undecodable,
      sequenced[1] as Uint8Array,
      unordered,
    ]);
    expect(txs).toEqual([unordered, ...sequenced]);
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const process = (order: readonly Uint8Array[], salt: string) =>
      chain.app.processProposal(chain.proposed(order, salt));
    expect(await process([...sequenced, unordered], "lanes")).toBe(false);
    expect(await process([unordered, undecodable], "bytes")).toBe(false);
  });

  it("never takes more bytes or gas than it was given", async () => {
    const chain = await new TestChain({ maxGas: 450_000n }).start();
    const txs = [1, 2, 3].map(() => chain.account(0).send(chain.account(1), "1uusdc"));
    expect(await chain.prepare(txs)).toEqual(txs.slice(0, 2));
    const size = (txs[0] as Uint8Array).length + 10;
    expect(await chain.prepare(txs, null, size)).toEqual(txs.slice(0, 1));
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(false);
  });

  it("executed ahead leaves no trace when another block is decided", async () => {
    const chain = await new TestChain().start();
    const plain = await new TestChain().start();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const first = alice.send(bob, "5uusdc");
    const second = bob.send(alice, "7uusdc");
    expect(await chain.app.processProposal(chain.proposed([first], "a"))).toBe(true);
    expect(await chain.app.processProposal(chain.proposed([first, second], "b"))).toBe(true);
    const got = await chain.decide([second]);
    const expected = await plain.decide([second]);
    expect(got).toEqual(expected);
    expect(chain.app.exportGenesis()).toEqual(plain.app.exportGenesis());
  });

  it("executed ahead is not executed again when it is decided", async () => {
    const chain = await new TestChain().start();
    const block = chain.proposed([chain.account(0).send(chain.account(1), "5uusdc")]);
    await chain.app.processProposal(block);
    const response = await chain.app.finalizeBlock(block);
    expect(await chain.app.finalizeBlock(block)).toBe(response);
    expect(response.txResults[0]?.code).toBe(0);
  });
});
