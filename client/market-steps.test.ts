import {
  QueryMarketRequest,
  QueryMarketResponse,
  QueryMarketsResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { QueryAccountResponse } from "@keel/proto/gen/keel/margin/v1/query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeelQueryError } from "./errors.ts";
import { KeelClient } from "./keel-client.ts";
import { SYMBOL_KNOWN_AGE_MS } from "./limits.ts";
import { FakeNode } from "./testing/fake-node.ts";

const MARKET = "/keel.derivatives.v1.Query/Market";
const MARKETS = "/keel.derivatives.v1.Query/Markets";
const ACCOUNT = "/keel.margin.v1.Query/Account";

interface Listed {
  readonly id: number;
  readonly symbol: string;
  readonly tickSize: string;
  readonly lotSize: string;
}

const FIRST: Listed = { id: 1, symbol: "BTC", tickSize: "0.5", lotSize: "0.001" };
/** The symbol again, when the first market has settled. */
const ANEW: Listed = { id: 2, symbol: "BTC", tickSize: "1", lotSize: "0.1" };

let node: FakeNode;
let chain: KeelClient;
let listed: readonly Listed[];
let asked: string[];

const viewOf = (market: Listed) => ({
  market: { ...market, status: MarketStatus.MARKET_STATUS_ACTIVE, linearPerpetual: {} },
});

function holding(market: Listed, lots: string): void {
  const numbers = { quote: "0", markTicks: "0", notional: "0", unrealisedPnl: "0" };
  const requirements = { initialRequirement: "0", maintenanceRequirement: "0" };
  const open = { openBuyLots: "0", openSellLots: "0", ownerLots: lots, liquidationTicks: "" };
  const { id: marketId, symbol } = market;
  const position = { market: symbol, marketId, lots, ...numbers, ...requirements, ...open };
  const money = { collateral: "0", equity: "0", freeCollateral: "0", feeReserve: "0" };
  const account = { ...money, ...requirements, owedToFunds: "0", positions: [position] };
  node.queries.set(ACCOUNT, () =>
    QueryAccountResponse.encode(QueryAccountResponse.fromPartial({ account })).finish(),
  );
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  node = new FakeNode();
  listed = [FIRST];
  asked = [];
  node.queries.set(MARKETS, () => {
    asked.push("all");
    const answer = QueryMarketsResponse.fromPartial({ markets: listed.map(viewOf) });
    return QueryMarketsResponse.encode(answer).finish();
  });
  node.queries.set(MARKET, (data) => {
    const { market: symbol } = QueryMarketRequest.decode(data);
    asked.push(symbol);
    const found = listed.find((one) => one.symbol === symbol);
    if (found === undefined)
      throw new KeelQueryError(MARKET, { codespace: "derivatives", code: 4, log: "no market" });
    return QueryMarketResponse.encode(
      QueryMarketResponse.fromPartial({ market: viewOf(found) }),
    ).finish();
  });
  chain = await KeelClient.connect(await node.start(), { streaming: false });
});

afterEach(async () => {
  chain.disconnect();
  await node.stop();
  vi.useRealTimers();
});

const pass = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

describe("ticks and lots of a market", () => {
  it("are asked once a minute for a symbol, however often they are used", async () => {
    for (let i = 0; i < 10; i++)
      expect(await chain.steps("BTC")).toMatchObject({ tickSize: "0.5" });
    expect(asked).toEqual(["all"]);
    pass(SYMBOL_KNOWN_AGE_MS - 1);
    await chain.steps("BTC");
    expect(asked).toEqual(["all"]);
    pass(1);
    for (let i = 0; i < 10; i++) await chain.steps("BTC");
    expect(asked).toEqual(["all", "BTC"]);
  });

  it("are those of the market that the symbol names now", async () => {
    await chain.steps("BTC");
    listed = [ANEW];
    pass(SYMBOL_KNOWN_AGE_MS);
    expect(await chain.steps("BTC")).toEqual({ symbol: "BTC", tickSize: "1", lotSize: "0.1" });
  });

  it("go with the market", async () => {
    await chain.steps("BTC");
    listed = [];
    pass(SYMBOL_KNOWN_AGE_MS);
    await expect(chain.steps("BTC")).rejects.toThrow('(there is none), got "BTC"');
    listed = [FIRST, { ...ANEW, symbol: "ETH" }];
    await chain.markets();
    listed = [FIRST];
    await chain.markets();
    await expect(chain.steps("ETH")).rejects.toThrow('(BTC), got "ETH"');
  });

  it("of a position are those of its own market, by id", async () => {
    holding(FIRST, "2");
    expect((await chain.positions("keel1me"))[0]?.size).toBe("0.002");
    expect((await chain.positions("keel1me"))[0]?.size).toBe("0.002");
    expect(asked).toEqual(["all"]);
    listed = [ANEW];
    holding(ANEW, "2");
    expect((await chain.positions("keel1me"))[0]?.size).toBe("0.2");
    expect(asked).toEqual(["all", "all"]);
    holding(FIRST, "2");
    await expect(chain.positions("keel1me")).rejects.toThrow("expected BTC among the markets");
  });

  it("are not forgotten because a node does not answer", async () => {
    await chain.steps("BTC");
    pass(SYMBOL_KNOWN_AGE_MS);
    node.queries.delete(MARKET);
    await expect(chain.steps("BTC")).rejects.toThrow("unknown query path");
  });
});
