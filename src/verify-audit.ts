import { DataSource } from 'typeorm';
import { verifyChain } from './audit/verify-chain.js';
import { readDatabase } from './config.js';
import { dataSourceOptions } from './database/data-source.js';
import { oncePostgresAnswers } from './database/patience.js';
import { StartError } from './start-error.js';

/** `npm run verify-audit [-- SEQ HEAD]`: whether the audit log is whole, by `DATABASE_URL`; with a head of before, whether it was kept. */
try {
  const [seq, head] = process.argv.slice(2);
  if ((seq !== undefined && !/^\d+$/.test(seq)) || (seq !== undefined && !/^[0-9a-f]{64}$/.test(head ?? '')))
    throw new StartError('Give the SEQ and the HEAD that an earlier run told, or nothing.');
  const source = new DataSource(dataSourceOptions(readDatabase(process.env)));
  await oncePostgresAnswers(() => source.initialize());
  try {
    const kept = seq === undefined || head === undefined ? undefined : { seq: Number(seq), head };
    const state = await verifyChain((sql, values) => source.query(sql, values), kept);
    if (state.ok) console.log(`The audit log is whole: ${state.seq} ${state.head}`);
    else {
      console.error(`The audit log is broken at ${state.seq}: ${state.why}.`);
      process.exitCode = 1;
    }
  } finally {
    await source.destroy();
  }
} catch (error) {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
}
