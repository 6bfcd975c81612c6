/** From messages to an accepted transaction: fee, sequence or nonce, signature, broadcast, and the wait for its block. */
import type { EncodeObject, OfflineSigner } from "@cosmjs/proto-signing";
import type { GasPrice } from "@cosmjs/stargate";
import { delay } from "./endpoints.ts";
import {
  expectedSequence,
  isDuplicate,
  isSequenceMismatch,
  KeelConnectionError,
  KeelInputError,
  KeelTxError,
  type Refusal,
} from "./errors.ts";
import { feeFor, gasLimitFor } from "./gas.ts";
import type { KeelClient } from "./keel-client.ts";
import {
  INCLUSION_TIMEOUT_MS,
  SEQUENCE_RETRIES,
  UNORDERED_TTL_MAX_MS,
  UNORDERED_TTL_MS,
} from "./limits.ts";
import { RoundGas } from "./round-gas.ts";
import { SequenceKeeper } from "./sequence.ts";
import { type SignedTx, type SigningContext, signTx } from "./sign.ts";
import { type RawTxResult, type TxOutcome, txOutcome } from "./tx-result.ts";

export interface SubmitOptions {
  /** Overrides the client's choice. */
  readonly unordered?: boolean;
  /** A limit, or "simulate" to ask the chain. Default: a generous figure by kind of message, or what is used in a market that matches by auction alone. */
  readonly gas?: number | "simulate";
  readonly memo?: string;
  /** How long `outcome` waits, by this machine's clock. */
  readonly timeoutMs?: number;
  /** Unordered only: milliseconds of chain time after which it can no longer be included. At most ten minutes. */
  readonly ttlMs?: number;
}

/** A transaction the node accepted. */
export interface SubmittedTx {
  /** Upper-case hex. */
  readonly hash: string;
  /** Waits for its block. Rejects with KeelTxError when it failed there, KeelConnectionError when it does not come. */
  outcome(): Promise<TxOutcome>;
}

export interface SubmitterDefaults {
  readonly gasPrice: GasPrice | undefined;
  readonly unordered: boolean;
  readonly timeoutMs: number;
  readonly gasMultiplierPercent: number;
}

export const submitterDefaults: SubmitterDefaults = {
  gasPrice: undefined,
  unordered: false,
  timeoutMs: INCLUSION_TIMEOUT_MS,
  gasMultiplierPercent: 140,
};

type Sent = { readonly tx: SubmittedTx } | { readonly refusal: KeelTxError };

export class Submitter {
  readonly #chain: KeelClient;
  readonly #context: SigningContext;
  readonly #defaults: SubmitterDefaults;
  readonly #sequence: SequenceKeeper;
  readonly #rounds: RoundGas;
  #lastTimeoutNs = 0n;

