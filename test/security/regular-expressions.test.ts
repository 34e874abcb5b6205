import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const LENGTH = 50_000;
/** What one look at such a text may take, in ms. */
const MOST = 10;

/** Every regular expression that is written in the server's code. */
function expressions(): [where: string, expression: RegExp][] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return files.flatMap((path) => {
    const source = ts.createSourceFile(path, readFileSync(join('src', path), 'utf8'), ts.ScriptTarget.Latest, true);
    const found: [string, RegExp][] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const [, pattern = '', flags = ''] = /^\/(.*)\/(\w*)$/s.exec(node.text) ?? [];
        found.push([`${path}: ${node.text}`, new RegExp(pattern, flags)]);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}

/** Runs of one letter, and of what the expression itself names, each followed by what does not fit. */
function texts({ source }: RegExp): string[] {
  const letters = [...new Set([...'aZ09 \t\n\r.,-_/@:"\'\\<>=%ä', ...source])];
  const pairs = [...source].map((letter, i) => letter + (source[i + 1] ?? ''));
  return [...letters, ...pairs].flatMap((part) => {
    const long = part.repeat(LENGTH / part.length);
    return [long, `${long}\0`, `x${long}!`];
  });
}

/** The quickest of three: what it takes when nothing comes between. */
function timeOf(expression: RegExp, text: string): number {
  let quickest = Infinity;
  for (let i = 0; i < 3 && quickest > MOST; i++) {
    expression.lastIndex = 0;
    const began = performance.now();
    text.replace(expression, '');
    quickest = Math.min(quickest, performance.now() - began);
  }
  return quickest;
}

it('every regular expression is through with 50 kB of any kind in 10 ms (S-36)', () => {
  const all = expressions();
  expect(all.length).toBeGreaterThan(20);
  const slow = all.flatMap(([where, expression]) =>
    texts(expression).some((text) => timeOf(expression, text) > MOST) ? [where] : [],
  );
  expect(slow).toEqual([]);
});
