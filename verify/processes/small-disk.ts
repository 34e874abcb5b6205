import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a few MiB, in memory, that can be filled to its last byte and emptied again. */
export class SmallDisk {
  private constructor(private readonly dir: string) {}

  /** @throws where the system does not let us */
  static mount(dir: string, megabytes: number): SmallDisk {
    const options = `size=${megabytes}m,mode=711`;
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], { encoding: 'utf8' });
    if (status === 0) return new SmallDisk(dir);
    rmSync(dir, { recursive: true, force: true });
    throw new Error(`A disk of its own cannot be mounted: ${stderr.trim()}`);
  }

  /** Why there can be none on this machine; undefined where there can. */
  static whyNot(): string | undefined {
    const dir = mkdtempSync(join(tmpdir(), 'parley-verify-disk-'));
    try {
      SmallDisk.mount(dir, 1).unmount();
      return undefined;
    } catch (error) {
      return `${(error as Error).message} (it takes root, and a system that allows mounts)`;
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  /** Takes all that is left; tells how many bytes that was. */
  fill(): number {
    const file = openSync(this.ballast, 'w');
    let taken = 0;
    for (let size = 2 ** 20; size > 0; size = Math.floor(size / 4)) {
      const block = Buffer.alloc(size);
      try {
        for (;;) taken += writeSync(file, block);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error;
      }
    }
    closeSync(file);
    return taken;
  }

  free(): Promise<void> {
    return rm(this.ballast, { force: true });
  }

  unmount(): void {
    const { status, stderr } = spawnSync('umount', [this.dir], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`Not unmounted: ${stderr.trim()}`);
  }

  private get ballast(): string {
    return join(this.dir, 'ballast');
  }
}
