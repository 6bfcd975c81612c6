/** Byte-for-byte agreement with CometBFT 0.38.26: `vectors/comet-0.38.json` was printed by a Go program built on its packages. */

import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import {
  addMs,
  formatTimestamp,
  parseTimestamp,
  timestampFromNanos,
  zeroTime,
} from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, test } from "vitest";
import { finalizeBlockResponseMessage, misbehaviorMessage, resultsHash } from "./abci.ts";
import { decodeBlock, encodeBlock } from "./block.ts";
import {
  commitHash,
  commitMessage,
  emptyCommit,
  extendedCommitFromVotes,
  extendedCommitMessage,
  stripExtensions,
} from "./commit.ts";
import { ed25519PublicKey, ed25519Sign } from "./ed25519.ts";
import {
  duplicateVoteEvidence,
  evidenceBytes,
  evidenceKey,
  evidenceListHash,
  evidenceMessage,
  evidenceToMisbehavior,
} from "./evidence.ts";
import { formatGenesis, parseGenesis } from "./genesis.ts";
import { headerHash, headerMessage } from "./header.ts";
import { lightBlockMessage } from "./light-block.ts";
import { merkleRoot, proofMessage, proveAll } from "./merkle.ts";
import {
  applyParamsUpdate,
  consensusHash,
  consensusParamsMessage,
  consensusParamsUpdateMessage,
  defaultConsensusParams,
} from "./params.ts";
import { createPartAssembler, partMessage, splitIntoParts } from "./part-set.ts";
import { proposalSignBytes, voteExtensionSignBytes, voteSignBytes } from "./sign-bytes.ts";
import { hashOf } from "./testing/world.ts";
import { medianTime } from "./time.ts";
import type {
  Block,
  BlockID,
  DuplicateVoteEvidence,
  Evidence,
  ValidatorInfo,
  Vote,
} from "./types.ts";
import { compareValidators, validatorSetMessage, validatorsHash } from "./validator-set.ts";
import vectors from "./vectors/comet-0.38.json" with { type: "json" };
import { proposalMessage, voteMessage } from "./vote.ts";

const hex = bytesToHexLower;
const { chainId } = vectors;
const time = parseTimestamp("2024-02-29T23:59:59.123456789Z");
const blockId: BlockID = {
  hash: hashOf("block 6"),
  partSetHeader: { total: 3, hash: hashOf("parts 6") },
};

const validators: readonly ValidatorInfo[] = vectors.validators.map((row) => ({
  address: hexToBytes(row.address),
  pubKey: hexToBytes(row.pubKey),
  power: BigInt(row.power),
  priority: BigInt(row.priority),
}));
const proposer = validators.find((one) => hex(one.address) === vectors.proposer) as ValidatorInfo;
const seedOf = (index: number): Uint8Array => hexToBytes(vectors.validators[index]?.seed ?? "");

/** Signs here what Go signed there: ed25519 is deterministic, so signatures must agree too. */
function precommit(index: number, given: Partial<Vote> & { readonly extended: boolean }): Vote {
  const { extended, ...fields } = given;
  const unsigned: Vote = {
    type: "precommit",
    height: 6,
    round: 1,
    blockId,
    timestamp: time,
    validatorAddress: validators[index]?.address ?? new Uint8Array(0),
    validatorIndex: index,
    signature: new Uint8Array(0),
    extension: new Uint8Array(0),
    extensionSignature: new Uint8Array(0),
    ...fields,
  };
  const signature = ed25519Sign(seedOf(index), voteSignBytes(chainId, unsigned));
  const extensionSignature = extended
    ? ed25519Sign(seedOf(index), voteExtensionSignBytes(chainId, unsigned))
    : unsigned.extensionSignature;
  return { ...unsigned, signature, extensionSignature };
}

const votes: readonly Vote[] = [
  precommit(0, { extension: utf8ToBytes("prices"), extended: true }),
  precommit(1, { timestamp: addMs(time, 1500), extended: true }),
  precommit(2, { timestamp: addMs(time, 3000), blockId: emptyCommit.blockId, extended: false }),
];
const extended = extendedCommitFromVotes({
  height: 6,
  round: 1,
  blockId,
  validators,
  precommits: votes,
});
const commit = stripExtensions(extended);

const other: BlockID = {
  hash: hashOf("block 6"),
  partSetHeader: { total: 2, hash: hashOf("other parts 6") },
};
const first = precommit(1, { extension: utf8ToBytes("x"), extended: true });
const second = precommit(1, { blockId: other, extended: true });
const duplicate = duplicateVoteEvidence({
  first,
  second,
  blockTime: time,
  validators,
}) as DuplicateVoteEvidence;
const attack: Evidence = {
  kind: "lightClientAttack",
  conflictingBlock: lightBlockMessage.decode(hexToBytes(vectors.lightBlock)),
  commonHeight: 4,
  byzantineValidators: validators.slice(0, 2),
  totalVotingPower: 107n,
  timestamp: time,
};

