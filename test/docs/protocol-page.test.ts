import { readFile } from 'node:fs/promises';
import { format } from 'prettier';
import { page, withTables } from '../../docs/protocol-page.js';

it('the page on the protocol has every request, error and limit as the contract has them (npm run protocol)', async () => {
  const formatted = await format(await withTables(), { parser: 'markdown', printWidth: 120, singleQuote: true });
  expect(await readFile(page, 'utf8')).toBe(formatted);
});
