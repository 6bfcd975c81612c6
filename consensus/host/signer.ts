/**
 * The file signer: CometBFT's `priv_validator_key.json` and `priv_validator_state.json`. It is the second guard against double
 * signing and trusts nothing the driver says: what it has signed last is on disk before a signature leaves.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import {
  ed25519Address,
  privateKeyFromJson,
  privateKeyToJson,
  publicKeyToJson,
} from "../wire/keys.ts";
import { proposalSignBytes, voteExtensionSignBytes, voteSignBytes } from "../wire/sign-bytes.ts";
import type { Proposal, Vote } from "../wire/types.ts";
import { carriesExtension } from "../wire/vote.ts";
import { replaceFile } from "./durable-file.ts";
import type { Signer } from "./ports.ts";
import {
  compareSigned,
  emptySignState,
  type SignState,
  type SignStep,
  signedTimestamp,
  signStateFromJson,
  signStateToJson,
  signSteps,
} from "./sign-state.ts";

/** The signer will not sign this: expected after a restart, and the driver goes on without the message. */
export class SignerRefusal extends Error {
  override readonly name = "SignerRefusal";
}

export interface SignerFiles {
  readonly keyPath: string;
  readonly statePath: string;
}

/** DER of an ed25519 private key (RFC 8410) up to the seed. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** 32-byte public key of a 32-byte seed. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(spki.length - 32));
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: "der",
    type: "pkcs8",
  });
}

/** Writes a new key (from `seed`, else random) and an empty state. Never overwrites: an existing key file throws. */
export async function createSignerFiles(
  files: SignerFiles,
  seed: Uint8Array = randomBytes(32),
): Promise<void> {
  const existing = await readFile(files.keyPath).catch(() => null);
  if (existing !== null) throw new Error(`validator key: ${files.keyPath} already exists`);
  const publicKey = ed25519PublicKey(seed);
  const record = {
    address: bytesToHex(ed25519Address(publicKey)),
    pub_key: publicKeyToJson(publicKey),
    priv_key: privateKeyToJson(seed, publicKey),
  };
  for (const path of [files.keyPath, files.statePath])
    await mkdir(dirname(path), { recursive: true });
  // The state goes first: a key without its state refuses to open, a state without a key does nothing.
  await replaceFile(files.statePath, signStateToJson(emptySignState), 0o600);
  await replaceFile(files.keyPath, `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** Opens both files. A missing or unreadable one throws one plain sentence. */
export async function openFileSigner(files: SignerFiles): Promise<Signer> {
  const key = parse(files.keyPath, await read(files.keyPath), (text) => {
    const json = JSON.parse(text) as { readonly address?: unknown; readonly priv_key?: unknown };
    const parts = privateKeyFromJson(json.priv_key);
    if (!equalBytes(ed25519PublicKey(parts.seed), parts.publicKey))
      throw new Error("seed and public key do not belong together");
    if (json.address !== bytesToHex(ed25519Address(parts.publicKey)))
      throw new Error("address and key do not belong together");
    return parts;
  });
  const state = parse(files.statePath, await read(files.statePath), signStateFromJson);
  return createSigner(key.seed, {
    load: state,
    save: (next) => replaceFile(files.statePath, signStateToJson(next), 0o600),
  });
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(
      `validator key: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
}

function parse<T>(path: string, text: string, from: (text: string) => T): T {
  try {
    return from(text);
  } catch (error) {
    throw new Error(`validator key: ${path} cannot be used: ${(error as Error).message}`);
  }
}

export interface SignStateSlot {
  readonly load: SignState;
  /** Resolves when the record is durable. */
  save(state: SignState): Promise<void>;
}

interface Request {
  readonly height: number;
  readonly round: number;
  readonly step: SignStep;
  readonly timestamp: Timestamp;
  readonly timestampField: 5 | 6;
  readonly signBytes: (timestamp: Timestamp) => Uint8Array;
}

/** A signer over any durable slot. Requests queue: each sees the record the one before has left. */
export function createSigner(seed: Uint8Array, slot: SignStateSlot): Signer {
  const privateKey = privateKeyOf(seed);
  const pubKey = ed25519PublicKey(seed);
  let last = slot.load;
  let broken: unknown = null;
  let queue: Promise<unknown> = Promise.resolve();

  const rawSign = (message: Uint8Array): Uint8Array =>
    new Uint8Array(sign(null, message, privateKey));

  async function decide(
    request: Request,
  ): Promise<{ readonly timestamp: Timestamp; readonly signature: Uint8Array }> {
    if (broken !== null) throw broken;
    const order = compareSigned(request, last);
    if (order < 0) throw refusal(request, `already signed ${describe(last)}`);
    if (order === 0) return repeat(request);
    const signBytes = request.signBytes(request.timestamp);
    const signature = rawSign(signBytes);
    const { height, round, step } = request;
    const next: SignState = { height, round, step, signature, signBytes };
    try {
      await slot.save(next);
    } catch (error) {
      // What is on disk is unknown now: nothing more may be signed by this process.
      broken = error;
      throw error;
    }
    last = next;
    return { timestamp: request.timestamp, signature };
  }

  function repeat(request: Request): {
    readonly timestamp: Timestamp;
    readonly signature: Uint8Array;
  } {
    const timestamp = signedTimestamp(last.signBytes, request.timestampField);
    if (timestamp === null || !equalBytes(request.signBytes(timestamp), last.signBytes)) {
      throw refusal(request, "conflicting data was signed there");
    }
    return { timestamp, signature: last.signature };
  }

  function enqueue<T>(run: () => Promise<T>): Promise<T> {
    const result = queue.then(run);
    queue = result.catch(() => undefined);
    return result;
  }

  return {
    pubKey,
    address: ed25519Address(pubKey),
    signVote: (chainId: string, vote: Vote) =>
      enqueue(async () => {
        const signed = await decide({
          height: vote.height,
          round: vote.round,
          step: signSteps[vote.type],
          timestamp: vote.timestamp,
          timestampField: 5,
          signBytes: (timestamp) => voteSignBytes(chainId, { ...vote, timestamp }),
        });
        // Extensions may differ after a restart and are not in the vote's sign bytes: theirs is made anew each time.
        const extensionSignature = carriesExtension(vote)
          ? rawSign(voteExtensionSignBytes(chainId, vote))
          : new Uint8Array(0);
        return { ...vote, ...signed, extensionSignature };
      }),
    signProposal: (chainId: string, proposal: Proposal) =>
      enqueue(async () => {
        const signed = await decide({
          height: proposal.height,
          round: proposal.round,
          step: signSteps.propose,
          timestamp: proposal.timestamp,
          timestampField: 6,
          signBytes: (timestamp) => proposalSignBytes(chainId, { ...proposal, timestamp }),
        });
        return { ...proposal, ...signed };
      }),
  };
}

function refusal(request: Request, why: string): SignerRefusal {
  return new SignerRefusal(`refused to sign ${describe(request)}: ${why}`);
}

function describe(place: {
  readonly height: number;
  readonly round: number;
  readonly step: number;
}): string {
  return `height ${place.height} round ${place.round} step ${place.step}`;
}
