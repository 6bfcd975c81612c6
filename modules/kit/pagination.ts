/**
 * cosmos.base.query.v1beta1 pagination over lists that are already in key order. A request without pagination counts the total, as the
 * SDK does; `key` is the position's own key bytes, so pages stay valid while entries come and go.
 */
import { compareBytes } from "@keel/proto/bytes/compare";
import { PageResponse } from "cosmjs-types/cosmos/base/query/v1beta1/pagination";
import { sdkError } from "./sdk-errors.ts";

export interface PageRequestLike {
  readonly key: Uint8Array;
  readonly offset: bigint;
  readonly limit: bigint;
  readonly countTotal: boolean;
  readonly reverse: boolean;
}

/** The SDK's default page; the bound keeps one answer small. */
const LIMIT_DEFAULT = 100n;
const LIMIT_MAX = 10_000n;

export interface Page<T> {
  readonly items: T[];
  readonly pagination: PageResponse;
}

/** `keyOf` must ascend over `entries`. */
export function paginate<T>(
  entries: readonly T[],
  keyOf: (entry: T) => Uint8Array,
  request: PageRequestLike | undefined,
): Page<T> {
  const limitAsked = request?.limit ?? 0n;
  const limit = Number(
    limitAsked === 0n ? LIMIT_DEFAULT : limitAsked < LIMIT_MAX ? limitAsked : LIMIT_MAX,
  );
  const hasKey = request !== undefined && request.key.length > 0;
  if (hasKey && request.offset > 0n) {
    throw sdkError(
      "invalidRequest",
      "paginate: invalid request, either offset or key is expected, got both",
    );
  }
  const ordered = request?.reverse === true ? [...entries].reverse() : entries;
  let start = request === undefined ? 0 : Number(request.offset);
  if (hasKey) {
    const direction = request.reverse ? -1 : 1;
    start = ordered.findIndex((entry) => compareBytes(keyOf(entry), request.key) * direction >= 0);
    if (start < 0) start = ordered.length;
  }
  const items = ordered.slice(start, start + limit);
  const next = ordered[start + limit];
  const countTotal = request === undefined || limitAsked === 0n || (request.countTotal && !hasKey);
  return {
    items,
    pagination: PageResponse.fromPartial({
      nextKey: next === undefined ? new Uint8Array(0) : keyOf(next),
      total: countTotal ? BigInt(entries.length) : 0n,
    }),
  };
}
