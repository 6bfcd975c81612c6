/**
 * The chain's modules without blocks, transactions and real signatures: messages go straight to their handlers, thousands a second. For
 * tests that need the real ledger under the real market.
 */
import { testVerify } from "@keel/modules/derivatives/testing";
import { accountId } from "@keel/modules/kit/account-id";
import type { KeyKind } from "@keel/modules/kit/signature";
import { type TestContext, testContext } from "@keel/modules/kit/testing/context";
import type { Price } from "@keel/proto/gen/keel/oracle/v1/types";
import type { SignatureVerifier } from "../../crypto/verifier.ts";
import { createKeel, type Keel } from "../app.ts";
import { loadGenesis } from "../genesis.ts";
import { TestChain } from "./chain.ts";

export interface ModuleWorld {
  readonly keel: Keel;
  readonly ctx: TestContext;
  /** Mantissa of feed 1, as of now. */
  setPrice(mantissa: bigint): void;
  /** Coins of the settlement asset, paid into a sub-account. */
  fund(owner: Uint8Array, subaccount: number, quanta: bigint): void;
  /** Decodes, validates and handles bytes; a refusal is thrown with nothing changed. */
  handle(typeUrl: string, bytes: Uint8Array): Uint8Array;
  /** First violated invariant, or null. */
  violation(): string | null;
}

const FEED_PRICES = "prices";

/** From the test chain's genesis, or another app_state. */
export function createModuleWorld(appState?: unknown): ModuleWorld {
  const ask = (kind: KeyKind) => (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    testVerify({ kind, key, message, signature });
  const verifier: SignatureVerifier = {
    workers: 0,
    verifySecp256k1: ask("secp256k1"),
    verifyEd25519: ask("ed25519"),
    prefetch: (checks) => Promise.resolve(checks.map(() => null)),
    close: () => Promise.resolve(),
  };
  const keel = createKeel({ addressPrefix: "keel", verifier });
  const ctx = testContext(keel.registry);
  loadGenesis(ctx, keel.genesis, appState ?? new TestChain({ accounts: 1 }).appState());
  const prices = keel.registry.collections.find(
    ({ store, name }) => store === "oracle" && name === FEED_PRICES,
  );
  if (prices === undefined) throw new Error("the oracle has no prices");
  return {
    keel,
    ctx,
    setPrice(mantissa) {
      const price: Price = {
        feedId: 1,
        mantissa,
        confidence: 1n,
        emaMantissa: mantissa,
        reportingPowerPpm: 1_000_000n,
        height: BigInt(ctx.header.height),
        timeNs: ctx.header.timeNs,
      };
      ctx.state.set(prices.id, "\u0000\u0000\u0000\u0001", prices.hold(price));
    },
    fund(owner, subaccount, quanta) {
      keel.bank.mint(ctx, owner, { denom: "uusdc", amount: quanta });
      keel.margin.deposit(ctx, owner, accountId(owner, subaccount), quanta);
    },
    handle(typeUrl, bytes) {
      const route = keel.messages.get(typeUrl);
      if (route === undefined) throw new Error(`no route ${typeUrl}`);
      const savepoint = ctx.state.savepoint();
      try {
        const message = route.decode(bytes);
        route.validate(message);
        const signers = route.signers(message).map((one) => keel.addresses.parse(one));
        return route.handle(ctx.signedBy(...signers), message);
      } catch (error) {
        ctx.state.revert(savepoint);
        throw error;
      }
    },
    violation() {
      for (const { name, invariants } of keel.genesis) {
        for (const [rule, check] of Object.entries({ ...invariants.running, ...invariants.full })) {
          const found = check(ctx);
          if (found !== null) return `${name}/${rule}: ${found}`;
        }
      }
      return null;
    },
  };
}
