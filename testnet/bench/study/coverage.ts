/** How well margins covered what came after them, and how much they moved on the way. */

/** Days in a row: the margin held, as a share of the price, and the close-to-close move that followed, without sign. */
export interface Day {
  readonly margin: number;
  readonly move: number;
}

export interface Coverage {
  readonly days: number;
  readonly breaches: number;
  readonly rate: number;
  readonly meanMargin: number;
  /** Likelihood ratios, each to compare with 3.841 (95 %), their sum with 5.991. */
  readonly kupiec: number;
  readonly christoffersen: number;
  readonly peakToTrough: number;
  /** Largest rise of the margin within so many days. */
  readonly rise1: number;
  readonly rise5: number;
  readonly rise30: number;
  /** Move beyond the margin: the largest, and all of them. */
  readonly largestBreach: number;
  readonly sumOfBreaches: number;
}

/** n·ln p with 0·ln 0 = 0. */
function times(count: number, probability: number): number {
  return count === 0 ? 0 : count * Math.log(probability);
}

/** Kupiec's proportion of failures: `breaches` of `days` where a share of `target` is meant. */
export function kupiec(days: number, breaches: number, target: number): number {
  const rate = breaches / days;
  const meant = times(days - breaches, 1 - target) + times(breaches, target);
  return -2 * (meant - times(days - breaches, 1 - rate) - times(breaches, rate));
}

/** Christoffersen's independence: whether a breach makes another one on the next day more likely. */
export function christoffersen(breaches: readonly boolean[]): number {
  // By yesterday, then today.
  let [calm, begins, ends, again] = [0, 0, 0, 0];
  for (let day = 1; day < breaches.length; day++) {
    if (breaches[day - 1] === true) breaches[day] === true ? again++ : ends++;
    else breaches[day] === true ? begins++ : calm++;
  }
  const all = (begins + again) / (calm + begins + ends + again);
  const afterCalm = begins / Math.max(calm + begins, 1);
  const afterBreach = again / Math.max(ends + again, 1);
  const one = times(calm + ends, 1 - all) + times(begins + again, all);
  const two =
    times(calm, 1 - afterCalm) +
    times(begins, afterCalm) +
    times(ends, 1 - afterBreach) +
    times(again, afterBreach);
  return -2 * (one - two);
}

function largestRise(days: readonly Day[], apart: number): number {
  let most = 0;
  for (let day = apart; day < days.length; day++) {
    const { margin } = days[day] as Day;
    most = Math.max(most, margin / (days[day - apart] as Day).margin - 1);
  }
  return most;
}

export function coverageOf(days: readonly Day[], target: number): Coverage {
  const breaches = days.map(({ margin, move }) => move > margin);
  const count = breaches.filter((breach) => breach).length;
  const beyond = days.map(({ margin, move }) => Math.max(move - margin, 0));
  const margins = days.map(({ margin }) => margin);
  return {
    days: days.length,
    breaches: count,
    rate: count / days.length,
    meanMargin: margins.reduce((sum, margin) => sum + margin, 0) / days.length,
    kupiec: kupiec(days.length, count, target),
    christoffersen: christoffersen(breaches),
    peakToTrough:
      margins.reduce((a, b) => Math.max(a, b)) / margins.reduce((a, b) => Math.min(a, b)),
    rise1: largestRise(days, 1),
    rise5: largestRise(days, 5),
    rise30: largestRise(days, 30),
    largestBreach: beyond.reduce((a, b) => Math.max(a, b), 0),
    sumOfBreaches: beyond.reduce((a, b) => a + b, 0),
  };
}
