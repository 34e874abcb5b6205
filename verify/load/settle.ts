import { until } from '../processes/program.js';
import type { Load } from './load.js';
import type { SideLoad } from './side-load.js';

/** Sends that are still waiting when the load ends get this long. */
const lastSendsMs = 30_000;

/** Waits for the last acknowledgements. Gives a note when some never came. */
export async function settle(load: Load, side: SideLoad): Promise<string[]> {
  try {
    await until(() => load.waiting + side.waiting === 0, lastSendsMs, 'everything is answered');
    return [];
  } catch {
    return [
      `${load.waiting} sends and ${side.waiting} other requests were not acknowledged ${lastSendsMs / 1_000} s after the load had ended.`,
    ];
  }
}

/**
 * Gives every client the time that convergence may take, and no more than it needs. C8 judges.
 * @param heads by room id, the rev that stands at the end
 */
export async function converge(load: Load, heads: ReadonlyMap<string, number>, withinMs: number): Promise<void> {
  const arrived = () =>
    [...load.roomsOf].every(([client, rooms]) =>
      rooms.every((roomId) => client.cursors.get(roomId) === heads.get(roomId)),
    );
  await until(arrived, withinMs + 2_000, 'convergence').catch(() => undefined);
}
