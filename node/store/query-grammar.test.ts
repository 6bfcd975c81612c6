import { describe, expect, test } from "vitest";
import { conditionHolds, parseQuery, QueryError, queryMatches } from "./query-grammar.ts";

const holds = (query: string, value: string): boolean => {
  const [condition] = parseQuery(query).conditions;
  return conditionHolds(condition as never, value);
};

describe("parsing", () => {
  test("reads every operator and kind of value", () => {
    const text =
      "tm.event = 'Tx' AND a.b_c-d<5 AND x.y<=1.5 AND x.y>0 AND x.y >= 10 AND m.s CONTAINS 'ab c' AND z.z EXISTS" +
      " AND t.t=TIME 2013-05-03T14:45:00Z AND d.d=DATE 2017-01-01";
    const query = parseQuery(text);
    expect(query.text).toBe(text);
    expect(
      query.conditions.map(({ tag, operator, operand }) => [tag, operator, operand?.kind ?? null]),
    ).toEqual([
      ["tm.event", "=", "string"],
      ["a.b_c-d", "<", "number"],
      ["x.y", "<=", "number"],
      ["x.y", ">", "number"],
      ["x.y", ">=", "number"],
      ["m.s", "CONTAINS", "string"],
      ["z.z", "EXISTS", null],
      ["t.t", "=", "time"],
      ["d.d", "=", "date"],
    ]);
  });

  test("a quoted value keeps every character but the quote", () => {
    const [condition] = parseQuery(
      "message.action='/cosmos.bank.v1beta1.MsgSend AND <x>'",
    ).conditions;
    expect(condition?.operand).toEqual({
      kind: "string",
      text: "/cosmos.bank.v1beta1.MsgSend AND <x>",
    });
  });

  test.each([
    ["", "expected a tag, got the end"],
    ["   ", "expected a tag, got the end"],
    ["=", "expected a tag, got ="],
    ["a.b", "expected an operator, got the end"],
    ["a.b=", "expected a value, got the end"],
    ["a.b='x' AND", "expected a tag, got the end"],
    ["a.b='x' OR c.d='y'", "expected AND, got OR"],
    ["a.b='x' c.d='y'", "expected AND, got c.d"],
    ["NOT a.b='x'", "expected an operator, got a.b"],
    ["(a.b='x')", "invalid input at character 1"],
    ["a.b='x", "invalid input at character 5"],
    ["a.b=-5", "invalid input at character 5"],
    ["a.b='it''s'", "expected AND, got 's'"],
    ["a.b<'x'", "< expects a number, DATE or TIME, got a string"],
    ["a.b CONTAINS 5", "CONTAINS expects a quoted text, got a number"],
    ["a.b=DATE 2017-13-01", "expected DATE yyyy-mm-dd, got 2017-13-01"],
    ["a.b=DATE 1817-12-01", "expected DATE"],
    ["a.b=TIME 2017-01-01", "expected TIME"],
    [`a.b='${"x".repeat(512)}'`, "expected at most 512 characters, got 518"],
  ])("refuses %s", (text, message) => {
    expect(() => parseQuery(text)).toThrow(QueryError);
    expect(() => parseQuery(text)).toThrow(message);
  });
});

describe("conditions", () => {
  test.each([
    ["a.b='8'", "8", true],
    ["a.b='8'", "8atom", false],
    ["a.b=8", "8atom", true],
    ["a.b=8", "8.0", true],
    ["a.b=8.0", "8", true],
    ["a.b=8", "80", false],
    ["a.b>7.9", "8atom", true],
    ["a.b<8", "7.999stake,9atom", true],
    ["a.b<=8", "8", true],
    ["a.b>=9007199254740993", "9007199254740992", false],
    ["a.b>=9007199254740993", "9007199254740993ukeel", true],
    ["a.b>1", "", false],
    ["a.b<1", "-5", false],
    ["a.b<1", "atom0", false],
    ["a.b=1", "1".repeat(200), false],
    ["a.b CONTAINS 'ell'", "hello", true],
    ["a.b CONTAINS 'elo'", "hello", false],
    ["a.b EXISTS", "", true],
    ["a.b=DATE 2017-01-01", "2017-01-01", true],
    ["a.b>DATE 2017-01-01", "2017-01-02", true],
    ["a.b>DATE 2017-01-01", "2017-01-02T00:00:00Z", false],
    ["a.b<TIME 2017-01-01T10:00:00Z", "2017-01-01T10:00:00+01:00", true],
    ["a.b=TIME 2017-01-01T10:00:00Z", "2017-01-01T11:00:00+01:00", true],
    ["a.b=TIME 2017-01-01T10:00:00Z", "soon", false],
  ])("%s on %s is %s", (query, value, expected) => {
    expect(holds(query, value)).toBe(expected);
  });
});

describe("subscriptions", () => {
  const attributes = new Map([
    ["tm.event", ["Tx"]],
    ["tx.height", ["7"]],
    ["transfer.recipient", ["a", "b"]],
    ["transfer.amount", ["5ukeel", "9ukeel"]],
  ]);
  test.each([
    ["tm.event='Tx'", true],
    ["tm.event='Tx' AND transfer.recipient='b' AND tx.height=7", true],
    ["tm.event='Tx' AND transfer.recipient='c'", false],
    // Each condition may be met by another event.
    ["transfer.recipient='a' AND transfer.amount=9", true],
    ["transfer EXISTS", true],
    ["transfer.sender EXISTS", false],
    ["send EXISTS", false],
  ])("%s matches: %s", (query, expected) => {
    expect(queryMatches(parseQuery(query), attributes)).toBe(expected);
  });
});
