/** In-memory contexts for unit tests and simulation: a branch, an adjustable header, and the events emitted so far. */
import type { Registry } from "../collections/schema.ts";
import type { BlockHeader, Event, MessageContext, WriteContext } from "../context.ts";
import { unlimitedGas } from "../gas.ts";
import { Branch } from "../store.ts";

export interface TestContext extends WriteContext {
  header: BlockHeader;
  readonly state: Branch;
  readonly events: Event[];
  signedBy(...signers: Uint8Array[]): MessageContext;
  /** Advances height by one and time by `seconds`. */
  nextBlock(seconds?: number): void;
}

export function testContext(registry: Registry, header: Partial<BlockHeader> = {}): TestContext {
  const events: Event[] = [];
  const state = Branch.empty(registry.collections.length);
  const ctx: TestContext = {
    header: {
      chainId: "test-1",
      height: 1,
      timeNs: 1_700_000_000_000_000_000n,
      proposer: "",
      ...header,
    },
    state,
    gas: unlimitedGas(),
    events,
    emit(type, attributes) {
      events.push({
        type,
        attributes: Object.entries(attributes).map(([key, value]) => ({
          key,
          value,
        })),
      });
    },
    signedBy: (...signers) => ({
      get header() {
        return ctx.header;
      },
      state,
      gas: ctx.gas,
      emit: ctx.emit,
      signers,
    }),
    nextBlock(seconds = 1) {
      ctx.header = {
        ...ctx.header,
        height: ctx.header.height + 1,
        timeNs: ctx.header.timeNs + BigInt(seconds) * 1_000_000_000n,
      };
    },
  };
  return ctx;
}
