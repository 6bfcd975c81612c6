import { addMs, addNanos } from "@keel/proto/bytes/timestamp";
import { describe, expect, test } from "vitest";
import { verifyZip215 } from "../wire/ed25519.ts";
import {
  blockIdOfHeader,
  makeHeader,
  makeValidators,
  signCommit,
  startTime,
  type TestValidators,
} from "../wire/testing/world.ts";
import type { Header, LightBlock, ValidatorInfo } from "../wire/types.ts";
import {
  isExpired,
  type LightOptions,
  type Trusted,
  verifyAdjacent,
  verifyBackwards,
  verifyHeader,
  verifyNonAdjacent,
} from "./verifier.ts";

const old = makeValidators([10n, 10n, 10n, 10n]);
const fresh = makeValidators([10n, 10n, 10n, 10n], "fresh");

function lightBlock(
  world: TestValidators,
  given: Partial<Header>,
  signers?: readonly number[],
): LightBlock {
  const header = makeHeader(world, given);
  const commit = signCommit(
    world,
    { height: header.height, blockId: blockIdOfHeader(header) },
    signers,
  );
  return { signedHeader: { header, commit }, validatorSet: world.set };
}

const trusted: Trusted = { ...lightBlock(old, { height: 5 }), nextValidators: old.set };
const next = lightBlock(old, { height: 6, time: addMs(startTime, 1000) });
const far = lightBlock(old, { height: 50, time: addMs(startTime, 60_000) });
const options: LightOptions = {
  trustingPeriodNanos: 3_600_000_000_000n,
  now: addMs(startTime, 120_000),
  maxClockDriftNanos: 10_000_000_000n,
  verifySignature: verifyZip215,
};

describe("adjacent headers", () => {
  test("the next header signed by the named validators is accepted", () => {
    expect(verifyAdjacent(trusted.signedHeader, next, options)).toBeNull();
    expect(verifyHeader(trusted, next, options)).toBeNull();
  });

  test("exactly two thirds are not enough", () => {
    const three = makeValidators([10n, 10n, 10n], "three");
    const base = lightBlock(three, { height: 5 }).signedHeader;
    const signed = (signers: readonly number[]) =>
      lightBlock(three, { height: 6, time: addMs(startTime, 1) }, signers);
    expect(verifyAdjacent(base, signed([0, 1, 2]), options)).toBeNull();
    expect(verifyAdjacent(base, signed([0, 1]), options)?.code).toBe("not-enough-power");
  });

  test("another set than the named one is refused", () => {
    const strange = lightBlock(fresh, { height: 6, time: addMs(startTime, 1000) });
    expect(verifyAdjacent(trusted.signedHeader, strange, options)?.code).toBe("wrong-validators");
  });

  test("a header that is not the next is refused", () => {
    expect(verifyAdjacent(trusted.signedHeader, far, options)?.code).toBe("wrong-height");
  });
});

describe("distant headers", () => {
  test("a later header of the same set is accepted", () => {
    expect(verifyNonAdjacent(trusted, far, options)).toBeNull();
  });

  test("of a strange set it cannot be trusted", () => {
    const strange = lightBlock(fresh, { height: 50, time: addMs(startTime, 60_000) });
    expect(verifyHeader(trusted, strange, options)?.code).toBe("cannot-trust");
  });

  test("more than a third of the old set in a mixed new set is enough", () => {
    // Two of the four old validators, 20 of 40 power, go on in the new set.
    const kept = [0, 1].map((index) => ({ info: old.validators[index], seed: old.seeds[index] }));
    const joined = fresh.validators
      .slice(0, 2)
      .map((info, index) => ({ info, seed: fresh.seeds[index] }));
    const all = [...kept, ...joined];
    const validators = all.map(({ info }) => info as ValidatorInfo);
    const mixed: TestValidators = {
      validators,
      set: { validators, proposer: validators[0] ?? null },
      seeds: all.map(({ seed }) => seed as Uint8Array),
    };
    const block = lightBlock(mixed, { height: 50, time: addMs(startTime, 60_000) });
    expect(verifyHeader(trusted, block, options)).toBeNull();
    const strict = { ...options, trustLevel: { numerator: 1n, denominator: 2n } };
    expect(verifyHeader(trusted, block, strict)?.code).toBe("cannot-trust");
    const loose = { ...options, trustLevel: { numerator: 1n, denominator: 4n } };
    expect(verifyHeader(trusted, block, loose)?.code).toBe("invalid-trust-level");
  });

  test("a trusted set that the trusted header does not name is refused", () => {
    expect(verifyNonAdjacent({ ...trusted, nextValidators: fresh.set }, far, options)?.code).toBe(
      "wrong-validators",
    );
  });

  test("two thirds of the new set are needed as well", () => {
    const few = lightBlock(old, { height: 50, time: addMs(startTime, 60_000) }, [0, 1]);
    expect(verifyHeader(trusted, few, options)?.code).toBe("not-enough-power");
  });
});

