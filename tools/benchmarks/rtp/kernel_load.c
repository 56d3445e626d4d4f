// Two phones for each call that cost next to nothing (kernel_load.bpf.c), and what the whole machine spends meanwhile.
//
// usage: kernel-load OBJECT SPACE LEGS SECONDS FIRST A=MAC B=MAC [KEEP_BACK]
//   OBJECT     the compiled programs
//   SPACE      the phones' network namespace
//   LEGS       a file with two lines for each call: "ADDRESS PORT ADDRESS PORT", a phone's own and where it sends; first the phone at A
//   FIRST      the number of the first packet: who measures the same calls again goes on where the last run ended
//   A, B       the phones' interfaces, and whose MAC address is at the other end of each
//   KEEP_BACK  so that the load itself can be tested: each so manieth packet is not sent, and must be found missing at the far end
// A spinning program of the lowest class on each processor takes what nobody else wants: what it does not get is what packets cost, wherever
// the kernel does the work. Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "kernel_load.h"

// Live frames of BPF_PROG_TEST_RUN go where the program sends them (Linux 5.18).
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif
enum { TICK = 2000000, WARM_UP_TICKS = 1000, BATCH = 64 };

static void fail(const char *what) {
    fprintf(stderr, "kernel-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// ---- what the machine spends ----

static volatile int64_t *spun;
static int processors;

static void spin(void) {
    processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    spun = mmap(NULL, (size_t)processors * 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
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

// ---- streams ----

static uint16_t fold(uint64_t sum) {
    while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static uint64_t sum_of(const void *bytes, size_t count) {
    uint64_t sum = 0;
    for (size_t at = 0; at < count; at += 2) {
        uint16_t word;
        memcpy(&word, (const uint8_t *)bytes + at, 2);
        sum += word;
    }
    return sum;
}

static struct stream made[STREAMS_MAX];
static uint8_t sample[FRAME_BYTES];

static int read_legs(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    int count = 0, own_port, other_port;
    char own[64], other[64];
    while (count < STREAMS_MAX && fscanf(file, "%63s %d %63s %d", own, &own_port, other, &other_port) == 4) {
        struct stream *stream = &made[count], *partner = &made[count ^ 1];
        if (inet_pton(AF_INET, own, &stream->source) != 1 || inet_pton(AF_INET, other, &stream->destination) != 1) fail("an address");
        stream->source_port = htons((uint16_t)own_port);
        stream->destination_port = htons((uint16_t)other_port);
        stream->ssrc = htonl(1 + (uint32_t)count);
        // The one hears what the other says where it says its own, and from whom it says it to.
        partner->heard_at = stream->source;
        partner->heard_at_port = stream->source_port;
        partner->heard_from = stream->destination;
        partner->heard_from_port = stream->destination_port;
        count++;
    }
    fclose(file);
    if (!count || count % 2) errno = EINVAL, fail("legs");
    return count;
}

static void add_sums(int count) {
    memset(sample, 0xD5, sizeof sample);
    for (int index = 0; index < count; index++) {
        struct stream *stream = &made[index];
        const uint16_t ip[] = {htons(0x4500), htons(FRAME_BYTES - 14), htons(64 << 8 | IPPROTO_UDP)};
        uint64_t addresses = sum_of(&stream->source, 8);
        stream->ip_sum = fold(sum_of(ip, sizeof ip) + addresses);
        uint16_t bytes = htons(8 + RTP_BYTES), head = htons(0x8008);
        uint32_t number = (uint32_t)index;
        stream->udp_sum = fold(addresses + htons(IPPROTO_UDP) + bytes + sum_of(&stream->source_port, 2) + sum_of(&stream->destination_port, 2) + bytes + head + sum_of(&stream->ssrc, 4) +
                               sum_of(&number, 4) + sum_of(sample + FRAME_BYTES - RTP_BYTES + 32, RTP_BYTES - 32));
    }
}

// "NAME=MAC": what the interface's frames begin with.
static unsigned interface(char *words, uint8_t ethernet[12]) {
    char *mac = strchr(words, '=');
    if (!mac) errno = EINVAL, fail(words);
    *mac++ = 0;
    if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", ethernet, ethernet + 1, ethernet + 2, ethernet + 3, ethernet + 4, ethernet + 5) != 6) errno = EINVAL, fail(mac);
    struct ifreq request = {0};
    strncpy(request.ifr_name, words, IFNAMSIZ - 1);
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0 || ioctl(any, SIOCGIFHWADDR, &request)) fail(words);
    close(any);
    memcpy(ethernet + 6, request.ifr_hwaddr.sa_data, 6);
    return if_nametoindex(words);
}

static void *shared(struct bpf_object *object, const char *name, size_t bytes) {
    struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    void *memory = map ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0) : MAP_FAILED;
    if (memory == MAP_FAILED) fail(name);
    return memory;
}

static int percentile(const struct totals *totals, double share) {
    uint64_t limit = (uint64_t)((double)totals->delays * share), sum = 0;
    for (int step = 0; step < DELAYS; step++)
        if ((sum += totals->delay_counts[step]) > limit) return step * (DELAY_STEP / 1000);
    return DELAYS * (DELAY_STEP / 1000);
}

int main(int count, char **words) {
    if (count != 8 && count != 9) return 64;
    char path[256];
    snprintf(path, sizeof path, "/var/run/netns/%s", words[2]);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET)) fail(path);
    close(space);
    struct settings settings = {.first = strtoull(words[5], NULL, 10), .keep_back = count == 9 ? (uint32_t)atoi(words[8]) : 0};
    int streams = read_legs(words[3]);
    settings.calls = (uint32_t)streams / 2;
    for (int side = 0; side < 2; side++) {
        uint8_t ethernet[12];
        settings.interface[side] = interface(words[6 + side], ethernet);
        for (int index = side; index < streams; index += 2) memcpy(made[index].ethernet, ethernet, sizeof ethernet);
    }
    add_sums(streams);

    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
    struct bpf_object *object = bpf_object__open_file(words[1], NULL);
    if (!object || bpf_object__load(object)) fail(words[1]);
    int send = bpf_program__fd(bpf_object__find_program_by_name(object, "send")), hear = bpf_program__fd(bpf_object__find_program_by_name(object, "hear"));
    uint32_t zero = 0;
    if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "wanted"), &zero, &settings, 0)) fail("settings");
    for (uint32_t index = 0; index < (uint32_t)streams; index++)
        if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "streams"), &index, &made[index], 0)) fail("streams");
    volatile struct heard *heard = shared(object, "hearing", sizeof(struct heard) * STREAMS_MAX);
    struct totals *totals = shared(object, "all", sizeof(struct totals));
    // A program that is on no interface costs the kernel a grace period at each run of it, for its list of programs. Nothing comes by this one.
    if (bpf_xdp_attach((int)if_nametoindex("lo"), send, XDP_FLAGS_SKB_MODE, NULL)) fail("lo");
    for (int side = 0; side < 2; side++)
        if (bpf_xdp_attach((int)settings.interface[side], hear, XDP_FLAGS_DRV_MODE, NULL)) fail("XDP of the phones' interface");
    spin();

    int64_t start = now(CLOCK_MONOTONIC), next = start, late_max = 0, spent_before = 0, began = 0;
    int ticks = WARM_UP_TICKS + (int)(atof(words[4]) * 1e9 / TICK);
    uint64_t due = 0, heard_before = 0, heard_now = 0, asked = 0;
    for (int tick = 0; tick < ticks; tick++) {
        if (tick == WARM_UP_TICKS) {
            for (int index = 0; index < streams; index++) heard_before += heard[index].packets;
            spent_before = spent();
            began = now(CLOCK_MONOTONIC);
        }
        due = (uint64_t)(tick + 1) * (uint64_t)streams * TICK / 20000000;
        if (due > asked) {
            DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = sample, .data_size_in = sizeof sample, .repeat = (int)(due - asked), .batch_size = BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
            if (bpf_prog_test_run_opts(send, &options)) fail("live frames (Linux 5.18)");
            asked = due;
        }
        next += TICK;
        int64_t late = now(CLOCK_MONOTONIC) - next;
        if (late > late_max) late_max = late;
        struct timespec until = {next / 1000000000, next % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    int64_t cost = spent() - spent_before, lasted = now(CLOCK_MONOTONIC) - began;
    for (int index = 0; index < streams; index++) heard_now += heard[index].packets;
    usleep(100000);
    uint64_t all = 0, lost = 0, late = 0, wrong = 0, silent = 0;
    for (int index = 0; index < streams; index++) {
        all += heard[index].packets, lost += heard[index].lost, late += heard[index].late, wrong += heard[index].wrong;
        silent += heard[index].packets == 0;
    }
    printf("{\"asked\": %lu, \"sent\": %lu, \"kept_back\": %lu, \"heard\": %lu, \"gaps\": %lu, \"late\": %lu, \"wrong\": %lu, \"strays\": %lu, \"silent_streams\": %lu, \"next\": %lu, "
           "\"whole_us\": %.4f, \"cores\": %.3f, \"delay_p50_us\": %d, \"delay_p99_us\": %d, \"delay_max_us\": %lu, \"late_max_us\": %ld}\n",
           asked, (unsigned long)totals->sent, (unsigned long)totals->kept_back, all, lost, late, wrong, (unsigned long)totals->strays, silent,
           (unsigned long)(settings.first + totals->sent / (uint64_t)streams + 1), cost / 1e3 / (double)(heard_now - heard_before), (double)cost / (double)lasted, percentile(totals, 0.5), percentile(totals, 0.99),
           (unsigned long)(totals->delay_max / 1000), (long)(late_max / 1000));
    return 0;
}
