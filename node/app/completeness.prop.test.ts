/** Whatever the pool holds and validators name: what is proposed is accepted, and it is complete or empty. */
import { txKeys } from "@keel/modules/oracle/lists/keys";
import fc from "fast-check";
import { expect, it } from "vitest";
import { byKey, holding, listingChain, transfers } from "./testing/listing-chain.ts";
import { listingCommit } from "./testing/market-load.ts";

const choice = fc.record({
  /** Of this block's twelve new transactions and the last block's, by bit: offered by the pool, found in it, and named by each validator. */
  offered: fc.nat(0xffffff),
  found: fc.oneof(fc.constant(0xffffff), fc.nat(0xffffff)),
  named: fc.tuple(...[0, 1, 2, 3].map(() => fc.oneof(fc.constant(0), fc.nat(0xffffff)))),
  room: fc.oneof(fc.constant(20_000_000), fc.integer({ min: 2_000, max: 12_000 })),
});

it("a proposal is accepted, complete or empty, for any pool and any votes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(choice, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(-1n, 900_000n, 2_500_000n),
      async (blocks, maxGas) => {
        let held: readonly Uint8Array[] = [];
        const chain = await listingChain({ maxGas, app: { pending: holding(() => held) } });
        let last: readonly Uint8Array[] = [];
        let missing: readonly Uint8Array[] = [];
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

          const listed = all.filter((_, at) => {
            const count = named.filter((bits) => ((bits >> at) & 1) === 1).length;
            return 3 * count > 4 && !missing.includes(all[at] as Uint8Array);
          });
          const first = [...byKey(missing), ...byKey(listed)];
          const rest = txs.slice(1);
          if (rest.length > 0) expect(txKeys(rest.slice(0, first.length))).toEqual(txKeys(first));
          await chain.decide(txs);
          missing = rest.length > 0 ? [] : listed;
          last = fresh;
        }
        expect(chain.faults).toEqual([]);
      },
    ),
    { numRuns: 60, seed: 20_260 },
  );
});
