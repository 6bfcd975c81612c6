import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { QueryResponse } from "@keel/consensus/host/ports";
import { QueryFeedsResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import { Feed } from "@keel/proto/gen/keel/oracle/v1/types";
import { expect, it } from "vitest";
import { createHttpFeed, parsePrices } from "./http.ts";
import { createPriceSource, rescale } from "./source.ts";

it("rescales from 1e-8 to a feed's exponent, toward zero", () => {
  expect(rescale(123_456_789n, -8)).toBe(123_456_789n);
  expect(rescale(123_456_789n, -10)).toBe(12_345_678_900n);
  expect(rescale(123_456_789n, -2)).toBe(123n);
});

it("votes for the feeds the chain lists, ascending, and leaves out the rest", async () => {
  const source = createPriceSource({
    latest: () => [
      { symbol: "ETH-USD", priceE8: 300_000_000_000n, confidenceE8: 100_000_000n },
      { symbol: "BTC-USD", priceE8: 6_000_000_000_000n, confidenceE8: 1n },
      { symbol: "DOGE-USD", priceE8: 1n, confidenceE8: 1n },
    ],
    stop() {},
  });
  expect([source.latest(), source.isListed]).toEqual([[], false]);
  const listed = (id: number, symbol: string, exponent: number) =>
    Feed.fromPartial({ id, symbol, exponent });
  const value = QueryFeedsResponse.encode({
    feeds: [listed(1, "BTC-USD", -5), listed(2, "ETH-USD", -8)],
  }).finish();
  const answer: QueryResponse = {
    code: 0,
    codespace: "",
    log: "",
    info: "",
    index: 0n,
    key: value,
    value,
    proofOps: null,
    height: 1,
  };
  await source.refresh(() => Promise.resolve(answer));
  expect(source.latest()).toEqual([
    { feedId: 1, mantissa: 6_000_000_000n, confidence: 0n },
    { feedId: 2, mantissa: 300_000_000_000n, confidence: 100_000_000n },
  ]);
  await source.refresh(() => Promise.resolve({ ...answer, code: 6 }));
  expect([source.latest().length, source.isListed]).toEqual([2, true]);
});

it("reads prices from an endpoint and survives its nonsense", async () => {
  let body = '{"BTC-USD":"60000.5","ETH-USD":"3000"}';
  const server = createServer((_request, response) => response.end(body)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const reasons: unknown[] = [];
  const feed = createHttpFeed({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    symbols: ["BTC-USD"],
    pollIntervalMs: 10,
    log: (_message, details) => reasons.push(details["reason"]),
  });
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 300 && !done(); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until(() => feed.latest().length > 0);
  expect(feed.latest()).toEqual([
    { symbol: "BTC-USD", priceE8: 6_000_050_000_000n, confidenceE8: 3_000_025_000n },
  ]);
  body = "<html>";
  await until(() => reasons.length > 0);
  expect(reasons.length).toBeGreaterThan(0);
  expect(feed.latest()).toHaveLength(1);
  feed.stop();
  server.close();
});

it("refuses prices that are not decimals", () => {
  for (const text of ["[]", "null", '{"BTC-USD":60000}', '{"BTC-USD":"1e5"}', '{"BTC-USD":"-1"}']) {
    const read = (): unknown => parsePrices(text, ["BTC-USD"]);
    if (text === "[]") expect(read()).toEqual([]);
    else expect(read, text).toThrow();
  }
});
