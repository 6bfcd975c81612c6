/**
 * A light client: follows headers by their validators' signatures from one that is trusted, and checks balances, accounts and any stored
 * value against the app hash they sign. The node that answers need not be honest.
 */
import {
  iavlSpec,
  ics23,
  tendermintSpec,
  verifyMembership,
  verifyNonMembership,
} from "@confio/ics23";
import {
  defaultMaxClockDriftNanos,
  type Trusted,
  verifyHeader,
} from "@keel/consensus/light/verifier";
import { verifyZip215 } from "@keel/consensus/wire/ed25519";
import { headerHash } from "@keel/consensus/wire/header";
import { lightBlockProblem } from "@keel/consensus/wire/light-block";
import type { LightBlock } from "@keel/consensus/wire/types";
import { verifyCommitLight } from "@keel/consensus/wire/verify-commit";
import { bech32Decode } from "@keel/proto/bytes/bech32";
import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { type Timestamp, timestampFromMs } from "@keel/proto/bytes/timestamp";
import { bytesToUtf8, utf8ToBytes } from "@keel/proto/bytes/utf8";
import { Account } from "@keel/proto/gen/keel/margin/v1/types";
import { delay } from "./endpoints.ts";
import { KeelConnectionError, KeelInputError, KeelQueryError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import { fetchLightBlock } from "./light-blocks.ts";
import { integer } from "./views.ts";

export type LightErrorCode =
  /** Headers or signatures do not follow from the trusted one. */
  | "header-not-verified"
  /** The value does not belong to the verified app hash. */
  | "proof-not-verified";

/** What the node said could not be verified: do not use it. */
export class KeelLightError extends Error {
  readonly code: LightErrorCode;

  constructor(code: LightErrorCode, message: string) {
    super(message);
    this.name = "KeelLightError";
    this.code = code;
  }
}

export interface LightOptions {
  /** A header known from elsewhere, or "first-use": trust the newest one the node shows now. */
  readonly trust: { readonly height: number; readonly hash: string } | "first-use";
  /** How long a header may be trusted; well below the unbonding period. Default: one week. */
  readonly trustingPeriodMs?: number;
  /** The chain's clock, when it is not this machine's (test networks that replay history). */
  readonly now?: () => Timestamp;
}

export interface Verified<T> {
  readonly value: T;
  /** State after this height. */
  readonly height: number;
  /** App hash in header height + 1, upper-case hex. */
  readonly appHash: string;
}

const WEEK_MS = 7 * 86_400_000;
const NEXT_HEADER_TRIES = 60;
const BISECTIONS_MAX = 64;

export class LightClient {
  readonly #chain: KeelClient;
  readonly #trustingPeriodNanos: bigint;
  readonly #now: () => Timestamp;
  #trusted: Trusted;

  private constructor(chain: KeelClient, options: LightOptions, trusted: Trusted) {
    this.#chain = chain;
    this.#trustingPeriodNanos = BigInt(options.trustingPeriodMs ?? WEEK_MS) * 1_000_000n;
    this.#now = options.now ?? (() => timestampFromMs(Date.now()));
    this.#trusted = trusted;
  }

  static async create(chain: KeelClient, options: LightOptions): Promise<LightClient> {
    const { trust } = options;
    // The newest height's successor set is known once the next header is there.
    const height = trust === "first-use" ? Math.max(1, (await chain.height()) - 1) : trust.height;
    const block = await fetchLightBlock(chain.comet, height);
    const hash = bytesToHex(headerHash(block.signedHeader.header));
    if (trust !== "first-use" && hash !== trust.hash.toUpperCase())
      throw new KeelLightError(
        "header-not-verified",
        `expected header ${trust.hash} at height ${height}, got ${hash}`,
      );
    const problem = ownProblem(chain.chainId, block);
    if (problem !== null) throw new KeelLightError("header-not-verified", problem);
    return new LightClient(chain, options, await trustedBy(chain, block));
  }

  /** The newest verified header. */
  get trusted(): { readonly height: number; readonly hash: string } {
    const { header } = this.#trusted.signedHeader;
    return { height: header.height, hash: bytesToHex(headerHash(header)) };
  }

  /** Verifies the header at `height`, above the trusted one, and trusts it. Bisects where the validators changed too much. */
  async follow(height: number): Promise<LightBlock> {
    const goals = [await fetchLightBlock(this.#chain.comet, height)];
    for (let steps = 0; steps < BISECTIONS_MAX; steps++) {
      const goal = goals.at(-1) as LightBlock;
      const from = this.#trusted.signedHeader.header.height;
      const to = goal.signedHeader.header.height;
      if (to === from && this.#isTrusted(goal)) return goal;
      const refusal = verifyHeader(this.#trusted, goal, {
        trustingPeriodNanos: this.#trustingPeriodNanos,
        now: this.#now(),
        maxClockDriftNanos: defaultMaxClockDriftNanos,
        verifySignature: verifyZip215,
      });
      if (refusal === null) {
        this.#trusted = await trustedBy(this.#chain, goal);
        goals.pop();
        if (goals.length === 0) return goal;
      } else if (refusal.code === "cannot-trust" && to > from + 1) {
        goals.push(await fetchLightBlock(this.#chain.comet, Math.floor((from + to) / 2)));
      } else throw new KeelLightError("header-not-verified", `${refusal.code}: ${refusal.message}`);
    }
    throw new KeelLightError("header-not-verified", "expected fewer changes of validators");
  }

  #isTrusted(block: LightBlock): boolean {
    const trusted = headerHash(this.#trusted.signedHeader.header);
    return equalBytes(headerHash(block.signedHeader.header), trusted);
  }

  /** A stored value, or its absence (undefined), proved against a verified header. */
  async storeValue(store: string, key: Uint8Array): Promise<Verified<Uint8Array | undefined>> {
    const path = `/store/${store}/key`;
    const answer = await this.#chain.comet.abciQuery({ path, data: key, prove: true });
    const { code = 0, codespace, log = "", height, proof, value } = answer;
    if (code !== 0) throw new KeelQueryError(path, { code, codespace, log });
    if (height === undefined || proof === undefined)
      throw new KeelConnectionError("bad-answer", `${path}: expected a height and a proof`);
    const header = (await this.#header(height + 1)).signedHeader.header;
    const found = value.length === 0 ? undefined : value;
    if (!isProved({ appHash: header.appHash, store, key, value: found, ops: proof.ops }))
      throw new KeelLightError(
        "proof-not-verified",
        `${path}: the proof does not lead to the app hash of height ${header.height}`,
      );
    return { value: found, height, appHash: bytesToHex(header.appHash) };
  }

  /** Wallet coins of a denom, in base units. */
  async balance(address: string, denom: string): Promise<Verified<bigint>> {
    const owner = addressBytes(address);
    const key = concatBytes(Uint8Array.of(2, owner.length), owner, utf8ToBytes(denom));
    const { value, ...at } = await this.storeValue("bank", key);
    return { value: value === undefined ? 0n : integer("balance", bytesToUtf8(value)), ...at };
  }

  /** A sub-account as it is stored: collateral and positions, in quanta and lots. Undefined when there is none. */
  async account(owner: string, subaccount: number = 0): Promise<Verified<Account | undefined>> {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, subaccount);
    const key = concatBytes(Uint8Array.of(1), addressBytes(owner), number);
    const { value, ...at } = await this.storeValue("margin", key);
    return { value: value === undefined ? undefined : Account.decode(value), ...at };
  }

  /** The state of a height is in the next header, which takes a block to come. */
  async #header(height: number): Promise<LightBlock> {
    for (let tries = 0; tries < NEXT_HEADER_TRIES; tries++) {
      if (
        height === this.#trusted.signedHeader.header.height ||
        (await this.#chain.height()) >= height
      )
        return await this.follow(height);
      await delay(100);
    }
    throw new KeelConnectionError("bad-answer", `expected a block of height ${height}`);
  }
}

interface ProvedValue {
  readonly appHash: Uint8Array;
  readonly store: string;
  readonly key: Uint8Array;
  /** Undefined: absence is to be proved. */
  readonly value: Uint8Array | undefined;
  readonly ops: readonly {
    readonly type: string;
    readonly key: Uint8Array;
    readonly data: Uint8Array;
  }[];
}

/** True when the two ICS-23 proofs lead from the value through its store's root to the app hash. */
export function isProved({ appHash, store, key, value, ops }: ProvedValue): boolean {
  const [inner, outer] = ops;
  const storeKey = utf8ToBytes(store);
  if (ops.length !== 2 || inner?.type !== "ics23:iavl" || outer?.type !== "ics23:simple")
    return false;
  if (!equalBytes(inner.key, key) || !equalBytes(outer.key, storeKey)) return false;
  try {
    const inStore = ics23.CommitmentProof.decode(inner.data);
    const inApp = ics23.CommitmentProof.decode(outer.data);
    const root = inApp.exist?.value;
    if (root === undefined || root === null || root.length === 0) return false;
    const held =
      value === undefined
        ? verifyNonMembership(inStore, iavlSpec, root, key)
        : verifyMembership(inStore, iavlSpec, root, key, value);
    return held && verifyMembership(inApp, tendermintSpec, appHash, storeKey, root);
  } catch {
    // Undecodable proofs prove nothing.
    return false;
  }
}

async function trustedBy(chain: KeelClient, block: LightBlock): Promise<Trusted> {
  const { height, nextValidatorsHash, validatorsHash } = block.signedHeader.header;
  const nextValidators = equalBytes(nextValidatorsHash, validatorsHash)
    ? block.validatorSet
    : (await fetchLightBlock(chain.comet, height + 1)).validatorSet;
  return { signedHeader: block.signedHeader, nextValidators };
}

/** Why a header is not signed by two thirds of the set it names itself, or null. */
function ownProblem(chainId: string, block: LightBlock): string | null {
  const { header, commit } = block.signedHeader;
  if (header.chainId !== chainId) return `expected chain ${chainId}, got ${header.chainId}`;
  const problem = lightBlockProblem(block);
  if (problem !== null) return problem;
  const { validators } = block.validatorSet;
  const check = { chainId, validators, commit, verifySignature: verifyZip215 };
  return (
    verifyCommitLight(check, { height: header.height, blockId: commit.blockId })?.message ?? null
  );
}

function addressBytes(address: string): Uint8Array {
  try {
    return bech32Decode(address).bytes;
  } catch (error) {
    throw new KeelInputError("invalid-address", "address", (error as Error).message);
  }
}
