import { Secp256k1Wallet } from "@cosmjs/amino";
import * as derivatives from "@keel/proto/gen/keel/derivatives/v1/tx";
import { expect, test } from "vitest";
import { createKeelAminoConverters, keelAminoTypes } from "./amino.ts";
import { keelRegistry, keelTypes } from "./registry.ts";
import { signTx } from "./sign.ts";

type Fields = Record<string, unknown>;

const sender = "keel1s5lm740f2ylp78anvp5r3qj980wltrwel6v0qu";

test("every message of Keel has an amino name of its own", () => {
  const converters = createKeelAminoConverters();
  expect(Object.keys(converters).sort()).toEqual(keelTypes.map(([typeUrl]) => typeUrl).sort());
  const names = Object.values(converters).map(({ aminoType }) => aminoType);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name.length).toBeLessThan(40);
});

test("defaults are left out, 64-bit numbers are text, names are the proto's", () => {
  const amino = keelAminoTypes().toAmino({
    typeUrl: "/keel.derivatives.v1.MsgBatchOrders",
    value: {
      sender,
      subaccount: 0,
      cancels: [{ market: "BTC-USD-PERP", orderId: 12n, clientId: "" }],
      orders: [
        {
          market: "BTC-USD-PERP",
          side: 1,
          type: 1,
          price: "60000.5",
          size: "0.1",
          timeInForce: 0,
          postOnly: true,
          reduceOnly: false,
          clientId: "a<b",
          goodTilMs: 1_700_000_000_000n,
          selfTradePrevention: 0,
        },
      ],
    },
  });
  expect(amino).toEqual({
    type: "keel/MsgBatchOrders",
    value: {
      sender,
      cancels: [{ market: "BTC-USD-PERP", order_id: "12" }],
      orders: [
        {
          market: "BTC-USD-PERP",
          side: 1,
          type: 1,
          price: "60000.5",
          size: "0.1",
          post_only: true,
          client_id: "a<b",
          good_til_ms: "1700000000000",
        },
      ],
    },
  });
});

/** A value for every field of a message, nested ones included, that is not its default. */
function filled(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return `text ${depth}`;
  if (typeof value === "bigint") return 5_000_000_000n + BigInt(depth);
  if (typeof value === "number") return 3;
  if (typeof value === "boolean") return true;
  return value;
}

test.each(keelTypes.map(([typeUrl]) => typeUrl))(
  "%s survives the way there and back",
  (typeUrl) => {
    const registry = keelRegistry();
    const types = keelAminoTypes();
    const empty = registry.decode({ typeUrl, value: new Uint8Array(0) }) as Fields;
    const value = Object.fromEntries(
      Object.entries(empty).map(([key, field]) => [key, filled(field)]),
    );
    for (const message of [empty, value]) {
      const amino = types.toAmino({ typeUrl, value: message });
      expect(types.fromAmino(JSON.parse(JSON.stringify(amino)))).toEqual({
        typeUrl,
        value: message,
      });
    }
  },
);

test("nested terms, tiers and instruments survive too, with the proto's own names", () => {
  const types = keelAminoTypes();
  const value = {
    authority: sender,
    market: {
      id: 0,
      symbol: "X",
      baseAsset: "",
      quoteAsset: "",
      feedId: 1,
      tickSize: "0.1",
      lotSize: "1",
      status: 0,
      terms: {
        takerFeePpm: 500,
        makerFeePpm: -5,
        tiers: [{ aboveQuanta: "0", initialPpm: 50_000n, maintenancePpm: 30_000n }],
        priceBandPpm: 1n,
        liquidationBandPpm: 0n,
        notionalMin: 0n,
        notionalMax: "",
        openOrdersMax: 0,
        fillsPerOrderMax: 0,
        openInterestMaxLots: 0n,
      },
      listedHeight: 0n,
      activatesMs: 0n,
      closeOnlySinceMs: 0n,
      dueMs: 0n,
      seriesId: 0,
      linearPerpetual: {
        interestRate8hPpm: -100n,
        impactNotional: 1n,
        rateClampPpm: 0n,
        premiumClampPpm: 0n,
      },
    },
  };
  const typeUrl = "/keel.derivatives.v1.MsgCreateMarket";
  const amino = types.toAmino({ typeUrl, value });
  expect(JSON.stringify(amino)).toContain(`"interest_rate_8h_ppm":"-100"`);
  expect(types.fromAmino(amino)).toEqual({ typeUrl, value });
});

test("options and series keep their ends, scenarios and rules", () => {
  const types = keelAminoTypes();
  const contract = { right: 2, strike: "60000", volatilityFeedId: 2 } as const;
  const maturity = { expiryMs: 1_800_000_000_000n, windowMs: 60_000n, closeOnlyMs: 0n };
  const listing = {
    typeUrl: "/keel.derivatives.v1.MsgListMarket",
    value: derivatives.MsgListMarket.fromPartial({
      sender,
      market: { feedId: 1, digitalOption: { ...contract, maturity, payout: "1" } },
    }),
  };
  expect(types.fromAmino(types.toAmino(listing))).toEqual(listing);
  const series = {
    typeUrl: "/keel.derivatives.v1.MsgCreateSeries",
    value: derivatives.MsgCreateSeries.fromPartial({
      authority: sender,
      series: {
        name: "BTC-DAILY",
        terms: { optionRisk: { initialShockPpm: 150_000n } },
        expiries: { intervalMs: 86_400_000n, count: 2 },
        strikes: { spacing: "1000", eachSide: 3 },
        europeanOption: { volatilityFeedId: 2 },
      },
    }),
  };
  expect(types.fromAmino(types.toAmino(series))).toEqual(series);
});

