/** For every record: what is encoded decodes to itself, and no bytes whatever make a decoder do anything but accept canonically or refuse by name. */

import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { hexToBytes } from "@keel/proto/bytes/hex";
import { encodeUvarint } from "@keel/proto/bytes/varint";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Event,
  type ExecTxResult,
  type FinalizeBlockResponse,
  finalizeBlockResponseMessage,
} from "./abci.ts";
import { dataHash, decodeBlock, encodeBlock } from "./block.ts";
import { zeroBlockId } from "./block-id.ts";
import { absentSignature, commitHash, emptyCommit, extendedCommitMessage } from "./commit.ts";
import { evidenceMessage } from "./evidence.ts";
import { headerMessage } from "./header.ts";
import { ed25519Address } from "./keys.ts";
import { lightBlockMessage } from "./light-block.ts";
import { merkleRoot, proveAll, verifyProof } from "./merkle.ts";
import type { Message } from "./message.ts";
import { consensusParamsUpdateMessage } from "./params.ts";
import { partMessage, splitIntoParts } from "./part-set.ts";
import { makeHeader, makeValidators } from "./testing/world.ts";
import type {
  BlockID,
  ExtendedCommitSig,
  Header,
  Proposal,
  Timestamp,
  ValidatorInfo,
  Vote,
} from "./types.ts";
import { validatorSetMessage } from "./validator-set.ts";
import vectors from "./vectors/comet-0.38.json" with { type: "json" };
import { proposalMessage, voteMessage } from "./vote.ts";

const sized = (min: number, max: number = min): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: min, maxLength: max });
const plain = (value: Uint8Array): Uint8Array => new Uint8Array(value);
const hash = sized(32).map(plain);
const hashOrEmpty = fc.oneof(hash, fc.constant(new Uint8Array(0)));
const height = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.maxSafeNat().map((n) => Math.max(1, n)),
);
const int32 = fc.nat({ max: 2_147_483_647 });
const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const time: fc.Arbitrary<Timestamp> = fc.record({
  seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
  nanos: fc.nat({ max: 999_999_999 }),
});
const completeId: fc.Arbitrary<BlockID> = fc.record({
  hash,
  partSetHeader: fc.record({ total: fc.integer({ min: 1, max: 1600 }), hash }),
});
const signature = sized(1, 64).map(plain);
const address = sized(20).map(plain);

const vote: fc.Arbitrary<Vote> = fc
  .record({
    type: fc.constantFrom("prevote" as const, "precommit" as const),
    height,
    round: int32,
    blockId: fc.oneof(completeId, fc.constant(zeroBlockId)),
    timestamp: time,
    validatorAddress: address,
    validatorIndex: int32,
    signature,
    extension: sized(0, 40).map(plain),
    extensionSignature: signature,
  })
  .map((one) =>
    one.type === "precommit" && one.blockId !== zeroBlockId
      ? one
      : { ...one, extension: new Uint8Array(0), extensionSignature: new Uint8Array(0) },
  );

const proposal: fc.Arbitrary<Proposal> = fc
  .record({
    height,
    round: int32,
    polRound: fc.integer({ min: -1, max: 5 }),
    blockId: completeId,
    timestamp: time,
    signature,
  })
  .map((one) => ({ ...one, polRound: Math.min(one.polRound, one.round - 1) }));

const commitSig: fc.Arbitrary<ExtendedCommitSig> = fc.oneof(
  fc.constant(absentSignature),
  fc.record({
    flag: fc.constant("commit" as const),
    validatorAddress: address,
    timestamp: time,
    signature,
    extension: sized(0, 30).map(plain),
    extensionSignature: signature,
  }),
  fc.record({
    flag: fc.constant("nil" as const),
    validatorAddress: address,
    timestamp: time,
    signature,
    extension: fc.constant(new Uint8Array(0)),
    extensionSignature: fc.constant(new Uint8Array(0)),
  }),
);
const extendedCommit = fc.record({
  height,
  round: int32,
  blockId: completeId,
  extendedSignatures: fc.array(commitSig, { minLength: 1, maxLength: 5 }),
});

