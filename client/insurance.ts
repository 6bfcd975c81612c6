/** Underwriting of the insurance fund: coins for shares that earn its income and bear its losses, and the way out after notice. */
import { MsgGiveNoticeResponse, MsgUnderwriteResponse } from "@keel/proto/gen/keel/insurance/v1/tx";
import type { Fund } from "@keel/proto/gen/keel/insurance/v1/types";
import { type Amount, toQuanta } from "./decimal.ts";
import { KeelConnectionError, KeelInputError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import type { WithTx } from "./outcomes.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf } from "./tx-result.ts";

/** Quanta. */
export interface InsuranceState {
  readonly fund: Fund;
  /** What may be paid now: the balance, or less where the chain caps what an hour may draw. */
  readonly available: bigint;
  /** What all underwriters' shares are worth, and the protocol's own part. */
  readonly underwritten: bigint;
  readonly own: bigint;
  /** What losses of other classes may take of it now. */
  readonly assessable: bigint;
}

export interface UnderwriterState {
  readonly shares: bigint;
  /** What they are worth now, quanta, rounded down. */
  readonly value: bigint;
  /** Of them under notice, and when those leave. */
  readonly leaving: bigint;
  readonly leavesAtNs: bigint;
}

/** Of the fund shared by all, or that of a risk class. */
export async function insuranceState(
  client: KeelClient,
  denom?: string,
  riskClass = "",
): Promise<InsuranceState> {
  const asked = { denom: denom ?? (await client.settlementDenom()), riskClass };
  const { fund, available, underwritten, own, assessable } = await client.ask(methods.fund, asked);
  if (fund === undefined) throw new KeelConnectionError("bad-answer", "expected a fund");
  return {
    fund,
    available: BigInt(available),
    underwritten: BigInt(underwritten),
    own: BigInt(own),
    assessable: BigInt(assessable),
  };
}

export async function underwriterState(
  client: KeelClient,
  owner: string,
  denom?: string,
  riskClass = "",
): Promise<UnderwriterState> {
  const asked = { owner, denom: denom ?? (await client.settlementDenom()), riskClass };
  const answer = await client.ask(methods.underwriter, asked);
  const { underwriter, value } = answer;
  if (underwriter === undefined)
    throw new KeelConnectionError("bad-answer", "expected an underwriter");
  return {
    shares: BigInt(underwriter.shares),
    value: BigInt(value),
    leaving: BigInt(underwriter.leaving || "0"),
    leavesAtNs: underwriter.leavesAtNs,
  };
}

export interface UnderwritingOptions extends SubmitOptions {
  readonly denom?: string;
  /** Of the fund; none: the one shared by all classes. */
  readonly riskClass?: string;
}

/** Coins of the wallet for shares of the fund. "1000.5" is whole units, 1000500000n quanta. */
export async function underwriteInsurance(
  client: KeelSigningClient,
  amount: Amount,
  options: UnderwritingOptions = {},
): Promise<WithTx<{ readonly shares: bigint }>> {
  const denom = options.denom ?? (await client.chain.settlementDenom());
  const { riskClass = "" } = options;
  const quanta = toQuanta("amount", amount).toString();
  const value = { sender: client.address, denom, amount: quanta, riskClass };
  const tx = await client.execute(
    [{ typeUrl: "/keel.insurance.v1.MsgUnderwrite", value }],
    options,
  );
  return { shares: BigInt(responseOf(tx, 0, MsgUnderwriteResponse).shares), tx };
}

/** So many shares leave when notice ends, at what they are worth then; 0n takes notice back. */
export async function giveInsuranceNotice(
  client: KeelSigningClient,
  shares: bigint,
  options: UnderwritingOptions = {},
): Promise<WithTx<{ readonly leavesAtNs: bigint }>> {
  if (shares < 0n)
    throw new KeelInputError("invalid-amount", "shares", `expected 0 or more, got ${shares}`);
  const denom = options.denom ?? (await client.chain.settlementDenom());
  const { riskClass = "" } = options;
  const value = { sender: client.address, denom, shares: shares.toString(), riskClass };
  const tx = await client.execute(
    [{ typeUrl: "/keel.insurance.v1.MsgGiveNotice", value }],
    options,
  );
  return { leavesAtNs: responseOf(tx, 0, MsgGiveNoticeResponse).leavesAtNs, tx };
}
