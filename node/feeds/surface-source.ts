/**
 * Votes on the surfaces the chain lists, for the indexes this node has prices of: one model per index, at the expiries of the chain's dated
 * contracts and at a day, a week and a month ahead, so that there is a surface before the first option.
 */
import type { QueryRequest, QueryResponse } from "@keel/consensus/host/ports";
import {
  QuerySettlementPricesRequest,
  QuerySettlementPricesResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { QuerySurfacesResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { createSurfaceModel, type SurfaceModel } from "./surface-model.ts";
import { E8, type NowMs, type Quote } from "./types.ts";

export type Query = (request: QueryRequest) => Promise<QueryResponse>;

export interface SurfaceSource {
  observe(quotes: readonly Quote[]): void;
  votes(): readonly SurfaceVote[];
  /** Which surfaces there are and which expiries they are needed for. Keeps the old answer when the new one fails. */
  refresh(query: Query, symbolOf: (feedId: number) => string | undefined): Promise<void>;
}

interface Listed {
  readonly id: number;
  readonly symbol: string;
  readonly expiriesMs: readonly number[];
}

const DAY_MS = 86_400_000;
const PILLARS_DAYS = [2, 8, 31] as const;
/** As many as a vote may hold. */
const EXPIRIES_MAX = 16;

export function createSurfaceSource(now: NowMs): SurfaceSource {
  const models = new Map<string, SurfaceModel>();
  let listed: readonly Listed[] = [];
  return {
    observe(quotes) {
      for (const { symbol, priceE8 } of quotes) {
        const model = models.get(symbol) ?? createSurfaceModel();
        models.set(symbol, model);
        model.observe(Number(priceE8) / E8, now());
      }
    },
    votes() {
      const nowMs = now();
      return listed.flatMap(({ id, symbol, expiriesMs }) => {
        const wanted = chosen(expiriesMs, nowMs);
        return models.get(symbol)?.vote(id, wanted, nowMs) ?? [];
      });
    },
    async refresh(query, symbolOf) {
      const ask = async (path: string, data: Uint8Array): Promise<Uint8Array | null> => {
        const answer = await query({ path, data, height: 0, prove: false });
        return answer.code === 0 ? answer.value : null;
      };
      const answer = await ask("/keel.oracle.v1.Query/Surfaces", new Uint8Array(0));
      if (answer === null) return;
      const next: Listed[] = [];
      for (const { id, feedId, enabled } of QuerySurfacesResponse.decode(answer).surfaces) {
        const symbol = symbolOf(feedId);
        if (!enabled || symbol === undefined) continue;
        const request = QuerySettlementPricesRequest.encode({ feedId }).finish();
        const held = await ask("/keel.derivatives.v1.Query/SettlementPrices", request);
        const prices = held === null ? [] : QuerySettlementPricesResponse.decode(held).prices;
        const expiriesMs = prices
          .filter(({ final }) => !final)
          .map(({ expiryMs }) => Number(expiryMs));
        next.push({ id, symbol, expiriesMs });
      }
      listed = next;
    },
  };
}

/** The contracts' expiries that are ahead, the nearest first when there are too many, and the pillars. Midnights, so that all validators mean the same. */
function chosen(expiriesMs: readonly number[], nowMs: number): number[] {
  const today = Math.floor(nowMs / DAY_MS);
  const pillars = PILLARS_DAYS.map((days) => (today + days) * DAY_MS);
  const ahead = [...new Set(expiriesMs)].filter((at) => at > nowMs).sort((a, b) => a - b);
  const near = ahead.slice(0, EXPIRIES_MAX - pillars.length);
  return [...new Set([...near, ...pillars])].sort((a, b) => a - b);
}
