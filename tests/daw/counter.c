// Loaded before everything else: counts what a call does that a real-time thread must not.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void __libc_free(void*);
extern void* __libc_memalign(size_t, size_t);

static __thread long counting, counted;
static void note(void) { counted += counting; }

void* malloc(size_t n) { note(); return __libc_malloc(n); }
void* calloc(size_t n, size_t m) { note(); return __libc_calloc(n, m); }
void* realloc(void* p, size_t n) { note(); return __libc_realloc(p, n); }
void free(void* p) { note(); __libc_free(p); }
void* memalign(size_t a, size_t n) { note(); return __libc_memalign(a, n); }
void* aligned_alloc(size_t a, size_t n) { note(); return __libc_memalign(a, n); }
int posix_memalign(void** p, size_t a, size_t n) { note(); *p = __libc_memalign(a, n); return 0; }

#define WRAP(result, name, parameters, arguments)                                                  \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*real) parameters;                                                           \
        note();                                                                                    \
        if (real == NULL)                                                                          \
            real = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                  \
        return real arguments;                                                                     \
    }
WRAP(int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
WRAP(int, nanosleep, (const struct timespec* a, struct timespec* b), (a, b))
WRAP(int, clock_nanosleep, (clockid_t c, int f, const struct timespec* a, struct timespec* b), (c, f, a, b))
WRAP(int, poll, (struct pollfd * f, nfds_t n, int t), (f, n, t))

// Call a plug-in's run(); how often it did any of this.
long counted_run(void (*run)(void*, unsigned), void* handle, unsigned frames)
{
    counted = 0;
    counting = 1;
    run(handle, frames);
    counting = 0;
    return counted;
}
