import { KeelConnectionError, KeelTxError } from "@keel/client/errors";
import type { KeelSigningClient } from "@keel/client/signing-client";
import type { MarketInfo } from "@keel/client/views";
import { seededRandom } from "@keel/node/feeds/random";
import { expect, test } from "vitest";
import { startBot } from "./bot.ts";
import { lotsOf, ticksOf } from "./maker.ts";
import { isInDanger, lotsFor } from "./trader.ts";

const options = (seed = 1) => ({
  name: "bot",
  client: { address: "keel1bot" } as KeelSigningClient,
  market: "X",
  random: seededRandom(seed),
  intervalMs: 2,
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("refusals and lost connections are counted, and the bot goes on", async () => {
  const errors = [
    new KeelTxError({ codespace: "derivatives", code: 7, log: "stale" }, "AA"),
    new KeelConnectionError("unreachable", "gone"),
    new KeelConnectionError("unreachable", "gone"),
  ];
  const bot = startBot(options(), {
    step() {
      const error = errors.shift();
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
  });
  while (bot.stats.steps < 3) await pause(5);
  await bot.stop();
  expect(Object.fromEntries(bot.stats.failures)).toEqual({ "derivatives/7": 1, unreachable: 2 });
});

test("a bug in a bot ends it and is not hidden", async () => {
  const bot = startBot(options(), { step: () => Promise.reject(new TypeError("bug")) });
  await pause(20);
  await expect(bot.stop()).rejects.toThrow("bug");
  const told: Error[] = [];
  const watched = startBot(
    { ...options(), onFailure: (error) => told.push(error) },
    { step: () => Promise.reject(new TypeError("bug")) },
  );
  await pause(20);
  await watched.stop();
  expect(told.map(({ message }) => message)).toEqual(["bug"]);
});

test("stopping waits for the step, wakes the pause, and leaves once", async () => {
  const log: string[] = [];
  const bot = startBot(
    { ...options(), intervalMs: 60_000 },
    {
      async step() {
        await pause(10);
        log.push("step");
      },
      leave() {
        log.push("leave");
        return Promise.resolve();
      },
    },
  );
  await bot.stop();
  expect(log).toEqual(["step", "leave"]);
});

test("notional becomes whole lots at the mark, rounded down", () => {
  const market = { markPrice: "60000.5", tickSize: "0.5", lotSize: "0.001" } as MarketInfo;
  expect(lotsFor(60_000_500_000n, market)).toBe(1000n);
  expect(lotsFor(60_000_499_999n, market)).toBe(999n);
  expect(lotsFor(1n, market)).toBe(0n);
  expect(lotsFor(10n ** 12n, { ...market, markPrice: "0.00002", lotSize: "1000" })).toBe(
    50_000_000n,
  );
  expect(lotsOf("-1.5", market)).toBe(-1500n);
  expect(ticksOf("60000.5", market)).toBe(120_001n);
});

test("danger begins at one and a half times the maintenance requirement", () => {
  expect(isInDanger({ healthPpm: 1_499_999n })).toBe(true);
  expect(isInDanger({ healthPpm: 1_500_000n })).toBe(false);
  expect(isInDanger({ healthPpm: undefined })).toBe(false);
});