  constructor(chain: KeelClient, context: SigningContext, defaults: SubmitterDefaults) {
    this.#chain = chain;
    this.#context = context;
    this.#defaults = defaults;
    this.#rounds = new RoundGas(chain, context.address);
    this.#sequence = new SequenceKeeper(context.address, () =>
      chain.accountNumbers(context.address),
    );
  }

  /** Resolves once a node has accepted the transaction. Throws KeelTxError when it refuses. */
  async submit(
    messages: readonly EncodeObject[],
    options: SubmitOptions = {},
  ): Promise<SubmittedTx> {
    if (messages.length === 0)
      throw new KeelInputError("invalid-option", "messages", "expected at least one");
    const unordered = options.unordered ?? this.#defaults.unordered;
    const gas = await this.#gasLimit(messages, options);
    await this.#chain.watch.prepare(this.#context.address);
    const sent = unordered
      ? await this.#sendUnordered(messages, gas, options)
      : await this.#sendInOrder(messages, gas, options);
    if ("refusal" in sent) throw sent.refusal;
    return sent.tx;
  }

  async #gasLimit(messages: readonly EncodeObject[], options: SubmitOptions): Promise<number> {
    if (typeof options.gas === "number") return options.gas;
    if (options.gas !== "simulate")
      return (await this.#rounds.limit(messages)) ?? gasLimitFor(messages);
    const { registry, pubkey, address } = this.#context;
    const anys = messages.map((message) => registry.encodeAsAny(message));
    const sequence = (await this.#chain.accountNumbers(address))?.sequence ?? 0;
    const used = await this.#chain.simulate(anys, {
      pubkey,
      sequence,
      memo: options.memo ?? "",
    });
    return Math.ceil((Number(used) * this.#defaults.gasMultiplierPercent) / 100);
  }

  async #sendInOrder(
    messages: readonly EncodeObject[],
    gas: number,
    options: SubmitOptions,
  ): Promise<Sent> {
    return await this.#sequence.inOrder<Sent>(async ({ accountNumber, sequence: first }) => {
      let sequence = first;
      for (let attempt = 0; ; attempt++) {
        const signed = await this.#sign({ messages, gas, options, accountNumber, sequence });
        const sent = await this.#broadcast(signed, options);
        if ("tx" in sent) return { next: sequence + 1, value: sent };
        const { refusal } = sent;
        if (isDuplicate(refusal) && attempt < SEQUENCE_RETRIES) {
          // Another program sent the same with this sequence: that one is not ours.
          sequence++;
          continue;
        }
        if (!isSequenceMismatch(refusal) || attempt >= SEQUENCE_RETRIES)
          return { next: isSequenceMismatch(refusal) ? null : sequence, value: sent };
        const expected = expectedSequence(refusal.log);
        // A node may lag behind the one that took our earlier transactions: they reach it in a moment.
        if (attempt === 0 && expected !== undefined && expected < sequence) await delay(200);
        else
          sequence =
            expected ?? (await this.#chain.accountNumbers(this.#context.address))?.sequence ?? 0;
      }
    });
  }

  async #sendUnordered(
    messages: readonly EncodeObject[],
    gas: number,
    options: SubmitOptions,
  ): Promise<Sent> {
    const ttlMs = options.ttlMs ?? UNORDERED_TTL_MS;
    if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0 || ttlMs > UNORDERED_TTL_MAX_MS)
      throw new KeelInputError(
        "invalid-option",
        "ttlMs",
        `expected 1 to ${UNORDERED_TTL_MAX_MS}, got ${ttlMs}`,
      );
    const [accountNumber, nowNs] = await Promise.all([
      this.#sequence.accountNumber(),
      this.#chain.chainTimeNs(),
    ]);
    const timeoutNs = this.#nextTimeout(nowNs + BigInt(ttlMs) * 1_000_000n);
    const signed = await this.#sign({
      messages,
      gas,
      options,
      accountNumber,
      sequence: 0,
      timeoutNs,
    });
    return await this.#broadcast(signed, options, timeoutNs);
  }

  /** The timeout is also the nonce: never the same twice, and unlikely to be another process's. */
  #nextTimeout(aboutNs: bigint): bigint {
    const spread = BigInt(Math.floor(Math.random() * 1_000_000));
    const wanted = aboutNs - spread;
    this.#lastTimeoutNs = wanted > this.#lastTimeoutNs ? wanted : this.#lastTimeoutNs + 1n;
    return this.#lastTimeoutNs;
  }

  async #sign(tx: {
    readonly messages: readonly EncodeObject[];
    readonly gas: number;
    readonly options: SubmitOptions;
    readonly accountNumber: number;
    readonly sequence: number;
    readonly timeoutNs?: bigint;
  }): Promise<SignedTx> {
    const { messages, gas, options, accountNumber, sequence, timeoutNs } = tx;
    return await signTx(this.#context, {
      messages,
      fee: feeFor(gas, this.#defaults.gasPrice),
      memo: options.memo ?? "",
      accountNumber,
      sequence,
      ...(timeoutNs === undefined ? {} : { timeoutNs }),
    });
  }

  async #broadcast(signed: SignedTx, options: SubmitOptions, expiresAtNs?: bigint): Promise<Sent> {
    const { hash, bytes } = signed;
    const { watch } = this.#chain;
    const waiting = watch.wait({
      hash,
      account: this.#context.address,
      timeoutMs: options.timeoutMs ?? this.#defaults.timeoutMs,
      ...(expiresAtNs === undefined ? {} : { expiresAtNs }),
    });
    // A caller that does not ask for the outcome is not told of its failure either.
    waiting.result.catch(() => {});
    let refusal: Refusal | null;
    try {
      refusal = await this.#chain.broadcast(bytes);
    } catch (error) {
      waiting.forget();
      throw error;
    }
    if (refusal === null) return { tx: { hash, outcome: () => this.#outcome(waiting.result) } };
    waiting.forget();
    return { refusal: new KeelTxError(refusal, hash) };
  }

  async #outcome(waiting: Promise<RawTxResult>): Promise<TxOutcome> {
    let result: RawTxResult;
    try {
      result = await waiting;
    } catch (error) {
      // It may have been dropped: what was counted on top of it is in doubt.
      if (error instanceof KeelConnectionError) this.#sequence.reset();
      throw error;
    }
    if (result.code !== 0) throw new KeelTxError(result, result.hash, result.height);
    return txOutcome(result);
  }
}

/** The account to sign with: the named one, or the signer's first. */
export async function signingAccount(
  signer: OfflineSigner,
  address: string | undefined,
): Promise<{ readonly address: string; readonly pubkey: Uint8Array }> {
  const accounts = await signer.getAccounts();
  const found =
    address === undefined ? accounts[0] : accounts.find((each) => each.address === address);
  if (found === undefined)
    throw new KeelInputError(
      "unsupported-signer",
      "account",
      address === undefined
        ? "expected a signer with an account"
        : `expected the signer to hold ${address}`,
    );
  if (found.algo !== "secp256k1" && found.algo !== "ed25519")
    throw new KeelInputError(
      "unsupported-signer",
      "account",
      `expected a secp256k1 or ed25519 key, got ${found.algo}`,
    );
  return { address: found.address, pubkey: found.pubkey };
}
