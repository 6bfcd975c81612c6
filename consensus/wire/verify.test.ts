import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, test } from "vitest";
import { blockIdFromCore, blockIdToCore, zeroBlockId } from "./block-id.ts";
import { extendedCommitFromVotes } from "./commit.ts";
import { ed25519Sign, verifyZip215 } from "./ed25519.ts";
import { duplicateVoteEvidence } from "./evidence.ts";
import { proposalSignBytes } from "./sign-bytes.ts";
import {
  blockIdOf,
  chainId,
  makeValidators,
  signCommit,
  signVote,
  startTime,
} from "./testing/world.ts";
import type { DuplicateVoteEvidence, Proposal, ValidatorInfo, Vote } from "./types.ts";
import {
  verifyCertificate,
  verifyDuplicateVote,
  verifyExtendedCommit,
  verifyProposal,
  verifyVote,
} from "./verify.ts";

const world = makeValidators([10n, 10n, 10n, 10n]);
const context = {
  chainId,
  validators: world.validators,
  extensionsEnabled: false,
  verifySignature: verifyZip215,
};
const enabled = { ...context, extensionsEnabled: true };

function codeOf(result: { readonly ok: boolean; readonly code?: string }): string {
  return result.ok ? "ok" : (result.code ?? "");
}

describe("votes", () => {
  test("a good vote becomes the core's vote", () => {
    const vote = signVote(world, { index: 2 });
    const verdict = verifyVote(vote, context);
    expect(verdict).toMatchObject({ ok: true });
    if (!verdict.ok) return;
    expect(verdict.value).toMatchObject({ kind: "precommit", height: 5, round: 0 });
    expect(verdict.value.validator).toMatch(/^[0-9A-F]{40}$/);
    expect(blockIdFromCore(verdict.value.blockId)).toEqual(vote.blockId);
  });

  test("a vote for nil has no block in the core", () => {
    const verdict = verifyVote(
      signVote(world, { index: 0, type: "prevote", blockId: zeroBlockId }),
      context,
    );
    expect(verdict.ok && verdict.value.blockId).toBe(null);
  });

  test("signature, chain, index and address must fit", () => {
    const vote = signVote(world, { index: 1 });
    expect(codeOf(verifyVote({ ...vote, round: 1 }, context))).toBe("wrong-signature");
    expect(codeOf(verifyVote(vote, { ...context, chainId: "other" }))).toBe("wrong-signature");
    expect(codeOf(verifyVote({ ...vote, validatorIndex: 2 }, context))).toBe("unknown-validator");
    expect(codeOf(verifyVote({ ...vote, validatorIndex: 9 }, context))).toBe("unknown-validator");
    expect(codeOf(verifyVote({ ...vote, height: 0 }, context))).toBe("malformed");
  });

  test("extensions off: none may come along", () => {
    const extended = signVote(world, { index: 1, extended: true });
    expect(codeOf(verifyVote(extended, context))).toBe("unexpected-extension");
  });

  test("extensions on: a precommit for a block needs a signed one, even empty", () => {
    const extension = utf8ToBytes("prices");
    expect(codeOf(verifyVote(signVote(world, { index: 1, extended: true }), enabled))).toBe("ok");
    expect(
      codeOf(verifyVote(signVote(world, { index: 1, extended: true, extension }), enabled)),
    ).toBe("ok");
    expect(codeOf(verifyVote(signVote(world, { index: 1 }), enabled))).toBe(
      "missing-extension-signature",
    );
    const tampered = {
      ...signVote(world, { index: 1, extended: true, extension }),
      extension: utf8ToBytes("p"),
    };
    expect(codeOf(verifyVote(tampered, enabled))).toBe("wrong-extension-signature");
  });

  test("extensions on: prevotes and nil precommits carry none", () => {
    expect(codeOf(verifyVote(signVote(world, { index: 1, type: "prevote" }), enabled))).toBe("ok");
    expect(codeOf(verifyVote(signVote(world, { index: 1, blockId: zeroBlockId }), enabled))).toBe(
      "ok",
    );
    const wrong = signVote(world, { index: 1, type: "prevote", extended: true });
    expect(codeOf(verifyVote(wrong, enabled))).toBe("malformed");
  });
});

describe("proposals", () => {
  const proposer = world.validators[3] as ValidatorInfo;
  const unsigned = {
    height: 5,
    round: 2,
    polRound: 1,
    blockId: blockIdOf("block"),
    timestamp: startTime,
  };
  const proposal: Proposal = {
    ...unsigned,
    signature: ed25519Sign(world.seeds[3] as Uint8Array, proposalSignBytes(chainId, unsigned)),
  };
  const proposed = { chainId, proposer, verifySignature: verifyZip215 };

  test("signed by the round's proposer it becomes the core's proposal", () => {
    const verdict = verifyProposal(proposal, proposed);
    expect(verdict).toMatchObject({ ok: true, value: { height: 5, round: 2, polRound: 1 } });
    expect(verdict.ok && verdict.value.blockId).toBe(blockIdToCore(proposal.blockId));
  });

  test("by anybody else, or changed, it is refused", () => {
    const other = { ...proposed, proposer: world.validators[0] as ValidatorInfo };
    expect(codeOf(verifyProposal(proposal, other))).toBe("wrong-signature");
    expect(codeOf(verifyProposal({ ...proposal, polRound: -1 }, proposed))).toBe("wrong-signature");
    expect(codeOf(verifyProposal({ ...proposal, polRound: 2 }, proposed))).toBe("malformed");
    expect(codeOf(verifyProposal({ ...proposal, blockId: zeroBlockId }, proposed))).toBe(
      "malformed",
    );
  });
});

