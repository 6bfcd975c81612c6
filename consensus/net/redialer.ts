/** Keeps persistent peers connected: one dial at a time per address, with growing, spread-out waits between failures. */
import type { Clock } from "../host/ports.ts";
import { redialFactorPercent, redialFirstMs, redialMaxMs, redialSettledMs } from "./limits.ts";
import type { PeerAddress } from "./peer-address.ts";

interface Target {
  readonly address: PeerAddress;
  waitMs: number;
  dialling: boolean;
  timer: { cancel(): void } | null;
}

export interface RedialerPorts {
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  /** Resolves when the peer is greeted, rejects otherwise. */
  dial(address: PeerAddress): Promise<void>;
  isUp(address: PeerAddress): boolean;
  /** Uniform in [0, 1). */
  random(): number;
}

export class Redialer {
  readonly #ports: RedialerPorts;
  readonly #targets = new Map<string, Target>();
  #stopped = true;

  constructor(ports: RedialerPorts, addresses: readonly PeerAddress[]) {
    this.#ports = ports;
    for (const address of addresses) {
      this.#targets.set(address.id, {
        address,
        waitMs: redialFirstMs,
        dialling: false,
        timer: null,
      });
    }
  }

  start(): void {
    this.#stopped = false;
    for (const target of this.#targets.values()) void this.#dial(target);
  }

  stop(): void {
    this.#stopped = true;
    for (const target of this.#targets.values()) target.timer?.cancel();
  }

  isPersistent(peer: string): boolean {
    return this.#targets.has(peer);
  }

  /** A link to the peer went down after having been up for `livedMs`. */
  lost(peer: string, livedMs: number): void {
    const target = this.#targets.get(peer);
    if (target === undefined) return;
    if (livedMs >= redialSettledMs) target.waitMs = redialFirstMs;
    this.#later(target);
  }

  async #dial(target: Target): Promise<void> {
    target.timer = null;
    if (this.#stopped || target.dialling) return;
    if (!this.#ports.isUp(target.address)) {
      target.dialling = true;
      try {
        await this.#ports.dial(target.address);
      } catch {
        // The transport has logged why; whatever it was, the answer is to try again.
      }
      target.dialling = false;
    }
    if (!this.#ports.isUp(target.address)) this.#later(target);
  }

  #later(target: Target): void {
    if (this.#stopped || target.timer !== null || target.dialling) return;
    const waitMs = Math.round(target.waitMs * (0.75 + this.#ports.random() / 2));
    target.waitMs = Math.min(redialMaxMs, Math.ceil((target.waitMs * redialFactorPercent) / 100));
    target.timer = this.#ports.clock.startTimer(waitMs, () => void this.#dial(target));
  }
}
