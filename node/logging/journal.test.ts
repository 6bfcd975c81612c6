import type { CommittedBlock, PeerInfo } from "@keel/consensus/host/ports";
import type { DuplicateVoteEvidence, Evidence } from "@keel/consensus/wire/types";
import { beforeEach, describe, expect, it } from "vitest";
import { createJournal, type Journal } from "./journal.ts";

let nowMs: number;
let lines: string[];
let journal: Journal;
beforeEach(() => {
  nowMs = 1_000;
  lines = [];
  const write =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${value}`);
      lines.push(`${level} ${message}${pairs.join("")}`);
    };
  journal = createJournal({
    log: {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    },
    nowMs: () => nowMs,
    slowBlockMs: 2_000,
  });
});

const voter = new Uint8Array(20).fill(0xab);
const doubleVote = {
  kind: "duplicateVote",
  voteA: { height: 4, validatorAddress: voter },
} as DuplicateVoteEvidence;

function block(height: number, txs: number, evidence: readonly Evidence[] = []): CommittedBlock {
  const time = { seconds: 1_700_000_000n + BigInt(height), nanos: 0 };
  return { block: { header: { height, time }, txs: Array(txs), evidence } } as never;
}

describe("a block", () => {
  it("is one line: height, transactions, round, how long it took, its time", () => {
    journal.round(5, 0, "newHeight");
    nowMs += 800;
    journal.round(5, 0, "propose");
    nowMs += 62;
    journal.round(5, 0, "prevote");
    journal.committed(block(5, 3), null);
    expect(lines).toEqual([
      "info committed height=5 txs=3 round=0 took_ms=62 block_time=2023-11-14T22:13:25Z",
    ]);
  });

  it("that took longer than a round of timeouts is a warning, after a line for each new round", () => {
    for (const [round, step] of [
      [0, "propose"],
      [0, "prevote"],
      [1, "propose"],
      [1, "prevote"],
    ] as const) {
      journal.round(6, round, step);
      nowMs += 600;
    }
    journal.committed(block(6, 0), null);
    expect(lines).toEqual([
      "info new round height=6 round=1",
      "warn committed slowly height=6 txs=0 round=1 took_ms=2400 block_time=2023-11-14T22:13:26Z",
    ]);
  });

  it("that was never worked on here has no duration", () => {
    journal.committed(block(7, 1), null);
    expect(lines).toEqual([
      "info committed height=7 txs=1 round=0 block_time=2023-11-14T22:13:27Z",
    ]);
  });

  it("with evidence names the accused, and so does evidence when it is found", () => {
    journal.evidence(doubleVote);
    journal.committed(block(8, 0, [doubleVote]), null);
    const name = "AB".repeat(20);
    expect(lines.slice(0, 2)).toEqual([
      `warn evidence found kind=double vote height=4 validator=${name}`,
      `warn evidence committed kind=double vote height=4 validator=${name} in_block=8`,
    ]);
  });
});

it("a sync is a line now and then, and one at its end", () => {
  const sync = { height: 0, maxPeerHeight: 2_000, peers: 3 };
  for (let height = 1; height <= 1_300; height++) {
    journal.committed(block(height, 0), sync);
    nowMs += 10;
  }
  journal.caughtUp(1_300);
  expect(lines).toEqual([
    "info catching up height=1 target=2000 peers=3",
    "info catching up height=501 target=2000 peers=3",
    "info catching up height=1001 target=2000 peers=3",
    "info caught up height=1300 blocks=1300 seconds=13",
  ]);
  journal.caughtUp(1_300);
  expect(lines).toHaveLength(4);
});

it("peers come and go, without a word of their own", () => {
  const peer: PeerInfo = {
    id: "ab12",
    address: "10.0.0.7:26656",
    moniker: "INF committed height=99",
    outbound: true,
    connectedSinceMs: 0,
    dropped: 0,
  };
  journal.peer("ab12", "up", [peer]);
  journal.peer("ab12", "down", []);
  expect(lines).toEqual([
    "info peer joined peer=ab12 address=10.0.0.7:26656 outbound=true peers=1",
    "info peer left peer=ab12 peers=0",
  ]);
});

it("a missing price is said once it has lasted, and again when it is back", () => {
  journal.oracle([]);
  journal.oracle(["ETH-USD"]);
  nowMs += 2_000;
  journal.oracle([]);
  expect(lines).toEqual([]);
  for (let block = 0; block < 30; block++) {
    journal.oracle(["ETH-USD", "SOL-USD"]);
    nowMs += 200;
  }
  journal.oracle([]);
  expect(lines).toEqual([
    "warn oracle prices missing: this validator votes without them symbols=ETH-USD,SOL-USD",
    "info oracle prices are back",
  ]);
});
