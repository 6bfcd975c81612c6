import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mulDivUp } from "../kit/math/mul-div.ts";
import { SHARES_MIN } from "./limits.ts";
import {
  afterLoss,
  afterRecovery,
  afterUnderwriting,
  available,
  drawnNow,
  ownValue,
  type Shared,
  worth,
  worthOf,
} from "./shares.ts";

const amount = fc.bigInt({ min: 1n, max: 10n ** 18n });
const NOTHING_BESIDE = { gain: 0n, owed: { amount: 0n, ownShares: 0n } };
const HOUR = 3_600_000_000_000n;

/** A fund somebody underwrites: any history of shares, the protocol's part from nothing to all. */
const shared = fc
  .record({
    balance: amount,
    inventory: fc.oneof(fc.constant(0n), amount),
    shares: fc.bigInt({ min: 1n, max: 10n ** 26n }),
    own: fc.nat(1000),
  })
  .map(
    ({ balance, inventory, shares, own }): Shared => ({
      balance,
      inventory,
      shares,
      ownShares: (shares * BigInt(own)) / 1000n,
    }),
  );

describe("shares of a fund", () => {
  test("cost what they are worth: nobody gains by putting in and taking out, nor loses above a millionth", () => {
    fc.assert(
      fc.property(shared, amount, (fund, paid) => {
        const after = afterUnderwriting(fund, paid, NOTHING_BESIDE);
        if (after === null) return;
        const grown = { ...fund, ...after, balance: fund.balance + paid };
        const back = worthOf(grown, after.minted);
        expect(back <= paid).toBe(true);
        expect((paid - back) * 1_000_000n <= paid + 1_000_000n).toBe(true);
        // Nor do those who were there pay for it.
        const others = fund.shares;
        expect(worthOf(grown, others) >= worth(fund)).toBe(true);
      }),
    );
  });

  test("of the first underwriter leave the protocol what was there", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), amount, (balance, paid) => {
        const none = { inventory: 0n, shares: 0n, ownShares: 0n };
        const after = afterUnderwriting({ ...none, balance }, paid, NOTHING_BESIDE);
        expect(after).not.toBeNull();
        if (after === null) return;
        expect(ownValue({ ...none, ...after, balance: balance + paid })).toBe(balance);
        expect(after.minted >= SHARES_MIN).toBe(true);
      }),
    );
  });

  test("cannot be made too dear for the next one by a gift: what would be rounded away is refused", () => {
    const none = { balance: 0n, inventory: 0n, shares: 0n, ownShares: 0n };
    const first = afterUnderwriting(none, 1n, NOTHING_BESIDE);
    const gifted = { ...none, ...first, balance: 1_000_000_001n };
    expect(afterUnderwriting(gifted, 500_000_000n, NOTHING_BESIDE)).toBeNull();
  });
});

describe("a loss", () => {
  const loss = fc.tuple(shared, fc.nat(1000), fc.bigInt({ min: 0n, max: 1_000_000n }));

  test("comes first from the protocol's own part, then from all in proportion", () => {
    fc.assert(
      fc.property(loss, ([fund, permille, firstLossPpm]) => {
        const paid = (fund.balance * BigInt(permille)) / 1000n;
        const others = fund.shares - fund.ownShares;
        const before = worthOf(fund, others);
        const { fund: after, firstLoss } = afterLoss(fund, paid, firstLossPpm);
        expect(after.balance).toBe(fund.balance - paid);
        expect(firstLoss <= (paid * firstLossPpm) / 1_000_000n).toBe(true);
        expect(firstLoss <= ownValue(fund)).toBe(true);
        expect(after.shares - after.ownShares).toBe(others);
        expect(after.ownShares >= 0n).toBe(true);
        // Underwriters bear their share of what is left, a unit of rounding apart, and never the protocol's part.
        const rest = paid - firstLoss;
        const left = worth(fund) - firstLoss;
        if (left === 0n || after.shares === 0n) return;
        const fair = before - (rest * before) / left;
        expect(worthOf(after, others) + 2n >= fair).toBe(true);
        // What rounding burns of the protocol's part, less than a share, is theirs.
        expect(worthOf(after, others) <= before + worth(fund) / fund.shares + 2n).toBe(true);
      }),
    );
  });

  test("without a first-loss part is everybody's alike", () => {
    const fund = { balance: 1_000n, inventory: 0n, shares: 1_000_000n, ownShares: 250_000n };
    const { fund: after } = afterLoss(fund, 400n, 0n);
    expect(worthOf(after, 750_000n)).toBe(450n);
    expect(ownValue(after)).toBe(150n);
  });

  test("with a whole first-loss part leaves underwriters alone until the protocol has nothing", () => {
    const fund = { balance: 1_000n, inventory: 0n, shares: 1_000_000n, ownShares: 250_000n };
    const first = afterLoss(fund, 200n, 1_000_000n).fund;
    expect(worthOf(first, 750_000n)).toBe(750n);
    const second = afterLoss(first, 200n, 1_000_000n);
    expect(second.firstLoss).toBe(50n);
    expect(worthOf(second.fund, 750_000n)).toBe(600n);
  });
});

