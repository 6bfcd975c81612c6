import { describe, expect, it } from "vitest";
import type { ClosingBooks, Flows, Opening } from "./checks.ts";
import { checkBooks, checkCrowd, checkHashes } from "./checks.ts";
import { compareHashes } from "./compare-hashes.ts";
import { exitCode, makeReport } from "./report.ts";
import { emptyTally } from "./tally.ts";

// Two accounts put in 100 and 50; one lost 30 to the other, of which 2 went to insurance as a penalty and 1 is held as a fee.
const books: ClosingBooks = {
  height: 10,
  accounts: [
    { collateral: 125n, equity: 127n },
    { collateral: 22n, equity: 20n },
  ],
  positions: [
    { market: "BTC-USD-PERP", lots: 5n },
    { market: "BTC-USD-PERP", lots: -5n },
  ],
  totals: { collateral: 147n, feesHeld: 1n, pendingShortfall: 0n },
  insurance: 12n,
  vault: 160n,
  supply: 1_000n,
  wallets: 840n,
};
const flows: Flows = {
  deposited: 150n,
  withdrawn: 0n,
  feesCollected: 0n,
  insuranceFunded: 0n,
  insuranceReceived: 2n,
  insurancePaid: 0n,
  alarms: [],
};
const opening: Opening = { supply: 1_000n, fund: 10n };

const failing = (changed: Partial<ClosingBooks>, flow: Partial<Flows> = {}): string[] =>
  checkBooks({ ...books, ...changed }, { ...flows, ...flow }, opening)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

describe("closing checks", () => {
  it("hold for books that balance", () => {
    expect(failing({})).toEqual([]);
  });

  it("each notice their own break, by a single unit", () => {
    expect(failing({ vault: 159n })).toHaveLength(3);
    expect(failing({ supply: 1_001n })).toHaveLength(2);
    expect(failing({ wallets: 841n })).toHaveLength(1);
    expect(failing({ accounts: [{ collateral: 147n, equity: 148n }] })).toEqual([
      "money conserved: vault = equity of all accounts at mark + insurance + fees held",
    ]);
    expect(failing({ accounts: [{ collateral: 146n, equity: 147n }] })).toEqual([
      "collateral of all accounts = running total",
    ]);
    expect(failing({ positions: [{ market: "BTC-USD-PERP", lots: 1n }] })).toEqual([
      "positions of BTC-USD-PERP sum to zero",
    ]);
    expect(
      failing({
        accounts: [
          { collateral: 147n, equity: 148n },
          { collateral: 0n, equity: -1n },
        ],
      }),
    ).toEqual(["accounts below zero = deficit queue"]);
    expect(failing({}, { deposited: 151n })).toHaveLength(1);
    expect(failing({}, { insurancePaid: 1n })).toEqual([
      "insurance = opening fund + gifts + received - paid",
    ]);
    expect(failing({}, { alarms: ["block 3: market_quarantined"] })).toEqual([
      "no market quarantined, no invariant broken",
    ]);
  });

  it("notice a crowd that does not trade", () => {
    expect(checkCrowd({ traders: 60, opened: 57 })).toMatchObject({ ok: true, detail: "57 of 60" });
    expect(checkCrowd({ traders: 60, opened: 56 }).ok).toBe(false);
    expect(checkCrowd({ traders: 0, opened: 0 }).ok).toBe(false);
  });

  it("notice a different or missing app hash, and an empty comparison", () => {
    const agreed = new Map([
      [1, "AA"],
      [2, "BB"],
    ]);
    expect(checkHashes(compareHashes(agreed, [agreed, agreed], 1, 2)).ok).toBe(true);
    const other = new Map([
      [1, "AA"],
      [2, "BC"],
    ]);
    expect(checkHashes(compareHashes(agreed, [agreed, other], 1, 2))).toMatchObject({
      ok: false,
      detail: "height 2: node1 has BC, the chain agreed on BB",
    });
    expect(checkHashes(compareHashes(agreed, [agreed, new Map([[1, "AA"]])], 1, 2)).detail).toBe(
      "height 2: node1 has no app hash",
    );
    expect(checkHashes(compareHashes(new Map(), [], 1, 0)).ok).toBe(false);
  });
});

describe("exit code", () => {
  const report = (vault: bigint) =>
    makeReport(
      {
        prices: "generator",
        seed: 1,
        scale: 40,
        validators: 4,
        ranges: false,
        traders: ["keel1a/0"],
        fundBefore: 10n,
        fundAfter: 12n,
        shortfallAtEnd: 0n,
        refused: new Map(),
        blocks: [
          { timeMs: 0, txs: 0 },
          { timeMs: 40_000, txs: 5 },
          { timeMs: 120_000, txs: 7 },
        ],
        checks: checkBooks({ ...books, vault }, flows, opening),
        figures: { books: { ...books, vault }, flows, opening, crowd: { traders: 1, opened: 1 } },
      },
      emptyTally(),
    );

  it("is 0 when everything balances and 1 when one unit is missing", () => {
    expect(exitCode(report(160n).checks)).toBe(0);
    expect(exitCode(report(159n).checks)).toBe(1);
  });

  it("comes with intervals and rates in real time", () => {
    const { blocks, txs, seconds } = report(160n);
    expect(blocks.intervalMs).toEqual({ p50: 2_000, p99: 2_000, max: 2_000 });
    expect([txs.perSecond, seconds]).toEqual([4, 3]);
  });

  it("is 1 without any check", () => {
    expect(exitCode([])).toBe(1);
  });
});
