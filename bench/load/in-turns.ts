/** Connections, rooms and joinings that are under way at the same time while a load is set up. */
const AT_ONCE = 20;

/** `make` for each number below `count`, some at a time; what they make, in order. */
export async function inTurns<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) made[i] = await make(i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return made;
}
