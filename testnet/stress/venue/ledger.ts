/** Who holds what on the model: cash, and per underlying a size and what was paid for it. Whatever one gains another loses. */

export class Ledger {
  readonly count: number;
  readonly underlyings: number;
  readonly cash: Float64Array;
  /** Sizes in units of the price at the start, long positive. */
  readonly #base: Float64Array;
  readonly #quote: Float64Array;

  constructor(count: number, underlyings: number) {
    this.count = count;
    this.underlyings = underlyings;
    this.cash = new Float64Array(count);
    this.#base = new Float64Array(count * underlyings);
    this.#quote = new Float64Array(count * underlyings);
  }

  base(account: number, underlying: number): number {
    return this.#base[account * this.underlyings + underlying] ?? 0;
  }

  /** What the position has brought since it was opened, at this price. */
  profit(account: number, underlying: number, price: number): number {
    const at = account * this.underlyings + underlying;
    return (this.#base[at] ?? 0) * price + (this.#quote[at] ?? 0);
  }

  /** What was paid per unit; 0 without a position. */
  entry(account: number, underlying: number): number {
    const at = account * this.underlyings + underlying;
    const base = this.#base[at] ?? 0;
    return base === 0 ? 0 : -(this.#quote[at] ?? 0) / base;
  }

  equity(account: number, prices: readonly number[]): number {
    let equity = this.cash[account] ?? 0;
    for (let u = 0; u < this.underlyings; u++) equity += this.profit(account, u, prices[u] ?? 0);
    return equity;
  }

  /** Size bought by one and sold by the other; negative: the other way round. */
  trade(buyer: number, seller: number, underlying: number, base: number, price: number): void {
    this.#move(buyer, underlying, base, price);
    this.#move(seller, underlying, -base, price);
  }

  pay(from: number, to: number, amount: number): void {
    this.cash[from] = (this.cash[from] ?? 0) - amount;
    this.cash[to] = (this.cash[to] ?? 0) + amount;
  }

  /** Σ equity, which no price and no rule may change. */
  total(prices: readonly number[]): number {
    let sum = 0;
    for (let account = 0; account < this.count; account++) sum += this.equity(account, prices);
    return sum;
  }

  longs(underlying: number): number {
    let sum = 0;
    for (let account = 0; account < this.count; account++)
      sum += Math.max(this.base(account, underlying), 0);
    return sum;
  }

  #move(account: number, underlying: number, base: number, price: number): void {
    const at = account * this.underlyings + underlying;
    const after = (this.#base[at] ?? 0) + base;
    const quote = (this.#quote[at] ?? 0) - base * price;
    // A position that is gone leaves its money; dust of floating point goes with it.
    const flat = Math.abs(after) < 1e-9;
    this.#base[at] = flat ? 0 : after;
    this.#quote[at] = flat ? 0 : quote;
    if (flat) this.cash[account] = (this.cash[account] ?? 0) + quote;
  }
}
