/** Blocks on a bare branch, one after the other, with parts of the composition replaced. */
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import type { WriteContext } from "@keel/modules/kit/context";
import { unlimitedGas } from "@keel/modules/kit/gas";
import { Branch } from "@keel/modules/kit/store";
import { createVerifier } from "../../crypto/verifier.ts";
import { createKeel, type Keel } from "../app.ts";
import { createBlockExecutor, type ExecutedBlock } from "../block.ts";
import { writeContext } from "../contexts.ts";
import { loadGenesis } from "../genesis.ts";
import { createRouter } from "../router.ts";
import { createTxReader } from "../transactions.ts";
import { TestChain, type TestChainOptions } from "./chain.ts";

const chainId = "keel-test-1";

export interface ExecutorBench {
  readonly chain: TestChain;
  readonly keel: Keel;
  readonly state: Branch;
  readonly faults: string[];
  /** At the time of the last block. */
  context(): WriteContext;
  run(txs: readonly Uint8Array[]): ExecutedBlock;
}

export function executorBench(
  change: (keel: Keel) => Partial<Keel>,
  options: TestChainOptions = {},
): ExecutorBench {
  const chain = new TestChain(options);
  const verifier = createVerifier({ backend: "native", workers: 0 });
  const real = createKeel({ addressPrefix: "keel", verifier });
  const keel: Keel = { ...real, ...change(real) };
  const state = Branch.empty(keel.registry.collections.length);
  const faults: string[] = [];
  const onFault = (_height: number, where: string, error: Error): void =>
    void faults.push(`${where}: ${error.message}`);
  const context = (): WriteContext => {
    const height = chain.height === 0 ? 1 : chain.height;
    const header = { chainId, height, timeNs: chain.timeNs(height), proposer: "" };
    return writeContext(header, state, unlimitedGas(), []);
  };
  loadGenesis(context(), real.genesis, chain.appState());
  const { addresses, ante } = keel;
  const blocks = createBlockExecutor({
    keel,
    chainId,
    router: createRouter({ ante, addresses, minGasPrices: [], onFault }),
    read: createTxReader(keel.messages, addresses).read,
    onFault,
  });
  const run = (txs: readonly Uint8Array[]): ExecutedBlock => {
    const block = blocks.execute(state, chain.proposed(txs), defaultConsensusParams);
    chain.height += 1;
    return block;
  };
  return { chain, keel, state, faults, context, run };
}
