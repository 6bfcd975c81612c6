/** Daily closes from a file with a header that names its columns, one row a day, oldest first. */

export interface Close {
  /** "2015-01-01" */
  readonly date: string;
  readonly price: number;
}

export function parseCloses(text: string): readonly Close[] {
  const [header, ...rows] = text.trim().split(/\r?\n/);
  const columns = (header ?? "").split(",");
  const at = (name: string): number => {
    const index = columns.indexOf(name);
    if (index < 0) throw new Error(`expected a column "${name}", got ${header ?? "an empty file"}`);
    return index;
  };
  const [timestamp, close] = [at("timestamp"), at("close")];
  return rows.map((row, line) => {
    const cells = row.split(",");
    const date = (cells[timestamp] ?? "").slice(0, 10);
    const price = Number(cells[close]);
    if (!/^\d{4}-\d\d-\d\d$/.test(date) || !(price > 0))
      throw new Error(`line ${line + 2}: expected a day and a positive close, got "${row}"`);
    return { date, price };
  });
}
