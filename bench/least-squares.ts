/** What is added up, and what it came to. */
export interface Observation {
  amounts: readonly number[];
  total: number;
}

/**
 * What one of each costs, so that the totals come out best: the sum of the squares of the relative errors is least among costs
 * that are not negative. What would cost less than nothing costs nothing.
 * Where something was not measured, and is NaN, so are the costs.
 */
export function costsOf(observations: readonly Observation[]): number[] {
  const count = observations[0]?.amounts.length ?? 0;
  let kept = Array.from({ length: count }, (_, i) => i);
  for (;;) {
    const costs = solve(
      kept.map((i) => kept.map((j) => dot(observations, i, j))),
      kept.map((i) => observations.reduce((sum, { amounts, total }) => sum + (amounts[i] ?? 0) / total, 0)),
    );
    const least = Math.min(...costs, 0);
    if (!(least < 0)) return Array.from({ length: count }, (_, i) => costs[kept.indexOf(i)] ?? 0);
    kept = kept.filter((_, place) => costs[place] !== least);
  }
}

function dot(observations: readonly Observation[], i: number, j: number): number {
  return observations.reduce(
    (sum, { amounts, total }) => sum + ((amounts[i] ?? 0) * (amounts[j] ?? 0)) / total ** 2,
    0,
  );
}

/** Gauss and Jordan; an unknown that nothing depends on is 0. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    const pivot = rows.findIndex((row, r) => r >= i && Math.abs(row[i] ?? 0) === greatest(rows, i));
    if (pivot > i) [rows[i], rows[pivot]] = [rows[pivot] ?? [], rows[i] ?? []];
    const own = rows[i]?.[i] ?? 0;
    if (own === 0) continue;
    rows[i] = (rows[i] ?? []).map((value) => value / own);
    for (let r = 0; r < size; r++) {
      const factor = rows[r]?.[i] ?? 0;
      if (r !== i) rows[r] = (rows[r] ?? []).map((value, c) => value - factor * (rows[i]?.[c] ?? 0));
    }
  }
  return rows.map((row) => row[size] ?? 0);
}

function greatest(rows: readonly number[][], from: number): number {
  return Math.max(...rows.slice(from).map((row) => Math.abs(row[from] ?? 0)));
}
