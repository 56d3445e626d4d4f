// What Swift cannot call: control-message macros, variadics, and what <sys/socket.h> hides behind
// _GNU_SOURCE; headers that the Glibc module leaves out. No logic.
#pragma once
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