describe("commits", () => {
  const blockId = blockIdOf("block");
  const vote = (index: number, given: Partial<Vote> = {}): Vote =>
    signVote(world, { index, extended: true, ...given });

  test("more than two thirds make a certificate, two of four do not", () => {
    const three = signCommit(world, { height: 5, blockId }, [0, 1, 3]);
    expect(verifyCertificate(three, context)).toMatchObject({
      ok: true,
      value: { height: 5, round: 0, blockId: blockIdToCore(blockId) },
    });
    const two = signCommit(world, { height: 5, blockId }, [0, 1]);
    expect(codeOf(verifyCertificate(two, context))).toBe("not-enough-power");
  });

  test("an extended commit needs every extension signature, and none where extensions are off", () => {
    const base = { height: 5, round: 0, blockId, validators: world.validators };
    const extended = extendedCommitFromVotes({ ...base, precommits: [vote(0), vote(1), vote(2)] });
    expect(codeOf(verifyExtendedCommit(extended, enabled))).toBe("ok");
    expect(codeOf(verifyExtendedCommit(extended, context))).toBe("malformed");
    const plain = [0, 1, 2].map((index) => signVote(world, { index }));
    const bare = extendedCommitFromVotes({ ...base, precommits: plain });
    expect(codeOf(verifyExtendedCommit(bare, context))).toBe("ok");
    expect(codeOf(verifyExtendedCommit(bare, enabled))).toBe("malformed");
    const forged = extended.extendedSignatures.map((one, index) =>
      index === 1 ? { ...one, extension: utf8ToBytes("forged") } : one,
    );
    expect(codeOf(verifyExtendedCommit({ ...extended, extendedSignatures: forged }, enabled))).toBe(
      "wrong-extension-signature",
    );
  });

  test("votes for another block count as absent, votes for nil stay", () => {
    const precommits = [
      vote(0),
      signVote(world, { index: 1, blockId: zeroBlockId }),
      vote(2, { blockId: blockIdOf("another") }),
    ];
    const commit = extendedCommitFromVotes({
      height: 5,
      round: 0,
      blockId,
      validators: world.validators,
      precommits,
    });
    expect(commit.extendedSignatures.map((one) => one.flag)).toEqual([
      "commit",
      "nil",
      "absent",
      "absent",
    ]);
  });

  test("votes that do not belong are a programming error", () => {
    const source = { height: 5, round: 0, blockId, validators: world.validators };
    const wrong = [
      vote(0, { height: 6 }),
      vote(0, { type: "prevote" }),
      { ...vote(0), validatorIndex: 1 },
    ];
    for (const one of wrong) {
      expect(() => extendedCommitFromVotes({ ...source, precommits: [one] })).toThrow(RangeError);
    }
  });
});

describe("duplicate votes", () => {
  const first = signVote(world, { index: 1 });
  const second = signVote(world, { index: 1, blockId: blockIdOf("another") });
  const given = { validators: world.validators, blockTime: startTime };
  const evidence = duplicateVoteEvidence({ first, second, ...given }) as DuplicateVoteEvidence;
  const check = (changed: Partial<DuplicateVoteEvidence>) =>
    verifyDuplicateVote(
      { ...evidence, ...changed },
      { ...given, chainId, verifySignature: verifyZip215 },
    );

  test("two signed votes of one validator hold", () => {
    expect(check({})).toBeNull();
  });

  test("anything that does not prove it is refused", () => {
    const foreign = signVote(world, { index: 2, blockId: evidence.voteB.blockId });
    const later = signVote(world, { index: 1, round: 1, blockId: evidence.voteB.blockId });
    expect(check({ voteB: foreign })?.message).toMatch(/one validator/);
    expect(check({ voteB: later })?.message).toMatch(/one height, round and type/);
    expect(check({ voteA: evidence.voteB, voteB: evidence.voteA })?.message).toMatch(
      /smaller block id/,
    );
    expect(check({ voteB: evidence.voteA })?.message).toMatch(/smaller block id/);
    expect(check({ validatorPower: 11n })?.message).toMatch(/power 10/);
    expect(check({ totalVotingPower: 41n })?.message).toMatch(/power 40/);
    expect(check({ timestamp: { seconds: 1n, nanos: 0 } })?.message).toMatch(/time of the block/);
    const unsigned = { ...evidence.voteB, signature: new Uint8Array(64) };
    expect(check({ voteB: unsigned })?.code).toBe("wrong-signature");
  });

  test("a voter outside the set gives no evidence", () => {
    expect(
      duplicateVoteEvidence({ first, second, ...given, validators: world.validators.slice(2) }),
    ).toBeNull();
  });
});
