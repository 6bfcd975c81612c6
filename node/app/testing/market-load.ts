/** Signed trading traffic for benches: makers and takers on one book, unordered transactions, each with its own timeout. */
import type { ExtendedCommit } from "@keel/consensus/wire/types";
import { encodeExtension } from "@keel/modules/oracle/extension";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { MsgPlaceOrder } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgDeposit } from "@keel/proto/gen/keel/margin/v1/tx";
import { oracleTxOf } from "../oracle-tx.ts";
import type { TestChain } from "./chain.ts";
import type { TestMessage, TestSigner } from "./signer.ts";

/** 65,000.00 at the test feed's exponent. */
const MANTISSA = 6_500_000n;

export function depositMessage(owner: TestSigner, amount: string): TestMessage {
  return {
    typeUrl: "/keel.margin.v1.MsgDeposit",
    value: MsgDeposit.encode(
      MsgDeposit.fromPartial({ sender: owner.address, denom: "uusdc", amount }),
    ).finish(),
  };
}

export function orderMessage(
  owner: TestSigner,
  order: {
    readonly side: "buy" | "sell";
    readonly price: string;
    readonly size: string;
    readonly clientId?: string;
    readonly timeInForce?: TimeInForce;
    readonly goodTilMs?: bigint;
  },
): TestMessage {
  return {
    typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
    value: MsgPlaceOrder.encode(
      MsgPlaceOrder.fromPartial({
        sender: owner.address,
        market: "BTC-PERP",
        side: order.side === "buy" ? Side.SIDE_BUY : Side.SIDE_SELL,
        type: OrderType.ORDER_TYPE_LIMIT,
        price: order.price,
        size: order.size,
        timeInForce: order.timeInForce ?? TimeInForce.TIME_IN_FORCE_GTC,
        clientId: order.clientId ?? "",
        goodTilMs: order.goodTilMs ?? 0n,
      }),
    ).finish(),
  };
}

/** Oracle transaction of the next block: everyone reports the same price, and names what `listed` gives of the validator's index. */
export function priceTx(
  chain: TestChain,
  mantissa: bigint = MANTISSA,
  listed: (validator: number) => readonly Uint8Array[] = () => [],
): Uint8Array {
  return oracleTxOf(listingCommit(chain, mantissa, listed));
}

/** The commit that it holds, as a proposer is given it. `listed`: transactions, the first 100 count; null: the validator's vote is left out. */
export function listingCommit(
  chain: TestChain,
  mantissa: bigint,
  listed: (validator: number) => readonly Uint8Array[] | null,
): ExtendedCommit {
  const reports = [{ feedId: 1, mantissa, confidence: 1n }];
  return chain.lastCommit((index) => {
    const txs = listed(index);
    return txs === null ? null : encodeExtension(reports, [], txKeys(txs));
  });
}

/** A chain with extensions on, a fresh price, and every account's collateral deposited. */
export async function openMarket(chain: TestChain, collateral: string): Promise<void> {
  await chain.start();
  await chain.decide([]);
  const deposits = chain.accounts.map((one) => one.sign([depositMessage(one, collateral)]));
  const { txResults } = await chain.decide([priceTx(chain), ...deposits]);
  const failed = txResults.find(({ code }) => code !== 0);
  if (failed !== undefined) throw new Error(failed.log);
}
