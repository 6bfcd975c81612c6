/** Who trades at the edge of what the margin carries: they are liquidated, and by a gap in prices they fall below zero. */
import { formatSize } from "@keel/modules/derivatives/instruments";
import {
  newOrder,
  place,
  type SimulatedAccount,
  type SimulatedMarket,
} from "@keel/modules/derivatives/simulate-kit";
import { accountId } from "@keel/modules/kit/account-id";
import { minimum, mulDivDown } from "@keel/modules/kit/math/mul-div";
import { MsgClearTrades } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MsgTransfer } from "@keel/proto/gen/keel/margin/v1/tx";
import type { Agent } from "./agents.ts";
import { DENOM } from "./genesis.ts";
import { agreedTrade, documentOf } from "./ledger-operations.ts";
import {
  type At,
  one,
  type Planned,
  type PlannedMessage,
  type SimulationOperation,
} from "./operation.ts";

const SOON_MS = 12 * 60_000;
const LOTS_MAX = 1_000_000n;
/** Sub-accounts for one contract, and what is put into each, quanta. */
const FIRST_PURSE = 100;
const PURSES = 20;
export const PURSE_NUMBERS: readonly number[] = Array.from(
  { length: PURSES },
  (_, at) => FIRST_PURSE + at,
);
const PURSE = 150_000_000n;

/** From `least` to fourteen times more of what the account has; null: nothing, or more than an order may be. */
function edgeLots(
  { keel, ctx, market, random }: At,
  { account: { bytes } }: Agent,
  { subaccount }: SimulatedAccount,
  least: number,
): bigint | null {
  const collateral = keel.margin.account(ctx, accountId(bytes, subaccount))?.collateral ?? 0n;
  if (collateral <= 0n || market.notionalPerLot <= 0n) return null;
  const lots = mulDivDown(collateral, BigInt(least + random.below(14)), market.notionalPerLot);
  return lots < 1n || lots > LOTS_MAX ? null : lots;
}

function ordered(at: At): Planned | null {
  const { account, agent, market, random } = at;
  const lots = edgeLots(at, agent, account, 3);
  if (lots === null) return null;
  const size = formatSize(market.instrument, lots);
  const change = random.below(2) === 0 ? ({ type: 2, price: "" } as const) : {};
  return { messages: [place(account, newOrder(market, random, { ...change, size }, 1500))] };
}

/** The two agree on it, so that no book has to hold as much. */
function agreed(at: At, least: number): Planned | null {
  const { agent, otherAgent, account, other, market } = at;
  if (agent === otherAgent) return null;
  const own = edgeLots(at, agent, account, least);
  const others = edgeLots(at, otherAgent, other, least);
  if (own === null || others === null) return null;
  const size = formatSize(market.instrument, minimum(own, others));
  const documents = [
    at.sign({ ...documentOf(at, "account", 1), size }, agent.account),
    at.sign({ ...documentOf(at, "other", 2), size }, otherAgent.account),
  ];
  const trades = [{ ...agreedTrade(at), size }];
  const value = MsgClearTrades.fromPartial({ sender: account.owner, documents, trades });
  return one("/keel.derivatives.v1.MsgClearTrades", value);
}

/** What ends soon. */
function ending({ markets, nowMs }: At): readonly SimulatedMarket[] {
  return markets().filter(({ instrument: { status, contract } }) => {
    const left = Number(contract.maturity?.expiryMs ?? 0) - nowMs;
    return status !== "settling" && left > 0 && left < SOON_MS;
  });
}

function oneOf(found: readonly SimulatedMarket[], { random }: At): SimulatedMarket | null {
  return found[random.below(Math.max(1, found.length))] ?? null;
}

/** Null: the sub-account is there already, or its owner has too little beside it. */
function purse(
  { keel, ctx }: At,
  { account }: Agent,
  from: number,
  to: number,
): PlannedMessage | null {
  const held = keel.margin.account(ctx, accountId(account.bytes, from))?.collateral ?? 0n;
  if (held < PURSE || keel.margin.account(ctx, accountId(account.bytes, to)) !== undefined)
    return null;
  const value = MsgTransfer.fromPartial({
    ...{ sender: account.address, fromSubaccount: from, toSubaccount: to },
    ...{ denom: DENOM, amount: `${PURSE}` },
  });
  return { typeUrl: "/keel.margin.v1.MsgTransfer", value };
}

/** Two that hold nothing else agree on a future with all they have: what they miss at its end, nobody can close elsewhere. */
function pursesAgreed(at: At): Planned | null {
  const { agent, otherAgent, account, other, random } = at;
  const futures = ending(at).filter(
    ({ instrument: { contract } }) => contract.kind === "datedFuture",
  );
  const market = oneOf(futures, at);
  if (market === null || market.notionalPerLot <= 0n || agent === otherAgent) return null;
  const subaccount = FIRST_PURSE + random.below(PURSES);
  const own = purse(at, agent, account.subaccount, subaccount);
  const others = purse(at, otherAgent, other.subaccount, subaccount);
  if (own === null || others === null) return null;
  const lots = mulDivDown(PURSE, BigInt(5 + random.below(12)), market.notionalPerLot);
  if (lots < 1n || lots > LOTS_MAX) return null;
  const inPurse = {
    ...{ ...at, market },
    account: { ...account, subaccount },
    other: { ...other, subaccount },
  };
  const size = formatSize(market.instrument, lots);
  const documents = [
    at.sign({ ...documentOf(inPurse, "account", 1), size }, agent.account),
    at.sign({ ...documentOf(inPurse, "other", 2), size }, otherAgent.account),
  ];
  const trades = [{ ...agreedTrade(inPurse), size }];
  const value = MsgClearTrades.fromPartial({ sender: account.owner, documents, trades });
  return { messages: [own, others, { typeUrl: "/keel.derivatives.v1.MsgClearTrades", value }] };
}

export const edgeOperations: readonly SimulationOperation[] = [
  { name: "as much as the margin carries", weight: 16, create: ordered },
  { name: "agreed at the edge of the margin", weight: 12, create: (at) => agreed(at, 3) },
  {
    name: "agreed at the edge of the margin, shortly before the end",
    weight: 24,
    create(at) {
      const market = oneOf(ending(at), at);
      return market === null ? null : agreed({ ...at, market }, 6);
    },
  },
  { name: "agreed with purses that hold nothing else", weight: 24, create: pursesAgreed },
];
