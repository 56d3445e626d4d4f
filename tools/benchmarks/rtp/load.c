// Two-way calls through a relay on loopback, RTP or SRTP: 50 packets a second each way, of 172 bytes unless they are speech.
// Tells what was lost, how long the relay took, and what processor time it used, as a line of JSON.
//
//   load LEGS CALLS SECONDS WARM_UP FIRST PID...
//
// LEGS has a line for each leg, two for a call: OWN_PORT RELAY_PORT SEND_KEY RECEIVE_KEY TAG_BYTES PAYLOAD_TYPE TIMESTAMP_STEP SPEECH.
// A key is SDES's 30 bytes in hexadecimal digits, or "-" for RTP. Several legs may share an own port; the relay's port tells them apart.
// SPEECH is a file of payloads in hexadecimal digits, a line each, that are said over and over; "-": the payload numbers the packet. Only
// numbered packets are known again when they come, so that the delay of speech is not measured, and what is lost of it is counted alone.
// FIRST is the first sequence number: who measures the same calls again goes on where the last run ended, or
// SRTP takes the packets for replayed. PIDs are the relay's.
//
// The calls are spread over twenty ticks of a millisecond. The delay is from just before the system call that sends to the
// kernel's stamp of arrival, so that waiting in this program does not count.
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, PAYLOAD = 160, PACKET = HEADER + PAYLOAD, ROOM = 512, BATCH = 64, SLOTS = 20, WINDOW = 4096, MICROSECONDS = 1000000 };
static const uint64_t second = 1000000000, tick = 1000000;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "wrong");
    exit(1);
}

static uint64_t clock_now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

// ---- SRTP, AES_CM_128_HMAC_SHA1 (RFC 3711), for sequence numbers before the first rollover ----

struct crypto {
    EVP_CIPHER_CTX *cipher;
    uint8_t salt[16];
    SHA_CTX inner, outer;
};

static void keystream(EVP_CIPHER_CTX *cipher, const uint8_t iv[16], uint8_t *data, int count) {
    int done;
    if (!EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv) || !EVP_EncryptUpdate(cipher, data, &done, data, count)) fail("AES");
}

// RFC 3711 §4.3: the label stands in the eighth byte of the salt.
static void derive(EVP_CIPHER_CTX *master, const uint8_t salt[14], uint8_t label, uint8_t *key, int count) {
    uint8_t iv[16] = {0};
    memcpy(iv, salt, 14);
    iv[7] ^= label;
    memset(key, 0, (size_t)count);
    keystream(master, iv, key, count);
}

static struct crypto *crypto_from(const char *digits) {
    if (!strcmp(digits, "-")) return NULL;
    uint8_t key[30], cipher[16], authentication[20], pad[64];
    if (strlen(digits) != 60) fail("a key");
    for (int i = 0; i < 30; i++) {
        unsigned byte;
        if (sscanf(digits + 2 * i, "%2x", &byte) != 1) fail("a key");
        key[i] = (uint8_t)byte;
    }
    struct crypto *made = calloc(1, sizeof *made);
    EVP_CIPHER_CTX *master = EVP_CIPHER_CTX_new();
    made->cipher = EVP_CIPHER_CTX_new();
    if (!EVP_EncryptInit_ex(master, EVP_aes_128_ctr(), NULL, key, NULL)) fail("AES");
    derive(master, key + 16, 0, cipher, sizeof cipher);
    derive(master, key + 16, 1, authentication, sizeof authentication);
    derive(master, key + 16, 2, made->salt, 14);
    EVP_CIPHER_CTX_free(master);
    if (!EVP_EncryptInit_ex(made->cipher, EVP_aes_128_ctr(), NULL, cipher, NULL)) fail("AES");
    // HMAC (RFC 2104): both halves with the key taken in, copied for each packet.
    for (int i = 0; i < 64; i++) pad[i] = (i < 20 ? authentication[i] : 0) ^ 0x36;
    SHA1_Init(&made->inner), SHA1_Update(&made->inner, pad, 64);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    SHA1_Init(&made->outer), SHA1_Update(&made->outer, pad, 64);
    return made;
}

static void crypt_payload(struct crypto *c, uint8_t *packet, int count) {
    uint8_t iv[16];
    memcpy(iv, c->salt, 16);
    for (int i = 0; i < 4; i++) iv[4 + i] ^= packet[8 + i];
    iv[12] ^= packet[2], iv[13] ^= packet[3];
    keystream(c->cipher, iv, packet + HEADER, count - HEADER);
}

