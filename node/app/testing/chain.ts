/** An application over a commit store with funded accounts, driven block by block as the consensus host does; for tests and benches. */
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { FinalizeBlockResponse, ProposedBlock } from "@keel/consensus/host/ports";
import { extendedCommitFromVotes } from "@keel/consensus/wire/commit";
import { ed25519PublicKey } from "@keel/consensus/wire/ed25519";
import { ed25519Address } from "@keel/consensus/wire/keys";
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import { voteExtensionSignBytes, voteSignBytes } from "@keel/consensus/wire/sign-bytes";
import type {
  ConsensusParams,
  ExtendedCommit,
  ValidatorInfo,
  Vote,
} from "@keel/consensus/wire/types";
import { compareValidators } from "@keel/consensus/wire/validator-set";
import { sha256 } from "@keel/proto/bytes/sha256";
import { timestampFromNanos } from "@keel/proto/bytes/timestamp";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { createVerifier, type SignatureVerifier } from "../../crypto/verifier.ts";
import { MemoryCommitStore } from "../../store/memory-commit-store.ts";
import type { CommitStore } from "../../store/types.ts";
import { storeNames } from "../app.ts";
import type { AppFault, ApplicationOptions, KeelApplication } from "../application.ts";
import { openApplication } from "../application.ts";
import { btcPerpetualJson, marginParamsJson, vaultParamsJson } from "./market-genesis.ts";
import { TestSigner } from "./signer.ts";

const CHAIN_ID = "keel-test-1";
const GENESIS_TIME_NS = 1_790_000_000_000_000_000n;
const BLOCK_NS = 1_000_000_000n;

export interface TestChainOptions {
  readonly store?: CommitStore;
  readonly verifier?: SignatureVerifier;
  readonly accounts?: number;
  /** 0: oracle off. */
  readonly extensionsFrom?: number;
  readonly maxGas?: bigint;
  readonly maxBytes?: bigint;
  readonly validators?: number;
  readonly app?: Partial<ApplicationOptions>;
  /** Block time of each height in nanoseconds; of genesis at the height before the first. Default: a second apart. */
  readonly clock?: (height: number) => bigint;
  /** Default 1. */
  readonly initialHeight?: number;
  /** Replaces or adds members of app_state. */
  readonly appState?: Readonly<Record<string, unknown>>;
}

export interface TestValidator {
  readonly key: KeyObject;
  readonly info: ValidatorInfo;
}

export class TestChain {
  readonly app: KeelApplication;
  readonly store: CommitStore;
  readonly accounts: readonly TestSigner[];
  readonly faults: AppFault[] = [];
  readonly validators: readonly TestValidator[];
  readonly params: ConsensusParams;
  readonly #options: TestChainOptions;
  height = 0;
  #decided: ProposedBlock | null = null;

  constructor(options: TestChainOptions = {}) {
    this.#options = options;
    this.store = options.store ?? new MemoryCommitStore({ stores: storeNames });
    this.app = openApplication({
      chainId: CHAIN_ID,
      addressPrefix: "keel",
      store: this.store,
      verifier: options.verifier ?? createVerifier({ backend: "native", workers: 0 }),
      prices: null,
      minGasPrices: [],
      version: "0.0.0-test",
      onFault: (fault) => void this.faults.push(fault),
      ...options.app,
    });
    this.accounts = Array.from({ length: options.accounts ?? 3 }, (_, i) => {
      const signer = new TestSigner(`account ${i}`, CHAIN_ID, "keel");
      signer.number = BigInt(i);
      return signer;
    });
    this.validators = Array.from({ length: options.validators ?? 4 }, (_, i) => validator(i)).sort(
      (a, b) => compareValidators(a.info, b.info),
    );
    this.params = {
      ...defaultConsensusParams,
      block: {
        maxBytes: options.maxBytes ?? defaultConsensusParams.block.maxBytes,
        maxGas: options.maxGas ?? -1n,
      },
      abci: { voteExtensionsEnableHeight: options.extensionsFrom ?? 0 },
    };
    this.height = this.store.height;
  }

  account(index: number): TestSigner {
    return this.accounts[index] as TestSigner;
  }

