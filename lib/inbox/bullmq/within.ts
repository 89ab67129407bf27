// A bound to what may never end.

/** Whether a promise settles within so many milliseconds. Does not reject. */
export async function within(settles: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const isSettled = settles.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([isSettled, isLate]);
  clearTimeout(timer);
  return result;
}
