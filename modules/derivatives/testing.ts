/** A venue for tests: one listed market, a settable price, accounts by number, orders in one line. */
import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import {
  type MsgPlaceOrderResponse,
  type NewOrder,
  NewOrder as NewOrderCodec,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { type AccountId, accountId } from "../kit/account-id.ts";
import { createAddresses } from "../kit/addresses.ts";
import { atomically } from "../kit/atomically.ts";
import { withAuthority } from "../kit/authority.ts";
import { Registry } from "../kit/collections/schema.ts";
import type { SignatureQuestion, VerifySignature } from "../kit/signature.ts";
import { type TestContext, testContext } from "../kit/testing/context.ts";
import { defaultParams, linearPerpetual } from "./defaults.ts";
import { createFakeClearing, type FakeClearing } from "./fake-clearing.ts";
import { createDerivatives, type Derivatives } from "./module.ts";
import { parseRequest } from "./orders/requests.ts";
import type { OraclePort, OraclePrice } from "./ports.ts";

export const SYMBOL = "BTC-USD-PERP";
export const TEST_ADDRESSES: ReturnType<typeof createAddresses> = createAddresses("keel");

/** An oracle without volatility surfaces. */
export const NO_SURFACES: Pick<OraclePort, "surface" | "smile" | "anchoredSmile"> = {
  surface: () => undefined,
  smile: () => undefined,
  anchoredSmile: () => undefined,
};

/** A price in whole units that all validators reported. */
export function testPrice(value: number, fresh = true): OraclePrice {
  return {
    mantissa: BigInt(value),
    exponent: 0,
    confidence: 0n,
    reportingPowerPpm: 1_000_000n,
    timeNs: 0n,
    fresh,
  };
}

/** Tick 0.5, lot 0.001: 500 quanta per tick and lot. */
export function testMarket(change: Partial<Market> = {}): Market {
  const market = linearPerpetual({
    symbol: SYMBOL,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: 1,
    tickSize: "0.5",
    lotSize: "0.001",
  });
  return { ...market, ...change };
}

export interface TestVenue extends Derivatives {
  readonly ctx: TestContext;
  readonly clearing: FakeClearing;
  /** Keys whose accounts were asked for. */
  readonly keyAccounts: readonly Uint8Array[];
  /** Whole price units; `fresh` false makes it stale. */
  setPrice(price: number, fresh?: boolean): void;
  account(n: number, subaccount?: number): AccountId;
  /**
   * "buy 2 @ 60000 ioc reduce …": side, size, optional price, flags (ioc fok post reduce market taker both decrement id=x til=ms
   * block=height slip=ppm show=size stop=price profit=price trail=distance trail=n"ppm" twap=slices/ms tp=trigger/limit sl=… tpid= slid=).
   */
  order(text: string): NewOrder;
  place(account: AccountId, text: string): MsgPlaceOrderResponse;
  /** "60000:2 60100:1 | 60200:3", best first: bids, asks. */
  book(): string;
  /** First violated invariant, or null. */
  violation(): string | null;
  /** A second later: a block at this price, from begin to end. Throws when an invariant breaks. */
  block(price: number, fresh?: boolean): void;
  eventTypes(): string[];
}

/** A signature that anyone can make who knows the public key: as good as a real one for what this module does with it. */
export function testSignature({
  kind,
  key,
  message,
}: Omit<SignatureQuestion, "signature">): Uint8Array {
  const mark = sha256(concatBytes(utf8ToBytes(kind), key, sha256(message)));
  return concatBytes(mark, mark);
}

export const testVerify: VerifySignature = (question) =>
  equalBytes(testSignature(question), question.signature);

export function createTestVenue(market: Market = testMarket(), cap = 1_000_000n): TestVenue {
  const registry = new Registry();
  const clearing = createFakeClearing();
  let price: OraclePrice = testPrice(60_000);
  const keyAccounts: Uint8Array[] = [];
  const derivatives = createDerivatives(registry.schema("derivatives"), {
    clearing,
    bank: { transfer: () => undefined, balance: () => 0n },
    oracle: {
      price: (_ctx, feedId) => (feedId === 1 ? price : undefined),
      feed: () => undefined,
      ...NO_SURFACES,
    },
    addresses: TEST_ADDRESSES,
    verify: testVerify,
    keyAccounts: { ensureKey: (_ctx, _kind, key) => void keyAccounts.push(key) },
  });
  const ctx = testContext(registry);
  derivatives.venue.state.params.set(ctx, withAuthority(defaultParams(), TEST_ADDRESSES));
  derivatives.keeper.createMarket(ctx, market);
  const known = new Set<AccountId>();

  const venue: TestVenue = {
    ...derivatives,
    ctx,
    clearing,
    keyAccounts,
    setPrice(value, fresh = true) {
      price = testPrice(value, fresh);
    },
    account(n, subaccount = 0) {
      const id = accountId(new Uint8Array(20).fill(n), subaccount);
      if (!known.has(id)) clearing.open(id, cap);
      known.add(id);
      return id;
    },
    order(text) {
      const [side, size = "", ...words] = text.split(" ");
      const at = words.indexOf("@");
      const flag = (name: string): boolean => words.includes(name);
      const value = (name: string): string =>
        words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
      const stop = value("stop") || value("profit");
      const trail = value("trail");
      const [slices = "", interval = "0"] = value("twap").split("/");
      const attached = (name: string) => {
        const [triggerPrice = "", price = ""] = value(name).split("/");
        return triggerPrice === ""
          ? undefined
          : { triggerPrice, price, clientId: value(`${name}id`) };
      };
      const [takeProfit, stopLoss] = [attached("tp"), attached("sl")];
      return NewOrderCodec.fromPartial({
        market: SYMBOL,
        side: side === "buy" ? 1 : 2,
        type: flag("market") ? 2 : 1,
        price: at < 0 ? "" : (words[at + 1] ?? ""),
        size,
        timeInForce: flag("ioc") ? 2 : flag("fok") ? 3 : 0,
        postOnly: flag("post"),
        reduceOnly: flag("reduce"),
        clientId: value("id"),
        goodTilMs: BigInt(value("til") || "0"),
        selfTradePrevention: flag("taker") ? 1 : flag("both") ? 2 : flag("decrement") ? 3 : 0,
        maxSlippagePpm: Number(value("slip")),
        goodTilHeight: BigInt(value("block") || "0"),
        displaySize: value("show"),
        ...(stop === "" ? {} : { trigger: { kind: value("stop") === "" ? 2 : 1, price: stop } }),
        ...(trail === ""
          ? {}
          : {
              trigger: trail.endsWith("ppm")
                ? { kind: 3, trailPpm: Number(trail.slice(0, -3)) }
                : { kind: 3, trail },
            }),
        ...(slices === ""
          ? {}
          : { twap: { slices: Number(slices), intervalMs: BigInt(interval) } }),
        ...(takeProfit === undefined && stopLoss === undefined
          ? {}
          : { bracket: { takeProfit, stopLoss } }),
      });
    },
    place: (account, text) =>
      atomically(ctx, (inner) =>
        derivatives.keeper.place(inner, account, parseRequest(venue.order(text))),
      ),
    book() {
      const book = derivatives.venue.books.of(ctx, 1);
      const side = (name: "buy" | "sell"): string => {
        const words: string[] = [];
        book.each(name, (slot) => {
          const { ticks, lots } = book.read(slot);
          words.push(`${ticks / 2}:${lots / 1000}`);
        });
        return words.join(" ");
      };
      return `${side("buy")} | ${side("sell")}`;
    },
    violation() {
      const { running, full } = derivatives.module.invariants;
      for (const [name, check] of Object.entries({ ...running, ...full })) {
        const found = check(ctx);
        if (found !== null) return `${name}: ${found}`;
      }
      return null;
    },
    block(value, fresh = true) {
      ctx.nextBlock(1);
      venue.setPrice(value, fresh);
      derivatives.keeper.beginBlock(ctx);
      derivatives.keeper.endBlock(ctx);
      const violation = venue.violation();
      if (violation !== null) throw new Error(violation);
    },
    eventTypes: () => ctx.events.splice(0).map((event) => event.type),
  };
  ctx.events.length = 0;
  return venue;
}
