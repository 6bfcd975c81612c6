/** Withdrawal by m of n, top-ups and isolation: on a third sub-account of every agent, so that the other two go on as they are. */
import type { Random } from "@keel/modules/derivatives/random";
import { MsgClearTrades, MsgTransferSubaccount } from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  type CustodyAction,
  MsgApproveWithdrawal,
  MsgExecuteWithdrawal,
  MsgProposeWithdrawal,
  MsgSetTopUp,
  MsgSetWithdrawalPolicy,
  type Proposal,
  QueryCustodyRequest,
  QueryCustodyResponse,
  type WithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { MsgDeposit, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { DENOM } from "./genesis.ts";
import { agreedTrade, documentOf } from "./ledger-operations.ts";
import { type At, ask, minutesAhead, one, type SimulationOperation } from "./operation.ts";

const MARGIN = "/keel.margin.v1.";
const UNIT = 1_000_000n;
const SUBACCOUNT = 2;

function units(random: Random, most: number): string {
  return `${BigInt(1 + random.below(most)) * UNIT}`;
}

function custodyOf(at: At, owner: string): QueryCustodyResponse {
  const codecs = [QueryCustodyRequest, QueryCustodyResponse] as const;
  return ask(at, `${MARGIN}Query/Custody`, codecs, { owner, subaccount: SUBACCOUNT });
}

/** The agent's own key and another's: one or both of them approve; after a minute or never the owner alone may change it. */
function policyFor({ agent, otherAgent, random }: At): WithdrawalPolicy {
  const keys = [...new Set([agent.account.address, otherAgent.account.address])];
  return {
    threshold: 1 + random.below(keys.length),
    keys: keys.sort((a, b) => (a < b ? -1 : 1)),
    delayMs: random.below(2) === 0 ? 0n : 10_000n,
    recipients: [],
    tradingLossPerDay: random.below(2) === 0 ? "0" : units(random, 100),
    topUpPerDay: random.below(3) === 0 ? "0" : units(random, 5_000),
    recoveryDelayMs: random.below(2) === 0 ? 0n : 60_000n,
  };
}

function actionFor(at: At): Partial<CustodyAction> {
  const { random, other } = at;
  const amount = units(random, 400);
  switch (random.below(6)) {
    case 0:
      return { transfer: { toSubaccount: random.below(2), denom: DENOM, amount } };
    case 1:
      return { policy: { policy: random.below(2) === 0 ? undefined : policyFor(at) } };
    case 2:
      return { port: { toOwner: at.account.owner, toSubaccount: 10 + random.below(1_000) } };
    default:
      return { withdraw: { recipient: other.owner, denom: DENOM, amount } };
  }
}

/** One of those that lie, of the agent or of the other. */
function lying(at: At): Proposal | null {
  const owner = at.random.below(2) === 0 ? at.account.owner : at.other.owner;
  const { proposals } = custodyOf(at, owner);
  return proposals[at.random.below(Math.max(1, proposals.length))] ?? null;
}

/** The few who have custody know one another. */
const CUSTODIANS = 8;

function among(at: At): At {
  const [agent, otherAgent] = [0, 0].map(
    () => at.agents[at.random.below(Math.min(CUSTODIANS, at.agents.length))] ?? at.agent,
  );
  if (agent === undefined || otherAgent === undefined) return at;
  return {
    ...at,
    agent,
    otherAgent,
    account: { ...at.account, owner: agent.account.address },
    other: { ...at.other, owner: otherAgent.account.address },
  };
}

const of = ({ owner, subaccount, id }: Proposal, sender: string) => ({
  sender,
  owner,
  subaccount,
  id,
});

const operations: readonly SimulationOperation[] = [
  {
    name: "custody: deposit",
    weight: 5,
    create: ({ account, random }) =>
      one(
        `${MARGIN}MsgDeposit`,
        MsgDeposit.fromPartial({
          sender: account.owner,
          subaccount: SUBACCOUNT,
          denom: DENOM,
          amount: units(random, 2_000),
        }),
      ),
  },
  {
    name: "custody: policy",
    weight: 6,
    create: (at) =>
      one(
        `${MARGIN}MsgSetWithdrawalPolicy`,
        MsgSetWithdrawalPolicy.fromPartial({
          sender: at.account.owner,
          subaccount: SUBACCOUNT,
          policy: policyFor(at),
        }),
      ),
  },
  {
    name: "custody: proposal",
    weight: 12,
    create(at) {
      const { owner } = at.account;
      const { policy } = custodyOf(at, owner);
      const keys = policy?.keys ?? [owner];
      const sender = [owner, ...keys][at.random.below(keys.length + 1)] ?? owner;
      const value = MsgProposeWithdrawal.fromPartial({
        sender,
        owner,
        subaccount: SUBACCOUNT,
        action: actionFor(at),
        expiryMs: minutesAhead(at.nowMs, 1 + at.random.below(6)),
      });
      return one(`${MARGIN}MsgProposeWithdrawal`, value);
    },
  },
  {
    name: "custody: decision",
    weight: 12,
    create(at) {
      const proposal = lying(at);
      if (proposal === null) return null;
      const keys = custodyOf(at, proposal.owner).policy?.keys ?? [];
      const sender = keys[at.random.below(keys.length)] ?? at.account.owner;
      const reject = at.random.below(4) === 0;
      const value = MsgApproveWithdrawal.fromPartial({ ...of(proposal, sender), reject });
      return one(`${MARGIN}MsgApproveWithdrawal`, value);
    },
  },
  {
    name: "custody: execution",
    weight: 12,
    create(at) {
      const proposal = lying(at);
      if (proposal === null) return null;
      const { owner, subaccount, action } = proposal;
      if (action?.port === undefined) {
        const value = MsgExecuteWithdrawal.fromPartial(of(proposal, owner));
        return one(`${MARGIN}MsgExecuteWithdrawal`, value);
      }
      const value = MsgTransferSubaccount.fromPartial({
        fromOwner: owner,
        fromSubaccount: subaccount,
        toOwner: action.port.toOwner,
        toSubaccount: action.port.toSubaccount,
      });
      return one("/keel.derivatives.v1.MsgTransferSubaccount", value);
    },
  },
  {
    // Under a policy without room for losses every fee is one too many.
    name: "custody: trade",
    weight: 6,
    create(at) {
      if (at.agent === at.otherAgent) return null;
      const buys = { ...documentOf(at, "account", 1), subaccount: SUBACCOUNT };
      const documents = [
        at.sign(buys, at.agent.account),
        at.sign(documentOf(at, "other", 2), at.otherAgent.account),
      ];
      const sender = at.account.owner;
      return one(
        "/keel.derivatives.v1.MsgClearTrades",
        MsgClearTrades.fromPartial({ sender, documents, trades: [agreedTrade(at)] }),
      );
    },
  },
  {
    name: "custody: the owner alone",
    weight: 3,
    create: ({ account, random }) =>
      one(
        `${MARGIN}MsgWithdraw`,
        MsgWithdraw.fromPartial({
          sender: account.owner,
          subaccount: SUBACCOUNT,
          denom: DENOM,
          amount: units(random, 100),
        }),
      ),
  },
];

export const custodyOperations: readonly SimulationOperation[] = [
  ...operations.map((one) => ({ ...one, create: (at: At) => one.create(among(at)) })),
  {
    name: "custody: top-up rule",
    weight: 8,
    create({ account, random }) {
      const { owner: sender, subaccount } = account;
      const from = [subaccount ^ 1, SUBACCOUNT];
      const capPerDay = units(random, random.below(2) === 0 ? 5 : 5_000);
      const rule = { from, targetPpm: BigInt(1_000_000 + random.below(1_000_000)), capPerDay };
      const value = MsgSetTopUp.fromPartial(
        random.below(8) === 0 ? { sender, subaccount } : { sender, subaccount, rule },
      );
      return one(`${MARGIN}MsgSetTopUp`, value);
    },
  },
];
