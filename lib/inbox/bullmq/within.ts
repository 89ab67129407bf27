// Waits for a promise that may never settle, for a limited time.

/** Whether a promise settles within a time. Never rejects. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const isSettled = promise.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([isSettled, isLate]);
  clearTimeout(timer);
  return result;
}
