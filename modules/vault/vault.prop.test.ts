import fc from "fast-check";
import { describe, it } from "vitest";
import { ModuleError } from "../kit/errors.ts";
import { absolute, divTrunc, minimum, mulDivDown, PPM } from "../kit/math/mul-div.ts";
import { createVaultWorld, PERP } from "../testing/vault-world.ts";
import { BTC } from "../testing/world.ts";
import { leverageWad, quoteTicks } from "./pricing.ts";
import { payoutOf, sharesFor, slippageWad, WAD } from "./shares.ts";
import { mostWithin } from "./withdrawals.ts";

const money = fc.bigInt({ min: 1n, max: 10n ** 15n });
const shares = fc.bigInt({ min: 1n, max: 10n ** 21n });
const slippage = fc.record({
  notional: fc.bigInt({ min: 0n, max: 10n ** 15n }),
  equity: money,
  spreadPpm: fc.bigInt({ min: 0n, max: 500_000n }),
  skewPpm: fc.bigInt({ min: 0n, max: 10_000_000n }),
  initialPpm: fc.bigInt({ min: 0n, max: 1_000_000n }),
});

describe("the price of a share", () => {
  it("never falls by a deposit", () => {
    fc.assert(
      fc.property(money, shares, money, (equity, total, amount) => {
        const minted = sharesFor(amount, total, equity);
        return (equity + amount) * total >= equity * (total + minted);
      }),
    );
  });

  it("never falls by a withdrawal, with whatever slippage", () => {
    fc.assert(
      fc.property(money, shares, slippage, fc.bigInt(1n, PPM), (equity, total, terms, part) => {
        const given = mulDivDown(total, part, PPM);
        const paid = payoutOf(equity, given, total, slippageWad(terms, given, total));
        return paid >= 0n && (equity - paid) * total >= equity * (total - given);
      }),
    );
  });

  it("never makes a deposit and its withdrawal pay", () => {
    fc.assert(
      fc.property(money, shares, money, slippage, (equity, total, amount, terms) => {
        const minted = sharesFor(amount, total, equity);
        const after = total + minted;
        const back = payoutOf(equity + amount, minted, after, slippageWad(terms, minted, after));
        return back <= amount;
      }),
    );
  });
});

describe("slippage", () => {
  it("is between nothing and everything, and grows with what is given back and with leverage", () => {
    const part = fc.bigInt(0n, 1_000n);
    fc.assert(
      fc.property(slippage, part, part, money, (terms, a, b, more) => {
        const [less, most] = a < b ? [a, b] : [b, a];
        const small = slippageWad(terms, less, 1_000n);
        const large = slippageWad(terms, most, 1_000n);
        const heavier = slippageWad({ ...terms, notional: terms.notional + more }, less, 1_000n);
        return small >= 0n && small <= large && large <= WAD && small <= heavier;
      }),
    );
  });

  it("leaves the most shares that can be paid, and not one more", () => {
    fc.assert(
      fc.property(money, slippage, fc.bigInt(1n, 10n ** 9n), money, (equity, terms, all, free) => {
        const total = 10n ** 9n;
        const worth = (given: bigint): bigint =>
          payoutOf(equity, given, total, slippageWad(terms, given, total));
        const given = mostWithin(worth, all, free);
        return worth(given) <= free && (given === all || worth(given + 1n) > free);
      }),
    );
  });
});

const pricing = fc.record({
  referenceTicks: fc.bigInt(1n, 10n ** 8n),
  spreadPpm: fc.bigInt(1n, 100_000n),
  skewPpm: fc.bigInt(0n, 10_000_000n),
  concessionMaxPpm: fc.bigInt(0n, 50_000n),
});
const leverage = fc.bigInt(-5n * WAD, 5n * WAD);

