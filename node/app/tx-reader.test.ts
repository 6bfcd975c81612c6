import { ModuleError } from "@keel/modules/kit/errors";
import { describe, expect, it } from "vitest";
import { createVerifier } from "../crypto/verifier.ts";
import { createKeel } from "./app.ts";
import { TestSigner } from "./testing/signer.ts";
import { createTxReader } from "./transactions.ts";

function reader(): ReturnType<typeof createTxReader> {
  const verifier = createVerifier({ backend: "native", workers: 0 });
  const keel = createKeel({ addressPrefix: "keel", verifier });
  return createTxReader(keel.messages, keel.addresses);
}

function transfer(): Uint8Array {
  const [from, to] = ["a", "b"].map((seed) => new TestSigner(seed, "keel-test-1", "keel"));
  return (from as TestSigner).send(to as TestSigner, "1ukeel");
}

describe("a transaction asked for again", () => {
  it("is decoded once when it was admitted, also as a copy and after a block", () => {
    const { admit, read, forget } = reader();
    const bytes = transfer();
    const first = admit(bytes);
    expect(first).not.toBeInstanceOf(ModuleError);
    expect(read(bytes.slice())).toBe(first);
    forget();
    expect(admit(bytes)).toBe(first);
    expect(read(bytes.slice())).toBe(first);
  });

  it("is remembered for its block only when it was read alone", () => {
    const { read, forget } = reader();
    const bytes = transfer();
    const first = read(bytes);
    expect(read(bytes)).toBe(first);
    expect(read(bytes.slice())).not.toBe(first);
    forget();
    expect(read(bytes)).not.toBe(first);
  });

  it("is not mistaken for one that ends alike", () => {
    const { admit } = reader();
    const bytes = transfer();
    const other = bytes.slice();
    other[10] = (other[10] as number) ^ 1;
    expect(admit(other)).not.toBe(admit(bytes));
    expect(admit(bytes)).not.toBe(admit(other));
  });
});
