import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binance } from "./binance.ts";
import { bybit } from "./bybit.ts";
import { coinbase } from "./coinbase.ts";
import { kraken } from "./kraken.ts";
import { okx } from "./okx.ts";
import { ANSWERS, type Answers } from "./testing/answers.ts";

const TIME = 1_700_000_000_123;
const QUOTE = { bid: "60000.1", ask: "60000.3", timeMs: TIME };
const venues = [binance, okx, coinbase, kraken, bybit].map(
  (venue) => [venue.name, venue, ANSWERS[venue.name] as Answers] as const,
);

describe.each(venues)("%s", (_name, venue, answers) => {
  const { rest, socket, refusal, timed } = answers;

  it("asks and reads its REST answer", () => {
    expect(venue.rest.requests([rest.ticker])).toEqual([
      { path: rest.path, tickers: [rest.ticker] },
    ]);
    expect(venue.rest.read(rest.answer(QUOTE), [rest.ticker])).toEqual([
      {
        ticker: rest.ticker,
        bidE8: 6_000_010_000_000n,
        askE8: 6_000_030_000_000n,
        timeMs: timed.rest ? TIME : null,
      },
    ]);
  });

  it("subscribes and reads its messages, passing over what carries no price", () => {
    expect(venue.socket.subscribe([socket.ticker])).toEqual([socket.subscription]);
    for (const prelude of socket.preludes) expect(venue.socket.read(prelude), prelude).toEqual([]);
    expect(venue.socket.read(socket.quote(QUOTE))).toEqual([
      {
        ticker: socket.ticker,
        bidE8: 6_000_010_000_000n,
        askE8: 6_000_030_000_000n,
        timeMs: timed.socket ? TIME : null,
      },
    ]);
  });

  it("says what the exchange refuses", () => {
    expect(() => venue.rest.read(refusal.rest, [rest.ticker])).toThrow("refused: ");
    expect(() => venue.socket.read(refusal.socket)).toThrow("refused: ");
  });

  it("refuses a crossed, a zero, a negative, an endless and a missing price", () => {
    const wrong = [
      { ...QUOTE, bid: "60000.4" },
      { ...QUOTE, bid: "0" },
      { ...QUOTE, bid: "-1" },
      { ...QUOTE, ask: "1e400" },
      { ...QUOTE, ask: "9999999999999999" },
      { ...QUOTE, ask: "" },
    ];
    for (const quote of wrong) {
      expect(
        () => venue.rest.read(rest.answer(quote), [rest.ticker]),
        JSON.stringify(quote),
      ).toThrow();
      expect(() => venue.socket.read(socket.quote(quote)), JSON.stringify(quote)).toThrow();
    }
  });

  it("refuses an answer cut short anywhere, and never a price out of one", () => {
    const [whole, message] = [rest.answer(QUOTE), socket.quote(QUOTE)];
    for (let i = 0; i < whole.length; i += 7) {
      expect(() => venue.rest.read(whole.slice(0, i), [rest.ticker])).toThrow();
    }
    for (let i = 0; i < message.length; i += 7) {
      expect(() => venue.socket.read(message.slice(0, i))).toThrow();
    }
  });

  it("takes hostile text for what it is: an error, or no price", () => {
    const deep = "[".repeat(100_000);
    const pollution = '{"__proto__":{"data":[]},"constructor":{"prototype":{}}}';
    for (const text of [
      deep,
      `{"data":${deep}`,
      pollution,
      "null",
      "[]",
      '"x"',
      "1e999",
      "\u0000",
    ]) {
      expect(() => venue.rest.read(text, [rest.ticker])).toThrow();
    }
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"data":${json}}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let tops: readonly unknown[] = [];
        try {
          tops = venue.socket.read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(RangeError);
        }
        expect(tops).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

it("an answer about something else, or about more than was asked, is refused", () => {
  const text = (ANSWERS["bybit"] as Answers).rest.answer(QUOTE);
  expect(() => bybit.rest.read(text, ["ETHUSDT"])).toThrow("got BTCUSDT, which was not asked for");
  expect(() => bybit.rest.read(text, ["BTCUSDT", "ETHUSDT"])).toThrow("got nothing of ETHUSDT");
  const twice = '{"error":[],"result":{"XXBTZUSD":{},"XETHZUSD":{}}}';
  expect(() => kraken.rest.read(twice, ["XBTUSD"])).toThrow("expected one pair, got 2");
});

it("a time of the wrong kind is refused", () => {
  const answers = ANSWERS["okx"] as Answers;
  for (const ts of ["1", "-1700000000123", "1700000000123456", "x"]) {
    const text = answers.socket.quote(QUOTE).replace(`"${TIME}"`, `"${ts}"`);
    expect(() => okx.socket.read(text), ts).toThrow("expected a time");
  }
});
