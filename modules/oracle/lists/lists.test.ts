import { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import type { InclusionList } from "@keel/proto/gen/keel/oracle/v1/types";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { describe, expect, it } from "vitest";
import { createTestOracle, type TestOracle } from "../testing.ts";
import { listOf, txKeys } from "./keys.ts";

const [A, B, C, D] = txKeys([1, 2, 3, 4].map((byte) => Uint8Array.of(byte))) as [
  string,
  string,
  string,
  string,
];
const none: Uint8Array = new Uint8Array(0);

/** Which of the four transactions are listed, as the executor sees them; "none": there is no record. */
function rounds({ keeper, ctx }: TestOracle) {
  const found = keeper.listedNow(ctx);
  return found === null ? "none" : [A, B, C, D].map((key) => found.has(key));
}

/** Rounds that end with the block. */
function due({ keeper, ctx }: TestOracle) {
  return keeper.putOff(ctx) === null ? [ctx.header.height] : [];
}

/** Which of them the block put off. */
function putOff({ keeper, ctx }: TestOracle) {
  const found = keeper.putOff(ctx);
  return found === null ? "none" : [A, B, C, D].map((key) => found.has(key));
}

/** The next block: everyone names these, and it holds those. Returns the rounds that end with it. */
function block(oracle: TestOracle, named: readonly string[], held: readonly string[]) {
  oracle.ctx.nextBlock();
  if (oracle.expected([[], [], [], []]).overdue.length > 0) oracle.keeper.endPutOff(oracle.ctx);
  oracle.list([named, named, named, named]);
  oracle.keeper.closeList(oracle.ctx, held);
  return due(oracle);
}

describe("a transaction", () => {
  it("is listed when voters with more than a third of all power name it, and not with exactly a third", () => {
    const thirds = createTestOracle({ powers: [1n, 1n, 1n] });
    thirds.list([[A, B], [B], []]);
    expect(rounds(thirds)).toEqual([false, true, false, false]);
    const unequal = createTestOracle({ powers: [34n, 33n, 33n] });
    unequal.list([[A], [B], [C]]);
    expect(rounds(unequal)).toEqual([true, false, false, false]);
    // The share is of the whole set: who does not vote counts against it.
    const silent = createTestOracle({ powers: [1n, 1n, 1n] });
    silent.list([[A], null, null]);
    expect(rounds(silent)).toBe("none");
  });

  it("that a third at most makes up changes nothing: no record, no round put off", () => {
    const oracle = createTestOracle({ powers: [1n, 1n, 1n] });
    oracle.list([[A, B, C, D], [], []]);
    oracle.keeper.closeList(oracle.ctx, []);
    expect(rounds(oracle)).toBe("none");
    expect(due(oracle)).toEqual([10]);
    expect(oracle.state.inclusionList.get(oracle.ctx)).toBeUndefined();
    expect(oracle.eventsOf("oracle_transactions_missing")).toEqual([]);
  });

  it("in a malformed list is named by nobody", () => {
    const oracle = createTestOracle();
    const twice = listOf([A]);
    const bytes = OracleVote.encode(
      OracleVote.fromPartial({ transactions: Uint8Array.from([...twice, ...twice]) }),
    ).finish();
    oracle.list([bytes, bytes, bytes, bytes]);
    expect(rounds(oracle)).toBe("none");
  });

  it("is named by votes from before an outage too", () => {
    const oracle = createTestOracle();
    oracle.list([[A], [A], [], []], { outdated: true });
    expect(rounds(oracle)).toEqual([true, false, false, false]);
  });
});

describe("a round", () => {
  it("is held with its block when nothing listed is missing, and a block later when something is, never more", () => {
    const oracle = createTestOracle();
    // B is left out: round 11 waits.
    expect(block(oracle, [A, B], [A, D])).toEqual([]);
    expect([rounds(oracle), putOff(oracle)]).toEqual([
      [true, true, false, false],
      [false, true, false, false],
    ]);
    // Round 11 has ended without B, which is named anew: it belongs to round 12, and that waits.
    expect(block(oracle, [B, C], [C])).toEqual([]);
    expect([rounds(oracle), putOff(oracle)]).toEqual([
      [false, true, true, false],
      [false, true, false, false],
    ]);
    expect(block(oracle, [C], [B, C])).toEqual([13]);
    expect([rounds(oracle), putOff(oracle)]).toEqual([[false, false, true, false], "none"]);
    expect(oracle.violation()).toBeNull();
    // With nothing to say the record goes.
    expect(block(oracle, [], [])).toEqual([14]);
    expect([rounds(oracle), putOff(oracle)]).toEqual(["none", "none"]);
    expect(oracle.state.inclusionList.get(oracle.ctx)).toBeUndefined();
    expect(oracle.eventsOf("oracle_transactions_missing")).toEqual([
      { proposer: "", missing: "1" },
      { proposer: "", missing: "1" },
    ]);
  });

  it("that was put off stays open over blocks that bring nothing of it, until it ends", () => {
    const oracle = createTestOracle();
    expect(block(oracle, [A], [])).toEqual([]);
    oracle.ctx.nextBlock();
    oracle.ctx.nextBlock();
    expect(oracle.expected([[B], [B], [B], [B]])).toEqual({ overdue: [A], listed: [B] });
    oracle.keeper.endPutOff(oracle.ctx);
    expect(oracle.expected([[B], [B], [B], [B]])).toEqual({ overdue: [], listed: [B] });
  });
});

describe("a proposal", () => {
  it("is expected to hold what is overdue, then what is listed, each once and by key", () => {
    const oracle = createTestOracle();
    const all = (...keys: string[]) => [keys, keys, keys, keys];
    const [first, second, third] = [A, B, C].sort() as [string, string, string];
    expect(oracle.expected(all(first, second))).toEqual({ overdue: [], listed: [first, second] });
    expect(oracle.expected([[A], null, [], []])).toEqual({ overdue: [], listed: [] });
    block(oracle, [second, third], [third]);
    oracle.ctx.nextBlock();
    const expected = { overdue: [second], listed: [first, third] };
    expect(oracle.expected(all(third, second, first))).toEqual(expected);
  });
});

describe("a record", () => {
  it("is not carried into another chain, where it would be of a block that is not there", () => {
    const oracle = createTestOracle();
    block(oracle, [A, B], [A]);
    expect(oracle.state.inclusionList.get(oracle.ctx)).toBeDefined();
    const imported = createTestOracle({
      from: { genesis: oracle.exported(), header: { ...oracle.ctx.header, height: 1 } },
    });
    expect(imported.state.inclusionList.get(imported.ctx)).toBeUndefined();
    expect(imported.violation()).toBeNull();
    expect(block(imported, [B, C], [B, C])).toEqual([2]);
  });

  it("is unsound when no block wrote it", () => {
    const oracle = createTestOracle();
    block(oracle, [A, B], [A]);
    expect(oracle.violation()).toBeNull();
    const record = oracle.state.inclusionList.get(oracle.ctx) as InclusionList;
    const tooMany = txKeys(Array.from({ length: 301 }, (_, i) => Uint8Array.of(i >> 8, i & 255)));
    for (const [change, fault] of [
      [{ listed: new Uint8Array(19) }, "hashes of 20 bytes"],
      [{ listed: new Uint8Array(40) }, "ascending"],
      [{ listed: listOf(tooMany) }, "at most 300"],
      [{ missing: listOf([C]) }, "not listed"],
      [{ height: 0n }, "a height"],
      [{ height: record.height + 1n }, "from the future"],
      [{ listed: none, missing: none }, "nothing is listed"],
    ] as const) {
      oracle.state.inclusionList.set(oracle.ctx, { ...record, ...change });
      expect(oracle.violation(), fault).toContain(fault);
    }
  });
});

describe("a genesis whose chain begins lower than the one it is of", () => {
  const TOTAL = 50;
  const lower = (initial: number) => {
    const oracle = createTestOracle();
    for (let height = 2; height <= TOTAL; height++) oracle.block(100n);
    const genesis = GenesisState.decode(oracle.exported());
    // Another set was in force later on than the first block of the new chain.
    const sets = [
      genesis.validatorSets[0],
      { fromHeight: 40n, validators: genesis.validatorSets[0]?.validators.slice(0, 3) },
    ];
    const validatorSets = sets as GenesisState["validatorSets"];
    return createTestOracle({
      from: {
        genesis: GenesisState.encode({ ...genesis, validatorSets }).finish(),
        header: { ...oracle.ctx.header, height: initial },
      },
    });
  };

  it("has one set of validators, the last, until it is given another", () => {
    const oracle = lower(5);
    const at = (height: number) => oracle.keeper.validatorsAt(oracle.ctx, height).length;
    // Those given to the test's chain are of height 1.
    expect([at(5), at(39), at(40), at(60)]).toEqual([3, 3, 3, 3]);
  });

  it("takes the update of a height that has had one before", () => {
    const oracle = lower(TOTAL - 1);
    expect(oracle.block(200n)).toBe(1);
    expect(oracle.ctx.header.height).toBe(TOTAL);
    expect(oracle.keeper.price(oracle.ctx, 1)).toMatchObject({ mantissa: 200n });
  });
});