static void authenticate(struct crypto *c, const uint8_t *packet, int count, uint8_t digest[20]) {
    static const uint8_t rollovers[4];
    SHA_CTX inner = c->inner, outer = c->outer;
    SHA1_Update(&inner, packet, (size_t)count), SHA1_Update(&inner, rollovers, 4), SHA1_Final(digest, &inner);
    SHA1_Update(&outer, digest, 20), SHA1_Final(digest, &outer);
}

// ---- legs ----

struct speech {
    char path[256];
    int count;
    struct { int bytes; uint8_t payload[ROOM - HEADER - 32]; } frames[128];
};
static struct speech *speeches[16];

struct leg {
    int own, relay, socket, tag, type, step;
    struct speech *speech;
    struct sockaddr_in to;
    struct crypto *sending, *receiving;
    uint32_t next, measured_from, measured_to, heard;
    uint64_t sent_at[WINDOW];  // by number; 0: it came, or was never sent
};
static struct leg *legs;
static int leg_count, leg_of_port[65536];
static struct { int port, descriptor; } sockets[64];
static int socket_count;

static int socket_for(int port) {
    for (int i = 0; i < socket_count; i++) if (sockets[i].port == port) return i;
    if (socket_count == 64) fail("more than 64 own ports");
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 8 << 20, on = 1;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&own, sizeof own)) fail("an own port");
    sockets[socket_count].port = port;
    sockets[socket_count].descriptor = descriptor;
    return socket_count++;
}

static struct speech *speech_from(const char *path) {
    if (!strcmp(path, "-")) return NULL;
    int at = 0;
    for (; at < 16 && speeches[at]; at++) if (!strcmp(speeches[at]->path, path)) return speeches[at];
    FILE *file = fopen(path, "r");
    if (at == 16 || !file) fail(path);
    struct speech *made = speeches[at] = calloc(1, sizeof *made);
    snprintf(made->path, sizeof made->path, "%s", path);
    for (char line[2 * ROOM]; made->count < 128 && fscanf(file, "%1023s", line) == 1; made->count++) {
        int bytes = (int)strlen(line) / 2;
        if (bytes > (int)sizeof made->frames[0].payload) fail("a payload");
        made->frames[made->count].bytes = bytes;
        for (int i = 0; i < bytes; i++) {
            unsigned byte;
            if (sscanf(line + 2 * i, "%2x", &byte) != 1) fail("a payload");
            made->frames[made->count].payload[i] = (uint8_t)byte;
        }
    }
    fclose(file);
    if (!made->count) fail("a file of speech");
    return made;
}

static void read_legs(const char *path, int calls, uint32_t first) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    legs = calloc((size_t)calls * 2, sizeof *legs);
    memset(leg_of_port, -1, sizeof leg_of_port);
    char sending[64], receiving[64], speech[256];
    for (; leg_count < calls * 2; leg_count++) {
        struct leg *leg = legs + leg_count;
        if (fscanf(file, "%d %d %63s %63s %d %d %d %255s", &leg->own, &leg->relay, sending, receiving, &leg->tag, &leg->type, &leg->step, speech) != 8) break;
        leg->speech = speech_from(speech);
        leg->socket = socket_for(leg->own);
        leg->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)leg->relay), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        leg->sending = crypto_from(sending), leg->receiving = crypto_from(receiving);
        leg->next = first;
        leg_of_port[leg->relay & 0xFFFF] = leg_count;
    }
    fclose(file);
    errno = 0;
    if (leg_count != calls * 2) fail("there are not that many calls");
}

// ---- sending ----

static uint8_t packets[BATCH][ROOM];
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];
static struct leg *queued_legs[BATCH];
static int queued;
static uint64_t not_sent;

static void flush(void) {
    uint64_t at = clock_now(CLOCK_REALTIME);
    for (int i = 0; i < queued; i++) queued_legs[i]->sent_at[(queued_legs[i]->next - 1) % WINDOW] = at;
    for (int next = 0; next < queued;) {
        int sent = sendmmsg(sockets[queued_legs[0]->socket].descriptor, messages + next, (unsigned)(queued - next), 0);
        if (sent > 0) next += sent;
        else if (errno == EINTR) continue;
        else not_sent++, next++;
    }
    queued = 0;
}

static void put32(uint8_t *to, uint32_t value) { value = htonl(value), memcpy(to, &value, 4); }
static uint32_t get32(const uint8_t *from) { uint32_t value; memcpy(&value, from, 4); return ntohl(value); }

