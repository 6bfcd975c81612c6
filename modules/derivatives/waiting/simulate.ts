/** Simulated orders that wait, follow one another, change, or come together. */
import type { ComboLeg } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import { mulDivDown } from "../../kit/math/mul-div.ts";
import { isBatch } from "../auction/opening.ts";
import { formatPrice, formatSize } from "../instruments.ts";
import { COMBO_LEGS_MAX } from "../limits.ts";
import type { Random } from "../random.ts";
import {
  BUY,
  CLIENT_IDS,
  LIMIT,
  MARKET,
  newOrder,
  type Operation,
  place,
  placing,
  priceNear,
  SELL,
  type SimulatedMarket,
  someSize,
  soonMs,
  TYPE,
} from "../simulate-kit.ts";

const { TRIGGER_KIND_STOP, TRIGGER_KIND_TAKE_PROFIT, TRIGGER_KIND_TRAILING_STOP } = TriggerKind;

function trigger(kind: TriggerKind, market: SimulatedMarket, random: Random) {
  return { kind, price: priceNear(market, random, 3000), trail: "", trailPpm: 0 };
}

const asMarket = { type: MARKET, price: "" } as const;

/** Trigger prices on either side of mark, far enough that some fire and some do not. */
function attached(market: SimulatedMarket, offsetPpm: bigint, limit: boolean) {
  const { instrument, markTicks } = market;
  const ticks = markTicks + mulDivDown(markTicks, offsetPpm, 1_000_000n);
  return {
    triggerPrice: formatPrice(instrument, ticks),
    price: limit ? formatPrice(instrument, ticks) : "",
    maxSlippagePpm: limit ? 0 : 20_000,
    clientId: "",
  };
}

function bracketed(random: Random, market: SimulatedMarket) {
  const side = random.below(2) === 0 ? BUY : SELL;
  const profit = BigInt(500 + random.below(2000)) * (side === BUY ? 1n : -1n);
  const bracket = {
    takeProfit: attached(market, profit, random.below(2) === 0),
    stopLoss: random.below(4) === 0 ? undefined : attached(market, -profit, false),
  };
  return { side, bracket } as const;
}