describe("validator set", () => {
  test("keys, order, hash and encoding", () => {
    expect(validators.map((_, index) => ed25519PublicKey(seedOf(index)))).toEqual(
      validators.map((one) => one.pubKey),
    );
    expect([...validators].sort(compareValidators)).toEqual(validators);
    expect(hex(validatorsHash(validators))).toBe(vectors.validatorsHash);
    expect(hex(validatorSetMessage.encode({ validators, proposer }))).toBe(vectors.validatorSet);
    expect(validatorSetMessage.decode(hexToBytes(vectors.validatorSet))).toEqual({
      validators,
      proposer,
    });
  });
});

describe("votes, commits and proposals", () => {
  test("votes with their sign bytes and signatures", () => {
    expect(votes).toHaveLength(vectors.votes.length);
    votes.forEach((vote, index) => {
      const row = vectors.votes[index];
      expect(hex(voteSignBytes(chainId, vote))).toBe(row?.signBytes);
      if (row?.extensionSignBytes !== undefined) {
        expect(hex(voteExtensionSignBytes(chainId, vote))).toBe(row.extensionSignBytes);
      }
      expect(hex(voteMessage.encode(vote))).toBe(row?.bytes);
      expect(voteMessage.decode(hexToBytes(row?.bytes ?? ""))).toEqual(vote);
    });
  });

  test("extended commit, commit, their hash and median time", () => {
    expect(hex(extendedCommitMessage.encode(extended))).toBe(vectors.extendedCommit);
    expect(extendedCommitMessage.decode(hexToBytes(vectors.extendedCommit))).toEqual(extended);
    expect(hex(commitMessage.encode(commit))).toBe(vectors.commit);
    expect(commitMessage.decode(hexToBytes(vectors.commit))).toEqual(commit);
    expect(hex(commitHash(commit))).toBe(vectors.commitHash);
    expect(formatTimestamp(medianTime(commit, validators) ?? zeroTime)).toBe(vectors.medianTime);
  });

  test("proposals with and without a proof-of-lock round", () => {
    for (const row of vectors.proposals) {
      const unsigned = { height: 7, round: 3, polRound: row.polRound, blockId, timestamp: time };
      const signBytes = proposalSignBytes(chainId, unsigned);
      expect(hex(signBytes)).toBe(row.signBytes);
      const proposal = { ...unsigned, signature: ed25519Sign(seedOf(0), signBytes) };
      expect(hex(proposalMessage.encode(proposal))).toBe(row.bytes);
      expect(proposalMessage.decode(hexToBytes(row.bytes))).toEqual(proposal);
    }
  });
});

describe("evidence", () => {
  test("duplicate votes are put in order whichever came first", () => {
    expect(hex(evidenceBytes(duplicate))).toBe(vectors.duplicateVote.bytes);
    expect(hex(evidenceKey(duplicate))).toBe(vectors.duplicateVote.hash);
    expect(
      duplicateVoteEvidence({ first: second, second: first, blockTime: time, validators }),
    ).toEqual(duplicate);
  });

  test("light client attack with its block", () => {
    expect(hex(lightBlockMessage.encode(attack.conflictingBlock))).toBe(vectors.lightBlock);
    expect(hex(evidenceBytes(attack))).toBe(vectors.lightClientAttack.bytes);
    expect(hex(evidenceKey(attack))).toBe(vectors.lightClientAttack.hash);
    expect(evidenceMessage.decode(evidenceMessage.encode(attack))).toEqual(attack);
  });

  test("list hash and what the application is told", () => {
    expect(hex(evidenceListHash([duplicate, attack]))).toBe(vectors.evidenceHash);
    const told = [duplicate, attack].flatMap(evidenceToMisbehavior);
    expect(told.map((one) => hex(misbehaviorMessage.encode(one)))).toEqual(vectors.misbehavior);
    expect(told.map((one) => misbehaviorMessage.decode(misbehaviorMessage.encode(one)))).toEqual(
      told,
    );
  });
});

describe("blocks", () => {
  const txs = [
    utf8ToBytes("a=b"),
    new Uint8Array(0),
    new Uint8Array(70_000).fill(0xab),
    utf8ToBytes("xyz".repeat(30_000)),
  ];
  const block: Block = {
    header: headerMessage.decode(hexToBytes(vectors.header)),
    txs,
    evidence: [duplicate, attack],
    lastCommit: commit,
  };
  const bytes = encodeBlock(block);

  test("encoding, header hash and list hashes", () => {
    expect(bytes.length).toBe(vectors.block.length);
    expect(hex(sha256(bytes))).toBe(vectors.block.sha256);
    expect(hex(headerHash(block.header))).toBe(vectors.block.hash);
    expect(hex(headerMessage.encode(block.header))).toBe(vectors.header);
    const decoded = decodeBlock(bytes);
    expect({ ...decoded, txs: [] }).toEqual({ ...block, txs: [] });
    expect(decoded.txs.map((tx) => hex(sha256(tx)))).toEqual(txs.map((tx) => hex(sha256(tx))));
  });

  test("parts with their proofs", () => {
    const { header, parts } = splitIntoParts(bytes);
    expect(hex(header.hash)).toBe(vectors.block.partsHash);
    const encoded = parts.map((part) => partMessage.encode(part));
    expect(encoded.map((part) => ({ length: part.length, sha256: hex(sha256(part)) }))).toEqual(
      vectors.block.parts,
    );
    const assembler = createPartAssembler(header);
    for (const part of encoded) expect(assembler.add(partMessage.decode(part))).toBe("added");
    expect(equalBytes(assembler.bytes() ?? new Uint8Array(0), bytes)).toBe(true);
  });

  test("the initial block", () => {
    const initial = hexToBytes(vectors.initialBlock.bytes);
    const decoded = decodeBlock(initial);
    expect(encodeBlock(decoded)).toEqual(initial);
    expect(decoded.lastCommit).toEqual(emptyCommit);
    expect(decoded.header.time).toEqual(time);
    expect(hex(headerHash(decoded.header))).toBe(vectors.initialBlock.hash);
    expect(hex(splitIntoParts(initial).header.hash)).toBe(vectors.initialBlock.partsHash);
  });
});

