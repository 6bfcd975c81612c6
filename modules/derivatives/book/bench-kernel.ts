/** The kernel benchmark: a fixed mix of adds, cancels and matches over a book with many resting orders. Deterministic work. */
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { assert } from "../../kit/errors.ts";
import { match } from "../orders/matching.ts";
import { createRandom } from "../random.ts";
import { Book } from "./book.ts";
import type { UndoLog } from "./order-terms.ts";

export interface KernelBench {
  readonly operations: number;
  readonly fills: number;
  readonly resting: number;
}

const MIDDLE_TICKS = 1_000_000;
const ACCOUNTS = 1000;

/** A prepared book; each call of `run` does `operations` operations (45 % add, 45 % cancel, 10 % match) with undo records. */
export function createKernelBench(options: {
  readonly resting: number;
  readonly seed: number;
  /** Width of the price range on each side. */
  readonly spreadTicks: number;
}): { run(operations: number): KernelBench } {
  const random = createRandom(options.seed);
  const accounts: AccountId[] = Array.from({ length: ACCOUNTS }, (_, i) =>
    accountId(new Uint8Array(20).fill(i & 255, 0, 19).fill(i >> 8, 19), 0),
  );
  const book = new Book();
  let journal: (() => void)[] = [];
  const log: UndoLog = { onRevert: (undo) => void journal.push(undo) };
  const live: number[] = [];
  let nextId = 1;

  const add = (): void => {
    const side = random.below(2) === 0 ? "buy" : "sell";
    const distance = 1 + random.below(options.spreadTicks);
    const ticks = side === "buy" ? MIDDLE_TICKS - distance : MIDDLE_TICKS + distance;
    const account = accounts[random.below(ACCOUNTS)] as AccountId;
    const lots = 1 + random.below(100);
    const id = nextId++;
    book.insert(
      {
        id,
        account,
        side,
        ticks,
        lots,
        reduceOnly: false,
        clientId: "",
        goodTilMs: 0,
        goodTilHeight: 0,
        priority: id,
        hooked: false,
      },
      log,
    );
    live.push(id);
  };
  const cancel = (): boolean => {
    while (live.length > 0) {
      const index = random.below(live.length);
      const id = live[index] as number;
      live[index] = live[live.length - 1] as number;
      live.pop();
      const slot = book.find(id);
      if (slot === 0) continue;
      book.remove(slot, log);
      return true;
    }
    return false;
  };
  while (book.size < options.resting) add();

  return {
    run(operations) {
      let fills = 0;
      for (let i = 0; i < operations; i++) {
        const dice = random.below(100);
        if (dice < 10) {
          const side = random.below(2) === 0 ? "buy" : "sell";
          const limitTicks = side === "buy" ? MIDDLE_TICKS * 2 : 1;
          const taker = { side, limitTicks, lots: 1 + random.below(150), stepsMax: 1000 } as const;
          match(
            book,
            taker,
            (_maker, lots) => {
              fills += 1;
              return lots;
            },
            log,
          );
        } else if (book.size > options.resting) {
          assert(cancel(), "expected an order to cancel");
        } else {
          add();
        }
        // A block's worth of undo records, then a commit.
        if (journal.length > 5000) journal = [];
      }
      return { operations, fills, resting: book.size };
    },
  };
}
