/** State layout of store "oracle". Prefixes ascend and are never reused. */
import {
  FeedWatch,
  PriceCheckpoint,
  ValidatorStanding,
} from "@keel/proto/gen/keel/oracle/v1/guard";
import {
  Feed,
  InclusionList,
  Params,
  Price,
  Surface,
  SurfaceAnchor,
  SurfaceParameters,
  ValidatorReports,
  ValidatorSet,
} from "@keel/proto/gen/keel/oracle/v1/types";
import type { KeyCodec } from "../kit/collections/codecs.ts";
import { heightKey, pairKey, protoValue, rawBytesKey, u32Key } from "../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../kit/collections/schema.ts";

export interface OracleState {
  readonly params: ItemCollection<Params>;
  readonly feeds: MapCollection<number, Feed>;
  readonly prices: MapCollection<number, Price>;
  /** By the first height the set signs. */
  readonly validatorSets: MapCollection<number, ValidatorSet>;
  /** All validators in one value: it is rewritten whole every block, and one key is cheaper to commit than a hundred. */
  readonly reports: ItemCollection<ValidatorReports>;
  readonly surfaces: MapCollection<number, Surface>;
  readonly surfaceParameters: MapCollection<number, SurfaceParameters>;
  /** By surface and turn. */
  readonly surfaceAnchors: MapCollection<readonly [number, number], SurfaceAnchor>;
  /** Of guarded feeds. */
  readonly watches: MapCollection<number, FeedWatch>;
  /** By feed and step modulo the number of steps. */
  readonly checkpoints: MapCollection<readonly [number, number], PriceCheckpoint>;
  /** By validator address, from its first penalty on. */
  readonly standings: MapCollection<Uint8Array, ValidatorStanding>;
  /** Of the last block with an update, while there is something to say. */
  readonly inclusionList: ItemCollection<InclusionList>;
}

const anchorParts = pairKey(u32Key, u32Key);
const anchorTexts: string[] = [];

/** Every mark on a surface asks for the anchor of its turn: of the first surfaces each key is one text, equal to itself at a glance. */
const anchorKey: KeyCodec<readonly [number, number]> = {
  encode(key) {
    const [surfaceId, turn] = key;
    if (!(surfaceId < 16 && turn >= 0 && turn < 256)) return anchorParts.encode(key);
    const place = surfaceId * 256 + turn;
    return (anchorTexts[place] ??= anchorParts.encode(key));
  },
  decode: anchorParts.decode,
};

export function oracleState(schema: Schema): OracleState {
  return {
    params: schema.item(0, "params", protoValue(Params)),
    feeds: schema.map(1, "feeds", u32Key, protoValue(Feed)),
    prices: schema.map(2, "prices", u32Key, protoValue(Price)),
    validatorSets: schema.map(3, "validator_sets", heightKey, protoValue(ValidatorSet)),
    reports: schema.item(4, "reports", protoValue(ValidatorReports)),
    surfaces: schema.map(5, "surfaces", u32Key, protoValue(Surface)),
    surfaceParameters: schema.map(6, "surface_parameters", u32Key, protoValue(SurfaceParameters)),
    surfaceAnchors: schema.map(7, "surface_anchors", anchorKey, protoValue(SurfaceAnchor)),
    watches: schema.map(8, "watches", u32Key, protoValue(FeedWatch)),
    checkpoints: schema.map(9, "checkpoints", pairKey(u32Key, u32Key), protoValue(PriceCheckpoint)),
    standings: schema.map(10, "standings", rawBytesKey, protoValue(ValidatorStanding)),
    inclusionList: schema.item(11, "inclusion_list", protoValue(InclusionList)),
  };
}