static void send_one(int index) {
    struct leg *leg = legs + index;
    if (queued == BATCH || (queued && queued_legs[0]->socket != leg->socket)) flush();
    uint8_t *packet = packets[queued];
    uint32_t number = leg->next++;
    int count = PACKET;
    packet[0] = 0x80, packet[1] = (uint8_t)leg->type, packet[2] = (uint8_t)(number >> 8), packet[3] = (uint8_t)number;
    put32(packet + 4, number * (uint32_t)leg->step), put32(packet + 8, 0x10000000u + (uint32_t)index);
    if (leg->speech) {
        int frame = (int)(number % (uint32_t)leg->speech->count);
        count = HEADER + leg->speech->frames[frame].bytes;
        memcpy(packet + HEADER, leg->speech->frames[frame].payload, (size_t)leg->speech->frames[frame].bytes);
    } else {
        memset(packet + HEADER, 0xD5, PAYLOAD);
        put32(packet + HEADER, (uint32_t)index), put32(packet + HEADER + 4, number);
    }
    if (leg->sending) {
        uint8_t digest[20];
        crypt_payload(leg->sending, packet, count);
        authenticate(leg->sending, packet, count, digest);
        memcpy(packet + count, digest, (size_t)leg->tag);
        count += leg->tag;
    }
    vectors[queued] = (struct iovec){packet, (size_t)count};
    messages[queued].msg_hdr = (struct msghdr){.msg_name = &leg->to, .msg_namelen = sizeof leg->to, .msg_iov = &vectors[queued], .msg_iovlen = 1};
    queued_legs[queued++] = leg;
}

// ---- receiving ----

static uint64_t strays, forged, repeated, delays, delay_counts[MICROSECONDS + 1];

static void take(int socket, const struct sockaddr_in *from, uint8_t *packet, int count, uint64_t at) {
    int index = leg_of_port[ntohs(from->sin_port)];
    if (index < 0 || legs[index].socket != socket || count <= HEADER) { strays++; return; }
    struct leg *leg = legs + index, *sender = legs + (index ^ 1);
    if (sender->speech) {
        if (sender->measured_to == UINT32_MAX) sender->heard++;
        return;
    }
    if (count < PACKET) { strays++; return; }
    if (leg->receiving) {
        uint8_t digest[20];
        count -= leg->tag;
        authenticate(leg->receiving, packet, count, digest);
        if (count != PACKET || CRYPTO_memcmp(digest, packet + count, (size_t)leg->tag)) { forged++; return; }
        crypt_payload(leg->receiving, packet, count);
    }
    uint32_t number = get32(packet + HEADER + 4);
    if (count != PACKET || get32(packet + HEADER) != (uint32_t)(index ^ 1)) { strays++; return; }
    uint64_t sent_at = sender->sent_at[number % WINDOW];
    if (!sent_at) { repeated++; return; }
    sender->sent_at[number % WINDOW] = 0;
    if (number < sender->measured_from || number >= sender->measured_to) return;
    sender->heard++;
    uint64_t delay = at > sent_at ? (at - sent_at) / 1000 : 0;
    delay_counts[delay < MICROSECONDS ? delay : MICROSECONDS]++, delays++;
}

static void drain(void) {
    static uint8_t buffers[BATCH][ROOM], controls[BATCH][64];
    static struct sockaddr_in sources[BATCH];
    static struct mmsghdr incoming[BATCH];
    static struct iovec rooms[BATCH];
    for (int socket = 0; socket < socket_count; socket++) {
        for (int count = BATCH; count == BATCH;) {
            for (int i = 0; i < BATCH; i++) {
                rooms[i] = (struct iovec){buffers[i], ROOM};
                incoming[i].msg_hdr = (struct msghdr){.msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &rooms[i], .msg_iovlen = 1, .msg_control = controls[i], .msg_controllen = sizeof controls[i]};
            }
            count = recvmmsg(sockets[socket].descriptor, incoming, BATCH, MSG_DONTWAIT, NULL);
            for (int i = 0; i < count; i++) {
                uint64_t at = 0;
                for (struct cmsghdr *c = CMSG_FIRSTHDR(&incoming[i].msg_hdr); c; c = CMSG_NXTHDR(&incoming[i].msg_hdr, c)) {
                    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
                    struct timespec stamp;
                    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
                    at = (uint64_t)stamp.tv_sec * second + (uint64_t)stamp.tv_nsec;
                }
                take(socket, &sources[i], buffers[i], (int)incoming[i].msg_len, at);
            }
        }
    }
}

