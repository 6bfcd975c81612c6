import { describe, expect, test } from "vitest";
import { zeroBlockId } from "./block-id.ts";
import { extendedCommitFromVotes, stripExtensions } from "./commit.ts";
import { type VerifySignature, verifyZip215 } from "./ed25519.ts";
import { blockIdOf, chainId, makeValidators, signCommit, signVote } from "./testing/world.ts";
import type { Commit, CommitSig } from "./types.ts";
import { verifyCommitFull, verifyCommitLight, verifyCommitLightTrusting } from "./verify-commit.ts";

const world = makeValidators([10n, 10n, 10n, 10n, 5n]);
const blockId = blockIdOf("block");
const target = { height: 5, blockId };
const good = signCommit(world, target);

function check(commit: Commit, verifySignature: VerifySignature = verifyZip215) {
  return { chainId, validators: world.validators, commit, verifySignature };
}

function changed(index: number, given: Partial<CommitSig>, from: Commit = good): Commit {
  const signatures = from.signatures.map((one, at) => (at === index ? { ...one, ...given } : one));
  return { ...from, signatures };
}

const badSignature = new Uint8Array(64).fill(7);

describe("full mode", () => {
  test("a complete commit holds and every signature is checked", () => {
    let checks = 0;
    const counting: VerifySignature = (...args) => {
      checks++;
      return verifyZip215(...args);
    };
    expect(verifyCommitFull(check(good, counting), target)).toBeNull();
    expect(checks).toBe(5);
  });

  test("a bad signature after two thirds is still refused, also one for nil", () => {
    expect(verifyCommitFull(check(changed(4, { signature: badSignature })), target)?.code).toBe(
      "wrong-signature",
    );
    const precommits = [0, 1, 2, 3]
      .map((index) => signVote(world, { index }))
      .concat(signVote(world, { index: 4, blockId: zeroBlockId }));
    const withNil = stripExtensions(
      extendedCommitFromVotes({ ...target, round: 0, validators: world.validators, precommits }),
    );
    expect(verifyCommitFull(check(withNil), target)).toBeNull();
    const badNil = changed(4, { signature: badSignature }, withNil);
    expect(verifyCommitFull(check(badNil), target)?.code).toBe("wrong-signature");
    expect(verifyCommitLight(check(badNil), target)).toBeNull();
  });

  test("30 of 45 is exactly two thirds and not enough, 35 is", () => {
    const thirty = signCommit(world, target, [0, 1, 2]);
    expect(verifyCommitFull(check(thirty), target)?.code).toBe("not-enough-power");
    expect(verifyCommitFull(check(signCommit(world, target, [0, 1, 2, 4])), target)).toBeNull();
  });

  test("nil votes do not count toward the block", () => {
    const precommits = [0, 1, 2, 3].map((index) =>
      signVote(world, index < 3 ? { index } : { index, blockId: zeroBlockId }),
    );
    const commit = stripExtensions(
      extendedCommitFromVotes({ ...target, round: 0, validators: world.validators, precommits }),
    );
    expect(verifyCommitFull(check(commit), target)?.code).toBe("not-enough-power");
  });

  test("size, height, block and address at index must fit", () => {
    const short = { ...good, signatures: good.signatures.slice(1) };
    expect(verifyCommitFull(check(short), target)?.code).toBe("wrong-size");
    expect(verifyCommitFull(check(good), { ...target, height: 6 })?.code).toBe("wrong-height");
    expect(verifyCommitFull(check(good), { ...target, blockId: blockIdOf("x") })?.code).toBe(
      "wrong-block-id",
    );
    const borrowed = changed(1, {
      validatorAddress: good.signatures[0]?.validatorAddress ?? badSignature,
    });
    expect(verifyCommitFull(check(borrowed), target)?.code).toBe("wrong-address");
    expect(verifyCommitLight(check(borrowed), target)?.code).toBe("wrong-address");
    expect(
      verifyCommitFull(check(changed(0, { signature: new Uint8Array(0) })), target)?.code,
    ).toBe("malformed-signature");
  });
});

describe("light modes", () => {
  test("light stops when it has enough, unless all are asked for", () => {
    const tail = changed(4, { signature: badSignature });
    expect(verifyCommitLight(check(tail), target)).toBeNull();
    expect(verifyCommitLight(check(tail), target, true)?.code).toBe("wrong-signature");
  });

  test("trusting needs more than a third of the older set, found by address", () => {
    const older = makeValidators([10n, 10n, 10n]);
    const known = { ...check(good), validators: older.validators };
    expect(verifyCommitLightTrusting(known)).toBeNull();
    const strangers = {
      ...check(good),
      validators: makeValidators([10n, 10n], "strangers").validators,
    };
    expect(verifyCommitLightTrusting(strangers)?.code).toBe("not-enough-power");
  });

  test("trusting refuses a validator that appears twice", () => {
    const first = good.signatures[0] as CommitSig;
    const twice = changed(1, first);
    expect(verifyCommitLightTrusting(check(twice), undefined, true)?.code).toBe("double-vote");
  });

  test("trusting refuses levels outside 1/3 to 1", () => {
    for (const [numerator, denominator] of [
      [1n, 4n],
      [2n, 1n],
      [1n, 0n],
    ] as const) {
      expect(verifyCommitLightTrusting(check(good), { numerator, denominator })?.code).toBe(
        "invalid-trust-level",
      );
    }
  });
});