const header: fc.Arbitrary<Header> = fc.record({
  version: fc.record({
    block: fc.constant(11n),
    app: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  }),
  chainId: fc
    .string({ maxLength: 12, unit: "binary" })
    .filter((text) => new TextEncoder().encode(text).length <= 50),
  height,
  time,
  lastBlockId: fc.oneof(completeId, fc.constant(zeroBlockId)),
  lastCommitHash: hashOrEmpty,
  dataHash: hashOrEmpty,
  validatorsHash: hashOrEmpty,
  nextValidatorsHash: hashOrEmpty,
  consensusHash: hashOrEmpty,
  appHash: sized(0, 40).map(plain),
  lastResultsHash: hashOrEmpty,
  evidenceHash: hashOrEmpty,
  proposerAddress: address,
});

const validator: fc.Arbitrary<ValidatorInfo> = fc
  .record({ pubKey: hash, power: fc.bigInt({ min: 0n, max: 1n << 50n }), priority: int64 })
  .map((one) => ({ address: ed25519Address(one.pubKey), ...one }));
const validatorSet = fc
  .uniqueArray(validator, { minLength: 1, maxLength: 4, selector: (one) => one.pubKey.join() })
  .map((validators) => ({ validators, proposer: validators[0] ?? null }));

const words = fc.string({ maxLength: 6 });
const event: fc.Arbitrary<Event> = fc.record({
  type: words,
  attributes: fc.array(fc.record({ key: words, value: words, index: fc.boolean() }), {
    maxLength: 3,
  }),
});
const result: fc.Arbitrary<ExecTxResult> = fc.record({
  code: fc.nat({ max: 4_294_967_295 }),
  data: sized(0, 9).map(plain),
  log: words,
  info: words,
  gasWanted: int64,
  gasUsed: int64,
  events: fc.array(event, { maxLength: 2 }),
  codespace: words,
});
const paramsUpdate = fc.record({
  block: fc.option(fc.record({ maxBytes: int64, maxGas: int64 })),
  evidence: fc.option(
    fc.record({ maxAgeNumBlocks: int64, maxAgeDurationNanos: int64, maxBytes: int64 }),
  ),
  validator: fc.option(fc.record({ pubKeyTypes: fc.array(words, { maxLength: 3 }) })),
  version: fc.option(fc.record({ app: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) })),
  abci: fc.option(fc.record({ voteExtensionsEnableHeight: fc.maxSafeNat() })),
});
const response: fc.Arbitrary<FinalizeBlockResponse> = fc.record({
  events: fc.array(event, { maxLength: 2 }),
  txResults: fc.array(result, { maxLength: 3 }),
  validatorUpdates: fc.array(fc.record({ pubKey: hash, power: int64 }), { maxLength: 2 }),
  consensusParamUpdates: fc.option(paramsUpdate),
  appHash: sized(0, 32).map(plain),
});

function keepsItself<T>(codec: Message<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(codec.decode(codec.encode(value))).toEqual(value);
    }),
    { numRuns: 150 },
  );
}

describe("what is encoded decodes to itself", () => {
  test("votes", () => keepsItself(voteMessage, vote));
  test("proposals", () => keepsItself(proposalMessage, proposal));
  test("extended commits", () => keepsItself(extendedCommitMessage, extendedCommit));
  test("headers", () => keepsItself(headerMessage, header));
  test("validator sets", () => keepsItself(validatorSetMessage, validatorSet));
  test("parameter updates", () => keepsItself(consensusParamsUpdateMessage, paramsUpdate));
  test("finalize responses", () => keepsItself(finalizeBlockResponseMessage, response));
  test("blocks", () => {
    const world = makeValidators([1n]);
    fc.assert(
      fc.property(fc.array(sized(0, 50).map(plain), { maxLength: 5 }), (txs) => {
        const given = { dataHash: dataHash(txs), lastCommitHash: commitHash(emptyCommit) };
        const block = {
          header: makeHeader(world, given),
          txs,
          evidence: [],
          lastCommit: emptyCommit,
        };
        expect(decodeBlock(encodeBlock(block))).toEqual(block);
      }),
    );
  });
});

