import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hasEnded } from '../verify/processes/program.js';
import { pin } from './machine.js';

const typescript = fileURLToPath(new URL('../test/environment/typescript.mjs', import.meta.url));

/** What makes a load, as a process of its own beside the servers' processor. */
export class GeneratorProcess<Order extends object, Told extends object> {
  private readonly child: ChildProcess;

  /** @param program a file beside this one, which is told orders and tells what comes of them */
  constructor(program: string) {
    const file = fileURLToPath(new URL(program, import.meta.url));
    this.child = fork(file, [], { execArgv: ['--no-warnings', '--import', typescript] });
    pin(this.child.pid ?? 0, 'rest');
  }

  /** Resolves with the first thing told for which `isAnswer` holds; `meanwhile` sees the others. @throws when it ends before that */
  ask<Answer extends Told>(
    order: Order,
    isAnswer: (told: Told) => told is Answer,
    meanwhile: (told: Told) => void = () => undefined,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ended = (how: number | string | null): Error =>
        new Error(`The generator ended with ${how ?? 'nothing'} before it had carried out its load`);
      const done = (): void => {
        this.child.off('message', onMessage);
        this.child.off('exit', onExit);
      };
      const onMessage = (told: Told): void => {
        if (!isAnswer(told)) meanwhile(told);
        else {
          done();
          resolve(told);
        }
      };
      const onExit = (code: number | null, signal: string | null): void => {
        done();
        reject(ended(signal ?? code));
      };
      if (hasEnded(this.child)) {
        reject(ended(this.child.signalCode ?? this.child.exitCode));
        return;
      }
      this.child.on('message', onMessage);
      this.child.on('exit', onExit);
      // Where it does not take the order because it is ending, its end tells so.
      this.child.send(order, () => undefined);
    });
  }

  async stop(): Promise<void> {
    if (hasEnded(this.child)) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}