// ---- figures ----

// User and system time of a process, in seconds.
static double cpu(int pid) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file)) fail(path);
    fclose(file);
    unsigned long user, system;
    char *rest = strrchr(line, ')');
    if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) fail(path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_of(char **pids, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += cpu(atoi(pids[i]));
    return sum;
}

static int percentile(double share) {
    uint64_t wanted = (uint64_t)((double)delays * share), sum = 0;
    for (int i = 0; i <= MICROSECONDS; i++) if ((sum += delay_counts[i]) > wanted) return i;
    return MICROSECONDS;
}

static int by_slot_and_socket(const void *left, const void *right) {
    int a = *(const int *)left, b = *(const int *)right, slot_a = a / 2 % SLOTS, slot_b = b / 2 % SLOTS;
    if (slot_a != slot_b) return slot_a - slot_b;
    return legs[a].socket != legs[b].socket ? legs[a].socket - legs[b].socket : a - b;
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: load LEGS CALLS SECONDS WARM_UP FIRST PID...\n");
        return 64;
    }
    double seconds = atof(argv[3]), warm_up = atof(argv[4]);
    char **pids = argv + 6;
    int pid_count = argc - 6;
    read_legs(argv[1], atoi(argv[2]), (uint32_t)atoi(argv[5]));
    int *order = malloc(sizeof *order * (size_t)leg_count), first_of[SLOTS + 1] = {0};
    for (int i = 0; i < leg_count; i++) order[i] = i, first_of[i / 2 % SLOTS + 1]++;
    for (int i = 0; i < SLOTS; i++) first_of[i + 1] += first_of[i];
    qsort(order, (size_t)leg_count, sizeof *order, by_slot_and_socket);

    uint64_t start = clock_now(CLOCK_MONOTONIC) + tick, begin = start + (uint64_t)(warm_up * (double)second), end = begin + (uint64_t)(seconds * (double)second);
    uint64_t late_max = 0, next = start, begun = 0;
    double cpu_before = 0, own_before = 0;
    for (uint64_t round = 0;; round++, next += tick) {
        struct timespec due = {(time_t)(next / second), (long)(next % second)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        uint64_t now = clock_now(CLOCK_MONOTONIC);
        if (!begun && now >= begin) {
            for (int i = 0; i < leg_count; i++) legs[i].measured_from = legs[i].next, legs[i].measured_to = UINT32_MAX;
            begun = now, cpu_before = cpu_of(pids, pid_count), own_before = cpu(getpid());
        }
        if (now >= end) break;
        if (begun && now - next > late_max) late_max = now - next;
        for (int i = first_of[round % SLOTS]; i < first_of[round % SLOTS + 1]; i++) send_one(order[i]);
        flush();
        drain();
    }
    double wall = (double)(clock_now(CLOCK_MONOTONIC) - begun) / (double)second, used = cpu_of(pids, pid_count) - cpu_before, own = cpu(getpid()) - own_before;
    // What is on its way belongs to those that were sent, and of speech takes the place of what was on its way in the beginning.
    uint64_t sent = 0, heard = 0;
    for (int i = 0; i < leg_count; i++) legs[i].measured_to = legs[i].next;
    for (int i = 0; i < 30; i++) usleep(10000), drain();
    for (int i = 0; i < leg_count; i++) sent += legs[i].measured_to - legs[i].measured_from, heard += legs[i].heard;
    printf("{\"calls\": %d, \"sent\": %lu, \"of_plan\": %.4f, \"heard\": %lu, \"loss_percent\": %.4f, \"cpu_us\": %.3f, \"cores\": %.3f, \"p50_us\": %d, \"p99_us\": %d, \"p999_us\": %d, "
           "\"strays\": %lu, \"forged\": %lu, \"repeated\": %lu, \"not_sent\": %lu, \"late_max_us\": %lu, \"load_cores\": %.3f, \"next\": %u}\n",
           leg_count / 2, sent, (double)sent / (leg_count * 50.0 * seconds), heard, sent ? 100.0 * ((double)sent - (double)heard) / (double)sent : 100.0, heard ? used * 1e6 / (double)heard : 0.0, used / wall,
           percentile(0.5), percentile(0.99), percentile(0.999), strays, forged, repeated, not_sent, late_max / 1000, own / wall, legs[0].next);
    return 0;
}
