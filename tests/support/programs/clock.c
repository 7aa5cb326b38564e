/* A host whose clock can be stepped, though it shares the kernel's: loaded into every program by /etc/ld.so.preload.
   The seconds to add stand in /run/vaern-clock and are read at every look at the clock. Waits until a time of day are
   made in slices, so that one that is under way lasts as long as on a host whose clock was really stepped. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SLICE 100000000L

static long none;
static volatile long *offset = &none;

__attribute__((constructor)) static void begin(void) {
  int file = open("/run/vaern-clock", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) offset = shared;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *kept) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (kept) *kept = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
  if (base != TIME_UTC) return 0;
  clock_gettime(CLOCK_REALTIME, now);
  return base;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  static int (*clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  if (!clockwait) *(void **)&clockwait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  for (;;) {
    struct timespec now, slice;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec > until->tv_sec || (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec)) return ETIMEDOUT;
    long left = until->tv_sec - now.tv_sec > 1 ? SLICE
                                               : (until->tv_sec - now.tv_sec) * 1000000000L + until->tv_nsec - now.tv_nsec;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &slice);
    slice.tv_nsec += left < SLICE ? left : SLICE;
    slice.tv_sec += slice.tv_nsec / 1000000000L;
    slice.tv_nsec %= 1000000000L;
    int ended = clockwait(condition, mutex, CLOCK_MONOTONIC, &slice);
    if (ended != ETIMEDOUT) return ended;
  }
}

/* C11's names for the same, which librdkafka uses: glibc's own would not come by the function above. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
  int ended = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
  return ended == 0 ? thrd_success : ended == ETIMEDOUT ? thrd_timedout : thrd_error;
}