test("unknown fields and wrong kinds of a signed document are refused", () => {
  const types = keelAminoTypes();
  const back = (value: object) => types.fromAmino({ type: "keel/MsgDeposit", value });
  expect(() => back({ sender, nonsense: "1" })).toThrow("nonsense: expected a field");
  expect(() => back({ sender: 5 })).toThrow("sender: expected a string");
});

test("an amino signer cannot sign unordered transactions, and is told so", async () => {
  const signer = await Secp256k1Wallet.fromKey(new Uint8Array(32).fill(1), "keel");
  const [account] = await signer.getAccounts();
  const context = {
    signer,
    address: account?.address ?? "",
    pubkey: account?.pubkey ?? new Uint8Array(0),
    chainId: "x",
    registry: keelRegistry(),
    aminoTypes: keelAminoTypes(),
  };
  const tx = {
    messages: [
      {
        typeUrl: "/keel.margin.v1.MsgDeposit",
        value: { sender, owner: "", subaccount: 1, denom: "uusdc", amount: "5" },
      },
    ],
    fee: { amount: [], gas: "1" },
    memo: "",
    accountNumber: 0,
    sequence: 0,
  };
  expect((await signTx(context, tx)).bytes.length).toBeGreaterThan(100);
  await expect(signTx(context, { ...tx, timeoutNs: 1n })).rejects.toMatchObject({
    code: "unsupported-signer",
  });
});

test("lists of numbers keep their zeros, documents their nesting, and both come back", () => {
  const types = keelAminoTypes();
  const grant = {
    typeUrl: "/keel.derivatives.v1.MsgGrantTradingKey",
    value: {
      sender,
      key: { type: 2, key: Uint8Array.of(1, 2) },
      subaccounts: [0, 4],
      markets: ["BTC-USD-PERP"],
      notionalPerDay: "5000000",
      expiryMs: 1_700_000_000_000n,
    },
  };
  expect(types.toAmino(grant)).toEqual({
    type: "keel/MsgGrantTradingKey",
    value: {
      sender,
      key: { type: 2, key: "AQI=" },
      subaccounts: [0, 4],
      markets: ["BTC-USD-PERP"],
      notional_per_day: "5000000",
      expiry_ms: "1700000000000",
    },
  });
  expect(types.fromAmino(types.toAmino(grant))).toEqual(grant);
  const [, codec] = keelTypes.find(([url]) => url.endsWith("MsgClearTrades")) ?? [];
  const clearing = {
    typeUrl: "/keel.derivatives.v1.MsgClearTrades",
    value: (codec as unknown as { fromPartial(value: object): object }).fromPartial({
      sender,
      documents: [
        {
          document: {
            chainId: "a",
            owner: sender,
            market: "B",
            side: 1,
            salt: 3n,
            reduceOnly: true,
          },
          key: { type: 1, key: Uint8Array.of(9) },
          scheme: 2,
          signature: Uint8Array.of(7),
        },
      ],
      trades: [{ buyer: 0, seller: 1, price: "1", size: "2", taker: 2 }],
    }),
  };
  expect(types.toAmino(clearing).value).toEqual({
    sender,
    documents: [
      {
        document: {
          chain_id: "a",
          owner: sender,
          market: "B",
          side: 1,
          salt: "3",
          reduce_only: true,
        },
        key: { type: 1, key: "CQ==" },
        scheme: 2,
        signature: "Bw==",
      },
    ],
    trades: [{ seller: 1, price: "1", size: "2", taker: 2 }],
  });
  expect(types.fromAmino(types.toAmino(clearing))).toEqual(clearing);
});

test("orders with a trigger or a bracket survive within a pair and a batch", () => {
  const types = keelAminoTypes();
  const order = derivatives.NewOrder.fromPartial({
    market: "X",
    trigger: { kind: 3, trailPpm: 500 },
    bracket: { stopLoss: { triggerPrice: "5", clientId: "s" } },
    twap: { slices: 4, intervalMs: 5000n },
  });
  for (const [typeUrl, value] of [
    [
      "/keel.derivatives.v1.MsgPlaceOco",
      derivatives.MsgPlaceOco.fromPartial({ sender, legs: [order, order] }),
    ],
    [
      "/keel.derivatives.v1.MsgBatchOrders",
      derivatives.MsgBatchOrders.fromPartial({
        sender,
        orders: [order],
        amendments: [{ market: "X", orderId: 7n, triggerPrice: "4" }],
      }),
    ],
  ] as const) {
    const amino = types.toAmino({ typeUrl, value });
    expect(types.fromAmino(JSON.parse(JSON.stringify(amino)))).toEqual({ typeUrl, value });
  }
});