describe("parameters, results and genesis", () => {
  const params = {
    ...defaultConsensusParams,
    version: { app: 2n },
    abci: { voteExtensionsEnableHeight: 3 },
  };
  const update = {
    block: { maxBytes: -1n, maxGas: 5n },
    evidence: null,
    validator: null,
    version: null,
    abci: { voteExtensionsEnableHeight: 0 },
  };

  test("parameters and updates", () => {
    expect(hex(consensusParamsMessage.encode(params))).toBe(vectors.params);
    expect(consensusParamsMessage.decode(hexToBytes(vectors.params))).toEqual(params);
    expect(hex(consensusParamsUpdateMessage.encode(update))).toBe(vectors.paramsUpdate);
    expect(hex(consensusHash(applyParamsUpdate(params, update)))).toBe(vectors.paramsUpdateHash);
  });

  test("finalize response and results hash", () => {
    const none = new Uint8Array(0);
    const blank = {
      code: 0,
      data: none,
      log: "",
      info: "",
      gasWanted: 0n,
      gasUsed: 0n,
      events: [],
      codespace: "",
    };
    const response = {
      events: [
        {
          type: "begin",
          attributes: [
            { key: "k", value: "v", index: true },
            { key: "", value: "", index: false },
          ],
        },
        { type: "", attributes: [] },
      ],
      txResults: [
        {
          code: 5,
          data: Uint8Array.of(1, 2),
          log: "log",
          info: "info",
          gasWanted: 99_000n,
          gasUsed: 45_000n,
          codespace: "sdk",
          events: [{ type: "tx", attributes: [] }],
        },
        blank,
        { ...blank, gasWanted: -1n },
      ],
      validatorUpdates: [
        { pubKey: validators[0]?.pubKey ?? none, power: 12n },
        { pubKey: validators[1]?.pubKey ?? none, power: 0n },
      ],
      consensusParamUpdates: update,
      appHash: hashOf("app"),
    };
    expect(hex(finalizeBlockResponseMessage.encode(response))).toBe(vectors.finalizeBlock);
    expect(finalizeBlockResponseMessage.decode(hexToBytes(vectors.finalizeBlock))).toEqual(
      response,
    );
    expect(hex(resultsHash(response.txResults))).toBe(vectors.resultsHash);
  });

  test("a genesis file reads and writes as CometBFT's own", () => {
    const doc = parseGenesis(vectors.genesis);
    expect(doc.genesisTime).toEqual(time);
    expect(doc.initialHeight).toBe(3);
    expect(doc.consensusParams).toEqual(params);
    expect(doc.validators.map((one) => one.name)).toEqual(["node0", "node1", "node2", "node3"]);
    expect(JSON.parse(formatGenesis(doc))).toEqual(JSON.parse(vectors.genesis));
  });
});

describe("Merkle proofs and medians", () => {
  test("proofs of lists of 0 to 9", () => {
    vectors.merkle.forEach((row, count) => {
      const items = Array.from({ length: count }, (_, i) => utf8ToBytes(`item ${i}`));
      const { root, proofs } = proveAll(items);
      expect(hex(root)).toBe(row.root);
      expect(hex(merkleRoot(items))).toBe(row.root);
      expect(proofs.map((proof) => hex(proofMessage.encode(proof)))).toEqual(row.proofs ?? []);
    });
  });

  test("weighted medians", () => {
    for (const { rows, median } of vectors.medians) {
      const set = rows.map(({ power }, i) => ({
        address: new Uint8Array(20).fill(i + 1),
        pubKey: new Uint8Array(32),
        power: BigInt(power),
        priority: 0n,
      }));
      const signatures = rows.map(({ flag, nanos }, i) => ({
        flag:
          flag === 1 ? ("absent" as const) : flag === 2 ? ("commit" as const) : ("nil" as const),
        validatorAddress: set[i]?.address ?? new Uint8Array(0),
        timestamp: timestampFromNanos(BigInt(nanos)),
        signature: Uint8Array.of(1),
      }));
      const computed = medianTime({ height: 1, round: 0, blockId, signatures }, set);
      expect(computed).toEqual(timestampFromNanos(BigInt(median)));
    }
  });
});
