/** Pages as CometBFT counts them: from 1, 30 by default, 100 at most; a page past the end is an error unless there is nothing at all. */
import { internalError } from "./json-rpc.ts";
import { PER_PAGE_DEFAULT, PER_PAGE_MAX } from "./limits.ts";
import type { Params } from "./params.ts";

export function pageOf<T>(items: readonly T[], params: Params): readonly T[] {
  const asked = params.integer("per_page") ?? 0;
  const perPage = asked < 1 ? PER_PAGE_DEFAULT : Math.min(asked, PER_PAGE_MAX);
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const page = params.integer("page") ?? 1;
  if (page < 1 || page > pages) {
    throw internalError(`page should be within [1, ${pages}] range, given ${page}`);
  }
  return items.slice((page - 1) * perPage, page * perPage);
}

/** "asc" or "desc"; anything else is refused in upstream's words. */
export function isDescending(params: Params, fallback: "asc" | "desc"): boolean {
  const order = params.text("order_by") ?? "";
  if (order !== "" && order !== "asc" && order !== "desc") {
    throw internalError("expected order_by to be either `asc` or `desc` or empty");
  }
  return (order === "" ? fallback : order) === "desc";
}