describe("time, chain and contents", () => {
  test("trust ends with its period", () => {
    const end = addNanos(startTime, options.trustingPeriodNanos);
    expect(isExpired(trusted.signedHeader.header, options.trustingPeriodNanos, end)).toBe(true);
    expect(verifyHeader(trusted, next, { ...options, now: end })?.code).toBe("trust-expired");
    const before = addNanos(end, -1n);
    expect(verifyHeader(trusted, next, { ...options, now: before })).toBeNull();
  });

  test("a header at or before the trusted time, or from the future, is refused", () => {
    const same = lightBlock(old, { height: 6, time: startTime });
    expect(verifyHeader(trusted, same, options)?.code).toBe("wrong-time");
    const future = lightBlock(old, { height: 6, time: addMs(options.now, 10_000) });
    expect(verifyHeader(trusted, future, options)?.code).toBe("wrong-time");
  });

  test("another chain, an older height and a changed header are refused", () => {
    const other = lightBlock(old, { height: 6, chainId: "other", time: addMs(startTime, 1) });
    expect(verifyHeader(trusted, other, options)?.code).toBe("wrong-chain");
    const past = lightBlock(old, { height: 4, time: addMs(startTime, 1) });
    expect(verifyHeader(trusted, past, options)?.code).toBe("wrong-height");
    const { header, commit } = next.signedHeader;
    const forged = {
      ...next,
      signedHeader: { header: { ...header, appHash: new Uint8Array(32) }, commit },
    };
    expect(verifyHeader(trusted, forged, options)?.code).toBe("invalid-header");
    const foreign = { ...next, validatorSet: fresh.set };
    expect(verifyHeader(trusted, foreign, options)?.code).toBe("invalid-header");
  });

  test("a false signature is noticed", () => {
    const signatures = next.signedHeader.commit.signatures.map((one, index) =>
      index === 1 ? { ...one, signature: new Uint8Array(64).fill(1) } : one,
    );
    const commit = { ...next.signedHeader.commit, signatures };
    const block = { ...next, signedHeader: { ...next.signedHeader, commit } };
    expect(verifyHeader(trusted, block, options)?.code).toBe("wrong-signature");
  });
});

describe("going backwards", () => {
  const parent = makeHeader(old, { height: 4, time: addMs(startTime, -1000) });
  const child = makeHeader(old, { height: 5, lastBlockId: blockIdOfHeader(parent) });

  test("the header a trusted one follows is accepted", () => {
    expect(verifyBackwards(parent, child)).toBeNull();
  });

  test("any other is refused", () => {
    const changed = { ...parent, appHash: new Uint8Array(32) };
    expect(verifyBackwards(changed, child)?.code).toBe("invalid-header");
    expect(verifyBackwards({ ...parent, time: startTime }, child)?.code).toBe("wrong-time");
    expect(verifyBackwards({ ...parent, chainId: "x" }, child)?.code).toBe("wrong-chain");
    expect(verifyBackwards({ ...parent, height: 3 }, child)?.code).toBe("wrong-height");
    expect(verifyBackwards({ ...parent, version: { block: 1n, app: 1n } }, child)?.code).toBe(
      "invalid-header",
    );
  });
});
