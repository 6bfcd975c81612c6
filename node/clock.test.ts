import { describe, expect, it } from "vitest";
import { createClock, toMs, toTimestamp } from "./clock.ts";

describe("clock", () => {
  it("is real time without an anchor", () => {
    expect(Math.abs(createClock().nowMs() - Date.now())).toBeLessThan(1000);
  });

  it("runs from its anchor at its scale while timers stay real", async () => {
    const clock = createClock({ chainMs: 1_000_000, wallMs: Date.now(), scale: 1000 });
    const before = clock.nowMs();
    const real = clock.monotonicMs();
    await new Promise<void>((resolve) => clock.startTimer(20, resolve));
    const passed = clock.monotonicMs() - real;
    const chain = clock.nowMs() - before;
    expect(before).toBeGreaterThan(900_000);
    expect(chain).toBeGreaterThanOrEqual(passed * 1000);
    expect(chain).toBeLessThan(passed * 1000 + 20_000);
  });

  it("converts to seconds and nanoseconds, before 1970 too", () => {
    expect(toTimestamp(1_500.25)).toEqual({ seconds: 1n, nanos: 500_250_000 });
    expect(toTimestamp(-1)).toEqual({ seconds: -1n, nanos: 999_000_000 });
    expect(toMs({ seconds: -1n, nanos: 999_000_000 })).toBe(-1);
  });

  it("does not fire a cancelled timer", async () => {
    const clock = createClock();
    let fired = false;
    clock
      .startTimer(1, () => {
        fired = true;
      })
      .cancel();
    await new Promise<void>((resolve) => clock.startTimer(10, resolve));
    expect(fired).toBe(false);
  });
});
