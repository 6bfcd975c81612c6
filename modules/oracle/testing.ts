/** An oracle for tests: four validators, of equal power if nothing else is said, whose commits are what the test says they are, one block a second. */
import { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import type { Feed, Params } from "@keel/proto/gen/keel/oracle/v1/types";
import { createAddresses } from "../kit/addresses.ts";
import { Registry } from "../kit/collections/schema.ts";
import type { TestContext } from "../kit/testing/context.ts";
import { testContext } from "../kit/testing/context.ts";
import { defaultFeed, defaultParams } from "./feeds.ts";
import type { ExpectedTransactions } from "./lists/keeper.ts";
import type { Oracle } from "./module.ts";
import { createOracle } from "./module.ts";
import type { OracleValidator, PenaltyPort, VerifiedCommit } from "./ports.ts";

export interface TestOracle extends Oracle {
  readonly ctx: TestContext;
  /** In the order of votes. */
  readonly validators: readonly OracleValidator[];
  /** Votes on feed 1 in this block, one per validator; null: it is not in the commit. Returns how many feeds were updated. */
  vote(...prices: readonly (bigint | null)[]): number;
  /** In this block, with prices of none: what each validator names, by key; null: it is not in the commit. */
  list(
    named: readonly (readonly string[] | Uint8Array | null)[],
    options?: { readonly outdated?: boolean },
  ): void;
  /** What this block must begin with, if its update has these votes. */
  expected(named: readonly (readonly string[] | Uint8Array | null)[]): ExpectedTransactions;
  /** The next block, `seconds` later, with all four voting the price. */
  block(price: bigint, seconds?: number): number;
  eventsOf(type: string): Record<string, string>[];
  /** First violated invariant, or null. */
  violation(): string | null;
  exported(): Uint8Array;
}

export interface TestOracleOptions {
  readonly feed?: Partial<Feed>;
  readonly params?: Partial<Params>;
  readonly penalties?: PenaltyPort;
  /** One validator each. */
  readonly powers?: readonly bigint[];
  /** Starts from an export. */
  readonly from?: { readonly genesis: Uint8Array; readonly header: TestContext["header"] };
}

export function createTestOracle(options: TestOracleOptions = {}): TestOracle {
  const registry = new Registry();
  let commit: VerifiedCommit | null = null;
  const oracle = createOracle(registry.schema("oracle"), {
    addresses: createAddresses("keel"),
    commits: { verifyExtendedCommit: () => commit ?? { refusal: "no commit" } },
    ...(options.penalties === undefined ? {} : { penalties: options.penalties }),
  });
  const ctx = testContext(registry, options.from?.header ?? { height: 10 });
  const validators = (options.powers ?? [1n, 1n, 1n, 1n]).map((power, i) => ({
    address: new Uint8Array(20).fill(i + 1),
    pubKey: new Uint8Array(32).fill(i + 1),
    power,
  }));
  const { genesis } = oracle.module;
  if (genesis.kind !== "proto") throw new Error("oracle has a proto genesis");
  const feed = { ...defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 }), ...options.feed };
  const params = { ...defaultParams(), ...options.params };
  const written = GenesisState.encode(GenesisState.fromPartial({ params, feeds: [feed] }));
  genesis.init(ctx, options.from?.genesis ?? written.finish());
  oracle.keeper.setValidators(ctx, 1, validators);
  ctx.events.length = 0;
  const votesNaming = (named: readonly (readonly string[] | Uint8Array | null)[]) =>
    validators.flatMap(({ address, power }, i) => {
      const said = named[i] ?? null;
      if (said === null) return [];
      const extension =
        said instanceof Uint8Array ? said : oracle.keeper.extensionFor(ctx, [], [], said);
      return [{ address, power, extension }];
    });
  const test: TestOracle = {
    ...oracle,
    ctx,
    validators,
    vote(...prices) {
      const votes = validators.flatMap(({ address, power }, i) => {
        const mantissa = prices[i] ?? null;
        if (mantissa === null) return [];
        const report = { feedId: 1, mantissa, confidence: 0n };
        return [{ address, power, extension: oracle.keeper.extensionFor(ctx, [report]) }];
      });
      commit = { height: ctx.header.height - 1, round: 0, votes };
      return oracle.keeper.update(ctx, { extendedCommit: Uint8Array.of(1), outdated: false });
    },
    list(named, { outdated = false } = {}) {
      commit = { height: ctx.header.height - 1, round: 0, votes: votesNaming(named) };
      oracle.keeper.update(ctx, { extendedCommit: Uint8Array.of(1), outdated });
    },
    expected: (named) => oracle.keeper.expected(ctx, votesNaming(named)),
    block(price, seconds = 1) {
      ctx.nextBlock(seconds);
      return test.vote(price, price, price, price);
    },
    eventsOf: (type) =>
      ctx.events
        .filter((event) => event.type === type)
        .map(({ attributes }) =>
          Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
        ),
    violation() {
      const { running, full } = oracle.module.invariants;
      for (const [rule, check] of Object.entries({ ...running, ...full })) {
        const found = check(ctx);
        if (found !== null) return `${rule}: ${found}`;
      }
      return null;
    },
    exported: () => genesis.export(ctx) as Uint8Array,
  };
  return test;
}
