import { describe, expect, it } from "vitest";
import { ASIDE_ENTRY_BYTES } from "./limits.ts";
import { SetAside } from "./set-aside.ts";

const TEN = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);

/** Room for ten transactions of ten bytes; named by texts. */
function setUp() {
  const aside = new SetAside(10 * (ASIDE_ENTRY_BYTES + TEN.length));
  for (const peer of ["honest", "hostile", "late"]) aside.onPeer(peer, "up");
  return {
    aside,
    bring: (origin: string | null, ...keys: string[]) => {
      for (const key of keys) aside.add(key, TEN, origin);
    },
    found: (...keys: string[]) => keys.filter((key) => aside.find(key) !== undefined),
  };
}

const many = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}${i}`);

describe("what is set aside", () => {
  it("is all the room there is for one who is alone, the last that came", () => {
    const { bring, found } = setUp();
    const keys = many("a", 15);
    bring("peer", ...keys);
    expect(found(...keys)).toEqual(keys.slice(5));
  });

  it("counts with what an entry takes beside its bytes, so that small ones are few, too", () => {
    const { aside } = setUp();
    const keys = many("a", 1_000);
    for (const key of keys) aside.add(key, new Uint8Array(0), "honest");
    expect(keys.filter((key) => aside.find(key) !== undefined)).toHaveLength(10);
  });

  it("of one peer is not pushed out by another's flood, nor a client's", () => {
    const { bring, found } = setUp();
    bring("honest", ...many("h", 3));
    bring(null, ...many("c", 3));
    bring("hostile", ...many("x", 1_000));
    expect(found(...many("h", 3), ...many("c", 3))).toHaveLength(6);
    expect(found(...many("x", 1_000))).toEqual(["x996", "x997", "x998", "x999"]);
    // Nor does a flood that came first keep others out.
    bring("late", ...many("l", 3));
    expect(found(...many("l", 3))).toHaveLength(3);
  });

  it("by two is lost to neither when the other floods", () => {
    const { bring, found } = setUp();
    bring("hostile", "wanted");
    bring("honest", "wanted");
    bring("hostile", ...many("x", 100));
    expect(found("wanted")).toEqual(["wanted"]);
    bring("honest", ...many("h", 100));
    expect(found("wanted")).toEqual([]);
  });

  it("by peers that have left is one share, however many there were", () => {
    const { aside, bring, found } = setUp();
    const keys = many("visitor", 50);
    bring("honest", ...many("h", 3));
    for (const name of keys) {
      aside.onPeer(name, "up");
      bring(name, name);
      aside.onPeer(name, "down");
    }
    // What one of them brought may be refused only when it has left.
    bring("visitor50", "visitor50");
    expect(found(...many("h", 3))).toHaveLength(3);
    expect(found(...many("visitor", 51))).toEqual(many("visitor", 51).slice(44));
    // Who comes back begins anew, and what it has left counts once.
    aside.onPeer("visitor50", "up");
    bring("visitor50", "visitor50");
    expect(found(...many("visitor", 51))).toHaveLength(6);
    aside.onPeer("visitor50", "down");
    bring("honest", "h3");
    expect(found(...many("visitor", 51), ...many("h", 4))).toHaveLength(10);
  });
});