describe("a recovery", () => {
  /** Losses in permille of the balance, each followed by a part of what is still out coming back. */
  const swings = fc.array(fc.tuple(fc.nat(900), fc.integer({ min: 0, max: 1000 })), {
    minLength: 1,
    maxLength: 12,
  });

  /**
   * Shares that the protocol may be short of in the end. Per step, a loss or a return, it is less than T ÷ W: W the worth of the fund after the step, T = W + what is out.
   *
   * With S shares and b burnt ones still out, b − (T − W)·S÷W of them would find no money if all came at the present price. A loss burns e < 1 more than it should. That raises b by
   * e and lowers the second term by e·(T − W)÷W: by e·T÷W together; what a loss lays on all lowers the price and only helps. A return of `amount` that is capped gives amount·S÷W rounded down
   * by e < 1: these are gone, the rest of its part was counted before, and the price is higher for it by what costs e·T÷W again, with the worth after it. So does a part that was
   * rounded down. In the end nothing is out: what was counted is gone or was given.
   *
   * In value: at a million shares a quantum less than T ÷ W millionths of a quantum a step.
   */
  const mayMiss = (steps: readonly bigint[], all: bigint): bigint =>
    steps.reduce((sum, left) => sum + mulDivUp(all, 1n, left), 0n);

  test("of all that was paid leaves protocol and underwriters what they had, but for what rounding costs the protocol", () => {
    fc.assert(
      fc.property(
        shared,
        fc.bigInt({ min: 0n, max: 1_000_000n }),
        swings,
        (fund, firstLossPpm, moves) => {
          let now = fund;
          let out = 0n;
          let burnt = 0n;
          const steps: bigint[] = [];
          const recover = (amount: bigint): void => {
            if (amount === 0n) return;
            const part = amount === out ? burnt : (burnt * amount) / out;
            const before = now;
            now = afterRecovery(now, amount, part);
            out -= amount;
            burnt -= part;
            steps.push(worth(now));
            // Nobody's share is cheaper by it.
            expect(worth(now) * before.shares >= worth(before) * now.shares).toBe(true);
          };
          for (const [lost, back] of moves) {
            const paid = (now.balance * BigInt(lost)) / 1000n;
            const borne = afterLoss(now, paid, firstLossPpm);
            now = borne.fund;
            out += paid;
            burnt += borne.burnt;
            if (paid > 0n) steps.push(worth(now));
            recover((out * BigInt(back)) / 1000n);
          }
          recover(out);
          expect(now.balance).toBe(fund.balance);
          expect(now.ownShares <= fund.ownShares).toBe(true);
          expect(fund.ownShares - now.ownShares <= mayMiss(steps, worth(fund))).toBe(true);
          expect(now.shares - now.ownShares).toBe(fund.shares - fund.ownShares);
        },
      ),
      {
        examples: [
          [
            // Eleven of 32 quanta are left, so that a share too many burnt is three that the money does not buy.
            {
              balance: 31n,
              inventory: 1n,
              shares: 4_697_850_883_142_502_660_293_424n,
              ownShares: 3_377_754_784_979_459_412_750_971n,
            },
            1_000_000n,
            [
              [678, 0],
              [0, 810],
              [704, 87],
            ],
          ],
        ],
      },
    );
  });

  test("in a fund that nobody underwrote then is the protocol's, for whom there are shares since", () => {
    const none = { balance: 100n, inventory: 0n, shares: 0n, ownShares: 0n };
    const { burnt, fund } = afterLoss(none, 40n, 0n);
    const entered = afterUnderwriting(fund, 100n, NOTHING_BESIDE);
    const grown = { ...fund, ...entered, balance: 160n };
    const back = afterRecovery(grown, 40n, burnt);
    expect([ownValue(back), worthOf(back, back.shares - back.ownShares)]).toEqual([100n, 100n]);
  });
});

describe("the draw cap", () => {
  test("never lets more than a cap go within an hour, and gives all of it back after one", () => {
    fc.assert(
      fc.property(
        amount,
        fc.bigInt({ min: 1n, max: 1_000_000n }),
        fc.array(fc.bigInt({ min: 0n, max: HOUR / 20n }), { maxLength: 15 }),
        (balance, capPpm, waits) => {
          let fund = { balance, inventory: 0n, drawn: 0n, drawnAtNs: 0n };
          let now = 0n;
          let paid = 0n;
          for (const wait of waits) {
            now += wait;
            const may = available(fund, capPpm, now);
            expect(may >= 0n && may <= fund.balance).toBe(true);
            fund = {
              inventory: 0n,
              balance: fund.balance - may,
              drawn: drawnNow(fund, capPpm, now) + may,
              drawnAtNs: now,
            };
            paid += may;
          }
          // One cap at once, and what leaks meanwhile.
          expect(
            paid * 1_000_000n * HOUR <= balance * capPpm * (HOUR + now) + 16n * 1_000_000n * HOUR,
          ).toBe(true);
          const later = available(fund, capPpm, now + 2n * HOUR);
          expect(later).toBe((fund.balance * capPpm + 999_999n) / 1_000_000n);
        },
      ),
    );
  });

  test("of nothing is no cap", () => {
    expect(available({ balance: 7n, inventory: 0n, drawn: 3n, drawnAtNs: 0n }, 0n, 0n)).toBe(7n);
  });
});
