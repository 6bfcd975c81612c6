/** A chain whose transfers ask to be listed, for tests of inclusion lists. */
import type { MessageRoute } from "@keel/modules/kit/module";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { listBounds } from "../list-bounds.ts";
import { listedKeys, type PendingSource, type PendingTx, type YoungTxs } from "../listing.ts";
import { createTxReader } from "../transactions.ts";
import { TestChain, type TestChainOptions } from "./chain.ts";
import type { SignOptions } from "./signer.ts";

export const SEND = "/cosmos.bank.v1beta1.MsgSend";

/** At height 1, so that the next block begins with an oracle update. */
export async function listingChain(options: TestChainOptions = {}): Promise<TestChain> {
  const chain = await new TestChain({ extensionsFrom: 1, ...options }).start();
  chain.app.look((keel) => {
    const messages = keel.messages as Map<string, MessageRoute>;
    messages.set(SEND, { ...(messages.get(SEND) as MessageRoute), listed: () => true });
  });
  await chain.decide([]);
  return chain;
}

/** Good for a minute of chain time, another one each time. */
const LIFE_NS = 60_000_000_000n;

/** Unordered transfers, each another one. */
export function transfers(
  chain: TestChain,
  count: number,
  options: SignOptions & { readonly from?: number } = {},
): Uint8Array[] {
  const from = chain.account(options.from ?? 0);
  const unorderedUntilNs = options.unorderedUntilNs ?? chain.timeNs() + LIFE_NS;
  return Array.from({ length: count }, (_, i) =>
    from.send(chain.account(1), "1ukeel", {
      ...options,
      unorderedUntilNs: unorderedUntilNs + BigInt(i),
    }),
  );
}

export function pendingOf(tx: Uint8Array): PendingTx {
  return { tx, hash: bytesToLatin1(sha256(tx)) };
}

/** In this sequence, as no urgent ones. */
export function youngOf(others: Iterable<PendingTx>): YoungTxs {
  return { urgent: [], others };
}

/** A pool that has what `held` gives. */
export function holding(held: () => readonly Uint8Array[]): PendingSource {
  return {
    young: () => youngOf(held().map(pendingOf)),
    find: (key) => held().find((tx) => txKeys([tx])[0] === key),
  };
}

/** By key, as a block must hold them. */
export function byKey(txs: readonly Uint8Array[]): Uint8Array[] {
  const keys = new Map(txs.map((tx) => [tx, txKeys([tx])[0] as string]));
  return [...txs].sort((a, b) => ((keys.get(a) as string) < (keys.get(b) as string) ? -1 : 1));
}

/** Whether a node that holds it names it in its next vote. */
export function isNamed(chain: TestChain, tx: Uint8Array): boolean {
  const tools = chain.app.look((keel, context) => ({
    ...createTxReader(keel.messages, keel.addresses),
    ...{ context, bounds: listBounds(chain.params) },
  }));
  const candidates = { again: [], young: youngOf([pendingOf(tx)]) };
  return listedKeys(candidates, () => new Set(), tools).length === 1;
}
