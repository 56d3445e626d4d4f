// Two phones for each call, in two network namespaces, and what the whole machine spends meanwhile.
//
// usage: namespaces A B LEGS SECONDS
//   A, B     names of the namespaces
//   LEGS     a file with two lines for each call: "ADDRESS PORT ADDRESS PORT", a phone's own and where it sends; first the phone in A
// Each phone sends a packet of G.711 each 20 ms. A spinning program of the lowest class on each processor takes what nobody else wants:
// what it does not get is what packets cost, wherever the kernel does the work. Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CALLS_MAX = 4000, PACKET = 172, TICKS = 20, WARM_UP_TICKS = 1500 };

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static volatile int64_t *spun;
static int processors;

static void spin(void) {
    processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    spun = mmap(NULL, processors * 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (spun == MAP_FAILED) fail("mmap");
    for (int one = 0; one < processors; one++) {
        if (fork()) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(one, &set);
        struct sched_param parameters = {0};
        if (sched_setaffinity(0, sizeof set, &set) || sched_setscheduler(0, SCHED_IDLE, &parameters)) fail("spinner");
        for (;;) spun[one * 8] = now(CLOCK_PROCESS_CPUTIME_ID);
    }
}

// Nanoseconds of all processors together.
static int64_t spent(void) {
    int64_t sum = now(CLOCK_MONOTONIC) * processors;
    for (int one = 0; one < processors; one++) sum -= spun[one * 8];
    return sum;
}

static int phone(const char *space, const char *own, int own_port, const char *other, int other_port) {
    char path[256];
    snprintf(path, sizeof path, "/var/run/netns/%s", space);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (namespace < 0 || setns(namespace, CLONE_NEWNET)) fail(path);
    close(namespace);
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(own_port)};
    inet_pton(AF_INET, own, &address.sin_addr);
    if (made < 0 || bind(made, (struct sockaddr *)&address, sizeof address)) fail("bind");
    inet_pton(AF_INET, other, &address.sin_addr);
    address.sin_port = htons(other_port);
    if (connect(made, (struct sockaddr *)&address, sizeof address)) fail("connect");
    return made;
}

static int64_t sent, heard, wrong;

static void hear(int phone, uint32_t ssrc) {
    static unsigned char bytes[8][2048];
    static struct iovec vectors[8];
    static struct mmsghdr messages[8];
    for (int one = 0; one < 8; one++) {
        vectors[one] = (struct iovec){bytes[one], sizeof bytes[one]};
        messages[one].msg_hdr = (struct msghdr){.msg_iov = &vectors[one], .msg_iovlen = 1};
    }
    int count;
    do {
        count = recvmmsg(phone, messages, 8, MSG_DONTWAIT, NULL);
        for (int one = 0; one < count; one++) {
            uint32_t from;
            memcpy(&from, bytes[one] + 8, 4);
            heard++;
            wrong += messages[one].msg_len != PACKET || from != ssrc || bytes[one][PACKET - 1] != 0xD5;
        }
    } while (count == 8);
}

int main(int count, char **words) {
    if (count != 5) return 64;
    static int phones[CALLS_MAX][2];
    FILE *legs = fopen(words[3], "r");
    if (!legs) fail(words[3]);
    int calls = 0, own_port, other_port;
    char own[64], other[64];
    for (int leg = 0; calls < CALLS_MAX && fscanf(legs, "%63s %d %63s %d", own, &own_port, other, &other_port) == 4; leg++) {
        phones[calls][leg % 2] = phone(words[1 + leg % 2], own, own_port, other, other_port);
        calls += leg % 2;
    }
    fclose(legs);
    spin();
    unsigned char packet[PACKET];
    memset(packet, 0xD5, sizeof packet);
    packet[0] = 0x80;
    packet[1] = 8;
    int64_t start = now(CLOCK_MONOTONIC), next = start, late_max = 0, spent_before = 0, heard_before = 0, began = 0;
    int ticks = WARM_UP_TICKS + (int)(atof(words[4]) * 1000);
    // The numbers go on from run to run, so that a relay does not take each for a new stream.
    uint32_t first = (uint32_t)(start / 20000000);
    for (int tick = 0; tick < ticks; tick++) {
        if (tick == WARM_UP_TICKS) {
            spent_before = spent();
            heard_before = heard;
            began = now(CLOCK_MONOTONIC);
        }
        uint32_t number = first + tick / TICKS;
        uint16_t sequence = htons((uint16_t)number);
        uint32_t timestamp = htonl(number * 160);
        memcpy(packet + 2, &sequence, 2);
        memcpy(packet + 4, &timestamp, 4);
        for (int call = tick % TICKS; call < calls; call += TICKS) {
            for (int side = 0; side < 2; side++) {
                uint32_t ssrc = htonl(1 + call * 2 + side);
                memcpy(packet + 8, &ssrc, 4);
                sent += send(phones[call][side], packet, PACKET, 0) == PACKET;
            }
        }
        for (int call = (tick + TICKS / 2) % TICKS; call < calls; call += TICKS) {
            hear(phones[call][0], htonl(1 + call * 2 + 1));
            hear(phones[call][1], htonl(1 + call * 2));
        }
        next += 1000000;
        int64_t late = now(CLOCK_MONOTONIC) - next;
        if (late > late_max) late_max = late;
        struct timespec until = {next / 1000000000, next % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    int64_t cost = spent() - spent_before, passed = heard - heard_before, lasted = now(CLOCK_MONOTONIC) - began;
    usleep(100000);
    for (int call = 0; call < calls; call++) {
        hear(phones[call][0], htonl(1 + call * 2 + 1));
        hear(phones[call][1], htonl(1 + call * 2));
    }
    printf("{\"sent\": %ld, \"heard\": %ld, \"wrong\": %ld, \"whole_us\": %.4f, \"cores\": %.3f, \"late_max_us\": %ld}\n", (long)sent, (long)heard, (long)wrong,
           cost / 1e3 / passed, (double)cost / lasted, (long)(late_max / 1000));
    return 0;
}
