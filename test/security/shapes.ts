import { uuidv7 } from 'uuidv7';
import { requests, type RequestName } from '../../src/protocol/index.js';
import { fieldsOf, requestOf } from '../../verify/fuzz/fuzzer.js';
import { frame, opcodes } from '../../verify/load/raw-connection.js';
import { Attack, type Tally } from './attack.js';

/** A packet whose ack id is still to be set, and whether no schema takes it. */
interface Shape {
  bytes: (ack: number) => Buffer;
  what: string;
  alwaysWrong: boolean;
}

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** In the place of a request, as JSON; none is an object that a schema could take. */
const noRequests = [
  'null',
  'true',
  '0',
  '-1.5',
  '1e999',
  '""',
  '"text"',
  '[]',
  '[{}]',
  deep(9),
  deep(5_000),
  `[${'0,'.repeat(5_000)}0]`,
  '{"no such field":1}',
  '{"no such field":[[[[[[[[[[]]]]]]]]]]}',
  '{},{}',
  'null,null,null',
];
/** Of what no field is, or hardly one. */
const values = [
  'null',
  'true',
  '-1',
  '1.5',
  '1e308',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  JSON.stringify('x'.repeat(9_000)),
  '[]',
  '[[]]',
  '{}',
  '{"__proto__":{"a":1}}',
  '{"length":{"toString":0}}',
  deep(9),
];

/** Asks every request in every malformed shape; each has to be answered once, and those that no schema takes as such. */
export async function askInEveryShape(url: string, token: string, tally: Tally): Promise<number> {
  let asked = 0;
  for (const event of Object.keys(requests) as RequestName[]) {
    const shapes = shapesOf(event);
    for (let from = 0; from < shapes.length; from += 50) {
      const some = shapes.slice(from, from + 50);
      const attack = await Attack.begin(url, token, tally);
      if (attack === undefined) continue;
      const done = await attack.ask(Buffer.concat(some.map(({ bytes }, ack) => bytes(ack))), [...some.keys()]);
      some.forEach(({ what, alwaysWrong }, ack) => {
        if (done && alwaysWrong && !attack.replyTo(ack).includes('"code":"invalid_argument"'))
          tally.misjudged.push(`${event} ${what}: ${attack.replyTo(ack)}`);
      });
      asked += some.length;
      tally.packets += some.length;
      tally.levels.event += some.length;
      attack.connection.destroy();
    }
  }
  return asked;
}

function shapesOf(event: RequestName): Shape[] {
  const text = (args: string, alwaysWrong: boolean): Shape => ({
    bytes: (ack) => frame(`42${ack}["${event}"${args === '' ? '' : `,${args}`}]`),
    what: args.slice(0, 40),
    alwaysWrong,
  });
  const request = requestOf(event, uuidv7());
  const fields = fieldsOf(event).flatMap((field) =>
    values.map((value) => text(withField(request, field, value), false)),
  );
  return [text('', true), ...noRequests.map((args) => text(args, true)), binary(event), ...fields, text('{}', false)];
}

/** With bytes in the place of the request. */
function binary(event: RequestName): Shape {
  const bytes = (ack: number) =>
    Buffer.concat([
      frame(`451-${ack}["${event}",{"_placeholder":true,"num":0}]`),
      frame(Buffer.from([1, 2, 3]), opcodes.binary),
    ]);
  return { bytes, what: 'binary', alwaysWrong: true };
}

function withField(request: Record<string, unknown>, field: string, value: string): string {
  const others = Object.entries(request).filter(([name]) => name !== field);
  const members = others.map(([name, right]) => `${JSON.stringify(name)}:${JSON.stringify(right)}`);
  return `{${[...members, `${JSON.stringify(field)}:${value}`].join(',')}}`;
}
