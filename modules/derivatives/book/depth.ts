/** A side of a book as the impact price reads it. */
import type { Depth } from "../funding.ts";
import type { Side } from "../ports.ts";
import type { Book } from "./book.ts";

export function depthOf(book: Book, side: Side): Depth {
  return (visit) =>
    book.each(side, (slot) => {
      const { ticks, lots } = book.read(slot);
      return visit(ticks, lots);
    });
}
