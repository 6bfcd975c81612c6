/** The one door to signature checks: pure and synchronous answers, remembered in a bounded cache that worker threads may pre-fill. */
import { bytesToLatin1, equalBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { type CryptoBackend, type KeyType, loadBackend } from "./backend.ts";
import type { PackedCheck } from "./batch.ts";
import { Generations } from "./generations.ts";
import { CACHE_GENERATION_ENTRIES_DEFAULT, WORKERS_MAX } from "./limits.ts";
import { WorkerPool } from "./worker-pool.ts";

export interface SignatureCheck {
  readonly type: KeyType;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SignatureVerifier {
  /** Threads that `prefetch` uses; with 0 it does nothing. */
  readonly workers: number;
  /** ECDSA over SHA-256 of `message`; 33-byte key, 64-byte r ‖ s, low s only. Never throws. */
  verifySecp256k1(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** ZIP-215. Never throws. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /**
   * Checks on the worker threads, so that the same questions asked afterwards are answered from the cache. The answers in order; null where
   * there is none yet. Never rejects.
   */
  prefetch(checks: readonly SignatureCheck[]): Promise<readonly (boolean | null)[]>;
  close(): Promise<void>;
}

export interface VerifierOptions {
  readonly backend: CryptoBackend;
  /** Threads besides the caller's; 0 checks everything inline. */
  readonly workers: number;
  /** Default 65,536 per generation; 0 remembers nothing. */
  readonly cacheEntries?: number;
}

export function createVerifier(options: VerifierOptions): SignatureVerifier {
  const { backend: name, workers } = options;
  if (!Number.isInteger(workers) || workers < 0 || workers > WORKERS_MAX)
    throw new Error(`signature workers: expected 0 to ${WORKERS_MAX}, got ${workers}`);
  const backend = loadBackend(name);
  const cache = new Generations<string, Answer>(
    options.cacheEntries ?? CACHE_GENERATION_ENTRIES_DEFAULT,
  );
  const pool = workers === 0 ? null : new WorkerPool(workers, name);

  const known = ({ key, check }: Asked): boolean | undefined => {
    const found = cache.get(key);
    return found !== undefined && isAbout(found, check) ? found.valid : undefined;
  };
  const answer = (asked: Asked): boolean => {
    const before = known(asked);
    if (before !== undefined) return before;
    const { type, publicKey, message, signature } = asked.check;
    const verify = type === "secp256k1" ? backend.secp256k1 : backend.ed25519;
    const valid = verify(publicKey, message, signature);
    cache.set(asked.key, remembered(asked.check, valid));
    return valid;
  };

  return {
    workers,
    verifySecp256k1: (publicKey, message, signature) =>
      answer(ask({ type: "secp256k1", publicKey, message, signature })),
    verifyEd25519: (publicKey, message, signature) =>
      answer(ask({ type: "ed25519", publicKey, message, signature })),
    async prefetch(checks) {
      if (pool === null) return checks.map(() => null);
      const asked = checks.map(ask);
      const answers = asked.map((one): boolean | null => known(one) ?? null);
      const open = [...asked.keys()].filter((i) => answers[i] === null);
      if (open.length === 0) return answers;
      const verdicts = await pool.judge(open.map((i) => (asked[i] as Asked).check));
      for (const [at, i] of open.entries()) {
        const valid = verdicts[at] ?? null;
        if (valid === null) continue;
        const { key, check } = asked[i] as Asked;
        cache.set(key, remembered(check, valid));
        answers[i] = valid;
      }
      return answers;
    },
    async close() {
      await pool?.close();
    },
  };
}

interface Asked {
  /** Of the signature alone; the whole question is compared. */
  readonly key: string;
  readonly check: Compared;
}

/** A check as the workers get it, and the hash that stands for its message in comparisons. */
interface Compared extends PackedCheck {
  readonly hash: Uint8Array;
}

interface Answer extends Pick<Compared, "type" | "hash" | "publicKey"> {
  readonly valid: boolean;
}

/** Copied: what is asked about may be a view of a whole block. */
function remembered({ type, hash, publicKey }: Compared, valid: boolean): Answer {
  return { type, hash, publicKey: publicKey.slice(), valid };
}

/** The signature is the same already. */
function isAbout({ type, hash, publicKey }: Answer, check: Compared): boolean {
  return (
    type === check.type && equalBytes(hash, check.hash) && equalBytes(publicKey, check.publicKey)
  );
}

function ask({ type, publicKey, message, signature }: SignatureCheck): Asked {
  const isHashed = type === "secp256k1";
  const hash = sha256(message);
  return {
    key: bytesToLatin1(signature),
    check: { type, publicKey, message: isHashed ? hash : message, signature, hash },
  };
}
