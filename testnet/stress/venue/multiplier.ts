/**
 * Margin that follows volatility, as the module has it (modules/margin/volatility), in floating point and by minutes: initial rises at once, maintenance
 * by an hourly step of the daily ramp.
 */
const MINUTES_PER_DAY = 1_440;
const DAY_VARIANCE_MINUTES = 365 * MINUTES_PER_DAY;
const HALF_LIFE_MINUTES = [11.2 * MINUTES_PER_DAY, 68.97 * MINUTES_PER_DAY] as const;
const DEVIATIONS = 3;
const BUFFER = 1.25;
const BASE_RANGE = 0.1;
const MOST = 4;
const RAMP_PER_HOUR = 1.25 ** (1 / 24);

export class Multiplier {
  readonly #variances: [number, number];
  readonly #held: number;
  #last = 1;
  #minute = -1;
  #hour = 0;
  initial = 1;
  maintenance = 1;

  /** `volatility`: annual, of the weeks before the tape. */
  constructor(volatility: number) {
    const variance = volatility ** 2 / DAY_VARIANCE_MINUTES;
    this.#variances = [variance, variance];
    this.#held = BUFFER * this.#range();
    this.initial = this.#target();
    this.maintenance = this.initial;
  }

  observe(atMs: number, price: number): void {
    const minute = Math.floor(atMs / 60_000);
    if (minute === this.#minute) return;
    this.#minute = minute;
    const square = Math.log(price / this.#last) ** 2;
    this.#last = price;
    for (const [i, halfLife] of HALF_LIFE_MINUTES.entries()) {
      const weight = 1 - 0.5 ** (1 / halfLife);
      this.#variances[i] = (this.#variances[i] ?? 0) * (1 - weight) + square * weight;
    }
    const target = this.#target();
    this.initial = Math.max(this.initial, target);
    const hour = Math.floor(minute / 60);
    if (hour === this.#hour) return;
    this.#hour = hour;
    this.initial = target;
    this.maintenance = Math.min(target, this.maintenance * RAMP_PER_HOUR);
  }

  #range(): number {
    return DEVIATIONS * Math.sqrt(Math.max(...this.#variances) * MINUTES_PER_DAY);
  }

  #target(): number {
    const measured = this.#range();
    const range = Math.max(measured, Math.min(BUFFER * measured, this.#held));
    return Math.min(MOST, Math.max(1, range / BASE_RANGE));
  }
}
