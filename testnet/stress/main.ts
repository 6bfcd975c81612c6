import { runOnChain } from "./chain/run.ts";
import { GENERATORS, type GeneratorName, generate } from "./tape/generators.ts";

const [name = "flash-crash", size = "1", accounts = "300", scan = "1"] = process.argv.slice(2);
for (const one of name === "all" ? GENERATORS : [name as GeneratorName]) {
  const t = performance.now();
  const tape = generate(one, Number(size), 1);
  const out = await runOnChain({
    tape,
    accounts: Number(accounts),
    seed: 1,
    blockMs: 5000,
    fundShare: 0.01,
    scanEvery: Number(scan),
    variant: { vault: 3_000_000 },
  });
  const { timeline, ...rest } = out;
  console.log(
    one,
    ((performance.now() - t) / 1000).toFixed(1),
    "s",
    rest,
    timeline
      .filter((_, i) => i % 5 === 0)
      .map((p) =>
        [
          p.minute,
          p.outside.toFixed(3),
          p.mark.toFixed(3),
          p.depth.toFixed(2),
          p.openInterest.toFixed(0),
        ].join(" "),
      ),
  );
}
