/** What agents do besides orders: money in and out, between sub-accounts and each other, listings, keys of their own, several messages at once. */

import { formatPrice, formatSize } from "@keel/modules/derivatives/instruments";
import { simulateListing } from "@keel/modules/derivatives/instruments/simulate";
import { newOrder, place } from "@keel/modules/derivatives/simulate-kit";
import { mulDivDown } from "@keel/modules/kit/math/mul-div";
import { DocumentTrade, OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  MsgCancelAll,
  MsgClearTrades,
  MsgGrantTradingKey,
  MsgPlaceOrder,
  MsgRevokeTradingKey,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MsgFund } from "@keel/proto/gen/keel/insurance/v1/tx";
import { MsgBidLiquidation } from "@keel/proto/gen/keel/margin/v1/ladder";
import {
  MsgDeposit,
  MsgSetMarginMode,
  MsgTransfer,
  MsgWithdraw,
} from "@keel/proto/gen/keel/margin/v1/tx";
import { MsgMultiSend, MsgSend } from "cosmjs-types/cosmos/bank/v1beta1/tx";
import { publicKeyOf } from "./agents.ts";
import { DENOM } from "./genesis.ts";
import { type At, minutesAhead, one, type SimulationOperation } from "./operation.ts";
import { FEEDS } from "./prices.ts";

const UNIT = 1_000_000n;
const HOUR_MS = 3_600_000;
const MARGIN = "/keel.margin.v1.";
const DERIVATIVES = "/keel.derivatives.v1.";

function units(at: At, most: number): string {
  return `${BigInt(1 + at.random.below(most)) * UNIT}`;
}

export function documentOf(at: At, who: "account" | "other", side: 1 | 2): OrderDocument {
  const { instrument, markTicks } = at.market;
  const { owner, subaccount } = at[who];
  const ticks = side === 1 ? markTicks + 100n : markTicks > 100n ? markTicks - 100n : 1n;
  return OrderDocument.fromPartial({
    chainId: at.ctx.header.chainId,
    owner,
    subaccount,
    market: instrument.symbol,
    side,
    price: formatPrice(instrument, ticks),
    size: formatSize(instrument, 50n),
    feeMaxPpm: 50_000,
    salt: BigInt(at.random.below(1_000_000)),
    expiryMs: minutesAhead(at.nowMs, 2),
  });
}

export function agreedTrade(at: At): DocumentTrade {
  const { instrument, markTicks } = at.market;
  return DocumentTrade.fromPartial({
    buyer: 0,
    seller: 1,
    price: formatPrice(instrument, markTicks > 0n ? markTicks : 1n),
    size: formatSize(instrument, BigInt(5 + at.random.below(20))),
    taker: 1,
  });
}

