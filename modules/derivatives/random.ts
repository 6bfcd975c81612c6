/** A small seeded generator (xorshift32) for simulation, benchmarks and model tests. Never for anything that must be unpredictable. */

export interface Random {
  /** Uniform in [0, bound), bound ≤ 2^31. */
  below(bound: number): number;
}

export function createRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) | 0 || 1;
  return {
    below(bound) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % bound;
    },
  };
}
