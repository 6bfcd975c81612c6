/** Requests that are wrong in one way each, so that every refusal is met. */
import { formatPrice, formatSize } from "@keel/modules/derivatives/instruments";
import { newOrder, place } from "@keel/modules/derivatives/simulate-kit";
import { accountId } from "@keel/modules/kit/account-id";
import type { DocumentTrade, OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  MsgAmendOrder,
  MsgApproveBuilder,
  MsgClearTrades,
  MsgGrantTradingKey,
  MsgListMarket,
  MsgPlaceOco,
  MsgRegisterReferralCode,
  MsgSetDeadMan,
  MsgSetReferrer,
  MsgTransferPosition,
  MsgUpdateMarket,
  NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  MsgCollectFees,
  MsgDeposit,
  MsgTransfer,
  MsgWithdraw,
} from "@keel/proto/gen/keel/margin/v1/tx";
import { publicKeyOf } from "./agents.ts";
import { PURSE_NUMBERS } from "./edge-operations.ts";
import { DENOM } from "./genesis.ts";
import { agreedTrade, documentOf } from "./ledger-operations.ts";
import { type At, minutesAhead, one, type Planned, type SimulationOperation } from "./operation.ts";

const MARGIN = "/keel.margin.v1.";
const DERIVATIVES = "/keel.derivatives.v1.";
const DAY_MS = 86_400_000;

function order(name: string, change: (at: At) => Partial<NewOrder>): SimulationOperation {
  return {
    name,
    weight: 1,
    wrong: true,
    create: (at) => ({
      messages: [
        place(at.account, newOrder(at.market, at.random, { clientId: "", ...change(at) }, 1000)),
      ],
    }),
  };
}

interface Change {
  readonly buys?: Partial<OrderDocument>;
  readonly sells?: Partial<OrderDocument>;
  readonly trade?: Partial<DocumentTrade>;
  readonly sameTwice?: boolean;
}

function documents(name: string, change: (at: At) => Change): SimulationOperation {
  return {
    name,
    weight: 1,
    wrong: true,
    create(at) {
      const { buys, sells, trade, sameTwice } = change(at);
      const bought = at.sign({ ...documentOf(at, "account", 1), ...buys }, at.agent.account);
      const sold = at.sign({ ...documentOf(at, "other", 2), ...sells }, at.otherAgent.account);
      const value = MsgClearTrades.fromPartial({
        sender: at.account.owner,
        documents: sameTwice === true ? [bought, bought] : [bought, sold],
        trades: [{ ...agreedTrade(at), ...trade }],
      });
      return one(`${DERIVATIVES}MsgClearTrades`, value);
    },
  };
}

function money(name: string, create: (at: At) => Planned): SimulationOperation {
  return { name, weight: 1, wrong: true, create };
}

function listedAgain({ account, market: { instrument } }: At): Planned | null {
  const { market, contract } = instrument;
  if (contract.maturity === null) return null;
  const { feedId, tickSize, lotSize, datedFuture, europeanOption, digitalOption, asianOption } =
    market;
  const kind = { datedFuture, europeanOption, digitalOption, asianOption };
  const value = MsgListMarket.fromPartial({
    sender: account.owner,
    market: { feedId, tickSize, lotSize, ...kind },
  });
  return one(`${DERIVATIVES}MsgListMarket`, value);
}

/** Its first sub-account that does; null: none. */
function owedBy({ keel, ctx }: At, owner: Uint8Array): number | null {
  const own = [0, 1, ...PURSE_NUMBERS];
  return own.find((one) => keel.margin.owedToFunds(ctx, accountId(owner, one)) > 0n) ?? null;
}

