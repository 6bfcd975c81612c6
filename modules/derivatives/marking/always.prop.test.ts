/** Whatever validators report within the domain of their votes, a market that had a mark has one, and it is a number that can be worked with. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  SURFACE,
  type TestOption,
  VOL,
  type World,
} from "../../testing/world.ts";
import { TICKS_MAX } from "../limits.ts";
import { testMarket } from "../testing.ts";

const EXPIRY = START_MS + 100 * HOUR_MS;
const END = maturity(EXPIRY);
const strikes = ["0.000000000000000001", "0.5", "60000", "1000000000"];
const kinds: readonly Omit<TestOption, "strike">[] = [
  {},
  { right: "put" },
  { payout: "1" },
  { right: "put", payout: "1000000000" },
  { kind: "asian" },
  { kind: "asian", right: "put" },
];

const RUNS = Number(process.env["KEEL_MARK_RUNS"] ?? "20");
const mantissas = fc.oneof(
  fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }),
  fc.bigInt({ min: 1n, max: 1_000_000n }),
  fc.constantFrom(1n, (1n << 63n) - 1n),
);
const price = fc.record({
  mantissa: mantissas,
  exponent: fc.integer({ min: -18, max: 6 }),
  fresh: fc.boolean(),
});
const expiry = fc.record({
  hours: fc.integer({ min: 1, max: 900 }),
  theta: mantissas,
  basisPpm: fc.integer({ min: -1_000_000, max: 1_000_000 }),
});
/** As aggregation leaves them. */
const shape = fc
  .record({
    rhoPpm: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    etaPpm: fc.integer({ min: 1, max: 2_000_000 }),
    gammaPpm: fc.integer({ min: 1, max: 500_000 }),
    expiries: fc.array(expiry, { maxLength: 4 }),
  })
  .map(({ expiries, ...rest }) => ({ ...rest, expiries }));

const block = fc.record({
  seconds: fc.constantFrom(1, 60, 3_600, 90_000, 350_000, 356_700, 358_300, 359_000, 400_000),
  index: price,
  volatility: price,
  surface: fc.option(shape),
});

function listed(): { readonly world: World; readonly ids: readonly number[] } {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  const first = { expiryMs: BigInt(EXPIRY), theta: 10n ** 16n, basisPpm: 0 };
  world.setSurface({ rhoPpm: 0, etaPpm: 1_000_000, gammaPpm: 400_000, expiries: [first] });
  const linear = [testMarket(), futureMarket("F", END)];
  const options = kinds.flatMap((kind) =>
    strikes.flatMap((strike) =>
      [undefined, SURFACE].map((surface) => ({
        ...kind,
        strike,
        ...(surface === undefined ? {} : { surface }),
      })),
    ),
  );
  const ids = [
    ...linear.map((market) => world.list(market)),
    ...options.map((option, i) => world.list(optionMarket(`O${i}`, END, option))),
  ];
  return { world, ids };
}

describe("a mark", () => {
  it("never goes away, whatever is voted and however long for", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
        const { world, ids } = listed();
        for (const { seconds, index, volatility, surface } of blocks) {
          world.block(seconds, () => {
            world.setPrice(BTC, "1", index.fresh, index);
            world.setPrice(VOL, "1", volatility.fresh, volatility);
            if (surface === null) return;
            const at = new Map(surface.expiries.map((one) => [one.hours, one]));
            const expiries = [...at.values()]
              .map(({ hours, ...one }) => ({
                ...one,
                expiryMs: BigInt(START_MS + hours * HOUR_MS),
              }))
              .filter(({ expiryMs }) => expiryMs > world.nowMs())
              .sort((a, b) => Number(a.expiryMs - b.expiryMs));
            world.setSurface({ ...surface, expiries });
          });
          for (const id of ids) {
            const mark = world.keeper.mark(world.ctx, id);
            if (mark === undefined) throw new Error(`market ${id} has no mark`);
            expect(mark.ticks >= 0n && mark.ticks <= TICKS_MAX).toBe(true);
            expect(mark.quantaPerLot >= 0n && mark.notionalPerLot > 0n).toBe(true);
            const { long, short } = mark.losses ?? {
              long: { initial: 0n, maintenance: 0n },
              short: { initial: 0n, maintenance: 0n },
            };
            expect(long.maintenance >= 0n && long.initial >= long.maintenance).toBe(true);
            expect(short.maintenance >= 0n && short.initial >= short.maintenance).toBe(true);
            const instrument = world.keeper.risk(world.ctx, id)?.instrument;
            for (const move of [-1_000_000n, -400_000n, 0n, 400_000n, 3_000_000n]) {
              const moved = instrument?.price(move, 2n * (instrument?.volatility ?? 0n));
              expect((moved ?? 0n) >= 0n).toBe(true);
            }
          }
        }
        expect(world.eventsOf("market_quarantined")).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
