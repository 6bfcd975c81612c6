/** The liquidity vault: what it is worth and quotes, one's shares of it, deposits and withdrawals; one call each. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import type {
  QueryVaultResponse,
  QuoteView,
  VaultMarketView,
  WithdrawalView,
} from "@keel/proto/gen/keel/vault/v1/query";
import {
  MsgCancelWithdrawal,
  MsgCancelWithdrawalResponse,
  MsgDepositToVault,
  MsgDepositToVaultResponse,
  MsgRequestWithdrawal,
  MsgRequestWithdrawalResponse,
} from "@keel/proto/gen/keel/vault/v1/tx";
import { type Amount, toQuanta } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import type { WithTx } from "./outcomes.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf } from "./tx-result.ts";

export interface VaultShares {
  readonly shares: bigint;
  /** In the queue of withdrawals. */
  readonly queuedShares: bigint;
  readonly unlockedShares: bigint;
  /** Quanta at the present price, before slippage. */
  readonly value: bigint;
}

export interface VaultDepositOptions {
  /** Refused when it would mint fewer. */
  readonly sharesMin?: bigint;
}

const WITHDRAWALS_PAGE = 1000;

/** Equity, shares and price; amounts are quanta in text. */
export async function vaultState(chain: KeelClient): Promise<QueryVaultResponse> {
  return await chain.ask(methods.vault, {});
}

export async function vaultShares(chain: KeelClient, owner: string): Promise<VaultShares> {
  const { queuedShares, shares, unlockedShares, value } = await chain.ask(methods.vaultShares, {
    owner,
  });
  return {
    shares: BigInt(shares),
    queuedShares: BigInt(queuedShares),
    unlockedShares: BigInt(unlockedShares),
    value: BigInt(value),
  };
}

/** The queue, first in line first; of one owner or of all. */
export async function vaultWithdrawals(
  chain: KeelClient,
  owner: string = "",
): Promise<readonly WithdrawalView[]> {
  const found: WithdrawalView[] = [];
  for (;;) {
    const afterId = found.at(-1)?.id ?? 0n;
    const page = { owner, afterId, limit: WITHDRAWALS_PAGE };
    const { withdrawals } = await chain.ask(methods.vaultWithdrawals, page);
    found.push(...withdrawals);
    if (withdrawals.length < WITHDRAWALS_PAGE) return found;
  }
}

/** Open quotes, of one market or of all. */
export async function vaultQuotes(
  chain: KeelClient,
  market: string = "",
): Promise<readonly QuoteView[]> {
  return (await chain.ask(methods.vaultQuotes, { market })).quotes;
}

/** Terms, equity, leverage and spread of each market. */
export async function vaultMarkets(chain: KeelClient): Promise<readonly VaultMarketView[]> {
  return (await chain.ask(methods.vaultMarkets, {})).markets;
}

export function depositToVaultMessage(
  sender: string,
  denom: string,
  amount: Amount,
  { sharesMin = 0n }: VaultDepositOptions = {},
): EncodeObject {
  const value = MsgDepositToVault.fromPartial({
    sender,
    denom,
    amount: toQuanta("amount", amount).toString(),
    sharesMin: sharesMin === 0n ? "" : positive("sharesMin", sharesMin).toString(),
  });
  return { typeUrl: "/keel.vault.v1.MsgDepositToVault", value };
}

export function requestWithdrawalMessage(sender: string, shares: bigint): EncodeObject {
  const value = MsgRequestWithdrawal.fromPartial({
    sender,
    shares: positive("shares", shares).toString(),
  });
  return { typeUrl: "/keel.vault.v1.MsgRequestWithdrawal", value };
}

export function cancelWithdrawalMessage(sender: string, id: bigint): EncodeObject {
  const value = MsgCancelWithdrawal.fromPartial({ sender, id: positive("id", id) });
  return { typeUrl: "/keel.vault.v1.MsgCancelWithdrawal", value };
}

function positive(field: string, value: bigint): bigint {
  if (value > 0n) return value;
  throw new KeelInputError("invalid-amount", field, `expected a positive integer, got ${value}`);
}

/** Coins of the wallet for shares. "1000.5" is whole units, 1000500000n quanta. */
export async function depositToVault(
  client: KeelSigningClient,
  amount: Amount,
  options: VaultDepositOptions & SubmitOptions = {},
): Promise<WithTx<{ readonly shares: bigint }>> {
  const denom = await client.chain.settlementDenom();
  const message = depositToVaultMessage(client.address, denom, amount, options);
  const tx = await client.execute([message], options);
  return { shares: BigInt(responseOf(tx, 0, MsgDepositToVaultResponse).shares), tx };
}

/** Shares into the queue; they are paid at the price of their turn, from `dueMs` on. */
export async function requestVaultWithdrawal(
  client: KeelSigningClient,
  shares: bigint,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly id: bigint; readonly dueMs: bigint }>> {
  const tx = await client.execute([requestWithdrawalMessage(client.address, shares)], options);
  const { dueMs, id } = responseOf(tx, 0, MsgRequestWithdrawalResponse);
  return { id, dueMs, tx };
}

/** What is not yet paid of a withdrawal comes back as shares. */
export async function cancelVaultWithdrawal(
  client: KeelSigningClient,
  id: bigint,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly shares: bigint }>> {
  const tx = await client.execute([cancelWithdrawalMessage(client.address, id)], options);
  return { shares: BigInt(responseOf(tx, 0, MsgCancelWithdrawalResponse).shares), tx };
}
