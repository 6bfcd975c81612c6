/** The only source of chance in a simulation: sfc32 seeded from an integer. Same seed, same run. */

export interface Random {
  /** An integer from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** True in `ppm` of a million cases. */
  chance(ppm: number): boolean;
  /** One element; the list must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** Each element with probability one half. */
  half<T>(list: readonly T[]): T[];
}

export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }

  for (let warm = 0; warm < 16; warm += 1) next();
  const random: Random = {
    between: (min, max) => min + (next() % (max - min + 1)),
    chance: (ppm) => next() % 1_000_000 < ppm,
    pick(list) {
      const chosen = list[next() % list.length];
      if (chosen === undefined) throw new Error("expected a list to pick from, got an empty one");
      return chosen;
    },
    half: (list) => list.filter(() => next() % 2 === 0),
  };
  return random;
}