/** Mostly with the hour, when more end than a block takes away. */
function grantEnd({ nowMs, random }: At): bigint {
  if (random.below(4) === 0) return minutesAhead(nowMs, 1 + random.below(20));
  return BigInt((Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS);
}

export const ledgerOperations: readonly SimulationOperation[] = [
  {
    name: "deposit",
    weight: 24,
    create: (at) =>
      one(
        `${MARGIN}MsgDeposit`,
        MsgDeposit.fromPartial({
          sender: at.account.owner,
          subaccount: at.account.subaccount,
          denom: DENOM,
          amount: units(at, at.agent.index % 3 === 0 ? 300 : 6_000),
        }),
      ),
  },
  {
    name: "withdraw",
    weight: 10,
    create: (at) =>
      one(
        `${MARGIN}MsgWithdraw`,
        MsgWithdraw.fromPartial({
          sender: at.account.owner,
          subaccount: at.account.subaccount,
          denom: DENOM,
          amount: units(at, 2_000),
        }),
      ),
  },
  {
    name: "transfer between sub-accounts",
    weight: 8,
    create: (at) =>
      one(
        `${MARGIN}MsgTransfer`,
        MsgTransfer.fromPartial({
          sender: at.account.owner,
          fromSubaccount: at.account.subaccount,
          toSubaccount: at.account.subaccount ^ 1,
          denom: DENOM,
          amount: units(at, 500),
        }),
      ),
  },
  {
    name: "another margin mode",
    weight: 8,
    create(at) {
      const { owner: sender, subaccount } = at.account;
      const dice = at.random.below(6);
      const mode = { portfolio: dice > 2, isolated: dice === 2 };
      const value = MsgSetMarginMode.fromPartial({ sender, subaccount, ...mode });
      return one(`${MARGIN}MsgSetMarginMode`, value);
    },
  },
  {
    name: "bid for liquidated positions",
    weight: 16,
    create(at) {
      const { account, market, nowMs, random } = at;
      const { instrument, markTicks, notionalPerLot } = market;
      if (notionalPerLot <= 0n || markTicks <= 0n) return null;
      const side = random.below(2) === 0 ? "buy" : "sell";
      const away = mulDivDown(markTicks, BigInt(random.below(20_000)), 1_000_000n);
      const worstTicks = side === "buy" ? markTicks - away : markTicks + away;
      const value = MsgBidLiquidation.fromPartial({
        ...{ sender: account.owner, subaccount: account.subaccount, market: instrument.symbol },
        ...{ side, worstTicks: worstTicks < 1n ? 1n : worstTicks },
        lots: random.below(8) === 0 ? 0n : mulDivDown(2_000n * UNIT, 1n, notionalPerLot) + 1n,
        goodTilMs: BigInt(nowMs + 20_000 + random.below(400_000)),
      });
      return one(`${MARGIN}MsgBidLiquidation`, value);
    },
  },
  {
    name: "pay into the fund",
    weight: 2,
    create: (at) =>
      one(
        "/keel.insurance.v1.MsgFund",
        MsgFund.fromPartial({ sender: at.account.owner, denom: DENOM, amount: units(at, 20) }),
      ),
  },
  {
    name: "send coins by sequence",
    weight: 6,
    create: (at) => {
      const amount = [{ denom: "ukeel", amount: units(at, 5) }];
      const value = MsgSend.fromPartial({
        fromAddress: at.account.owner,
        toAddress: at.other.owner,
        amount,
      });
      return one("/cosmos.bank.v1beta1.MsgSend", value, { ordered: true });
    },
  },
  {
    name: "send coins to several",
    weight: 2,
    create: (at) => {
      const coins = [{ denom: "ukeel", amount: "2" }];
      const half = [{ denom: "ukeel", amount: "1" }];
      const to = [at.other.owner, at.agents[0]?.account.address ?? at.other.owner];
      const value = MsgMultiSend.fromPartial({
        inputs: [{ address: at.account.owner, coins }],
        outputs: to.map((address) => ({ address, coins: half })),
      });
      return one("/cosmos.bank.v1beta1.MsgMultiSend", value);
    },
  },
  {
    name: "listing",
    weight: 5,
    create(at) {
      const feeds = {
        index: at.random.below(4) === 0 ? FEEDS.eth : FEEDS.btc,
        volatility: FEEDS.volatility,
      };
      const { message } = simulateListing(at.ctx, at.random, at.account, feeds);
      return { messages: [message] };
    },
  },
  {
    name: "several messages",
    weight: 6,
    create: (at) => ({
      messages: [
        {
          typeUrl: `${DERIVATIVES}MsgCancelAll`,
          value: MsgCancelAll.fromPartial({
            sender: at.account.owner,
            subaccount: at.account.subaccount,
          }),
        },
        place(at.account, newOrder(at.market, at.random, { side: 1 }, 2000)),
        place(at.account, newOrder(at.market, at.random, { side: 2 }, 2000)),
      ],
    }),
  },
  {
    name: "too little gas",
    weight: 1,
    wrong: true,
    create: (at) => ({
      messages: [place(at.account, newOrder(at.market, at.random, {}, 2000))],
      gasLimit: 30_000 + at.random.below(40_000),
    }),
  },
  {
    name: "grant an own trading key",
    weight: 8,
    create: (at) => {
      const value = MsgGrantTradingKey.fromPartial({
        sender: at.account.owner,
        key: publicKeyOf(at.agent.tradingKey),
        subaccounts: [0, 1],
        markets: at.random.below(3) === 0 ? [at.market.instrument.symbol] : [],
        notionalPerDay: units(at, at.random.below(2) === 0 ? 2_000 : 1_000_000),
        expiryMs: grantEnd(at),
      });
      return one(`${DERIVATIVES}MsgGrantTradingKey`, value);
    },
  },
  {
    name: "trade by trading key",
    weight: 14,
    create: (at) => {
      const order = newOrder(at.market, at.random, {}, 2000);
      const { owner, subaccount } = at.account;
      const value = MsgPlaceOrder.fromPartial({
        ...order,
        sender: at.agent.tradingKey.address,
        owner,
        subaccount,
      });
      return one(`${DERIVATIVES}MsgPlaceOrder`, value);
    },
  },
  {
    // It counts again when it fires, under the grant as that is then.
    name: "wait by trading key",
    weight: 8,
    create: (at) => {
      const { below } = at.random;
      const terms =
        below(2) === 0
          ? { trigger: { kind: 3, price: "", trail: "", trailPpm: 100 + below(1000) } as const }
          : { twap: { slices: 2, intervalMs: 2000n } };
      const order = newOrder(at.market, at.random, { type: 2, price: "", ...terms }, 0);
      const { owner, subaccount } = at.account;
      const sender = at.agent.tradingKey.address;
      const value = MsgPlaceOrder.fromPartial({ ...order, sender, owner, subaccount });
      return one(`${DERIVATIVES}MsgPlaceOrder`, value);
    },
  },
  {
    name: "revoke an own trading key",
    weight: 1,
    create: (at) =>
      one(
        `${DERIVATIVES}MsgRevokeTradingKey`,
        MsgRevokeTradingKey.fromPartial({
          sender: at.account.owner,
          trader: at.agent.tradingKey.address,
        }),
      ),
  },
  {
    name: "document by trading key",
    weight: 6,
    create(at) {
      const documents = [
        at.sign(documentOf(at, "account", 1), at.agent.tradingKey),
        at.sign(documentOf(at, "other", 2), at.otherAgent.account),
      ];
      return one(
        `${DERIVATIVES}MsgClearTrades`,
        MsgClearTrades.fromPartial({
          sender: at.other.owner,
          documents,
          trades: [agreedTrade(at)],
        }),
      );
    },
  },
];
