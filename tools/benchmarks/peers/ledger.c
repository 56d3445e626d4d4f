// The peer of ledger.append: the least that a program in C needs to record what Ledgerline records. LMDB with its own
// flushes, one committing thread for all producers, the newest version of each stream in an index, a SHA-256 chain.
//
//   ledger DIRECTORY SECONDS IN_FLIGHT     64 producers, each with IN_FLIGHT events on their way
//
// Prints events/s, and p50 and p99 of the acknowledgements in milliseconds.
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/futex.h>
#include <lmdb.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PRODUCERS = 64, PAYLOAD = 200, EVENTS_PER_STREAM = 8, WARM_MS = 200, BATCH_MAX = 4096 };

struct request {
    uint8_t stream[16];
    uint64_t expected;
    const uint8_t *payload;
    uint64_t handed;  // ns
    uint64_t batch;   // acknowledged when `durable` has reached it
    int lane;
};

// What stands in the log for an event; numbers are big-endian.
struct record {
    uint8_t chain[32];
    uint8_t stream[16];
    uint64_t version, previous, time;
    uint8_t payload[PAYLOAD];
};

struct newest {
    uint64_t version, last;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static struct request **collecting;
static int collected;
static uint64_t next_batch = 1;
static int committer_sleeps, stopping;

// The producers of one batch wait on one word, those of the next on the other: one wake-up for all of a batch.
static _Atomic uint64_t durable;
static _Atomic uint32_t words[2];

static int in_flight;
static uint64_t start_ns, end_ns;

static void must(int ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "%s failed: %s\n", what, strerror(errno));
        exit(70);
    }
}
static void lmdb(int code, const char *what) {
    if (code) {
        fprintf(stderr, "%s: %s\n", what, mdb_strerror(code));
        exit(70);
    }
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void hand_over(struct request **requests, int count) {
    uint64_t handed = now_ns(CLOCK_MONOTONIC);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++) {
        requests[i]->handed = handed;
        requests[i]->batch = next_batch;
        collecting[collected++] = requests[i];
    }
    if (committer_sleeps) pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static void wait_for(uint64_t batch) {
    while (1) {
        uint32_t seen = atomic_load(&words[batch & 1]);
        if (atomic_load(&durable) >= batch) return;
        syscall(SYS_futex, &words[batch & 1], FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
}

struct producer {
    pthread_t thread;
    uint64_t seed;
    double *latencies;
    size_t count, room;
};

static void *produce(void *argument) {
    struct producer *self = argument;
    uint64_t random = self->seed;
    uint8_t *payload = malloc(PAYLOAD);  // outlives the thread: its last events may still be on their way
    for (int i = 0; i < PAYLOAD; i++) payload[i] = (uint8_t)random_next(&random);
    struct request *lanes = calloc((size_t)in_flight, sizeof *lanes);
    struct request **ready = calloc((size_t)in_flight, sizeof *ready);
    for (int i = 0; i < in_flight; i++) lanes[i].expected = EVENTS_PER_STREAM;
    int first = 1;
    while (1) {
        int count = 0;
        uint64_t oldest = UINT64_MAX, done = atomic_load(&durable), now = now_ns(CLOCK_MONOTONIC);
        for (int i = 0; i < in_flight; i++) {
            struct request *lane = &lanes[i];
            if (!first && lane->batch > done) {
                if (lane->batch < oldest) oldest = lane->batch;
                continue;
            }
            if (!first) {
                if (now >= end_ns) return NULL;
                if (now >= start_ns) {
                    if (self->count == self->room) {
                        self->room = self->room ? self->room * 2 : 4096;
                        self->latencies = realloc(self->latencies, self->room * sizeof(double));
                    }
                    self->latencies[self->count++] = (double)(now - lane->handed) / 1e6;
                }
            }
            if (++lane->expected >= EVENTS_PER_STREAM) {
                uint64_t high = htobe64(now_ns(CLOCK_REALTIME) / 1000000 << 16 | 0x7000 | (random_next(&random) & 0xFFF));
                uint64_t low = htobe64(0x8000000000000000u | random_next(&random) >> 2);
                memcpy(lane->stream, &high, 8);
                memcpy(lane->stream + 8, &low, 8);
                lane->expected = 0;
            }
            lane->payload = payload;
            ready[count++] = lane;
        }
        first = 0;
        if (count) hand_over(ready, count);
        else wait_for(oldest);
    }
}

static MDB_env *environment;
static MDB_dbi events, streams;
static uint64_t head;

static void *commit(void *unused) {
    (void)unused;
    struct request **batch = calloc((size_t)PRODUCERS * (size_t)in_flight, sizeof *batch);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    uint8_t chain[32] = {0};
    while (1) {
        pthread_mutex_lock(&lock);
        while (!collected && !stopping) {
            committer_sleeps = 1;
            pthread_cond_wait(&wake, &lock);
            committer_sleeps = 0;
        }
        if (!collected) {
            pthread_mutex_unlock(&lock);
            return NULL;
        }
        struct request **taken = collecting;
        collecting = batch;
        batch = taken;
        int count = collected;
        collected = 0;
        uint64_t number = next_batch++;
        pthread_mutex_unlock(&lock);

        MDB_txn *transaction;
        lmdb(mdb_txn_begin(environment, NULL, 0, &transaction), "begin");
        uint64_t time = htobe64(now_ns(CLOCK_REALTIME) / 1000);
        for (int i = 0; i < count; i++) {
            struct request *request = batch[i];
            struct newest newest = {0, 0};
            MDB_val name = {16, request->stream}, value;
            int code = mdb_get(transaction, streams, &name, &value);
            if (code == 0) memcpy(&newest, value.mv_data, sizeof newest);
            else if (code != MDB_NOTFOUND) lmdb(code, "get");
            must(be64toh(newest.version) == request->expected, "the expected version");
            struct record record;
            memcpy(record.chain, chain, 32);
            memcpy(record.stream, request->stream, 16);
            record.version = htobe64(request->expected + 1);
            record.previous = newest.last;
            record.time = time;
            memcpy(record.payload, request->payload, PAYLOAD);
            must(EVP_DigestInit_ex2(context, algorithm, NULL) && EVP_DigestUpdate(context, &record, sizeof record) &&
                     EVP_DigestFinal_ex(context, chain, NULL), "SHA-256");
            memcpy(record.chain, chain, 32);
            uint64_t key = htobe64(++head);
            MDB_val sequence = {8, &key}, data = {sizeof record, &record};
            lmdb(mdb_put(transaction, events, &sequence, &data, MDB_APPEND), "put");
            newest.version = record.version;
            newest.last = key;
            MDB_val entry = {sizeof newest, &newest};
            lmdb(mdb_put(transaction, streams, &name, &entry, 0), "put");
        }
        lmdb(mdb_txn_commit(transaction), "commit");
        atomic_store(&durable, number);
        atomic_fetch_add(&words[number & 1], 1);
        syscall(SYS_futex, &words[number & 1], FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: ledger DIRECTORY SECONDS IN_FLIGHT\n");
        return 64;
    }
    in_flight = atoi(argv[3]);
    double seconds = atof(argv[2]);
    collecting = calloc((size_t)PRODUCERS * (size_t)in_flight, sizeof *collecting);
    lmdb(mdb_env_create(&environment), "create");
    lmdb(mdb_env_set_mapsize(environment, (size_t)1 << 40), "map size");
    lmdb(mdb_env_set_maxdbs(environment, 4), "tables");
    lmdb(mdb_env_open(environment, argv[1], 0, 0600), "open");
    MDB_txn *transaction;
    lmdb(mdb_txn_begin(environment, NULL, 0, &transaction), "begin");
    lmdb(mdb_dbi_open(transaction, "events", MDB_CREATE, &events), "events");
    lmdb(mdb_dbi_open(transaction, "streams", MDB_CREATE, &streams), "streams");
    lmdb(mdb_txn_commit(transaction), "commit");

    start_ns = now_ns(CLOCK_MONOTONIC) + WARM_MS * 1000000ull;
    end_ns = start_ns + (uint64_t)(seconds * 1e9);
    pthread_t committer;
    must(pthread_create(&committer, NULL, commit, NULL) == 0, "thread");
    static struct producer producers[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i].seed = (uint64_t)i + 1;
        must(pthread_create(&producers[i].thread, NULL, produce, &producers[i]) == 0, "thread");
    }
    size_t count = 0;
    for (int i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
        count += producers[i].count;
    }
    must(count > 0, "measuring");
    double *all = malloc(count * sizeof *all);
    size_t filled = 0;
    for (int i = 0; i < PRODUCERS; i++) {
        memcpy(all + filled, producers[i].latencies, producers[i].count * sizeof *all);
        filled += producers[i].count;
    }
    qsort(all, count, sizeof *all, by_value);
    printf("%f %f %f\n", (double)count / seconds, all[count / 2], all[count * 99 / 100]);
    return 0;
}
