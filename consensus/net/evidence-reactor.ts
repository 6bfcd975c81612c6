/** Spreads proofs of double voting: what the pool newly holds goes to everybody, what peers bring goes to the pool, one at a time. */
import type { EvidencePool } from "../host/evidence-pool.ts";
import type { ChainState, PeerId, Transport } from "../host/ports.ts";
import { evidenceHeight, evidenceMessage } from "../wire/evidence.ts";
import type { Evidence } from "../wire/types.ts";
import { type NetLog, silentLog } from "./handlers.ts";
import { evidenceGreetingBytesMax, evidenceWaitingMax } from "./limits.ts";

export interface EvidenceReactorOptions {
  readonly transport: Transport;
  readonly log?: NetLog;
}

export class EvidenceReactor {
  readonly #transport: Transport;
  readonly #log: NetLog;
  #pool: Pick<EvidencePool, "add" | "pending"> | null = null;
  #state: () => ChainState = () => {
    throw new Error("evidence reactor: not started");
  };
  #waiting: { readonly peer: PeerId; readonly evidence: Evidence }[] = [];
  #isChecking = false;

  /** Ignores peers' evidence until `start`. */
  constructor(options: EvidenceReactorOptions) {
    this.#transport = options.transport;
    this.#log = options.log ?? silentLog;
    options.transport.onMessage("evidence", (peer, bytes) => this.#onMessage(peer, bytes));
    options.transport.onPeer((peer, change) => {
      if (change === "up") this.#greet(peer);
    });
  }

  /** `state`: the chain state after the newest block. */
  start(pool: Pick<EvidencePool, "add" | "pending">, state: () => ChainState): void {
    this.#pool = pool;
    this.#state = state;
    for (const { id } of this.#transport.peers()) this.#greet(id);
  }

  stop(): void {
    this.#pool = null;
    this.#waiting = [];
  }

  /** The pool holds something new, found by ourselves or brought by a peer. */
  announce(evidence: Evidence): void {
    this.#transport.broadcast("evidence", evidenceMessage.encode(evidence));
  }

  #onMessage(peer: PeerId, bytes: Uint8Array): void {
    if (this.#pool === null) return;
    const evidence = evidenceMessage.decode(bytes);
    // An honest peer a block ahead: were that blamed, one equivocator could have honest nodes ban each other.
    if (evidenceHeight(evidence) > this.#state().lastHeight) return;
    // Dropped rather than queued without end; the block that carries it will come anyway.
    if (this.#waiting.length >= evidenceWaitingMax) return;
    this.#waiting.push({ peer, evidence });
    if (!this.#isChecking) void this.#check();
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const pool = this.#pool;
      if (pool === null) break;
      try {
        const problem = await pool.add(next.evidence, this.#state());
        // May be honest and merely expired.
        if (problem !== null) this.#transport.report(next.peer, problem, "minor");
      } catch (error) {
        this.#log.error("evidence could not be checked", {
          peer: next.peer,
          reason: String(error),
        });
      }
    }
    this.#isChecking = false;
  }

  #greet(peer: PeerId): void {
    for (const evidence of this.#pool?.pending(evidenceGreetingBytesMax) ?? []) {
      this.#transport.send(peer, "evidence", evidenceMessage.encode(evidence));
    }
  }
}
