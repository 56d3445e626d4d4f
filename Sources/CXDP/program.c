#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "CXDP.h"

enum relay_map { RELAY_MAP_RULES4, RELAY_MAP_RULES6, RELAY_MAP_COUNTS };
#include "program/relay_program.h"

_Static_assert(sizeof(struct ll_xdp_counts) == 128, "two lines of the cache");
_Static_assert(sizeof(struct ll_xdp_key4) == 12 && sizeof(struct ll_xdp_key6) == 36, "keys are compared byte by byte");

static int call(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

static int make_map(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = type;
    attributes.key_size = key;
    attributes.value_size = value;
    attributes.max_entries = entries;
    attributes.map_flags = flags;
    return call(BPF_MAP_CREATE, &attributes);
}

static int load(const int *maps, char *reason, uint32_t reason_bytes) {
    struct bpf_insn code[sizeof relay_program / sizeof relay_program[0]];
    _Static_assert(sizeof code == sizeof relay_program, "an instruction is a word");
    memcpy(code, relay_program, sizeof code);
    for (size_t place = 0; place < sizeof relay_program_maps / sizeof relay_program_maps[0]; place++) {
        code[relay_program_maps[place].instruction].src_reg = BPF_PSEUDO_MAP_FD;
        code[relay_program_maps[place].instruction].imm = maps[relay_program_maps[place].map];
    }
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.expected_attach_type = BPF_XDP;
    attributes.insns = (uintptr_t)code;
    attributes.insn_cnt = sizeof code / sizeof code[0];
    attributes.license = (uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, "ledgerline", sizeof "ledgerline");
    int program = call(BPF_PROG_LOAD, &attributes);
    if (program >= 0 || program == -EPERM || reason_bytes == 0) return program;
    attributes.log_level = 1;
    attributes.log_buf = (uintptr_t)reason;
    attributes.log_size = reason_bytes;
    return call(BPF_PROG_LOAD, &attributes);
}

int ll_xdp_open(uint32_t flows, struct ll_xdp_program *opened, char *reason, uint32_t reason_bytes) {
    memset(opened, 0, sizeof *opened);
    opened->rules4 = opened->rules6 = opened->counts_map = opened->program = -1;
    opened->flows = flows;
    if (reason_bytes) reason[0] = 0;
    int result;
    if ((result = opened->rules4 = make_map(BPF_MAP_TYPE_HASH, sizeof(struct ll_xdp_key4), sizeof(struct ll_xdp_rule), flows, 0)) < 0) goto failed;
    if ((result = opened->rules6 = make_map(BPF_MAP_TYPE_HASH, sizeof(struct ll_xdp_key6), sizeof(struct ll_xdp_rule), flows, 0)) < 0) goto failed;
    if ((result = opened->counts_map = make_map(BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(struct ll_xdp_counts), flows, BPF_F_MMAPABLE)) < 0) goto failed;
    int maps[] = {[RELAY_MAP_RULES4] = opened->rules4, [RELAY_MAP_RULES6] = opened->rules6, [RELAY_MAP_COUNTS] = opened->counts_map};
    if ((result = opened->program = load(maps, reason, reason_bytes)) < 0) goto failed;
    void *counts = mmap(NULL, flows * sizeof(struct ll_xdp_counts), PROT_READ | PROT_WRITE, MAP_SHARED, opened->counts_map, 0);
    if (counts == MAP_FAILED) {
        result = -errno;
        goto failed;
    }
    opened->counts = counts;
    return 0;
failed:
    ll_xdp_close(opened);
    return result;
}

void ll_xdp_close(struct ll_xdp_program *opened) {
    if (opened->counts) munmap(opened->counts, opened->flows * sizeof(struct ll_xdp_counts));
    opened->counts = NULL;
    int *descriptors[] = {&opened->program, &opened->rules4, &opened->rules6, &opened->counts_map};
    for (size_t place = 0; place < 4; place++) {
        if (*descriptors[place] >= 0) close(*descriptors[place]);
        *descriptors[place] = -1;
    }
}

int ll_xdp_attach(const struct ll_xdp_program *opened, uint32_t interface, int native) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = opened->program;
    attributes.link_create.target_ifindex = interface;
    attributes.link_create.attach_type = BPF_XDP;
    attributes.link_create.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    return call(BPF_LINK_CREATE, &attributes);
}

int ll_xdp_run(const struct ll_xdp_program *opened, void *frame, uint32_t bytes) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.test.prog_fd = opened->program;
    attributes.test.data_in = attributes.test.data_out = (uintptr_t)frame;
    attributes.test.data_size_in = attributes.test.data_size_out = bytes;
    attributes.test.repeat = 1;
    int result = call(BPF_PROG_TEST_RUN, &attributes);
    return result < 0 ? result : (int)attributes.test.retval;
}

static int put(int map, const void *key, const void *rule) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = map;
    attributes.key = (uintptr_t)key;
    attributes.value = (uintptr_t)rule;
    return call(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int remove_from(int map, const void *key) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = map;
    attributes.key = (uintptr_t)key;
    return call(BPF_MAP_DELETE_ELEM, &attributes);
}

int ll_xdp_put4(const struct ll_xdp_program *opened, const struct ll_xdp_key4 *key, const struct ll_xdp_rule *rule) { return put(opened->rules4, key, rule); }
int ll_xdp_put6(const struct ll_xdp_program *opened, const struct ll_xdp_key6 *key, const struct ll_xdp_rule *rule) { return put(opened->rules6, key, rule); }
int ll_xdp_remove4(const struct ll_xdp_program *opened, const struct ll_xdp_key4 *key) { return remove_from(opened->rules4, key); }
int ll_xdp_remove6(const struct ll_xdp_program *opened, const struct ll_xdp_key6 *key) { return remove_from(opened->rules6, key); }

void ll_xdp_counts_read(const struct ll_xdp_counts *at, struct ll_xdp_counts *into) {
    const uint64_t *from = (const uint64_t *)at;
    uint64_t *to = (uint64_t *)into;
    for (size_t word = 0; word < sizeof *at / sizeof *from; word++) to[word] = __atomic_load_n(&from[word], __ATOMIC_RELAXED);
}