export const wrongOperations: readonly SimulationOperation[] = [
  order("order without a side", () => ({ side: 0 })),
  order("order in no market", () => ({ market: "NOPE" })),
  order("size off lot", () => ({ size: "0.000000001" })),
  order("one lot", ({ market: { instrument } }) => ({ size: formatSize(instrument, 1n) })),
  order("beyond the largest order", ({ market: { instrument, notionalPerLot } }) => {
    const lots = notionalPerLot > 0n ? instrument.notionalMax / notionalPerLot + 1n : 1n;
    return { size: formatSize(instrument, lots < 2_000_000_000n ? lots : 2_000_000_000n) };
  }),
  order("good til a time gone by", () => ({ goodTilMs: 1n })),
  order("twap of one slice a millisecond", () => ({ twap: { slices: 3, intervalMs: 1n } })),
  order("display too small", ({ market: { instrument } }) => ({
    size: formatSize(instrument, 1000n),
    displaySize: formatSize(instrument, 1n),
  })),
  order("no client id in an auction", () => ({ clientId: "" })),
  {
    name: "account that does not exist",
    weight: 1,
    wrong: true,
    create: (at) => ({
      messages: [
        place({ ...at.account, subaccount: 77 }, newOrder(at.market, at.random, {}, 1000)),
      ],
    }),
  },
  {
    name: "many orders at once",
    weight: 3,
    create: (at) => ({
      messages: Array.from({ length: 8 }, (_, n) => {
        const { instrument, markTicks } = at.market;
        const price = formatPrice(instrument, markTicks - markTicks / BigInt(30 + n) - 1n);
        const own = { side: 1, postOnly: true, price, clientId: `m${n}` } as const;
        return place(at.account, newOrder(at.market, at.random, own, 0));
      }),
    }),
  },
  {
    name: "more orders than may be open",
    weight: 4,
    wrong: true,
    create(at) {
      const market = at.markets().find(({ instrument }) => instrument.symbol === "SOL-PERP");
      if (market === undefined || market.notionalPerLot <= 0n) return null;
      const { instrument, markTicks } = market;
      const size = formatSize(instrument, 45_000_000n / market.notionalPerLot + 1n);
      const most = instrument.terms.openOrdersMax;
      return {
        messages: Array.from({ length: most + 1 }, (_, n) => {
          const price = formatPrice(instrument, markTicks - markTicks / BigInt(60 + n) - 1n);
          const own = { side: 1, postOnly: true, price, size, clientId: "" } as const;
          return place(at.account, newOrder(market, at.random, own, 0));
        }),
      };
    },
  },
  {
    name: "deposit to who owes the funds",
    weight: 3,
    wrong: true,
    create(at) {
      const owing = at.agents.find(({ account: { bytes } }) => owedBy(at, bytes) !== null);
      const subaccount = owing === undefined ? null : owedBy(at, owing.account.bytes);
      if (owing === undefined || subaccount === null) return null;
      const amount = `${at.random.below(9) + 1}000000`;
      const value = { sender: owing.account.address, subaccount, denom: DENOM, amount };
      return one("/keel.margin.v1.MsgDeposit", MsgDeposit.fromPartial(value));
    },
  },
  {
    name: "pair of two sizes",
    weight: 1,
    wrong: true,
    create: (at) => {
      const { owner: sender, subaccount } = at.account;
      const size = formatSize(at.market.instrument, 40n);
      const legs = [
        newOrder(at.market, at.random, { size, clientId: "" }, 3000),
        newOrder(at.market, at.random, { clientId: "" }, 3000),
      ].map((leg) => NewOrder.fromPartial(leg));
      return one(
        `${DERIVATIVES}MsgPlaceOco`,
        MsgPlaceOco.fromPartial({ sender, subaccount, legs }),
      );
    },
  },
  {
    name: "amend nothing",
    weight: 2,
    wrong: true,
    create: (at) => {
      const { owner: sender, subaccount } = at.account;
      const clientId = `s${at.random.below(8)}`;
      return one(
        `${DERIVATIVES}MsgAmendOrder`,
        MsgAmendOrder.fromPartial({
          sender,
          subaccount,
          market: at.market.instrument.symbol,
          clientId,
          triggerPrice: formatPrice(at.market.instrument, at.market.markTicks + 10n),
        }),
      );
    },
  },
  {
    name: "dead man in the past",
    weight: 1,
    wrong: true,
    create: (at) =>
      one(
        `${DERIVATIVES}MsgSetDeadMan`,
        MsgSetDeadMan.fromPartial({
          sender: at.account.owner,
          subaccount: at.account.subaccount,
          deadlineMs: 1n,
        }),
      ),
  },
  {
    name: "halt by anyone",
    weight: 1,
    wrong: true,
    create: (at) =>
      one(
        `${DERIVATIVES}MsgUpdateMarket`,
        MsgUpdateMarket.fromPartial({
          authority: at.account.owner,
          market: at.market.instrument.symbol,
          status: 3,
        }),
      ),
  },
  { name: "listed already", weight: 3, wrong: true, create: listedAgain },
  documents("document of another chain", () => ({ buys: { chainId: "other-1" } })),
  documents("document of yesterday", (at) => ({ sells: { expiryMs: BigInt(at.nowMs - DAY_MS) } })),
  documents("document of next year", (at) => ({
    sells: { expiryMs: BigInt(at.nowMs + 300 * DAY_MS) },
  })),
  documents("document for another matcher", (at) => ({
    sells: { matcher: at.agent.tradingKey.address },
  })),
  documents("document twice", () => ({ sameTwice: true })),
  documents("two that buy", () => ({ sells: { side: 1 } })),
  documents("more than the document", (at) => ({
    trade: { size: formatSize(at.market.instrument, 51n) },
  })),
  documents("worse than the document's price", (at) => ({
    trade: { price: formatPrice(at.market.instrument, at.market.markTicks + 101n) },
  })),
  documents("more fee than allowed", () => ({ buys: { feeMaxPpm: 0 } })),
  {
    name: "transfer to oneself",
    weight: 1,
    wrong: true,
    create: ({ account: { owner, subaccount }, market: { instrument } }) =>
      one(
        `${DERIVATIVES}MsgTransferPosition`,
        MsgTransferPosition.fromPartial({
          fromOwner: owner,
          fromSubaccount: subaccount,
          toOwner: owner,
          toSubaccount: subaccount,
          market: instrument.symbol,
          size: formatSize(instrument, 1n),
        }),
      ),
  },
  {
    name: "grant for unordered sub-accounts",
    weight: 1,
    wrong: true,
    create: (at) =>
      one(
        `${DERIVATIVES}MsgGrantTradingKey`,
        MsgGrantTradingKey.fromPartial({
          sender: at.account.owner,
          key: publicKeyOf(at.agent.tradingKey),
          subaccounts: [1, 0],
          notionalPerDay: "1",
          expiryMs: minutesAhead(at.nowMs, 5),
        }),
      ),
  },
  {
    // One desk with ever more keys.
    name: "grant one key more",
    weight: 3,
    create(at) {
      const [desk] = at.agents;
      const helper = at.agents[at.random.below(at.agents.length)];
      if (desk === undefined || helper === undefined) return null;
      return one(
        `${DERIVATIVES}MsgGrantTradingKey`,
        MsgGrantTradingKey.fromPartial({
          sender: desk.account.address,
          key: publicKeyOf(helper.tradingKey),
          subaccounts: [0],
          notionalPerDay: "1000000",
          expiryMs: BigInt(at.nowMs + 90 * DAY_MS),
        }),
      );
    },
  },
  {
    name: "a referral code of two letters and a mark",
    weight: 1,
    wrong: true,
    create: ({ account: { owner: sender } }) =>
      one(
        `${DERIVATIVES}MsgRegisterReferralCode`,
        MsgRegisterReferralCode.fromPartial({ sender, code: "a!" }),
      ),
  },
  {
    name: "a referral code that nobody has",
    weight: 1,
    wrong: true,
    create: ({ account: { owner: sender } }) =>
      one(`${DERIVATIVES}MsgSetReferrer`, MsgSetReferrer.fromPartial({ sender, code: "NOBODY" })),
  },
  {
    name: "a builder who may take everything",
    weight: 1,
    wrong: true,
    create: ({ account: { owner: sender }, other: { owner: builder } }) =>
      one(
        `${DERIVATIVES}MsgApproveBuilder`,
        MsgApproveBuilder.fromPartial({ sender, builder, feeMaxPpm: 1_000_000 }),
      ),
  },
  money("deposit of nothing", (at) =>
    one(
      `${MARGIN}MsgDeposit`,
      MsgDeposit.fromPartial({ sender: at.account.owner, denom: DENOM, amount: "0" }),
    ),
  ),
  money("deposit of another coin", (at) =>
    one(
      `${MARGIN}MsgDeposit`,
      MsgDeposit.fromPartial({ sender: at.account.owner, denom: "ukeel", amount: "5" }),
    ),
  ),
  money("deposit of more than there is", (at) =>
    one(
      `${MARGIN}MsgDeposit`,
      MsgDeposit.fromPartial({ sender: at.account.owner, denom: DENOM, amount: "9".repeat(20) }),
    ),
  ),
  money("withdrawal from nowhere", (at) =>
    one(
      `${MARGIN}MsgWithdraw`,
      MsgWithdraw.fromPartial({
        sender: at.account.owner,
        subaccount: 77,
        denom: DENOM,
        amount: "5",
      }),
    ),
  ),
  money("withdrawal of everything and more", (at) =>
    one(
      `${MARGIN}MsgWithdraw`,
      MsgWithdraw.fromPartial({
        sender: at.account.owner,
        subaccount: at.account.subaccount,
        denom: DENOM,
        amount: "9".repeat(20),
      }),
    ),
  ),
  money("transfer to the same sub-account", (at) =>
    one(
      `${MARGIN}MsgTransfer`,
      MsgTransfer.fromPartial({ sender: at.account.owner, denom: DENOM, amount: "5" }),
    ),
  ),
  money("fees collected by anyone", (at) =>
    one(
      `${MARGIN}MsgCollectFees`,
      MsgCollectFees.fromPartial({
        authority: at.account.owner,
        recipient: at.account.owner,
        amount: "1",
      }),
    ),
  ),
];
