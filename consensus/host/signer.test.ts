import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hexToBytes } from "@keel/proto/bytes/hex";
import { addMs, parseTimestamp } from "@keel/proto/bytes/timestamp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { zeroBlockId } from "../wire/block-id.ts";
import { proposalSignBytes, voteExtensionSignBytes, voteSignBytes } from "../wire/sign-bytes.ts";
import type { BlockID, Proposal, Vote } from "../wire/types.ts";
import type { Signer } from "./ports.ts";
import { emptySignState } from "./sign-state.ts";
import {
  createSigner,
  createSignerFiles,
  ed25519PublicKey,
  openFileSigner,
  SignerRefusal,
} from "./signer.ts";

const chainId = "keel-test-1";
const time = parseTimestamp("2026-01-02T03:04:05.123456789Z");
const blockA: BlockID = {
  hash: new Uint8Array(32).fill(1),
  partSetHeader: { total: 1, hash: new Uint8Array(32).fill(2) },
};
const blockB: BlockID = { ...blockA, hash: new Uint8Array(32).fill(3) };
const none = new Uint8Array(0);

let directory: string;
let files: { keyPath: string; statePath: string };
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-signer-"));
  files = {
    keyPath: join(directory, "config", "priv_validator_key.json"),
    statePath: join(directory, "data", "priv_validator_state.json"),
  };
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function vote(signer: Signer, change: Partial<Vote> = {}): Vote {
  return {
    type: "prevote",
    height: 5,
    round: 0,
    blockId: blockA,
    timestamp: time,
    validatorAddress: signer.address,
    validatorIndex: 0,
    signature: none,
    extension: none,
    extensionSignature: none,
    ...change,
  };
}

function proposal(change: Partial<Proposal> = {}): Proposal {
  return {
    height: 5,
    round: 0,
    polRound: -1,
    blockId: blockA,
    timestamp: time,
    signature: none,
    ...change,
  };
}

function isSigned(pubKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), pubKey]);
  return verify(
    null,
    message,
    createPublicKey({ key: spki, format: "der", type: "spki" }),
    signature,
  );
}

async function create(): Promise<Signer> {
  await createSignerFiles(files);
  return openFileSigner(files);
}

