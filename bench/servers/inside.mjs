/**
 * Loaded before a server, so that it can be asked two things: what its heap takes without garbage, so that its memory can be
 * compared; and which statements it has sent to Postgres since it was asked last, with their values, so that they can be explained.
 */
import { createRequire } from 'node:module';
import { queryObjects } from 'node:v8';

class Nobody {}

let statements;

process.on('message', (message) => {
  if (message === 'heap') {
    // It begins by collecting all that nobody can reach; `gc()` leaves 100 MB of 5,000 closed connections.
    queryObjects(Nobody);
    const { heapUsed, external } = process.memoryUsage();
    process.send(heapUsed + external);
  }
  if (message === 'statements') {
    if (statements === undefined) watch();
    process.send(statements.splice(0));
  }
});
process.channel?.unref();
// Nobody else ends it when the bench is ended by force.
process.on('disconnect', () => process.exit());

/** From the first question on; before that a query costs what it costs. */
function watch() {
  statements = [];
  const { Client } = createRequire(import.meta.url)('pg');
  const { query } = Client.prototype;
  Client.prototype.query = function (config, values, ...rest) {
    const text = typeof config === 'string' ? config : config?.text;
    const given = Array.isArray(values) ? values : config?.values;
    if (typeof text === 'string') statements.push({ text, values: given ?? [] });
    return query.call(this, config, values, ...rest);
  };
}
