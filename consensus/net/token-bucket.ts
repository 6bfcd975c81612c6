/** A rate with one second's burst. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #refilledMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = perSecond;
    this.#tokens = perSecond;
    this.#refilledMs = nowMs;
  }

  /** Takes `count` tokens when any are left (it may go into debt once, so that no single frame can be too large to pass). */
  take(count: number, nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens <= 0) return false;
    this.#tokens -= count;
    return true;
  }

  /** Milliseconds until `take` can succeed; 0 now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens > 0 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#refilledMs;
    if (elapsedMs <= 0) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
    this.#refilledMs = nowMs;
  }
}
