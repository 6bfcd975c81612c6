// Source text reduced to code: comments and literals blanked, line breaks kept.

const regexMayFollow = /(?:^|[=(,:;!&|?{}[+\-*%<>~^]|\breturn|\btypeof|\bcase|=>)\s*$/;

/** What precedes a slash and decides whether a regular expression begins with it. */
const BEFORE_MAX = 80;

/** The index just past a quoted literal that opens at `start`. */
function endOfQuoted(text: string, start: number): number {
  const quote = text[start];
  let at = start + 1;
  while (at < text.length && text[at] !== quote && text[at] !== "\n")
    at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== "\n"; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "[") inClass = true;
    else if (text[at] === "]") inClass = false;
    else if (text[at] === "/" && !inClass) return at + 1;
  }
  return start + 1;
}

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** Where the comment or plain literal that opens at `at` ends; undefined when none opens there. */
function endOfOpaque(text: string, at: number, before: string): number | undefined {
  const two = text.slice(at, at + 2);
  const until = (index: number, length: number): number =>
    index === -1 ? text.length : index + length;
  if (two === "//") return until(text.indexOf("\n", at), 0);
  if (two === "/*") return until(text.indexOf("*/", at + 2), 2);
  if (text[at] === '"' || text[at] === "'") return endOfQuoted(text, at);
  if (text[at] === "/" && regexMayFollow.test(before)) return endOfRegex(text, at);
  return undefined;
}

/** The code of a file. Expressions inside template literals stay, their text goes. */
export function codeOf(text: string): string {
  // In parts, and the end of them by itself: a text that grows and is read at every step is copied at every step.
  const parts: string[] = [];
  let before = "";
  let at = 0;
  const depths: number[] = [];
  let inTemplate = false;
  const emit = (length: number, keep: boolean, mark = ""): void => {
    const part = text.slice(at, at + length);
    const kept = keep ? part : blank(part);
    const written = mark === "" ? kept : `${kept.slice(0, -1)}${mark}`;
    parts.push(written);
    before = `${before}${written}`.slice(-BEFORE_MAX);
    at += length;
  };
  while (at < text.length) {
    const char = text[at];
    if (inTemplate) {
      if (text.startsWith("${", at)) {
        depths.push(0);
        inTemplate = false;
        emit(2, false);
      } else {
        inTemplate = char !== "`";
        emit(char === "\\" ? 2 : 1, false);
      }
      continue;
    }
    const end = endOfOpaque(text, at, before);
    if (end !== undefined) {
      // A literal leaves a mark: what follows it is an operator, not the start of a regular expression.
      const literal = text[at] !== "/" || !["/", "*"].includes(text[at + 1] ?? "");
      emit(end - at, false, literal ? "_" : "");
      continue;
    }
    const depth = depths.length - 1;
    if (char === "`") inTemplate = true;
    if (depth >= 0 && char === "{") depths[depth] = (depths[depth] ?? 0) + 1;
    if (depth >= 0 && char === "}") {
      if (depths[depth] === 0) {
        depths.pop();
        inTemplate = true;
        emit(1, false);
        continue;
      }
      depths[depth] = (depths[depth] ?? 0) - 1;
    }
    emit(1, char !== "`");
  }
  return parts.join("");
}

/** Every specifier a file imports or re-exports. */
export function importsOf(text: string): string[] {
  const statement =
    /^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...text.matchAll(statement)].map((found) => found[1] ?? found[2] ?? found[3] ?? "");
}