describe("keys", () => {
  it("derives the public key of RFC 8032's first test", () => {
    const seed = hexToBytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    expect(Buffer.from(ed25519PublicKey(seed)).toString("hex")).toBe(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
  });

  it("writes CometBFT's two files and never overwrites a key", async () => {
    const signer = await create();
    const key = JSON.parse(await readFile(files.keyPath, "utf8"));
    expect(Object.keys(key)).toEqual(["address", "pub_key", "priv_key"]);
    expect(key.address).toBe(Buffer.from(signer.address).toString("hex").toUpperCase());
    expect(key.pub_key).toEqual({
      type: "tendermint/PubKeyEd25519",
      value: Buffer.from(signer.pubKey).toString("base64"),
    });
    expect(key.priv_key.type).toBe("tendermint/PrivKeyEd25519");
    expect(Buffer.from(key.priv_key.value, "base64").length).toBe(64);
    expect(JSON.parse(await readFile(files.statePath, "utf8"))).toEqual({
      height: "0",
      round: 0,
      step: 0,
    });
    await expect(createSignerFiles(files)).rejects.toThrow("already exists");
  });

  it("refuses to open without its state, or with one it cannot read, in one sentence", async () => {
    await create();
    await writeFile(files.statePath, '{"height":5,"round":0,"step":1}');
    await expect(openFileSigner(files)).rejects.toThrow(
      /cannot be used: expected "height" to be a decimal string/,
    );
    await rm(files.statePath);
    await expect(openFileSigner(files)).rejects.toThrow(
      /cannot read .*priv_validator_state.json \(ENOENT\)/,
    );
    const key = JSON.parse(await readFile(files.keyPath, "utf8"));
    await writeFile(files.keyPath, JSON.stringify({ ...key, address: "00".repeat(20) }));
    await expect(openFileSigner(files)).rejects.toThrow("address and key do not belong together");
  });
});

describe("the file signer", () => {
  it("signs CometBFT's sign bytes and has the record on disk when the signature is released", async () => {
    const signer = await create();
    const signed = await signer.signVote(chainId, vote(signer));
    expect(isSigned(signer.pubKey, voteSignBytes(chainId, signed), signed.signature)).toBe(true);
    expect(JSON.parse(await readFile(files.statePath, "utf8"))).toEqual({
      height: "5",
      round: 0,
      step: 2,
      signature: Buffer.from(signed.signature).toString("base64"),
      signbytes: Buffer.from(voteSignBytes(chainId, signed)).toString("hex").toUpperCase(),
    });
    const proposed = await signer.signProposal(chainId, proposal({ height: 6, polRound: -1 }));
    expect(isSigned(signer.pubKey, proposalSignBytes(chainId, proposed), proposed.signature)).toBe(
      true,
    );
  });

  it("does not release a signature whose record could not be written, nor any later one", async () => {
    let saves = 0;
    const signer = createSigner(new Uint8Array(32).fill(7), {
      load: emptySignState,
      save: async () => {
        saves += 1;
        if (saves === 1) throw new Error("no space left");
      },
    });
    await expect(signer.signVote(chainId, vote(signer))).rejects.toThrow("no space left");
    await expect(signer.signVote(chainId, vote(signer))).rejects.toThrow("no space left");
    await expect(signer.signVote(chainId, vote(signer, { height: 9 }))).rejects.toThrow(
      "no space left",
    );
  });

  it("refuses to go back in height, round or step", async () => {
    const signer = await create();
    await signer.signVote(chainId, vote(signer, { type: "precommit", round: 1 }));
    for (const earlier of [
      vote(signer, { height: 4, round: 9 }),
      vote(signer, { round: 0, type: "precommit" }),
      vote(signer, { round: 1 }),
    ]) {
      await expect(signer.signVote(chainId, earlier)).rejects.toThrow(SignerRefusal);
    }
    await expect(signer.signProposal(chainId, proposal({ round: 1 }))).rejects.toThrow(
      SignerRefusal,
    );
  });

  it("repeats a signature, with its time where only the time differs, also after a restart", async () => {
    const first = await (await create()).signVote(chainId, vote(await openFileSigner(files)));
    const signer = await openFileSigner(files);
    expect(await signer.signVote(chainId, vote(signer))).toEqual(first);
    const later = await signer.signVote(chainId, vote(signer, { timestamp: addMs(time, 500) }));
    expect(later.timestamp).toEqual(time);
    expect(later.signature).toEqual(first.signature);
    const proposed = await signer.signProposal(
      chainId,
      proposal({ height: 7, round: 3, polRound: 2 }),
    );
    const again = await signer.signProposal(
      chainId,
      proposal({ height: 7, round: 3, polRound: 2, timestamp: addMs(time, 9) }),
    );
    expect(again).toEqual(proposed);
  });

  it("refuses other data at the same place", async () => {
    const signer = await create();
    await signer.signVote(chainId, vote(signer));
    await expect(signer.signVote(chainId, vote(signer, { blockId: blockB }))).rejects.toThrow(
      SignerRefusal,
    );
    await expect(signer.signVote(chainId, vote(signer, { blockId: zeroBlockId }))).rejects.toThrow(
      SignerRefusal,
    );
    await expect(signer.signVote("other-chain", vote(signer))).rejects.toThrow(SignerRefusal);
    await signer.signProposal(chainId, proposal({ height: 8, round: 2, polRound: 1 }));
    await expect(
      signer.signProposal(chainId, proposal({ height: 8, round: 2, polRound: 0 })),
    ).rejects.toThrow(SignerRefusal);
  });

  it("signs the extension anew each time, for precommits of a block only", async () => {
    const signer = await create();
    const extension = Uint8Array.of(1, 2, 3);
    const first = await signer.signVote(chainId, vote(signer, { type: "precommit", extension }));
    expect(
      isSigned(signer.pubKey, voteExtensionSignBytes(chainId, first), first.extensionSignature),
    ).toBe(true);
    const other = await signer.signVote(
      chainId,
      vote(signer, { type: "precommit", extension: Uint8Array.of(9) }),
    );
    expect(other.signature).toEqual(first.signature);
    expect(
      isSigned(signer.pubKey, voteExtensionSignBytes(chainId, other), other.extensionSignature),
    ).toBe(true);
    const nil = await signer.signVote(
      chainId,
      vote(signer, { type: "precommit", height: 6, blockId: zeroBlockId }),
    );
    expect(nil.extensionSignature.length).toBe(0);
  });

  it("lets only one of two concurrent conflicting requests through", async () => {
    const signer = await create();
    const results = await Promise.allSettled([
      signer.signVote(chainId, vote(signer)),
      signer.signVote(chainId, vote(signer, { blockId: blockB })),
    ]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected"]);
  });
});
