/**
 * One short chain, always the same: fixed keys, times and transactions through every kind of state the market has. Its app hashes are
 * kept beside the tests, so that another Node version, another signature library or a careless change shows at the height it differs.
 */
import { MsgCancelAll } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MsgTransfer, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import type { SignatureVerifier } from "../../crypto/verifier.ts";
import { TestChain } from "./chain.ts";
import { depositMessage, orderMessage, priceTx } from "./market-load.ts";
import type { TestMessage, TestSigner } from "./signer.ts";

export interface GoldenBlock {
  readonly height: number;
  /** State after this block, lower-case hex. */
  readonly appHash: string;
  /** Of each transaction, the oracle's first. */
  readonly codes: readonly number[];
  /** Types of all events of the block, without repeats, ascending. */
  readonly events: readonly string[];
}

/** Deposits in uusdc: maker, an early and a late casualty of the fall, a short seller, a second maker, a bystander. */
const COLLATERAL = ["900000000", "42000000", "34000000", "300000000", "900000000", "500000000"];
/** From 65,000.00 down: by small steps, then by a gap that no book outlasts, and up again. */
const FALL = [6_500_000n, 6_450_000n, 6_400_000n, 6_330_000n, 6_250_000n, 6_180_000n];
const GAP = [5_700_000n, 5_650_000n, 5_600_000n, 5_750_000n, 5_900_000n];

/** Runs it from genesis. Throws when a broken invariant or a fault of the state machine shows. */
export async function runGoldenChain(verifier: SignatureVerifier): Promise<GoldenBlock[]> {
  const chain = await new TestChain({
    verifier,
    accounts: COLLATERAL.length,
    extensionsFrom: 1,
  }).start();
  const blocks: GoldenBlock[] = [];
  const decide = async (price: bigint | null, txs: readonly Uint8Array[]): Promise<void> => {
    const prices = price === null ? [] : [priceTx(chain, price)];
    const { appHash, txResults, events } = await chain.decide([...prices, ...txs]);
    const all = [...txResults.flatMap((result) => result.events), ...events];
    blocks.push({
      height: chain.height,
      appHash: Buffer.from(appHash).toString("hex"),
      codes: txResults.map(({ code }) => code),
      events: [...new Set(all.map(({ type }) => type))].sort(),
    });
  };
  const [maker, early, late, short, second, bystander] = chain.accounts as [
    TestSigner,
    TestSigner,
    TestSigner,
    TestSigner,
    TestSigner,
    TestSigner,
  ];

  await decide(null, []);
  await decide(
    6_500_000n,
    chain.accounts.map((one, i) => one.sign([depositMessage(one, COLLATERAL[i] as string)])),
  );
  await decide(6_500_000n, [
    maker.sign([ask(maker, "65000", "0.02"), ask(maker, "65100", "0.02")], { gas: 400_000 }),
    maker.sign([bid(maker, "64900", "0.005"), bid(maker, "64000", "0.01")], { gas: 400_000 }),
    early.sign([bid(early, "65000", "0.01")]),
    short.sign([ask(short, "64900", "0.005")]),
  ]);
  await decide(6_500_000n, [
    maker.sign([cancelAll(maker)]),
    second.sign([bid(second, "62000", "0.02")]),
    bystander.send(maker, "77uusdc"),
    bystander.sign([transfer(bystander, "1000000")]),
    // More than there is, a sequence far ahead, and one without a sequence.
    bystander.sign([withdraw(bystander, "999000000")]),
    bystander.send(maker, "1uusdc", { sequence: 40n }),
    late.send(early, "5ukeel", { unorderedUntilNs: chain.timeNs() + 60_000_000_000n }),
  ]);
  for (const [i, price] of FALL.entries()) {
    const dollars = price / 100n;
    await decide(price, [
      second.sign([bid(second, `${dollars - 200n - BigInt(i)}`, "0.004")]),
      short.sign([ask(short, `${dollars + 150n}`, "0.003")]),
    ]);
  }
  await decide(FALL.at(-1) as bigint, [
    second.sign([cancelAll(second), ask(second, "61800", "0.01")], { gas: 400_000 }),
    late.sign([bid(late, "61800", "0.01")]),
  ]);
  for (const price of GAP) await decide(price, [bystander.send(second, "3uusdc")]);
  await decide(GAP.at(-1) as bigint, [bystander.sign([withdraw(bystander, "2500000")])]);
  if (chain.faults.length > 0) throw new Error(`faults: ${JSON.stringify(chain.faults)}`);
  return blocks;
}

function ask(owner: TestSigner, price: string, size: string): TestMessage {
  return orderMessage(owner, { side: "sell", price, size });
}

function bid(owner: TestSigner, price: string, size: string): TestMessage {
  return orderMessage(owner, { side: "buy", price, size });
}

function cancelAll(owner: TestSigner): TestMessage {
  return {
    typeUrl: "/keel.derivatives.v1.MsgCancelAll",
    value: MsgCancelAll.encode(MsgCancelAll.fromPartial({ sender: owner.address })).finish(),
  };
}

function withdraw(owner: TestSigner, amount: string): TestMessage {
  const message = MsgWithdraw.fromPartial({ sender: owner.address, denom: "uusdc", amount });
  return { typeUrl: "/keel.margin.v1.MsgWithdraw", value: MsgWithdraw.encode(message).finish() };
}

function transfer(owner: TestSigner, amount: string): TestMessage {
  const message = MsgTransfer.fromPartial({
    sender: owner.address,
    toSubaccount: 1,
    denom: "uusdc",
    amount,
  });
  return { typeUrl: "/keel.margin.v1.MsgTransfer", value: MsgTransfer.encode(message).finish() };
}