export const conditionalOperations: readonly Operation[] = [
  placing("market within a slippage bound", 6, 0, (random) => ({
    ...asMarket,
    maxSlippagePpm: 500 + random.below(3000),
  })),
  placing("own orders shrink", 3, 3000, () => ({ selfTradePrevention: 3 })),
  placing("limit until a block", 5, 3000, (random, ctx) => ({
    goodTilHeight: BigInt(ctx.header.height + random.below(12)),
  })),
  placing("iceberg", 6, 2000, (random, _ctx, market) => {
    const { instrument } = market;
    const lots = 1n + mulDivDown(100_000_000n, 1n, market.notionalPerLot);
    const size = formatSize(instrument, lots * BigInt(2 + random.below(20)));
    return { size, displaySize: formatSize(instrument, lots) };
  }),
  placing("stop", 8, 0, (random, _ctx, market) => ({
    ...asMarket,
    trigger: trigger(TRIGGER_KIND_STOP, market, random),
    reduceOnly: random.below(2) === 0,
  })),
  placing("stop limit", 5, 3000, (random, _ctx, market) => ({
    trigger: trigger(TRIGGER_KIND_STOP, market, random),
  })),
  placing("take-profit", 6, 0, (random, _ctx, market) => ({
    ...asMarket,
    trigger: trigger(TRIGGER_KIND_TAKE_PROFIT, market, random),
    reduceOnly: random.below(2) === 0,
  })),
  placing("take-profit limit until a time", 4, 3000, (random, ctx, market) => ({
    trigger: trigger(TRIGGER_KIND_TAKE_PROFIT, market, random),
    goodTilMs: soonMs(ctx, random),
  })),
  placing("trailing stop", 8, 0, (random, _ctx, { instrument, markTicks }) => ({
    ...asMarket,
    reduceOnly: random.below(2) === 0,
    trigger: {
      kind: TRIGGER_KIND_TRAILING_STOP,
      price: "",
      ...(random.below(2) === 0
        ? { trail: "", trailPpm: 300 + random.below(3000) }
        : {
            trail: formatPrice(instrument, 1n + mulDivDown(markTicks, 1n, 900n)),
            trailPpm: 0,
          }),
    },
  })),
  placing("bracket", 8, 2000, (random, _ctx, market) => bracketed(random, market)),
  placing("market with a bracket", 4, 0, (random, _ctx, market) => ({
    ...asMarket,
    ...bracketed(random, market),
  })),
  placing("twap", 5, 3000, (random, _ctx, market) => {
    const slices = 2 + random.below(6);
    return {
      ...(random.below(2) === 0 ? asMarket : { type: LIMIT }),
      reduceOnly: random.below(4) === 0,
      size: someSize(market, random, BigInt(slices)),
      twap: { slices, intervalMs: BigInt(1000 + random.below(3000)) },
    };
  }),
  placing("slippage on a limit", 1, 3000, () => ({ maxSlippagePpm: 100 })),
  {
    name: "one cancels the other",
    weight: 6,
    create(_ctx, random, account, market) {
      const size = someSize(market, random);
      const side = random.below(2) === 0 ? BUY : SELL;
      const reduceOnly = random.below(2) === 0;
      // Where matching is by auction every order has a name.
      const name = isBatch(market.instrument) ? random.below(CLIENT_IDS) : -1;
      const [first, second] = name < 0 ? ["", ""] : [`s${name}`, `s${(name + 1) % CLIENT_IDS}`];
      const common = { size, side, reduceOnly } as const;
      const legs = [
        newOrder(market, random, { ...common, clientId: first }, 3000),
        newOrder(
          market,
          random,
          {
            ...common,
            clientId: second,
            ...asMarket,
            trigger: trigger(TRIGGER_KIND_STOP, market, random),
          },
          0,
        ),
      ];
      const ordered = random.below(2) === 0 ? legs : [...legs].reverse();
      return { typeUrl: `${TYPE}MsgPlaceOco`, value: { ...sent(account), legs: ordered } };
    },
  },
  {
    name: "amend",
    weight: 12,
    create: (_ctx, random, account, market) => ({
      typeUrl: `${TYPE}MsgAmendOrder`,
      value: { ...sent(account), ...amendment(market, random) },
    }),
  },
  {
    name: "amend several",
    weight: 4,
    create: (_ctx, random, account, market) => ({
      typeUrl: `${TYPE}MsgBatchOrders`,
      value: {
        ...sent(account),
        cancels: [],
        amendments: [0, 1, 2].map(() => amendment(market, random)),
        orders: [newOrder(market, random, { postOnly: true }, 4000)],
      },
    }),
  },
  {
    name: "combination",
    weight: 4,
    create(_ctx, random, account, _market, all) {
      if (all.length < 2) return null;
      // The more legs, the seldomer all of them meet enough.
      const most = all.length < COMBO_LEGS_MAX ? all.length : COMBO_LEGS_MAX;
      const legs = all.slice(0, 2 + random.below(most - 1)).map(
        (market, at): ComboLeg => ({
          market: market.instrument.symbol,
          side: at % 2 === 0 ? BUY : SELL,
          size: someSize(market, random),
        }),
      );
      const value = { ...sent(account), legs, clientId: "", selfTradePrevention: 0 as const };
      const netLimit = random.below(4) === 0 ? "-1" : "10000";
      return { typeUrl: `${TYPE}MsgPlaceCombo`, value: { ...value, netLimit } };
    },
  },
  {
    name: "dead man",
    weight: 4,
    create: (ctx, random, account) => ({
      typeUrl: `${TYPE}MsgSetDeadMan`,
      value: { ...sent(account), deadlineMs: random.below(5) === 0 ? 0n : deadline(ctx, random) },
    }),
  },
  {
    name: "waiting without a trigger price",
    weight: 1,
    create: (_ctx, random, account, market) =>
      place(
        account,
        newOrder(
          market,
          random,
          { trigger: { kind: TRIGGER_KIND_STOP, price: "", trail: "", trailPpm: 0 } },
          0,
        ),
      ),
  },
];

function sent({ owner, subaccount }: { readonly owner: string; readonly subaccount: number }) {
  return { sender: owner, owner: "", subaccount };
}

function amendment(market: SimulatedMarket, random: Random) {
  const dice = random.below(4);
  return {
    market: market.instrument.symbol,
    orderId: 0n,
    clientId: `s${random.below(CLIENT_IDS)}`,
    price: dice === 0 ? "" : priceNear(market, random, 3000),
    size: dice < 2 ? someSize(market, random) : "",
    triggerPrice: dice === 3 ? priceNear(market, random, 3000) : "",
    selfTradePrevention: 0 as const,
  };
}

function deadline(ctx: ReadContext, random: Random): bigint {
  return soonMs(ctx, random) + 1n;
}
