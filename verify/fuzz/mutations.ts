import { frame, opcodes } from '../load/raw-connection.js';
import type { Random } from '../random.js';

/** A packet to be sent, as bytes of the connection, and whether it is a whole frame that the server has to answer or ignore. */
export interface Fuzzed {
  level: 'engine' | 'parser' | 'event';
  bytes: Buffer;
  /** The id by which it asks for a reply; no other packet of these mutations has it. */
  ack?: number;
  /** What a packet of Socket.IO says; undefined where it is not one whole text frame. */
  text?: string;
}

const scraps = [
  '',
  '0',
  '-1',
  '1e999',
  'null',
  'true',
  '"',
  '[',
  ']',
  '{',
  '}',
  ',',
  '\\u0000',
  '\\ud800',
  '\u0000',
  'é',
  '💥',
];
const keys = ['__proto__', 'constructor', 'toString', 'length', 'then', 'event', 'roomId', ''];

/** Packets near those of the protocol: most are wrong in one place, so that they come past the first checks they meet. */
export class Mutations {
  private acks = 0;

  constructor(
    private readonly random: Random,
    /** Requests that are right, as the client library writes them: `["message:send",{…}]`. */
    private readonly samples: readonly string[],
  ) {}

  /** One that leaves the connection usable, whatever the server thinks of it: what follows is read, too. */
  gentle(): Fuzzed {
    const { random } = this;
    const draw = random.int(100);
    if (draw < 5) return { level: 'engine', bytes: this.control() };
    if (draw < 15) return { level: 'parser', bytes: frame(`43${random.uint32()}${JSON.stringify([this.value(0)])}`) };
    const ack = this.acks++;
    return { level: 'event', bytes: this.split(`42${ack}${this.event()}`), ack };
  }

  /** One that most likely ends the connection. */
  rough(): Fuzzed {
    if (this.random.chance(0.3)) return { level: 'engine', bytes: this.engine() };
    const text = this.parser();
    return { level: 'parser', bytes: frame(text), text };
  }

  /** WebSocket pings and pongs, Engine.IO pongs and noops. */
  private control(): Buffer {
    const { random } = this;
    if (random.chance(0.5)) return frame(this.noise(), random.chance(0.5) ? opcodes.ping : opcodes.pong);
    return frame(random.pick(['3', '3probe', '6', '6x']));
  }

  /** Some in two fragments, with a ping between them. */
  private split(text: string): Buffer {
    if (!this.random.chance(0.05)) return frame(text);
    const whole = Buffer.from(text);
    const at = this.random.int(whole.length);
    const parts = [
      frame(whole.subarray(0, at), opcodes.text, false),
      frame(this.noise(), opcodes.ping),
      frame(whole.subarray(at), opcodes.continuation),
    ];
    return Buffer.concat(parts);
  }

  /** The types of Engine.IO packets, and frames that no client writes. */
  private engine(): Buffer {
    const text = `${this.random.int(10)}${this.random.pick(scraps)}`;
    switch (this.random.int(8)) {
      case 0:
        return frame(Buffer.from(text), opcodes.binary);
      case 1:
        return frame(this.noise(), opcodes.ping);
      case 2:
        return frame(this.noise(), opcodes.pong);
      case 3:
        return frame(this.noise(), this.random.int(16));
      case 4:
        return frame(this.noise(), opcodes.text, false);
      case 5:
        return this.noise();
      default:
        return frame(text);
    }
  }

  /** Socket.IO packets: types, attachments, namespaces, ids, and JSON that ends early. */
  private parser(): string {
    const { random } = this;
    const type = random.int(9);
    const attachments = random.chance(0.2) ? `${random.int(12)}-` : '';
    const namespace = random.chance(0.2) ? `/${random.pick(scraps)},` : '';
    const id = random.chance(0.5) ? random.pick(['0', '7', '-1', '99999999999999999999', '1.5', 'x']) : '';
    return `4${type}${attachments}${namespace}${id}${this.broken(random.pick(this.samples))}`;
  }

  private event(): string {
    const { random } = this;
    const sample = JSON.parse(random.pick(this.samples)) as unknown[];
    switch (random.int(5)) {
      case 1:
        return JSON.stringify([random.chance(0.5) ? random.pick(keys) : sample[0], this.value(0), this.value(0)]);
      case 2: {
        const depth = random.pick([9, 100, 1_000, 5_000]);
        return `["${String(sample[0])}",${'['.repeat(depth)}${']'.repeat(depth)}]`;
      }
      default:
        return JSON.stringify([sample[0], this.changed(sample[1])]);
    }
  }

  /** One thing of it is another one. */
  private changed(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return this.value(1);
    const entries = Object.entries(value);
    const at = this.random.int(entries.length + 1);
    const extra: [string, unknown] = [this.random.pick(keys), this.value(1)];
    if (at === entries.length) return Object.fromEntries([...entries, extra]);
    return Object.fromEntries(
      entries.flatMap(([key, old], i): [string, unknown][] =>
        i !== at ? [[key, old]] : this.random.chance(0.2) ? [] : [[key, this.changed(old)]],
      ),
    );
  }

  private value(depth: number): unknown {
    const { random } = this;
    switch (random.int(depth > 3 ? 8 : 10)) {
      case 0:
        return random.uint32() - 2 ** 31;
      case 1:
        return random.pick([NaN, -0, 1.5, 2 ** 53, -(2 ** 63), 1e308]);
      case 2:
        return random.chance(0.5);
      case 3:
        return null;
      case 4:
        return random.pick(scraps);
      case 5:
        return 'x'.repeat(random.int(300));
      case 6:
        return random.chance(0.05) ? '\ud800'.repeat(4_001) : '\ud800';
      case 7:
        return '01890000-0000-7000-8000-00000000000g';
      case 8:
        return Array.from({ length: random.int(5) }, () => this.value(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: random.int(4) }, () => [random.pick(keys), this.value(depth + 1)]),
        );
    }
  }

  /** A few characters go, come or change. */
  private broken(text: string): string {
    let broken = text;
    for (let i = this.random.int(3); i >= 0; i--) {
      const at = this.random.int(broken.length + 1);
      const cut = this.random.int(4);
      broken = `${broken.slice(0, at)}${this.random.pick(scraps)}${broken.slice(at + cut)}`;
    }
    return broken;
  }

  private noise(): Buffer {
    return Buffer.from(Array.from({ length: this.random.int(40) }, () => this.random.int(256)));
  }
}
