#define _GNU_SOURCE
#include <stddef.h>
#include "CShims.h"

_Static_assert(sizeof(struct shims_message) == sizeof(struct mmsghdr), "shims_message must mirror mmsghdr");
_Static_assert(offsetof(struct shims_message, count) == offsetof(struct mmsghdr, msg_len), "shims_message must mirror mmsghdr");

int shims_receive_messages(int descriptor, struct shims_message *messages, unsigned int count, int flags) {
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, flags, NULL);
}

int shims_send_messages(int descriptor, struct shims_message *messages, unsigned int count, int flags) {
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, flags);
}
