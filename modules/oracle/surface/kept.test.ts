/** What a surface knows when nobody votes for its expiries any more, and behind the last of them. */
import type {
  Surface,
  SurfaceExpiryVote,
  SurfaceParameters,
} from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { MANTISSA_LIMIT } from "../limits.ts";
import { nextParameters, parametersFault } from "./project.ts";
import { type Smile, smileAt, smileVolatility } from "./smile.ts";
import { defaultSurface } from "./surfaces.ts";

const WAD = 10n ** 18n;
const DAY_MS = 86_400_000n;
const START_MS = 1_700_000_000_000n;
const surface: Surface = defaultSurface({ id: 1, symbol: "BTC-VOL", feedId: 1 });
const shape = { rhoPpm: -300_000, etaPpm: 1_000_000, gammaPpm: 400_000 };

/** 60 % from now. */
function sixty(nowMs: bigint, expiryMs: bigint, basisPpm = 0): SurfaceExpiryVote {
  return { expiryMs, theta: (36n * WAD * (expiryMs - nowMs)) / (36_500n * DAY_MS), basisPpm };
}

function accept(
  nowMs: bigint,
  expiries: readonly SurfaceExpiryVote[],
  previous?: SurfaceParameters,
): SurfaceParameters {
  const now = { timeNs: nowMs * 1_000_000n, height: 1 };
  const accepted = { shape, expiries, reportingPowerPpm: 1_000_000n };
  const next = nextParameters(surface, accepted, previous, now);
  expect(parametersFault(next)).toBeNull();
  return next;
}

function smile(parameters: SurfaceParameters, nowMs: bigint, expiryMs: bigint): Smile {
  const found = smileAt({ surface, parameters, timeNs: nowMs * 1_000_000n }, expiryMs);
  if (found === undefined) throw new Error("expected a smile");
  return found;
}

const volatility = (one: Smile): number => Number(smileVolatility(one, 1n, 1n)) / 1e18;

describe("the last expiry", () => {
  it("says by the year what the basis of a later one is, and no more than over an hour", () => {
    const soon = START_MS + 5_000n;
    const parameters = accept(START_MS, [sixty(START_MS, soon, 1)]);
    const basis = (ms: bigint): bigint => smile(parameters, START_MS, START_MS + ms).basisPpm;
    expect(basis(3_600_000n)).toBe(1n);
    // 5 s would make 17,280 of it, which is beyond where forwards may go.
    expect(basis(DAY_MS)).toBe(24n);
    expect(volatility(smile(parameters, START_MS, START_MS + DAY_MS))).toBeCloseTo(0.6, 6);
  });
});

describe("expiries that nobody votes for any more", () => {
  const week = START_MS + 7n * DAY_MS;
  const month = START_MS + 30n * DAY_MS;
  const both = [sixty(START_MS, week), sixty(START_MS, month, 2_000)];

  it("are dropped beside others, and kept, stale, where there is nothing else", () => {
    const first = accept(START_MS, both);
    const later = START_MS + 71_000n;
    expect(accept(later, [sixty(later, week)], first).expiries).toHaveLength(1);
    let parameters = first;
    for (let i = 1n; i <= 100n; i++) parameters = accept(START_MS + i * 7_000n, [], parameters);
    expect(parameters.expiries.map(({ expiryMs }) => expiryMs)).toEqual([week, month]);
    const kept = smile(parameters, START_MS + 700_000n, month);
    expect(kept.age).toBe("stale");
    expect(kept.basisPpm).toBe(2_000n);
    expect(volatility(kept)).toBeCloseTo(0.6, 6);
    // As after an outage, when the shape is too old as well.
    const after = accept(START_MS + 2n * DAY_MS, [], first);
    expect(after.expiries.map(({ expiryMs }) => expiryMs)).toEqual([week, month]);
    expect(after.expiries[0]?.timeNs).toBe(START_MS * 1_000_000n);
  });

  it("go when one is voted again, which they hold back by no step", () => {
    const now = START_MS + DAY_MS;
    const kept = accept(now, [], accept(START_MS, both));
    const fortnight = { ...sixty(now, START_MS + 14n * DAY_MS), theta: 7n * 10n ** 15n };
    const next = accept(now + 1_000n, [fortnight], kept);
    expect(next.expiries).toMatchObject([fortnight]);
    expect(smile(next, now + 1_000n, month).age).toBe("fresh");
  });

  it("leave the volatility of the last one behind when it has come, said or not", () => {
    // Voted for until its last second.
    const end = week - 1_000n;
    const last = accept(end, [sixty(end, week, 1)]);
    const soon = week + 1_000n;
    const asked = smile(last, soon, month);
    expect(asked.age).toBe("stale");
    expect(volatility(asked)).toBeCloseTo(0.6, 6);
    let parameters = accept(soon, [], last);
    for (let i = 0n; i < 3_000n; i++) parameters = accept(soon + i * 3_700n, [], parameters);
    const now = soon + 2_999n * 3_700n;
    expect(parameters.expiries).toHaveLength(1);
    const much = smile(parameters, now, month);
    expect(much.age).toBe("stale");
    expect(volatility(much)).toBeCloseTo(0.6, 6);
    // A millionth in the last second is no bound of the forward.
    expect(much.basisPpm).toBeLessThanOrEqual(600n);
    expect(smileAt({ surface, parameters, timeNs: now * 1_000_000n }, week)).toBeUndefined();
  });

  it("stay within what is stored, however much a last millisecond said", () => {
    const wild = { expiryMs: week, theta: MANTISSA_LIMIT - 1n, basisPpm: -1_000_000 };
    const first = accept(week - 1n, [wild]);
    const next = accept(week + 1n, [], first);
    expect(next.expiries[0]?.theta).toBeLessThan(MANTISSA_LIMIT);
    expect(Math.abs(next.expiries[0]?.basisPpm ?? 0)).toBeLessThanOrEqual(1_000_000);
  });

  it("are none before the first was voted", () => {
    const parameters = accept(START_MS + 1_000n, [], accept(START_MS, []));
    expect(parameters.expiries).toEqual([]);
    expect(smileAt({ surface, parameters, timeNs: START_MS * 1_000_000n }, month)).toBeUndefined();
  });

  it("cannot have come before the parameters were made", () => {
    const parameters = accept(START_MS, both);
    const late = { ...parameters, timeNs: week * 1_000_000n };
    expect(parametersFault(late)).toBe(`expiry ${week} had come`);
  });
});
