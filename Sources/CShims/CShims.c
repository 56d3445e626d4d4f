#define _GNU_SOURCE
#include <linux/futex.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "CShims.h"

// Read by jemalloc, where it is linked (release builds), before `main`: memory that a burst has left is given back by a thread of its own.
// Otherwise a thread gives it back while it allocates, and one that has nothing to do keeps it.
const char *malloc_conf = "background_thread:true";

_Static_assert(sizeof(struct shims_message) == sizeof(struct mmsghdr), "shims_message must mirror mmsghdr");
_Static_assert(offsetof(struct shims_message, count) == offsetof(struct mmsghdr, msg_len), "shims_message must mirror mmsghdr");

int shims_receive_messages(int descriptor, struct shims_message *messages, unsigned int count, int flags) {
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, flags, NULL);
}

int shims_send_messages(int descriptor, struct shims_message *messages, unsigned int count, int flags) {
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, flags);
}

int shims_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void shims_futex_wait(const uint32_t *word, uint32_t seen, int64_t nanoseconds) {
    struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, nanoseconds < 0 ? NULL : &limit, NULL, 0);
}

void shims_futex_wake(uint32_t *word, int count) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0); }

int shims_exchange_paths(const char *a, const char *b) { return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); }

int shims_nice_thread(int niceness) { return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness); }

int shims_name_thread(const char *name) { return prctl(PR_SET_NAME, name); }

// The arena of the calling thread. What is given out is aligned to 16 bytes; its size stands before it.
enum { ARENA_BYTES = 256 * 1024, HEAD_BYTES = 16 };
struct arena {
    _Alignas(16) char bytes[ARENA_BYTES];
    size_t used;
};
static _Thread_local struct arena *arena;
static _Thread_local int is_open;

// A sanitizer sees every thing by itself, so there it is the heap's.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_WATCHED 1
#endif
#endif
#ifndef IS_WATCHED
#define IS_WATCHED 0
#endif

static int is_inside(const void *place) { return arena && (const char *)place >= arena->bytes && (const char *)place < arena->bytes + ARENA_BYTES; }

void *shims_arena_allocate(size_t size) {
    size_t whole = (size + HEAD_BYTES + 15) & ~(size_t)15;
    if (!is_open || size > ARENA_BYTES || whole > ARENA_BYTES - arena->used) return malloc(size);
    char *place = arena->bytes + arena->used;
    arena->used += whole;
    memcpy(place, &size, sizeof size);
    return place + HEAD_BYTES;
}

void *shims_arena_resize(void *old, size_t size) {
    if (!old) return shims_arena_allocate(size);
    if (!is_inside(old)) return realloc(old, size);
    size_t before;
    memcpy(&before, (char *)old - HEAD_BYTES, sizeof before);
    void *grown = shims_arena_allocate(size);
    if (grown) memcpy(grown, old, before < size ? before : size);
    return grown;
}

void shims_arena_release(void *place) {
    if (!is_inside(place)) free(place);
}

int shims_arena_open(void) {
    if (!arena) arena = malloc(sizeof *arena);
    if (!arena) return -1;
    arena->used = 0;
    is_open = !IS_WATCHED;
    return 0;
}

void shims_arena_close(void) { is_open = 0; }
