// The floor under sip.call_cpu: what a program in C needs that does nothing with a call but receive its eight datagrams, send the
// eight that follow from them, and make one record durable before the INVITE goes on. It reads one byte of each.
//
//   sip FILE RATE SECONDS     RATE calls a second; FILE is written over and over, 16 MiB
//
// Prints the processor time of the receiving process for a call in microseconds. The load is a process of its own that sends at set times.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What arrives of a call, in the order in which it does: an INVITE that is challenged, the ACK of that, one with credentials, and the rest.
enum kind { FIRST_INVITE, CHALLENGE_ACK, INVITE, RINGING, ANSWER, ACK, BYE, BYE_ANSWER, KINDS };

static const size_t SIZE[KINDS] = {900, 400, 1100, 450, 800, 450, 450, 400};
// Seconds after the call's start. Ringing takes 0.1 s, the call 0.5.
static const double AT[KINDS] = {0, 0.0022, 0.0022, 0.006, 0.106, 0.108, 0.608, 0.6095};
enum { CHALLENGE_SIZE = 500, TRYING_SIZE = 350, BATCH = 64, DATAGRAM = 2048, PAGE = 4096, PAGES = 4096 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// A socket on loopback whose port the system chooses.
static int open_socket(struct sockaddr_in *address) {
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (s < 0) fail("socket");
    int size = 4 << 20;
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof *address;
    if (bind(s, (struct sockaddr *)address, sizeof *address) || getsockname(s, (struct sockaddr *)address, &length)) fail("bind");
    return s;
}

static volatile sig_atomic_t is_over;
static void end(int number) {
    (void)number;
    is_over = 1;
}

static void receive(int s, struct sockaddr_in load, const char *path) {
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    int poller = epoll_create1(0);
    struct epoll_event readable = {.events = EPOLLIN};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, s, &readable)) fail("epoll");
    static char page[PAGE];
    int file = open(path, O_RDWR | O_CREAT, 0600);
    if (file < 0) fail(path);
    // As long as it will be, as a journal is: a flush then writes data alone.
    for (int i = 0; i < PAGES; i++)
        if (write(file, page, PAGE) != PAGE) fail(path);
    if (fsync(file)) fail(path);

    static char datagrams[BATCH][DATAGRAM];
    long received = 0, written = 0;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    while (!is_over) {
        struct epoll_event event;
        if (epoll_wait(poller, &event, 1, 1000) <= 0) continue;
        struct mmsghdr in[BATCH];
        struct iovec places[BATCH];
        struct sockaddr_in sources[BATCH];
        for (int i = 0; i < BATCH; i++) {
            places[i] = (struct iovec){datagrams[i], DATAGRAM};
            in[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &places[i], .msg_iovlen = 1}};
        }
        int count = recvmmsg(s, in, BATCH, MSG_DONTWAIT, NULL);
        if (count <= 0) continue;
        received += count;

        struct mmsghdr out[2 * BATCH];
        struct iovec texts[2 * BATCH];
        int replies = 0;
        bool is_durable = true;
        for (int i = 0; i < count; i++) {
            size_t sizes[2] = {in[i].msg_len, 0};
            switch ((enum kind)datagrams[i][0]) {
            case FIRST_INVITE: sizes[0] = CHALLENGE_SIZE; break;
            case CHALLENGE_ACK: sizes[0] = 0; break;
            case INVITE:
                sizes[1] = TRYING_SIZE;
                is_durable = false;
                break;
            default: break;
            }
            for (int j = 0; j < 2; j++) {
                if (!sizes[j]) continue;
                texts[replies] = (struct iovec){datagrams[i], sizes[j]};
                out[replies] = (struct mmsghdr){.msg_hdr = {.msg_name = &load, .msg_namelen = sizeof load, .msg_iov = &texts[replies], .msg_iovlen = 1}};
                replies++;
            }
        }
        if (!is_durable && (pwrite(file, page, PAGE, written++ % PAGES * PAGE) != PAGE || fdatasync(file))) fail(path);
        for (int sent = 0; sent < replies;) {
            int done = sendmmsg(s, out + sent, (unsigned)(replies - sent), 0);
            if (done <= 0) fail("sendmmsg");
            sent += done;
        }
    }
    getrusage(RUSAGE_SELF, &after);
    double seconds = 0;
    const struct timeval *times[2][2] = {{&before.ru_utime, &after.ru_utime}, {&before.ru_stime, &after.ru_stime}};
    for (int i = 0; i < 2; i++) seconds += (double)(times[i][1]->tv_sec - times[i][0]->tv_sec) + (double)(times[i][1]->tv_usec - times[i][0]->tv_usec) / 1e6;
    if (!received) {
        fprintf(stderr, "nothing arrived\n");
        exit(1);
    }
    printf("%.1f\n", seconds * 1e6 / ((double)received / KINDS));
    exit(0);
}

static void load(int s, struct sockaddr_in to, long rate, long calls) {
    if (connect(s, (struct sockaddr *)&to, sizeof to)) fail("connect");
    static char datagram[DATAGRAM];
    long next[KINDS] = {0};
    for (double start = now();;) {
        double due = 1e9;
        for (int kind = 0; kind < KINDS; kind++) {
            for (; next[kind] < calls && (double)next[kind] / (double)rate + AT[kind] <= now() - start; next[kind]++) {
                datagram[0] = (char)kind;
                if (send(s, datagram, SIZE[kind], 0) < 0) fail("send");
            }
            if (next[kind] == calls) continue;
            double at = (double)next[kind] / (double)rate + AT[kind];
            if (at < due) due = at;
        }
        while (recv(s, datagram, sizeof datagram, MSG_DONTWAIT) > 0) {}
        if (due == 1e9) return;
        double wait = due - (now() - start);
        if (wait > 0) usleep((useconds_t)(wait * 1e6) + 1);
    }
}

int main(int count, char **words) {
    long rate = count == 4 ? atol(words[2]) : 0, seconds = count == 4 ? atol(words[3]) : 0;
    if (rate <= 0 || seconds <= 0) {
        fprintf(stderr, "usage: sip FILE RATE SECONDS, for example: sip /tmp/journal 200 5\n");
        return 64;
    }
    struct sockaddr_in ours, theirs;
    int receiver = open_socket(&ours), sender = open_socket(&theirs);
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) receive(receiver, theirs, words[1]);
    close(receiver);
    usleep(500 * 1000);
    load(sender, ours, rate, rate * seconds);
    usleep(100 * 1000);
    kill(child, SIGTERM);
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
