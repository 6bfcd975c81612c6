/** One method of a query service. */
import type { Codec } from "./registry.ts";

export interface Method<Q, A> {
  readonly path: string;
  readonly request: Codec<Q>;
  readonly answer: Codec<A>;
}