describe("quotes", () => {
  it("fall with the position: a longer vault never bids more or asks more", () => {
    fc.assert(
      fc.property(pricing, leverage, leverage, (terms, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        return (["buy", "sell"] as const).every((side) => {
          const [high, low] = [quoteTicks(side, less, terms), quoteTicks(side, more, terms)];
          return high === null || low === null || high >= low;
        });
      }),
    );
  });

  it("never cross, widen with the spread while they lie outside the mark, and give no more than they may", () => {
    fc.assert(
      fc.property(pricing, leverage, fc.bigInt(1n, 100_000n), (terms, at, more) => {
        const bid = quoteTicks("buy", at, terms);
        const ask = quoteTicks("sell", at, terms);
        const wide = { ...terms, spreadPpm: terms.spreadPpm + more };
        const wider = { bid: quoteTicks("buy", at, wide), ask: quoteTicks("sell", at, wide) };
        const { concessionMaxPpm: most, referenceTicks: mark } = terms;
        if (bid !== null && ask !== null && bid > ask) return false;
        if (bid !== null && bid * PPM > mark * (PPM + most)) return false;
        if (ask !== null && ask * PPM < mark * (PPM - most)) return false;
        if (bid !== null && bid < mark && wider.bid !== null && wider.bid > bid) return false;
        return !(ask !== null && ask > mark && wider.ask !== null && wider.ask < ask);
      }),
    );
  });

  it("let nobody gain by going round: what is sold to them costs more to buy back, even where they go beyond the mark", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.bigInt(1n, 100n)), { maxLength: 30 });
    fc.assert(
      fc.property(
        fc.bigInt(0n, 10_000_000n),
        fc.bigInt(10n, 50_000n),
        fc.bigInt(0n, 50_000n),
        steps,
        (skewPpm, spreadPpm, concessionMaxPpm, path) => {
          // Sizes up to a tenth of equity per fill: skew × size below 2, as terms are bound to.
          const terms = { referenceTicks: 10n ** 7n, spreadPpm, skewPpm, concessionMaxPpm };
          const equity = 10n ** 13n;
          let lots = 0n;
          let cash = 0n;
          const fill = (buys: boolean, size: bigint): void => {
            const at = leverageWad(lots * terms.referenceTicks, equity);
            const ticks = quoteTicks(buys ? "buy" : "sell", at, terms);
            if (ticks === null) return;
            lots += buys ? size : -size;
            cash += buys ? -size * ticks : size * ticks;
          };
          for (const [buys, part] of path) {
            fill(buys, divTrunc(equity * part, 1_000n * terms.referenceTicks));
          }
          while (lots !== 0n) {
            const most = divTrunc(equity, 10n * terms.referenceTicks);
            fill(lots < 0n, minimum(absolute(lots), most));
          }
          return cash >= 0n;
        },
      ),
    );
  });
});

interface OfHolder {
  readonly kind: "holder";
  readonly act: "deposit" | "withdraw" | "cancel";
  readonly who: number;
  readonly part: number;
}

type Step =
  | OfHolder
  | { readonly kind: "trade"; readonly buys: boolean; readonly lots: number }
  | { readonly kind: "block"; readonly move: number };

const who = fc.integer({ min: 1, max: 3 });
const part = fc.integer({ min: 1, max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("holder" as const),
    act: fc.constantFrom("deposit" as const, "withdraw", "cancel"),
    who,
    part,
  }),
  fc.record({
    kind: fc.constant("trade" as const),
    buys: fc.boolean(),
    lots: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ kind: fc.constant("block" as const), move: fc.integer({ min: -20, max: 20 }) }),
);

describe("a vault with holders, trades and moving marks", { timeout: 120_000 }, () => {
  it("never loses by a deposit or withdrawal of anyone, and its books agree after each", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = createVaultWorld();
        const { ctx, vault } = world;
        world.setMarket({
          capitalPpm: 800_000n,
          orderSizePpm: 400_000n,
          leverageMaxPpm: 8_000_000n,
        });
        for (const n of [1, 2, 3]) world.share(n, 5_000n);
        const trader = world.funded(9, 10_000_000n);
        world.block(1);
        let price = 60_000;
        const dearer = (work: () => void): void => {
          const before = { equity: world.equity(), shares: world.shares() };
          work();
          if (world.equity() * before.shares < before.equity * world.shares())
            throw new Error("the price of a share fell");
        };
        for (const one of steps) {
          if (one.kind === "holder") {
            const sender = world.address(one.who);
            if (one.act === "deposit") dearer(() => world.share(one.who, BigInt(10 * one.part)));
            if (one.act === "withdraw") {
              const given = mulDivDown(world.held(one.who), BigInt(one.part), 100n);
              const queued = vault.state.withdrawals.size(ctx);
              if (given >= 10n ** 12n && queued < 10)
                dearer(() => world.send("RequestWithdrawal", { sender, shares: `${given}` }));
              // Its turn comes by itself: nothing else happens at this instant.
              dearer(() => vault.keeper.beginBlock(ctx));
            }
            let id = 0n;
            vault.state.withdrawals.each(ctx, (number, { owner }) => {
              id = owner[3] === one.who ? number : 0n;
              return id > 0n;
            });
            if (one.act === "cancel" && id > 0n)
              dearer(() => world.send("CancelWithdrawal", { sender, id }));
          } else if (one.kind === "trade") {
            const size = `${one.lots / 1000}`;
            try {
              world.place(
                PERP,
                trader,
                one.buys
                  ? `buy ${size} @ ${price + 1500} ioc`
                  : `sell ${size} @ ${price - 1500} ioc`,
              );
            } catch (error) {
              if (!(error instanceof ModuleError)) throw error;
            }
          } else {
            price += one.move * 10;
            world.block(1, () => world.setPrice(BTC, `${price}`));
          }
          const fault = world.violation();
          if (fault !== null) throw new Error(fault);
        }
      }),
      { numRuns: 40 },
    );
  });
});
