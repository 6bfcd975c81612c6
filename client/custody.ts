/** Custody: withdrawal by m of n keys, top-ups before a liquidation, and the solvency of markets. Amounts: "1000.5" is whole units, 1000500000n quanta. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import {
  type CustodyAction,
  type MarketSolvencyView,
  MsgApproveWithdrawal,
  MsgApproveWithdrawalResponse,
  MsgExecuteWithdrawal,
  MsgProposeWithdrawal,
  MsgProposeWithdrawalResponse,
  MsgSetTopUp,
  MsgSetWithdrawalPolicy,
  QueryCustodyRequest,
  QueryCustodyResponse,
  QueryMarketSolvencyRequest,
  QueryMarketSolvencyResponse,
  type WithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { type Amount, toQuanta } from "./decimal.ts";
import type { KeelClient } from "./keel-client.ts";
import type { Method } from "./method.ts";
import type { WithTx } from "./outcomes.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf, type TxOutcome } from "./tx-result.ts";

export interface PolicyTerms {
  /** So many of the keys approve. */
  readonly threshold: number;
  /** Addresses, in any order. */
  readonly keys: readonly string[];
  /** From the last approval needed until it may be executed. */
  readonly delayMs?: number;
  /** Who may receive; absent: whoever is approved. */
  readonly recipients?: readonly string[];
  /** Most that trading may give up against the mark in a day, fees included. */
  readonly tradingLossPerDay: Amount;
  /** Most that top-ups may take out in a day; absent: nothing. */
  readonly topUpPerDay?: Amount;
  /** The owner alone may change the policy after this long, unless the keys reject it; absent: never. */
  readonly recoveryDelayMs?: number;
}

export type Outgoing =
  | { readonly withdraw: Amount; readonly to: string }
  | { readonly transfer: Amount; readonly toSubaccount: number }
  /** The whole sub-account; `transferSubaccount` then moves it. */
  | { readonly port: string; readonly toSubaccount: number }
  /** null: no policy any more. */
  | { readonly policy: PolicyTerms | null };

export interface OfSubaccount {
  /** Absent: the client's own. */
  readonly owner?: string;
  readonly subaccount?: number;
}

export interface TopUpTerms {
  /** The owner's other sub-accounts, in the order in which they give. */
  readonly from: readonly number[];
  /** Up to so many times the maintenance requirement, in parts per million; absent: 1.25 times. */
  readonly targetPpm?: bigint;
  readonly capPerDay: Amount;
}

const methods: {
  readonly custody: Method<QueryCustodyRequest, QueryCustodyResponse>;
  readonly marketSolvency: Method<QueryMarketSolvencyRequest, QueryMarketSolvencyResponse>;
} = {
  custody: {
    path: "/keel.margin.v1.Query/Custody",
    request: QueryCustodyRequest,
    answer: QueryCustodyResponse,
  },
  marketSolvency: {
    path: "/keel.margin.v1.Query/MarketSolvency",
    request: QueryMarketSolvencyRequest,
    answer: QueryMarketSolvencyResponse,
  },
};

const quanta = (field: string, amount: Amount): string => toQuanta(field, amount).toString();

function ascending(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort();
}

function policyOf(terms: PolicyTerms): WithdrawalPolicy {
  return {
    threshold: terms.threshold,
    keys: ascending(terms.keys),
    delayMs: BigInt(terms.delayMs ?? 0),
    recipients: ascending(terms.recipients ?? []),
    tradingLossPerDay: quanta("tradingLossPerDay", terms.tradingLossPerDay),
    topUpPerDay: quanta("topUpPerDay", terms.topUpPerDay ?? 0n),
    recoveryDelayMs: BigInt(terms.recoveryDelayMs ?? 0),
  };
}

function actionOf(out: Outgoing, denom: string): CustodyAction {
  const none = { withdraw: undefined, transfer: undefined, port: undefined, policy: undefined };
  if ("withdraw" in out) {
    const amount = quanta("withdraw", out.withdraw);
    return { ...none, withdraw: { recipient: out.to, denom, amount } };
  }
  if ("transfer" in out) {
    const amount = quanta("transfer", out.transfer);
    return { ...none, transfer: { toSubaccount: out.toSubaccount, denom, amount } };
  }
  if ("port" in out) {
    return { ...none, port: { toOwner: out.port, toSubaccount: out.toSubaccount } };
  }
  return { ...none, policy: { policy: out.policy === null ? undefined : policyOf(out.policy) } };
}

