/** Before the first bar: everyone is given coins, deposits them, the makers quote, and the traders open what they planned. */
import type { KeelClient } from "@keel/client/keel-client";
import { KeelSigningClient } from "@keel/client/signing-client";
import type { Wallet } from "@keel/client/wallet";
import { OPENINGS_AT_ONCE, SENDS_PER_TX } from "./limits.ts";
import type { Trader } from "./trader.ts";

export const QUANTA = 1_000_000n;

/** One client per wallet, all on one connection. */
export async function connectAll(
  chain: KeelClient,
  wallets: readonly Wallet[],
): Promise<KeelSigningClient[]> {
  return await Promise.all(
    wallets.map(({ signer }) => KeelSigningClient.connectWithSigner(chain, signer)),
  );
}

/** Pays `units` whole settlement units to each, many in one transaction. */
export async function payOut(
  treasury: KeelSigningClient,
  payments: readonly { readonly to: string; readonly units: number }[],
): Promise<void> {
  const denom = await treasury.chain.settlementDenom();
  const chunks: (typeof payments)[] = [];
  for (let i = 0; i < payments.length; i += SENDS_PER_TX)
    chunks.push(payments.slice(i, i + SENDS_PER_TX));
  const sent = [];
  for (const chunk of chunks) {
    const messages = chunk.map(({ to, units }) =>
      treasury.messages.send(to, [{ denom, amount: (BigInt(units) * QUANTA).toString() }]),
    );
    sent.push(await treasury.submit(messages));
  }
  await Promise.all(sent.map((tx) => tx.outcome()));
}

/** A few at a time, so that the makers refill in between; nobody waits for the slowest of a wave. */
export async function openAll(traders: readonly Trader[], deadlineMs: number): Promise<void> {
  const queue = [...traders];
  const worker = async (): Promise<void> => {
    for (;;) {
      const next = queue.shift();
      if (next === undefined || Date.now() > deadlineMs) return;
      await next.open();
    }
  };
  await Promise.all(Array.from({ length: OPENINGS_AT_ONCE }, worker));
}
