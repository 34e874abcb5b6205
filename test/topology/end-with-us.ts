import { spawnSync } from 'node:child_process';

const DIE_WITH_US = ['setpriv', '--pdeathsig', 'KILL', '--'];

/** The command line that runs a program so that it ends with this process, however that ends; where the system can see to it. */
export function endWithUs(program: string, ...args: string[]): [string, ...string[]] {
  const [setpriv = '', ...options] = DIE_WITH_US;
  const works = spawnSync(setpriv, [...options, 'true'], { stdio: 'ignore' }).status === 0;
  return works ? [setpriv, ...options, program, ...args] : [program, ...args];
}
