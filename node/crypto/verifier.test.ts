import { Secp256k1, sha256 } from "@cosmjs/crypto";
import { ed25519PublicKey, ed25519Sign } from "@keel/consensus/wire/ed25519";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { afterEach, describe, expect, it } from "vitest";
import { backendFromEnvironment, loadBackend } from "./backend.ts";
import { judgeBatch, type PackedCheck, packChecks } from "./batch.ts";
import { Generations } from "./generations.ts";
import { createVerifier, type SignatureCheck, type SignatureVerifier } from "./verifier.ts";

const secret = sha256(utf8ToBytes("key"));
const publicKey = Secp256k1.compressPubkey(Secp256k1.makeKeypair(secret).pubkey);

function signed(text: string): SignatureCheck {
  const message = utf8ToBytes(text);
  const signature = Secp256k1.createSignature(sha256(message), secret);
  return {
    type: "secp256k1",
    publicKey,
    message,
    signature: Uint8Array.from([...signature.r(32), ...signature.s(32)]),
  };
}

const open: SignatureVerifier[] = [];
const verifier = (workers: number, cacheEntries?: number): SignatureVerifier => {
  const made = createVerifier({
    backend: "native",
    workers,
    ...(cacheEntries === undefined ? {} : { cacheEntries }),
  });
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const ask = (one: SignatureVerifier, check: SignatureCheck): boolean =>
  one.verifySecp256k1(check.publicKey, check.message, check.signature);

describe("the verifier", () => {
  it("answers the same with and without workers and cache, for good and bad signatures", async () => {
    const good = Array.from({ length: 40 }, (_, i) => signed(`message ${i}`));
    const bad = good.map((one) => ({ ...one, message: utf8ToBytes("other") }));
    for (const one of [verifier(0), verifier(0, 0), verifier(2)]) {
      await one.prefetch([...good, ...bad]);
      expect(good.every((check) => ask(one, check))).toBe(true);
      expect(bad.some((check) => ask(one, check))).toBe(false);
    }
  });

  it("checks ed25519 on workers too", async () => {
    const seed = sha256(utf8ToBytes("seed"));
    const message = utf8ToBytes("hello");
    const check: SignatureCheck = {
      type: "ed25519",
      publicKey: ed25519PublicKey(seed),
      message,
      signature: ed25519Sign(seed, message),
    };
    const one = verifier(1);
    await one.prefetch([check]);
    expect(one.verifyEd25519(check.publicKey, message, check.signature)).toBe(true);
    expect(one.verifyEd25519(check.publicKey, utf8ToBytes("x"), check.signature)).toBe(false);
  });

  it("goes on inline after it is closed in the middle of a batch", async () => {
    const one = verifier(1);
    const check = signed("late");
    const pending = one.prefetch([check]);
    await one.close();
    await pending;
    expect(ask(one, check)).toBe(true);
    await one.prefetch([signed("later")]);
  });

  it("keeps at most two generations", () => {
    const cache = new Generations<string, boolean>(3);
    for (let i = 0; i < 10; i++) cache.set(`k${i}`, true);
    expect(cache.size).toBeLessThanOrEqual(6);
    expect(cache.get("k9")).toBe(true);
    expect(cache.get("k0")).toBeUndefined();
  });

  it("packs and judges a batch of mixed checks in order", () => {
    const good = signed("a");
    const packed = (check: SignatureCheck): PackedCheck => ({
      ...check,
      message: sha256(check.message),
    });
    const batch = packChecks([packed(good), packed({ ...good, message: utf8ToBytes("b") })]);
    expect([...judgeBatch(batch, loadBackend("js"))]).toEqual([1, 0]);
  });

  it("refuses settings it does not know", () => {
    expect(() => backendFromEnvironment({ KEEL_CRYPTO: "rust" })).toThrow('"native" or "js"');
    expect(backendFromEnvironment({ KEEL_CRYPTO: "js" })).toBe("js");
    expect(() => createVerifier({ backend: "js", workers: -1 })).toThrow("workers");
  });
});