  appState(): Record<string, unknown> {
    const coins = ["ukeel", "uusdc"].map((denom) => ({ denom, amount: "1000000000" }));
    return {
      auth: {
        accounts: this.accounts.map(({ address }) => ({
          "@type": "/cosmos.auth.v1beta1.BaseAccount",
          address,
          account_number: "0",
          sequence: "0",
        })),
      },
      bank: { balances: this.accounts.map(({ address }) => ({ address, coins })) },
      oracle: {
        params: { ema_time_ms: "30000", report_window_blocks: "1000" },
        feeds: [
          {
            id: 1,
            symbol: "BTC-USD",
            exponent: -2,
            max_age_ms: "5000",
            min_reporting_power_ppm: "666667",
            max_deviation_ppm: "10000",
            enabled: true,
          },
        ],
      },
      insurance: { params: { fund_min: "1" }, funds: [] },
      margin: { params: marginParamsJson },
      derivatives: {
        params: {
          expiries_per_block_max: 500,
          good_til_max_ms: "8208000000",
          funding_step_max_ms: "60000",
        },
        markets: [{ market: btcPerpetualJson }],
      },
      vault: { params: vaultParamsJson },
      guard: { params: {} },
      ...this.#options.appState,
    };
  }

  async start(): Promise<this> {
    const initialHeight = this.#options.initialHeight ?? 1;
    this.height = initialHeight - 1;
    await this.app.initChain({
      time: timestampFromNanos(this.timeNs(this.height)),
      chainId: CHAIN_ID,
      consensusParams: this.params,
      validators: this.validators.map(({ info }) => ({ pubKey: info.pubKey, power: info.power })),
      appState: this.appState(),
      initialHeight,
    });
    return this;
  }

  timeNs(height: number = this.height + 1): bigint {
    return this.#options.clock?.(height) ?? GENESIS_TIME_NS + BigInt(height) * BLOCK_NS;
  }

  proposed(txs: readonly Uint8Array[], salt: string = ""): ProposedBlock {
    const height = this.height + 1;
    return {
      hash: sha256(utf8ToBytes(`block ${height} ${txs.length} ${salt}`)),
      height,
      time: timestampFromNanos(this.timeNs(height)),
      txs,
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    };
  }

  /** What a proposer would make of a mempool's transactions. */
  prepare(
    txs: readonly Uint8Array[],
    lastCommit: ExtendedCommit | null = null,
    maxTxBytes: number = 20_000_000,
  ): Promise<readonly Uint8Array[]> {
    return this.app.prepareProposal({
      maxTxBytes,
      txs,
      localLastCommit: lastCommit,
      misbehavior: [],
      height: this.height + 1,
      time: timestampFromNanos(this.timeNs()),
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    });
  }

  /** Decides a block without a proposal phase, as block sync does. */
  async decide(txs: readonly Uint8Array[]): Promise<FinalizeBlockResponse> {
    const block = this.proposed(txs);
    const response = await this.app.finalizeBlock(block);
    await this.app.commit();
    this.#decided = block;
    this.height++;
    return response;
  }

  /** The last block. */
  decided(): ProposedBlock {
    if (this.#decided === null) throw new Error("no block is decided yet");
    return this.#decided;
  }

  /** Extended commit of the present height in which each validator says `extensionOf(index)`; null: its vote is left out. */
  lastCommit(extensionOf: (index: number) => Uint8Array | null): ExtendedCommit {
    const blockId = {
      hash: sha256(utf8ToBytes(`block ${this.height}`)),
      partSetHeader: { total: 1, hash: sha256(utf8ToBytes("part")) },
    };
    const infos = this.validators.map(({ info }) => info);
    const precommits = this.validators.flatMap(({ key, info }, index): Vote[] => {
      const extension = extensionOf(index);
      if (extension === null) return [];
      const unsigned = {
        type: "precommit" as const,
        height: this.height,
        round: 0,
        blockId,
        timestamp: timestampFromNanos(this.timeNs(this.height)),
        validatorAddress: info.address,
        validatorIndex: index,
        extension,
      };
      const signature = sign(null, voteSignBytes(CHAIN_ID, unsigned), key);
      const extensionSignature = sign(null, voteExtensionSignBytes(CHAIN_ID, unsigned), key);
      return [{ ...unsigned, signature, extensionSignature }];
    });
    return extendedCommitFromVotes({
      height: this.height,
      round: 0,
      blockId,
      validators: infos,
      precommits,
    });
  }
}

/** What stands before the 32 bytes of an ed25519 seed in a PKCS 8 document. */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

function validator(index: number): TestValidator {
  const seed = sha256(utf8ToBytes(`validator ${index}`));
  const pubKey = ed25519PublicKey(seed);
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: "der",
    type: "pkcs8",
  });
  return { key, info: { address: ed25519Address(pubKey), pubKey, power: 10n, priority: 0n } };
}