/** One real encoding and a decoder that gives back the canonical bytes of what it accepted. */
const subjects: readonly [string, Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
  subject("vote", hexToBytes(vectors.votes[0]?.bytes ?? ""), voteMessage),
  subject("proposal", hexToBytes(vectors.proposals[0]?.bytes ?? ""), proposalMessage),
  subject("extended commit", hexToBytes(vectors.extendedCommit), extendedCommitMessage),
  subject("header", hexToBytes(vectors.header), headerMessage),
  subject("validator set", hexToBytes(vectors.validatorSet), validatorSetMessage),
  subject("light block", hexToBytes(vectors.lightBlock), lightBlockMessage),
  subject("finalize response", hexToBytes(vectors.finalizeBlock), finalizeBlockResponseMessage),
  subject("parameters", hexToBytes(vectors.params), consensusParamsUpdateMessage),
  subject(
    "part",
    partMessage.encode(splitIntoParts(hexToBytes("010203")).parts[0] as never),
    partMessage,
  ),
  subject("evidence", inOneof(hexToBytes(vectors.duplicateVote.bytes)), evidenceMessage),
  ["block", hexToBytes(vectors.initialBlock.bytes), (bytes) => encodeBlock(decodeBlock(bytes))],
];

/** Field 1 of the oneof around the inner message. */
function inOneof(inner: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(10), encodeUvarint(inner.length), inner);
}

function subject<T>(
  name: string,
  bytes: Uint8Array,
  codec: Message<T>,
): [string, Uint8Array, (b: Uint8Array) => Uint8Array] {
  return [name, bytes, (input) => codec.encode(codec.decode(input))];
}

function acceptsOnlyCanonical(
  again: (bytes: Uint8Array) => Uint8Array,
  bytes: Uint8Array,
): boolean {
  try {
    return equalBytes(again(bytes), bytes);
  } catch (error) {
    if (error instanceof DecodeError) return true;
    throw error;
  }
}

describe("whatever the bytes", () => {
  test.each(subjects)("a mutated %s is refused by name or canonical", (_, original, again) => {
    const edit = fc.record({
      at: fc.nat({ max: original.length - 1 }),
      remove: fc.nat({ max: 3 }),
      insert: sized(0, 3),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const bytes = [...original];
        for (const { at, remove, insert } of edits) bytes.splice(at, remove, ...insert);
        return acceptsOnlyCanonical(again, Uint8Array.from(bytes));
      }),
      { numRuns: 400 },
    );
  });

  test.each(subjects)("every prefix of a %s is refused or canonical", (_, original, again) => {
    for (let length = 0; length < original.length; length++) {
      expect(acceptsOnlyCanonical(again, original.subarray(0, length))).toBe(true);
    }
    expect(equalBytes(again(original), original)).toBe(true);
  });

  test.each(subjects)("random bytes are no %s, or a canonical one", (_, __, again) => {
    fc.assert(
      fc.property(sized(0, 60), (bytes) => acceptsOnlyCanonical(again, bytes)),
      { numRuns: 300 },
    );
  });
});

describe("Merkle proofs", () => {
  test("each item proves its own place and no other item does", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(sized(0, 6).map(plain), {
          minLength: 1,
          maxLength: 20,
          selector: (b) => b.join(),
        }),
        (items) => {
          const { root, proofs } = proveAll(items);
          expect(root).toEqual(merkleRoot(items));
          proofs.forEach((proof, index) => {
            expect(items.map((item) => verifyProof(root, item, proof))).toEqual(
              items.map((_, other) => other === index),
            );
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a proof of another total or index is refused", () => {
    const items = [1, 2, 3, 4, 5].map((n) => Uint8Array.of(n));
    const { root, proofs } = proveAll(items);
    const proof = proofs[2];
    if (proof === undefined) throw new Error("expected a proof");
    expect(verifyProof(root, Uint8Array.of(3), proof)).toBe(true);
    for (const change of [
      { index: 3 },
      { index: 5 },
      { index: -1 },
      { total: 0 },
      { aunts: [] },
      { aunts: proof.aunts.map((aunt) => aunt.subarray(1)) },
    ]) {
      expect(verifyProof(root, Uint8Array.of(3), { ...proof, ...change })).toBe(false);
    }
  });
});
