/**
 * Store `consensus`: the consensus parameters under the SDK's key, and the last block's height and time, which CheckTx and queries see after a
 * restart, also when that block was idle.
 */
import { consensusParamsMessage } from "@keel/consensus/wire/params";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import { protoValue, type ValueCodec } from "@keel/modules/kit/collections/codecs";
import type { ItemCollection, Schema } from "@keel/modules/kit/collections/schema";
import type { ReadContext } from "@keel/modules/kit/context";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

export interface BlockMoment {
  readonly height: number;
  readonly timeNs: bigint;
}

export interface LastBlock extends BlockMoment {
  /** The last one that did something, when this one is idle. */
  readonly active?: BlockMoment;
}

export interface ChainRecord {
  readonly params: ItemCollection<ConsensusParams>;
  readonly lastBlock: ItemCollection<LastBlock>;
}

const paramsValue: ValueCodec<ConsensusParams> = protoValue({
  encode: (params) => ({ finish: () => consensusParamsMessage.encode(params) }),
  decode: (bytes) => consensusParamsMessage.decode(bytes),
});

const MOMENT_BYTES = 16;

/** Two big-endian 64-bit numbers, of which the time is signed; of an idle block, then the same two of the last one that did something. */
const lastBlockValue: ValueCodec<LastBlock> = {
  encode(last) {
    const bytes = new Uint8Array(sizeOf(last));
    const view = new DataView(bytes.buffer);
    writeMoment(view, 0, last);
    if (last.active !== undefined) writeMoment(view, MOMENT_BYTES, last.active);
    return bytes;
  },
  decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = readMoment(view, 0);
    return bytes.length === MOMENT_BYTES
      ? last
      : { ...last, active: readMoment(view, MOMENT_BYTES) };
  },
  size: sizeOf,
};

function sizeOf({ active }: LastBlock): number {
  return active === undefined ? MOMENT_BYTES : 2 * MOMENT_BYTES;
}

function writeMoment(view: DataView, at: number, { height, timeNs }: BlockMoment): void {
  view.setBigUint64(at, BigInt(height));
  view.setBigInt64(at + 8, timeNs);
}

function readMoment(view: DataView, at: number): BlockMoment {
  return { height: Number(view.getBigUint64(at)), timeNs: view.getBigInt64(at + 8) };
}

/** The last block that did something. */
export function activeBlock(
  { lastBlock }: Pick<ChainRecord, "lastBlock">,
  ctx: ReadContext,
): BlockMoment | undefined {
  const last = lastBlock.get(ctx);
  return last?.active ?? last;
}

export function createChainRecord(schema: Schema): ChainRecord {
  return {
    params: schema.item(utf8ToBytes("Consensus"), "consensus_params", paramsValue),
    lastBlock: schema.item(utf8ToBytes("keel/last_block"), "last_block", lastBlockValue),
  };
}
