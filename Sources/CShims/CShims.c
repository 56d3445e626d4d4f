#define _GNU_SOURCE
#include <linux/futex.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "CShims.h"

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
