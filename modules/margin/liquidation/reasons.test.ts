/** What a liquidation says of itself is enough to reckon it again: nothing but the inputs and the rules in words are used here. */
import { describe, expect, test } from "vitest";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import type { Explanation } from "../../kit/explanation.ts";
import { block, MARK, open, rest, setUp, UNIT, world } from "../testing/ladder.ts";
import { defaultLadder } from "./terms.ts";

const PPM = 1_000_000n;
const up = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

interface Told {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly input: (name: string) => bigint;
  readonly result: (name: string) => bigint;
}

let told: Told[] = [];

function listen(): void {
  told = [];
  const { ctx } = world;
  const { emit } = ctx;
  ctx.emit = (type, attributes, why?: () => Explanation) => {
    emit(type, attributes);
    if (why === undefined) return;
    const explanation = why();
    const read = (part: "inputs" | "results") => (name: string) => {
      const found = explanation[part].find((one) => one.name === name);
      if (found === undefined) throw new Error(`${type} says nothing of ${name}`);
      return BigInt(found.value);
    };
    told.push({ type, attributes, input: read("inputs"), result: read("results") });
  };
}

/** Into a sub-account of the trader's owner. */
function give(subaccount: number, units: bigint): AccountId {
  const [owner, id] = [world.owner(1), accountId(world.owner(1), subaccount)];
  if (units === 0n) return id;
  world.bank.mint(world.ctx, owner, units * UNIT);
  world.margin.keeper.deposit(world.ctx, owner, id, units * UNIT);
  return id;
}

const all = (type: string): Told[] => told.filter((one) => one.type === type);

function only(type: string): Told {
  const [first, ...others] = all(type);
  if (first === undefined || others.length > 0)
    throw new Error(`${all(type).length} events ${type}`);
  return first;
}

function wantedOf({ input }: Told): bigint {
  const held = input("held");
  const need = up(input("target") * input("maintenance"), PPM) - input("equity");
  const costs =
    held * (input("sizing rate") * input("lot value") + input("slippage") * input("lot notional"));
  const released = input("target") * input("released") - costs;
  if (input("equity") < 0n || released <= 0n) return least(held, input("left of the block"));
  const minimum = up(input("least notional"), input("lot notional"));
  const wanted = most(up(held * need * PPM, released), most(minimum, 1n));
  const leaves = (held - wanted) * input("lot notional");
  const whole = wanted >= held || leaves < input("least notional");
  return least(whole ? held : wanted, input("left of the block"));
}

/** Ticks from the mark. */
function limitOf({ input, result }: Told): bigint {
  const tick = input("tick");
  const [equity, maintenance] = [input("equity"), input("maintenance")];
  const missing = least(most(maintenance - equity, 0n), maintenance);
  const fillable =
    (missing * input("spread") * input("released")) / (maintenance * PPM * input("held") * tick);
  const notional = input("lot notional") / tick;
  const slippage = (notional * input("slippage")) / PPM;
  const band = (notional * input("band")) / PPM;
  const funds = input("funds") / (result("wanted") * tick);
  const own = (most(equity, 0n) * input("released")) / (maintenance * input("held") * tick);
  return least(least(least(most(fillable, slippage), band), own), funds);
}

function sqrtUp(value: bigint): bigint {
  let root = 0n;
  for (let bit = 1n << 64n; bit > 0n; bit >>= 1n)
    if ((root + bit) * (root + bit) <= value) root += bit;
  return root * root === value ? root : root + 1n;
}

function rateOf({ input }: Told): bigint {
  const square = up(input("hourly variance") * input("clip") * PPM * PPM, input("depth") << 64n);
  const rate = least(input("base") + up(input("slope") * sqrtUp(square), PPM), input("ceiling"));
  const left = (input("equity") * PPM) / input("account notional") - input("slippage");
  return least(rate, most(left, 0n));
}

function penaltyOf({ result }: Told): bigint {
  return least(up(result("notional") * result("rate"), PPM), most(result("equity traded"), 0n));
}

describe("a liquidation says what it was reckoned from", () => {
  test.each([
    { elsewhere: 0n, more: 0n, falls: [46_200n, 45_900n, 45_000n] },
    // The owner is in the second tier, of which this account bears its part.
    { elsewhere: 400n, more: 40n, falls: [43_000n, 42_500n, 42_000n] },
  ])(
    "lots, limit and penalty, the owner holding $elsewhere lots elsewhere",
    ({ elsewhere, falls, more }) => {
      setUp({}, { ladder: undefined, liquidationNotionalMin: "100000000" });
      open("buy", 10n);
      give(0, more);
      if (elsewhere > 0n) open("buy", elsewhere, give(1, 10_000n));
      listen();
      for (const ticks of falls) {
        rest("buy", ticks, 3n);
        block(60, ticks);
      }
      expect(all("liquidation").length).toBeGreaterThan(0);
      for (const one of all("liquidation")) {
        expect(one.result("wanted")).toBe(wantedOf(one));
        expect(one.input("mark") - one.result("limit")).toBe(limitOf(one));
        expect(one.result("penalty")).toBe(penaltyOf(one));
        expect(one.input("held by the owner's other accounts")).toBe(elsewhere);
        expect(`${one.result("closed")}`).toBe(one.attributes["lots"]);
      }
    },
  );

  test("with a ladder the rate too, and the reserve price of what is offered", () => {
    const { flowPpm, offerWindowMs, penalty } = defaultLadder();
    setUp({ flowPpm, offerWindowMs, penalty });
    open("buy", 10n);
    rest("buy", 45_900n, 3n);
    for (let i = 0; i < 5; i++) block(60, MARK - BigInt(i % 2) * 300n);
    rest("buy", 46_000n, 3n);
    block(300, MARK);
    listen();
    for (let i = 0; i < 4; i++) block(20, 46_200n - BigInt(i) * 100n);
    const booked = all("liquidation").filter(({ attributes }) => attributes["source"] === "book");
    expect(booked.length).toBeGreaterThan(0);
    for (const one of all("liquidation")) {
      expect(one.result("wanted")).toBe(wantedOf(one));
      expect(one.input("mark") - one.result("limit")).toBe(limitOf(one));
      expect(one.result("rate")).toBe(rateOf(one));
      expect(one.result("penalty")).toBe(penaltyOf(one));
    }
    const offered = all("liquidation_offer");
    expect(offered.length).toBeGreaterThan(0);
    for (const { input, result } of offered) {
      const worst = input("mark") - input("worst");
      const missing = most(input("maintenance") - input("equity"), 0n);
      const whole = input("window") * input("maintenance");
      const used = least(
        input("elapsed") * input("maintenance") + missing * input("window"),
        whole,
      );
      const start = least(input("half a spread"), worst);
      const done = input("equity") <= 0n || input("elapsed") >= input("window");
      const distance = done ? worst : start + ((worst - start) * used) / whole;
      expect(result("reserve")).toBe(input("mark") - distance);
    }
  });

  test("the backstop's part of the equity", () => {
    setUp({}, { ladder: undefined, backstopHealthPpm: 900_000n });
    const taker = world.funded(3, 1_000n * UNIT);
    Object.assign(world.backstop, { account: taker, lotsMax: 7n });
    open("buy", 10n);
    listen();
    block(1, 46_000n);
    const { input, result } = only("backstop_takeover");
    expect(input("first equity") * PPM).toBeLessThan(input("first maintenance") * input("share"));
    expect(result("collateral")).toBe(
      (input("equity") * input("part of maintenance") * result("lots")) /
        (input("maintenance") * input("held")),
    );
    expect(result("lots")).toBe(7n);
  });
});
