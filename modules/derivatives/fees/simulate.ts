/** Random referral, approvals and orders for builders, for the simulation: few codes and builders, so that they meet. */
import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import {
  MsgApproveBuilder,
  MsgRegisterReferralCode,
  MsgSetReferrer,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { Random } from "../random.ts";
import { newOrder, type Operation, place, type SimulatedAccount, TYPE } from "../simulate-kit.ts";
import { defaultFeeParams } from "./params.ts";

const CODES = 3;
const BUILDERS = 2;
const FEE_PPM = 300;

/** Parameters under which everything happens: thresholds that are reached, a budget that is used up now and then. */
export function simulatedFeeParams(): FeeParams {
  return {
    ...defaultFeeParams(),
    tiers: [
      { volume: "0", takerFactorPpm: 1_000_000, makerDiscountPpm: 0 },
      { volume: "5000000000", takerFactorPpm: 800_000, makerDiscountPpm: 200_000 },
      { volume: "50000000000", takerFactorPpm: 600_000, makerDiscountPpm: 400_000 },
    ],
    referrerSharePpm: 200_000,
    referredDiscountPpm: 50_000,
    actionBudget: { initial: 40n, quantaPerAction: 400_000_000n, trickleMs: 5_000n },
  };
}

function code(random: Random): string {
  return `CODE${random.below(CODES)}`;
}

function builder(random: Random, accounts: readonly SimulatedAccount[]): string {
  return accounts[random.below(BUILDERS) % accounts.length]?.owner ?? "";
}

export const feeOperations: readonly Operation[] = [
  {
    name: "register a referral code",
    weight: 1,
    create: (_ctx, random, { owner: sender }) => ({
      typeUrl: `${TYPE}MsgRegisterReferralCode`,
      value: MsgRegisterReferralCode.fromPartial({ sender, code: code(random) }),
    }),
  },
  {
    name: "name a referrer",
    weight: 1,
    create: (_ctx, random, { owner: sender }) => ({
      typeUrl: `${TYPE}MsgSetReferrer`,
      value: MsgSetReferrer.fromPartial({ sender, code: code(random) }),
    }),
  },
  {
    name: "approve a builder",
    weight: 3,
    create: (_ctx, random, { owner: sender }, _market, _all, accounts) => ({
      typeUrl: `${TYPE}MsgApproveBuilder`,
      value: MsgApproveBuilder.fromPartial({
        sender,
        builder: builder(random, accounts),
        feeMaxPpm: random.below(5) * FEE_PPM,
      }),
    }),
  },
  {
    name: "an order for a builder",
    weight: 10,
    create(_ctx, random, account, market, _all, accounts) {
      const fee = { builder: builder(random, accounts), feePpm: FEE_PPM };
      return place(account, newOrder(market, random, { builder: fee }, 3000));
    },
  },
];
