import { describe, expect, it } from "vitest";
import { banFirstMs, redialFirstMs, redialMaxMs, redialSettledMs } from "./limits.ts";
import { PeerScores } from "./peer-score.ts";
import { Redialer } from "./redialer.ts";
import { VirtualTime } from "./test-support.ts";
import { TokenBucket } from "./token-bucket.ts";

const peer = { id: "ab".repeat(20), host: "h", port: 1 };

describe("redialer", () => {
  it("waits longer after each failure up to the ceiling, and starts over after a link that lasted", async () => {
    const time = new VirtualTime();
    const dialsMs: number[] = [];
    let isUp = false;
    const redialer = new Redialer(
      {
        clock: time.clock,
        dial: () => {
          dialsMs.push(time.clock.monotonicMs());
          return isUp ? Promise.resolve() : Promise.reject(new Error("refused"));
        },
        isUp: () => isUp,
        random: () => 0.5,
      },
      [peer],
    );
    redialer.start();
    // The first failure arrives before the clock moves.
    await new Promise((resolve) => setImmediate(resolve));
    await time.pass(60_000);
    const waits = dialsMs.slice(1).map((ms, i) => ms - (dialsMs[i] ?? 0));
    expect(waits.slice(0, 3)).toEqual([redialFirstMs, 160, 256]);
    expect(Math.max(...waits)).toBe(redialMaxMs);
    isUp = true;
    await time.pass(redialMaxMs);
    const dials = dialsMs.length;
    isUp = false;
    redialer.lost(peer.id, redialSettledMs);
    await time.pass(redialFirstMs + 1);
    expect(dialsMs.length).toBe(dials + 1);
    redialer.stop();
    await time.pass(60_000);
    expect(dialsMs.length).toBe(dials + 1);
  });
});

describe("peer scores", () => {
  it("forgive slowly, ban past the limit, and ban longer the second time", () => {
    const scores = new PeerScores();
    for (let second = 0; second < 1_000; second += 10) {
      expect(scores.report(peer.id, "minor", second * 1_000)).toBe(false);
    }
    let nowMs = 1_000_000;
    const ban = (): void => {
      let reports = 1;
      while (!scores.report(peer.id, "major", nowMs)) reports += 1;
      expect(reports).toBeGreaterThanOrEqual(3);
    };
    ban();
    expect(scores.isBanned(peer.id, nowMs + banFirstMs - 1)).toBe(true);
    nowMs += banFirstMs;
    expect(scores.isBanned(peer.id, nowMs)).toBe(false);
    ban();
    expect(scores.isBanned(peer.id, nowMs + 2 * banFirstMs - 1)).toBe(true);
    expect(scores.isBanned(peer.id, nowMs + 2 * banFirstMs)).toBe(false);
  });
});

describe("token bucket", () => {
  it("gives a second's burst and then its rate, and says how long to wait", () => {
    const bucket = new TokenBucket(100, 0);
    for (let i = 0; i < 100; i++) expect(bucket.take(1, 0)).toBe(true);
    expect(bucket.take(1, 0)).toBe(false);
    expect(bucket.waitMs(0)).toBe(10);
    expect(bucket.take(1, 10)).toBe(true);
    // One larger than all is let through once and paid for afterwards.
    expect(bucket.take(500, 1_010)).toBe(true);
    expect(bucket.waitMs(1_010)).toBe(4_010);
  });
});
