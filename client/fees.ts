/** Fees: an owner's tier, volume and action budget, referral codes, and builders it pays. One call each. */
import type { EncodeObject } from "@cosmjs/proto-signing";
import { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import type {
  BuilderApprovalView,
  QueryTraderResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MsgApproveBuilder,
  MsgRegisterReferralCode,
  MsgSetReferrer,
  MsgSetReferrerResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { KeelInputError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import { checkedFeePpm } from "./order-parts.ts";
import type { WithTx } from "./outcomes.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf, type TxOutcome } from "./tx-result.ts";

const TYPE = "/keel.derivatives.v1.";

/** Money is in quanta. */
export interface TraderStanding {
  /** From 0. */
  readonly tier: number;
  /** Of the 30 complete days (UTC) before today, which make the tier. */
  readonly volume: bigint;
  readonly volumeToday: bigint;
  readonly volumeLifetime: bigint;
  readonly referrer: string | undefined;
  readonly referralCode: string | undefined;
  /** Undefined: actions are not counted. */
  readonly budget: QueryTraderResponse["budget"];
  /** In the market asked about; a negative maker rate is a rebate. */
  readonly rates: QueryTraderResponse["rates"];
}

/** The chain's fee parameters; without any, those by which the markets' own rates hold. */
export async function feeParams(chain: KeelClient): Promise<FeeParams> {
  return (await chain.ask(methods.feeParams, {})).params ?? FeeParams.fromPartial({});
}

/** An owner's standing; with a market, its rates there. */
export async function traderStanding(
  chain: KeelClient,
  owner: string,
  market: string = "",
): Promise<TraderStanding> {
  const view = await chain.ask(methods.trader, { owner, market });
  const { budget, rates, referralCode, referrer, tier } = view;
  return {
    tier,
    volume: BigInt(view.volume),
    volumeToday: BigInt(view.volumeToday),
    volumeLifetime: BigInt(view.volumeLifetime),
    referrer: referrer === "" ? undefined : referrer,
    referralCode: referralCode === "" ? undefined : referralCode,
    budget,
    rates,
  };
}

/** Whose code it is; undefined: nobody's. */
export async function referralOwner(chain: KeelClient, code: string): Promise<string | undefined> {
  const { owner } = await chain.ask(methods.referralCode, { code });
  return owner === "" ? undefined : owner;
}

export async function builderApprovals(
  chain: KeelClient,
  owner: string,
): Promise<readonly BuilderApprovalView[]> {
  return (await chain.ask(methods.builderApprovals, { owner })).approvals;
}

/** Takes a code for this account, for good: 3 to 20 capital letters and digits. */
export async function registerReferralCode(
  client: KeelSigningClient,
  code: string,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  return await client.execute([registerReferralCodeMessage(client.address, code)], options);
}

/** Names who brought this account, once and for good; answers its address. */
export async function setReferrer(
  client: KeelSigningClient,
  code: string,
  options: SubmitOptions = {},
): Promise<WithTx<{ readonly referrer: string }>> {
  const tx = await client.execute([setReferrerMessage(client.address, code)], options);
  return { referrer: responseOf(tx, 0, MsgSetReferrerResponse).referrer, tx };
}

/** Lets orders of this account name a builder for at most this fee; 0 ends it. */
export async function approveBuilder(
  client: KeelSigningClient,
  builder: string,
  feeMaxPpm: number,
  options: SubmitOptions = {},
): Promise<TxOutcome> {
  const message = approveBuilderMessage(client.address, builder, feeMaxPpm);
  return await client.execute([message], options);
}

export function registerReferralCodeMessage(sender: string, code: string): EncodeObject {
  const value = MsgRegisterReferralCode.fromPartial({ sender, code: checkedCode(code) });
  return { typeUrl: `${TYPE}MsgRegisterReferralCode`, value };
}

export function setReferrerMessage(sender: string, code: string): EncodeObject {
  const value = MsgSetReferrer.fromPartial({ sender, code: checkedCode(code) });
  return { typeUrl: `${TYPE}MsgSetReferrer`, value };
}

export function approveBuilderMessage(
  sender: string,
  builder: string,
  feeMaxPpm: number,
): EncodeObject {
  const checked = checkedFeePpm("feeMaxPpm", feeMaxPpm);
  const value = MsgApproveBuilder.fromPartial({ sender, builder, feeMaxPpm: checked });
  return { typeUrl: `${TYPE}MsgApproveBuilder`, value };
}

function checkedCode(code: string): string {
  if (/^[A-Z0-9]{3,20}$/.test(code)) return code;
  throw new KeelInputError(
    "invalid-option",
    "code",
    `expected 3 to 20 capital letters and digits, got ${JSON.stringify(code.slice(0, 40))}`,
  );
}
