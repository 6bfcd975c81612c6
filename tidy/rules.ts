// The house rules no compiler or linter checks. A rule answers with the reasons a file breaks it.
import { dirname, join } from "node:path/posix";
import { codeOf, importsOf } from "./source.ts";

export interface File {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export type Rule = (file: File) => string[];

export const workspaces: readonly string[] = [
  "proto",
  "consensus",
  "modules",
  "node",
  "client",
  "testnet",
];
const linesMax = 400;

const isCode = (path: string): boolean => /\.(ts|mjs|js)$/.test(path);
const isGenerated = (path: string): boolean => path.startsWith("proto/gen/");
const isTest = (path: string): boolean => /\.(test|bench)\.ts$/.test(path);
const isPure = (path: string): boolean =>
  /^(consensus\/(core|light)|modules)\/.*\.ts$/.test(path) && !isTest(path);

function findings(text: string, patterns: readonly (readonly [RegExp, string])[]): string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      patterns
        .filter(([pattern]) => pattern.test(line))
        .map(([, reason]) => `line ${index + 1}: ${reason}`),
    );
}

const pureZone: Rule = ({ path, text }) =>
  isPure(path)
    ? findings(codeOf(text), [
        [/(?<![.\w])async\b(?!\s*[:?,=;})])/, "async in a pure zone"],
        [/(?<![.\w])await\b/, "await in a pure zone"],
        [/\bfor\s*\(\s*(?:const|let|var)\s+\w+\s+in\b/, "for-in: its order is not the data's"],
        [/\.(?:sort|toSorted)\(\s*\)/, "bare sort compares text; pass a comparison"],
        [/(?<![\w.])\d[\d_]*\.\d/, "floating-point literal in a pure zone"],
      ])
    : [];

const shortFiles: Rule = ({ path, text }) => {
  const lines = text.split("\n").length - 1;
  if (!isCode(path) || isGenerated(path) || lines <= linesMax) return [];
  return [`${lines} lines, at most ${linesMax}`];
};

const unfinished = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`);

const finished: Rule = ({ path, text }) =>
  /\.(ts|mjs|js|md|proto|sh|ya?ml)$/.test(path) && !isGenerated(path)
    ? findings(text, [[unfinished, "unfinished work: do it or drop it"]])
    : [];

const namedExports: Rule = ({ path, text }) =>
  isCode(path) && !isGenerated(path) && !/^[\w.]+\.config\.ts$/.test(path)
    ? findings(codeOf(text), [
        [/^\s*export\s+default\b/, "default export"],
        [/^\s*export\s*\{[^}]*\bas\s+default\b/, "default export"],
      ])
    : [];

const machinePaths: Rule = ({ path, text }) =>
  /\.(ts|mjs|js|json|md|proto|sh|ya?ml|toml)$/.test(path) && path !== "package-lock.json"
    ? findings(text, [
        [
          /(?:^|[\s"'`(=:])(?:file:\/\/)?\/(?:home|root|Users|tmp|mnt|work|opt|srv)\/[\w.-]/,
          "machine path",
        ],
        [/(?<![A-Za-z])[A-Z]:\\\\?(?:Users|Windows)\b/, "machine path"],
      ])
    : [];

const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;

const kebabNames: Rule = ({ path }) =>
  isCode(path) && !isGenerated(path)
    ? path
        .split("/")
        .filter((part) => !kebab.test(part))
        .map((part) => `"${part}" is not kebab-case`)
    : [];

const noBarrels: Rule = ({ path }) =>
  /(?:^|\/)index\.(ts|mjs|js)$/.test(path) && !isGenerated(path)
    ? ["barrel: import the file that has it"]
    : [];

/** The part of a workspace that may not reach its neighbours by relative path. */
function walledZone(path: string): string | undefined {
  if (isTest(path)) return undefined;
  // What the tests of several modules share.
  if (path.startsWith("modules/testing/")) return "modules";
  if (path.startsWith("consensus/core/")) return "consensus/core";
  return /^modules\/[^/]+(?=\/)/.exec(path)?.[0];
}

const relativeImports: Rule = ({ path, text }) => {
  if (!isCode(path) || isGenerated(path)) return [];
  const workspace = workspaces.find((name) => path.startsWith(`${name}/`));
  const zone = walledZone(path);
  const within = (target: string, folder: string): boolean => target.startsWith(`${folder}/`);
  return importsOf(text)
    .filter((specifier) => specifier.startsWith("."))
    .flatMap((specifier) => {
      const target = join(dirname(path), specifier);
      if (path.endsWith(".ts") && !/\.(ts|mjs|json)$/.test(target))
        return [`"${specifier}" needs its .ts ending`];
      if (workspace !== undefined && !within(target, workspace))
        return [`"${specifier}" leaves ${workspace}; import other workspaces by name`];
      if (zone === undefined || within(target, zone)) return [];
      if (zone.startsWith("modules/") && zone !== "modules/kit" && within(target, "modules/kit"))
        return [];
      return [
        `"${specifier}" leaves ${zone}, which sees only itself${zone.startsWith("modules/") ? " and the kit; declare a port" : ""}`,
      ];
    });
};

export const rules: Readonly<Record<string, Rule>> = {
  "pure zones are synchronous and ordered": pureZone,
  "files are short": shortFiles,
  "nothing is left unfinished": finished,
  "exports are named": namedExports,
  "no path of one machine": machinePaths,
  "names are kebab-case": kebabNames,
  "no barrels": noBarrels,
  "relative imports stay inside their zone": relativeImports,
};

/** Workspaces, and module folders, that hold code but no README.md. */
export function foldersWithoutReadme(paths: readonly string[]): string[] {
  const present = new Set(paths);
  const folders = new Set<string>();
  for (const path of paths) {
    if (!path.endsWith(".ts")) continue;
    const [workspace = "", folder = "", ...rest] = path.split("/");
    if (!workspaces.includes(workspace)) continue;
    folders.add(workspace);
    if (workspace === "modules" && rest.length > 0) folders.add(`modules/${folder}`);
  }
  return [...folders].filter((folder) => !present.has(`${folder}/README.md`)).sort();
}
