/**
 * CometBFT's query language for events: conditions joined by AND, nothing else. Used by searches and by subscriptions.
 *
 *     transfer.recipient = 'keel1…' AND tx.height > 5 AND order.size CONTAINS '1' AND liquidation.account EXISTS
 */
import { parseTimestamp, timestampToNanos } from "@keel/proto/bytes/timestamp";
import { type Decimal, leadingDecimal, parseDecimal } from "./query-number.ts";

export type Operator = "=" | "<" | "<=" | ">" | ">=" | "CONTAINS" | "EXISTS";

export type Operand =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "number"; readonly value: Decimal }
  /** Nanoseconds since 1970. */
  | { readonly kind: "time"; readonly nanos: bigint }
  | { readonly kind: "date"; readonly nanos: bigint };

export interface Condition {
  /** Event type and attribute key joined by a dot. */
  readonly tag: string;
  readonly operator: Operator;
  /** Null for EXISTS alone. */
  readonly operand: Operand | null;
}

export interface Query {
  /** As it was given: subscriptions echo it. */
  readonly text: string;
  readonly conditions: readonly Condition[];
}

/** Longest query text in characters, as upstream: a query is evaluated against every event. */
export const queryLengthMax = 512;

/** A query that cannot be read. A refusal; the message says what was expected. */
export class QueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QueryError";
  }
}

type Token =
  | { readonly kind: "tag" | "operator" | "and"; readonly text: string }
  | { readonly kind: "operand"; readonly text: string; readonly operand: Operand };

/** Throws `QueryError`. */
export function parseQuery(text: string): Query {
  if (text.length > queryLengthMax) {
    throw new QueryError(
      `query: expected at most ${queryLengthMax} characters, got ${text.length}`,
    );
  }
  const tokens = scan(text);
  const conditions: Condition[] = [];
  let at = 0;
  for (;;) {
    const tag = expect(tokens[at++], "tag", "a tag");
    const operator = expect(tokens[at++], "operator", "an operator").text as Operator;
    if (operator === "EXISTS") {
      conditions.push({ tag: tag.text, operator, operand: null });
    } else {
      const { operand } = expect(tokens[at++], "operand", "a value") as Extract<
        Token,
        { kind: "operand" }
      >;
      assertFits(operator, operand);
      conditions.push({ tag: tag.text, operator, operand });
    }
    if (at === tokens.length) return { text, conditions };
    expect(tokens[at++], "and", "AND");
  }
}

function expect(token: Token | undefined, kind: Token["kind"], what: string): Token {
  if (token?.kind === kind) return token;
  throw new QueryError(
    `query: expected ${what}, got ${token === undefined ? "the end" : token.text}`,
  );
}

function assertFits(operator: Operator, operand: Operand): void {
  if (operator === "=") return;
  const wantsText = operator === "CONTAINS";
  if (wantsText === (operand.kind === "string")) return;
  throw new QueryError(
    `query: ${operator} expects ${wantsText ? "a quoted text" : "a number, DATE or TIME"}, got a ${operand.kind}`,
  );
}

// One alternative per kind of token, tried in this order at each position.
const tokenPattern =
  /\s*(?:(?<number>[0-9]+(?:\.[0-9]*)?)|(?<time>(?:TIME|DATE) [-0-9T:+Z]*)|(?<word>[\p{L}_][\p{L}\p{Nd}_.-]*)|'(?<text>[^']*)'|(?<compare><=|>=|<|>|=))/uy;

function scan(text: string): Token[] {
  const source = text.trimEnd();
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < source.length) {
    const start = tokenPattern.lastIndex;
    const groups = tokenPattern.exec(source)?.groups;
    if (groups === undefined)
      throw new QueryError(`query: invalid input at character ${start + 1}`);
    tokens.push(tokenOf(groups));
  }
  return tokens;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Token {
  const { number, time, word, text, compare } = groups;
  if (number !== undefined) {
    return {
      kind: "operand",
      text: number,
      operand: { kind: "number", value: parseDecimal(number) },
    };
  }
  if (time !== undefined) return { kind: "operand", text: time, operand: momentOf(time) };
  if (text !== undefined)
    return { kind: "operand", text: `'${text}'`, operand: { kind: "string", text } };
  if (compare !== undefined) return { kind: "operator", text: compare };
  if (word === "AND") return { kind: "and", text: word };
  if (word === "CONTAINS" || word === "EXISTS") return { kind: "operator", text: word };
  return { kind: "tag", text: word as string };
}

function momentOf(label: string): Operand {
  const text = label.slice(5);
  const kind = label.startsWith("TIME") ? "time" : "date";
  const nanos = kind === "time" ? timeNanos(text) : dateNanos(text);
  const year = Number(text.slice(0, 4));
  if (nanos === null || year < 1900 || year > 2999) {
    const shape = kind === "time" ? "yyyy-mm-ddThh:mm:ssZ" : "yyyy-mm-dd";
    throw new QueryError(`query: expected ${label.slice(0, 4)} ${shape}, got ${text}`);
  }
  return { kind, nanos };
}

function timeNanos(text: string): bigint | null {
  try {
    return timestampToNanos(parseTimestamp(text));
  } catch {
    return null;
  }
}

function dateNanos(text: string): bigint | null {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? timeNanos(`${text}T00:00:00Z`) : null;
}

/** Whether an attribute of this value meets the condition. Numbers compare with the value's leading number ("8atom" is 8). */
export function conditionHolds({ operator, operand }: Condition, value: string): boolean {
  if (operand === null) return true;
  if (operand.kind === "string") {
    return operator === "CONTAINS" ? value.includes(operand.text) : value === operand.text;
  }
  const difference = compareWith(operand, value);
  if (difference === null) return false;
  if (operator === "=") return difference === 0;
  if (operator === "<") return difference < 0;
  if (operator === "<=") return difference <= 0;
  return operator === ">" ? difference > 0 : difference >= 0;
}

/** Sign of value − operand; null when the value is not of the operand's kind. */
function compareWith(operand: Exclude<Operand, { kind: "string" }>, value: string): number | null {
  if (operand.kind === "number") {
    const number = leadingDecimal(value);
    return number === null ? null : number.compare(operand.value);
  }
  const nanos = operand.kind === "time" ? timeNanos(value) : dateNanos(value);
  if (nanos === null) return null;
  return nanos < operand.nanos ? -1 : nanos > operand.nanos ? 1 : 0;
}

/**
 * Whether all conditions hold, each on any attribute (the rule of subscriptions). `attributes` maps a tag to its values; a condition
 * on a bare event type is met by EXISTS when any attribute of that type is there.
 */
export function queryMatches(
  query: Query,
  attributes: ReadonlyMap<string, readonly string[]>,
): boolean {
  return query.conditions.every((condition) => {
    const values = attributes.get(condition.tag);
    if (values !== undefined) return values.some((value) => conditionHolds(condition, value));
    for (const tag of attributes.keys()) {
      if (eventTypeOf(tag) === condition.tag) return conditionHolds(condition, "");
    }
    return false;
  });
}

/** `transfer` of `transfer.recipient`. */
export function eventTypeOf(tag: string): string {
  return tag.slice(0, Math.max(0, tag.lastIndexOf(".")));
}
