/** A world with a perpetual that the guard watches, and messages sent as transactions bring them. */
import { MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { MarketRules } from "@keel/proto/gen/keel/guard/v1/types";
import { defaultAuctionTerms, defaultTerms } from "../derivatives/defaults.ts";
import { testMarket } from "../derivatives/testing.ts";
import { atomically } from "../kit/atomically.ts";
import { ModuleError } from "../kit/errors.ts";
import { BTC, createWorld, type World, type WorldOptions } from "./world.ts";

export const PERP = "BTC-USD-PERP";

export interface GuardWorld extends World {
  /** Message of module guard ("Tighten"), decoded again; throws what refuses it, with nothing changed. */
  send<R = unknown>(name: string, value: object): R;
  /** "accepted", or "guard 3". */
  outcome(work: () => unknown): string;
  setRules(rules: Partial<MarketRules> | undefined): void;
  readonly authority: string;
  /** A block of a second at this price of the index, with no violation. */
  priced(price: string, seconds?: number): void;
  /** Status of the perpetual as margin sees it. */
  status(): string | undefined;
}

export function createGuardWorld(
  options: WorldOptions & { readonly auction?: boolean } = {},
): GuardWorld {
  const world = createWorld(options);
  const { ctx, guard } = world;
  const { authority } = guard.keeper.params(ctx);
  const out: GuardWorld = {
    ...world,
    authority,
    send(name, value) {
      const route = guard.module.messages.find(
        (one) => one.typeUrl === `/keel.guard.v1.Msg${name}`,
      );
      if (route === undefined) throw new Error(`no message ${name}`);
      const message = route.decode(route.encode(value));
      route.validate(message);
      let answer: unknown;
      atomically(ctx, (inner) => {
        answer = route.handle({ ...inner, signers: [] }, message);
      });
      return answer as never;
    },
    outcome(work) {
      try {
        work();
      } catch (error) {
        if (error instanceof ModuleError) return `${error.codespace} ${error.code}`;
        throw error;
      }
      return "accepted";
    },
    setRules(rules) {
      const full = rules === undefined ? undefined : { ranges: [], ...rules };
      out.send("SetMarketRules", { authority, market: PERP, rules: full });
    },
    priced(price, seconds = 1) {
      world.block(seconds, () => world.setPrice(BTC, price));
      const violation = world.violation();
      if (violation !== null) throw new Error(violation);
    },
    status: () => world.keeper.terms(ctx, 1)?.status,
  };
  if (options.from === undefined) {
    world.setPrice(BTC, "60000");
    const matching = MatchingMode.MATCHING_MODE_CONTINUOUS;
    const auction = {
      ...defaultAuctionTerms(),
      matching,
      openingMs: 3_000n,
      interruptionMs: 0n,
    };
    const terms = options.auction === true ? { ...defaultTerms(), auction } : defaultTerms();
    world.list(testMarket({ terms }));
  }
  return out;
}
