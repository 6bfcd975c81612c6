/** Whatever the pool holds and validators name: what is proposed is accepted, and it is complete or empty; and what is named then is neither in it nor overdue. */
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { IDLE_BLOCKS_MAX } from "./limits.ts";
import { byKey, holding, listingChain, transfers } from "./testing/listing-chain.ts";
import { listingCommit } from "./testing/market-load.ts";

const choice = fc.record({
  /** Of this block's twelve new transactions and the last block's, by bit: offered by the pool, found in it, and named by each validator. */
  offered: fc.nat(0xffffff),
  found: fc.oneof(fc.constant(0xffffff), fc.nat(0xffffff)),
  named: fc.tuple(...[0, 1, 2, 3].map(() => fc.oneof(fc.constant(0), fc.nat(0xffffff)))),
  room: fc.oneof(fc.constant(20_000_000), fc.integer({ min: 2_000, max: 12_000 })),
});

it("a proposal is accepted, complete or empty, for any pool and any votes, and the next list has nothing of it", async () => {
  let votes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(choice, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(-1n, 900_000n, 2_500_000n),
      async (blocks, maxGas) => {
        let held: readonly Uint8Array[] = [];
        const chain = await listingChain({ maxGas, app: { pending: holding(() => held) } });
        let last: readonly Uint8Array[] = [];
        let missing: readonly Uint8Array[] = [];
        let idle = 0;
        for (const { found, named, offered, room } of blocks) {
          const chain0 = chain.account(0);
          const fresh = [
            ...transfers(chain, 8),
            ...[1, 2, 3].map((n) => chain0.send(chain.account(1), `${n}ukeel`)),
            chain.account(2).send(chain.account(1), "1ukeel"),
          ];
          const all = [...fresh, ...last];
          const some = (bits: number) => all.filter((_, at) => ((bits >> at) & 1) === 1);
          held = some(found);
          const commit = listingCommit(chain, 6_500_000n, (at) => some(named[at] as number));
          const txs = await chain.prepare(some(offered), commit, room);
          expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);

          const ownVote = await chain.app.extendVote({ block: chain.proposed(txs), round: 0 });
          const wanted = all.filter(
            (_, at) => 3 * named.filter((bits) => ((bits >> at) & 1) === 1).length > 4,
          );
          const listed = wanted.filter((tx) => !missing.includes(tx));
          const first = [...byKey(missing), ...byKey(listed)];
          const rest = txs.slice(1);
          if (rest.length > 0) expect(txKeys(rest.slice(0, first.length))).toEqual(txKeys(first));
          await chain.decide(txs);
          const isEmpty = rest.length === 0;
          idle = isEmpty && missing.length > 0 && idle < IDLE_BLOCKS_MAX ? idle + 1 : 0;
          missing = isEmpty ? (idle > 0 ? missing : wanted) : [];
          const gone = new Set(txKeys([...txs, ...missing]));
          const own = keysOf(OracleVote.decode(ownVote).transactions);
          expect(own.filter((key) => gone.has(key))).toEqual([]);
          votes += own.length;
          last = fresh;
        }
        expect(chain.faults).toEqual([]);
      },
    ),
    { numRuns: 60, seed: 20_260 },
  );
  expect(votes).toBeGreaterThan(100);
});
