/* A slow disk: each fsync and fdatasync takes SLOW_FSYNC_MS milliseconds more. Loaded by LD_PRELOAD: slow-disk.mjs. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int sync_slowly(const char *name, int fd) {
  int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  const char *given = getenv("SLOW_FSYNC_MS");
  long ms = given == NULL ? 0 : atol(given);
  struct timespec delay = {ms / 1000, (ms % 1000) * 1000000};
  nanosleep(&delay, NULL);
  return sync(fd);
}

int fsync(int fd) { return sync_slowly("fsync", fd); }
int fdatasync(int fd) { return sync_slowly("fdatasync", fd); }