/** Puts a sub-account of the wallet under its first policy; later ones are proposed. */
export async function setWithdrawalPolicy(
  client: KeelSigningClient,
  terms: PolicyTerms,
  options: SubmitOptions & { readonly subaccount?: number } = {},
): Promise<TxOutcome> {
  const { subaccount = 0, ...rest } = options;
  const value = MsgSetWithdrawalPolicy.fromPartial({
    sender: client.address,
    subaccount,
    policy: policyOf(terms),
  });
  return await client.execute([{ typeUrl: "/keel.margin.v1.MsgSetWithdrawalPolicy", value }], rest);
}

/** By the owner or a key of the policy; returns the number by which it is approved. */
export async function proposeWithdrawal(
  client: KeelSigningClient,
  out: Outgoing,
  terms: OfSubaccount & { readonly expiryMs: number },
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly id: bigint }>> {
  const { owner = "", subaccount = 0, expiryMs } = terms;
  const action = actionOf(out, await client.chain.settlementDenom());
  const value = MsgProposeWithdrawal.fromPartial({
    sender: client.address,
    owner,
    subaccount,
    action,
    expiryMs: BigInt(expiryMs),
  });
  const message = { typeUrl: "/keel.margin.v1.MsgProposeWithdrawal", value };
  const tx = await client.execute([message], options);
  return { id: responseOf(tx, 0, MsgProposeWithdrawalResponse).id, tx };
}

function ofProposal(
  client: KeelSigningClient,
  id: bigint,
  { owner = "", subaccount = 0 }: OfSubaccount,
) {
  return { sender: client.address, owner, subaccount, id };
}

async function decide(
  client: KeelSigningClient,
  value: MsgApproveWithdrawal,
  options: SubmitOptions,
): Promise<WithTx<{ readonly readyMs: number }>> {
  const message = { typeUrl: "/keel.margin.v1.MsgApproveWithdrawal", value };
  const tx = await client.execute([message], options);
  return { readyMs: Number(responseOf(tx, 0, MsgApproveWithdrawalResponse).readyMs), tx };
}

/** By a key of the policy. `readyMs`: when it may be executed; 0: approvals are missing. */
export async function approveWithdrawal(
  client: KeelSigningClient,
  id: bigint,
  of: OfSubaccount,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly readyMs: number }>> {
  const value = MsgApproveWithdrawal.fromPartial(ofProposal(client, id, of));
  return await decide(client, value, options);
}

/** By a key of the policy; by its proposer: takes it back. */
export async function rejectWithdrawal(
  client: KeelSigningClient,
  id: bigint,
  of: OfSubaccount,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly readyMs: number }>> {
  const value = MsgApproveWithdrawal.fromPartial({ ...ofProposal(client, id, of), reject: true });
  return await decide(client, value, options);
}

/** By the owner or a key of the policy, once it is approved and its delay has passed. */
export async function executeWithdrawal(
  client: KeelSigningClient,
  id: bigint,
  of: OfSubaccount,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const value = MsgExecuteWithdrawal.fromPartial(ofProposal(client, id, of));
  const message: EncodeObject = { typeUrl: "/keel.margin.v1.MsgExecuteWithdrawal", value };
  return await client.execute([message], options);
}

/** How a sub-account of the wallet is topped up before it is liquidated; null: not any more. */
export async function setTopUp(
  client: KeelSigningClient,
  terms: TopUpTerms | null,
  options: SubmitOptions & { readonly subaccount?: number } = {},
): Promise<TxOutcome> {
  const { subaccount = 0, ...rest } = options;
  const rule =
    terms === null
      ? undefined
      : {
          from: [...terms.from],
          targetPpm: terms.targetPpm ?? 1_250_000n,
          capPerDay: quanta("capPerDay", terms.capPerDay),
        };
  const value = MsgSetTopUp.fromPartial({ sender: client.address, subaccount, rule });
  return await client.execute([{ typeUrl: "/keel.margin.v1.MsgSetTopUp", value }], rest);
}

/** Policy, proposals, what was spent of its bounds today, and the rule of top-ups. */
export async function custody(
  client: KeelClient,
  owner: string,
  subaccount = 0,
): Promise<QueryCustodyResponse> {
  return await client.ask(methods.custody, { owner, subaccount });
}

/** What is missing, by market id; of one market or of all that ever were short. */
export async function marketSolvency(
  client: KeelClient,
  market = 0,
): Promise<readonly MarketSolvencyView[]> {
  return (await client.ask(methods.marketSolvency, { market })).markets;
}
