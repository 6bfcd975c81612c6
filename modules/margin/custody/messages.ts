/** Message routes of custody: shape checks without state, then one call. */
import {
  MsgApproveWithdrawal,
  MsgApproveWithdrawalResponse,
  MsgExecuteWithdrawal,
  MsgExecuteWithdrawalResponse,
  MsgProposeWithdrawal,
  MsgProposeWithdrawalResponse,
  MsgSetTopUp,
  MsgSetTopUpResponse,
  MsgSetWithdrawalPolicy,
  MsgSetWithdrawalPolicyResponse,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import type { Addresses } from "../../kit/addresses.ts";
import type { MessageRoute } from "../../kit/module.ts";
import { onMessage } from "../../kit/module.ts";
import { refuse } from "../errors.ts";
import { validateAction, validatePolicy, validateTopUp } from "./policy.ts";
import type { Proposals } from "./proposals.ts";
import type { TopUps } from "./top-up.ts";

export interface Custody {
  readonly proposals: Proposals;
  readonly topUps: TopUps;
}

interface OfAccount {
  readonly sender: string;
  readonly owner: string;
  readonly subaccount: number;
}

export function custodyMessages(
  { proposals, topUps }: Custody,
  addresses: Addresses,
): readonly MessageRoute[] {
  const validateNames = ({ sender, owner }: OfAccount): void => {
    addresses.parse(sender);
    if (owner !== "") addresses.parse(owner);
  };
  const accountOf = ({ sender, owner, subaccount }: OfAccount): AccountId =>
    accountId(addresses.parse(owner === "" ? sender : owner), subaccount);

  return [
    onMessage({
      typeUrl: "/keel.margin.v1.MsgSetWithdrawalPolicy",
      request: MsgSetWithdrawalPolicy,
      response: MsgSetWithdrawalPolicyResponse,
      signers: (message) => [message.sender],
      validate({ sender, policy }) {
        addresses.parse(sender);
        if (policy === undefined) throw refuse("invalidRequest", "expected a policy");
        validatePolicy(addresses, policy);
      },
      handle(ctx, { sender, subaccount, policy }) {
        if (policy === undefined) throw refuse("invalidRequest", "expected a policy");
        proposals.setPolicy(ctx, accountId(addresses.parse(sender), subaccount), policy);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgProposeWithdrawal",
      request: MsgProposeWithdrawal,
      response: MsgProposeWithdrawalResponse,
      signers: (message) => [message.sender],
      validate(message) {
        validateNames(message);
        if (message.action === undefined) throw refuse("invalidRequest", "expected an action");
        validateAction(addresses, message.action);
      },
      handle(ctx, message) {
        const { sender, action, expiryMs } = message;
        if (action === undefined) throw refuse("invalidRequest", "expected an action");
        const id = proposals.propose(ctx, accountOf(message), { sender, action, expiryMs });
        return { id };
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgApproveWithdrawal",
      request: MsgApproveWithdrawal,
      response: MsgApproveWithdrawalResponse,
      signers: (message) => [message.sender],
      validate: validateNames,
      handle(ctx, message) {
        const { sender, id, reject } = message;
        const decision = { sender, proposal: id, reject };
        return { readyMs: BigInt(proposals.decide(ctx, accountOf(message), decision)) };
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgExecuteWithdrawal",
      request: MsgExecuteWithdrawal,
      response: MsgExecuteWithdrawalResponse,
      signers: (message) => [message.sender],
      validate: validateNames,
      handle(ctx, message) {
        proposals.execute(ctx, accountOf(message), message.sender, message.id);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.margin.v1.MsgSetTopUp",
      request: MsgSetTopUp,
      response: MsgSetTopUpResponse,
      signers: (message) => [message.sender],
      validate({ sender, subaccount, rule }) {
        addresses.parse(sender);
        if (rule !== undefined) validateTopUp(rule, subaccount);
      },
      handle(ctx, { sender, subaccount, rule }) {
        topUps.setRule(ctx, accountId(addresses.parse(sender), subaccount), rule);
        return {};
      },
    }),
  ];
}
