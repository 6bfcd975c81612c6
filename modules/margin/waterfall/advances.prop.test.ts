import fc from "fast-check";
import { expect, test } from "vitest";
import { createInsuredWorld } from "../../testing/insured-world.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

const UNIT = 1_000_000n;
/** One tenth of a fund an hour: more than the leg that swings may cost, less than it would if each swing counted. */
const DRAW_CAP_PPM = 100_000;

test("an advance that comes and goes with a price leaves protocol, underwriters and draw cap as they were", () => {
  fc.assert(
    fc.property(
      fc.record({
        firstLossPpm: fc.integer({ min: 0, max: 1_000_000 }),
        underwritten: fc.constantFrom(0n, 100n * UNIT),
        swings: fc.array(fc.bigInt({ min: 700n, max: 1_300n }), { minLength: 1, maxLength: 30 }),
      }),
      ({ firstLossPpm, swings, underwritten }) => {
        const insured = { cooldownMs: 1_000n, firstLossPpm, drawCapPpm: DRAW_CAP_PPM };
        const world = createInsuredWorld({}, insured);
        const { ctx, insurance, markets, margin } = world;
        const fund = () => {
          const found = insurance.state.funds.get(ctx, DENOM);
          if (found === undefined) throw new Error("no fund");
          return found;
        };
        const available = () => insurance.keeper.fundAvailable(ctx, DENOM, "");
        const long = world.funded(1, 10n * UNIT);
        const short = world.funded(2, 1_000n * UNIT);
        world.trade(long, short, 99n, 1_000n);
        world.trade(long, short, 10n, 1_000n, ETH);
        world.endow(100n * UNIT);
        if (underwritten > 0n) {
          world.bank.mint(ctx, world.owner(9), underwritten);
          insurance.keeper.underwrite(ctx, world.owner(9), DENOM, underwritten);
        }
        const before = { ...fund(), available: available() };
        const block = (): void => {
          margin.keeper.endBlock(ctx);
          expect(world.violated()).toBeNull();
          expect(2n * fund().balance > before.balance).toBe(true);
          ctx.nextBlock();
        };
        markets.setStatus(ctx, ETH, "halted");
        markets.setMark(ctx, BTC, 890n);
        block();
        for (const ticks of swings) {
          markets.setMark(ctx, ETH, ticks, false);
          block();
        }
        markets.setMark(ctx, ETH, 2_000n, false);
        block();
        const after = fund();
        expect(margin.keeper.owedToFunds(ctx, long)).toBe(0n);
        expect(after.balance).toBe(before.balance);
        expect(after.shares - after.ownShares).toBe(before.shares - before.ownShares);
        expect(after.ownShares <= before.ownShares).toBe(true);
        // Half of the fund is always left, so each loss or return costs less than two shares (insurance/shares.prop.test.ts).
        expect(before.ownShares - after.ownShares <= BigInt(2 * swings.length + 4)).toBe(true);
        expect(available()).toBe(before.available);
      },
    ),
    { numRuns: 40 },
  );
});
