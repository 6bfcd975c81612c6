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
import type { Agent } from "./agents.ts";
import { agreedTrade, documentOf } from "./ledger-operations.ts";
import { type At, one, type Planned, type SimulationOperation } from "./operation.ts";

const SOON_MS = 12 * 60_000;
const LOTS_MAX = 1_000_000n;

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

/** Of what ends soon, any; null: nothing does. */
function ending({ markets, nowMs, random }: At): SimulatedMarket | null {
  const soon = markets().filter(({ instrument: { status, contract } }) => {
    const left = Number(contract.maturity?.expiryMs ?? 0) - nowMs;
    return status !== "settling" && left > 0 && left < SOON_MS;
  });
  return soon[random.below(Math.max(1, soon.length))] ?? null;
}

export const edgeOperations: readonly SimulationOperation[] = [
  { name: "as much as the margin carries", weight: 16, create: ordered },
  { name: "agreed at the edge of the margin", weight: 12, create: (at) => agreed(at, 3) },
  {
    name: "agreed at the edge of the margin, shortly before the end",
    weight: 24,
    create(at) {
      const market = ending(at);
      return market === null ? null : agreed({ ...at, market }, 6);
    },
  },
];
