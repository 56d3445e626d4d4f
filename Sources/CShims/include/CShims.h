// What Swift cannot call: control-message macros, variadics, and what <sys/socket.h> hides behind
// _GNU_SOURCE; headers that the Glibc module leaves out. No logic.
#pragma once
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <netinet/in.h>

// The layout of struct mmsghdr, which is declared only with _GNU_SOURCE (checked in CShims.c).
struct shims_message {
    struct msghdr header;
    unsigned int count;  // bytes received or sent
};

// recvmmsg(2) and sendmmsg(2). Return the number of messages, or -1 with errno.
int shims_receive_messages(int descriptor, struct shims_message *messages, unsigned int count, int flags);
int shims_send_messages(int descriptor, struct shims_message *messages, unsigned int count, int flags);

// accept4(2): a connection that is not inherited and does not block. A descriptor, or -1 with errno.
int shims_accept(int listener, struct sockaddr *address, socklen_t *length);

// futex(2), reached through the variadic syscall(2), for words that the threads of one process share. Waits until it is
// woken, the word is not `seen`, or so many nanoseconds have passed (negative: no limit); may return for no reason.
void shims_futex_wait(const uint32_t *word, uint32_t seen, int64_t nanoseconds);
void shims_futex_wake(uint32_t *word, int count);

// renameat2(2) with RENAME_EXCHANGE: each of the two paths leads to what the other led to, in one step. 0, or -1 with errno.
int shims_exchange_paths(const char *a, const char *b);

// The calling thread's niceness, of which the kernel keeps one per thread. 0, or -1 with errno.
int shims_nice_thread(int niceness);

// What `top -H`, `ps -L` and `perf` call the calling thread; the kernel keeps 15 bytes (PR_SET_NAME). 0, or -1 with errno.
int shims_name_thread(const char *name);

// Asks the processor for the memory ahead of its use. Any address may be given; nothing is read.
static inline void shims_prefetch(const void *address) { __builtin_prefetch(address); }

// An allocator for a C library that makes many small things of one message and frees them all with it: between `open` and
// `close` the calling thread's are cut from one block, and freeing them costs nothing. What does not fit, and what is made
// outside, is the heap's; either can be freed at any time until the next `open`. `open` returns 0, or -1 without memory.
int shims_arena_open(void);
void shims_arena_close(void);
void *shims_arena_allocate(size_t size);
void *shims_arena_resize(void *old, size_t size);
void shims_arena_release(void *place);
