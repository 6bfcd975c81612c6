/**
 * Store `consensus`: the consensus parameters under the SDK's key, and the last block's height and time, which CheckTx and queries see after a
 * restart.
 */
import { consensusParamsMessage } from "@keel/consensus/wire/params";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import { protoValue, type ValueCodec } from "@keel/modules/kit/collections/codecs";
import type { ItemCollection, Schema } from "@keel/modules/kit/collections/schema";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";

export interface LastBlock {
  readonly height: number;
  readonly timeNs: bigint;
}

export interface ChainRecord {
  readonly params: ItemCollection<ConsensusParams>;
  readonly lastBlock: ItemCollection<LastBlock>;
}

const paramsValue: ValueCodec<ConsensusParams> = protoValue({
  encode: (params) => ({ finish: () => consensusParamsMessage.encode(params) }),
  decode: (bytes) => consensusParamsMessage.decode(bytes),
});

/** Two big-endian 64-bit numbers; the time is signed. */
const lastBlockValue: ValueCodec<LastBlock> = {
  encode({ height, timeNs }) {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(height));
    view.setBigInt64(8, timeNs);
    return bytes;
  },
  decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { height: Number(view.getBigUint64(0)), timeNs: view.getBigInt64(8) };
  },
  size: () => 16,
};

export function createChainRecord(schema: Schema): ChainRecord {
  return {
    params: schema.item(utf8ToBytes("Consensus"), "consensus_params", paramsValue),
    lastBlock: schema.item(utf8ToBytes("keel/last_block"), "last_block", lastBlockValue),
  };
}
