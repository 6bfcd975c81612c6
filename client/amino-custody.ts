/** Amino names and forms of custody's messages. */
import * as custody from "@keel/proto/gen/keel/margin/v1/custody";
import { type Shape, shape } from "./amino-shape.ts";

const policy = shape(custody.WithdrawalPolicy);
const action = shape(custody.CustodyAction, {
  withdraw: shape(custody.WithdrawAction),
  transfer: shape(custody.TransferAction),
  port: shape(custody.PortAction),
  policy: shape(custody.PolicyAction, { policy }),
});

export const custodyForms: Readonly<Record<string, readonly [name: string, form: Shape]>> = {
  "/keel.margin.v1.MsgSetWithdrawalPolicy": [
    "keel/MsgSetWithdrawalPolicy",
    shape(custody.MsgSetWithdrawalPolicy, { policy }),
  ],
  "/keel.margin.v1.MsgProposeWithdrawal": [
    "keel/MsgProposeWithdrawal",
    shape(custody.MsgProposeWithdrawal, { action }),
  ],
  "/keel.margin.v1.MsgApproveWithdrawal": [
    "keel/MsgApproveWithdrawal",
    shape(custody.MsgApproveWithdrawal),
  ],
  "/keel.margin.v1.MsgExecuteWithdrawal": [
    "keel/MsgExecuteWithdrawal",
    shape(custody.MsgExecuteWithdrawal),
  ],
  "/keel.margin.v1.MsgSetTopUp": [
    "keel/MsgSetTopUp",
    shape(custody.MsgSetTopUp, { rule: shape(custody.TopUpRule) }),
  ],
};
