#include "CSteering.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PORTS = 65536 };

static int call(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

static int make_map(enum bpf_map_type type, uint32_t value_bytes, uint32_t entries, uint32_t flags) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = type;
    attributes.key_size = sizeof(uint32_t);
    attributes.value_size = value_bytes;
    attributes.max_entries = entries;
    attributes.map_flags = flags;
    return call(BPF_MAP_CREATE, &attributes);
}

// Instructions by what they do (linux/bpf.h); names of registers are numbers.
#define INSTRUCTION(operation, to, from, distance, value) ((struct bpf_insn){.code = (operation), .dst_reg = (to), .src_reg = (from), .off = (distance), .imm = (int32_t)(value)})
#define COPY(to, from) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, value) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define ADD(to, value) INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value)
#define READ(to, from, distance) INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, to, from, distance, 0)
#define READ_DOUBLE(to, from, distance) INSTRUCTION(BPF_LDX | BPF_MEM | BPF_DW, to, from, distance, 0)
#define WRITE(to, distance, from) INSTRUCTION(BPF_STX | BPF_MEM | BPF_W, to, from, distance, 0)
#define UNLESS_EQUAL(register, value, steps) INSTRUCTION(BPF_JMP32 | BPF_JNE | BPF_K, register, 0, steps, value)
#define IF_ZERO(register, steps) INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, register, 0, steps, 0)
#define MAP(to, descriptor) INSTRUCTION(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, descriptor), INSTRUCTION(0, 0, 0, 0, 0)
#define CALL(function) INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT() INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load(const uint8_t *address, uint32_t address_bytes, int ports_map, int sockets_map) {
    struct bpf_insn code[48];
    uint32_t count = 0, words = address_bytes / 4, pass = 0;
    uint32_t place = address_bytes == 4 ? offsetof(struct bpf_sk_lookup, local_ip4) : offsetof(struct bpf_sk_lookup, local_ip6);
    code[count++] = COPY(6, 1);
    code[count++] = READ(2, 6, offsetof(struct bpf_sk_lookup, protocol));
    code[count++] = UNLESS_EQUAL(2, IPPROTO_UDP, 0);
    code[count++] = READ(2, 6, offsetof(struct bpf_sk_lookup, family));
    code[count++] = UNLESS_EQUAL(2, address_bytes == 4 ? AF_INET : AF_INET6, 0);
    for (uint32_t word = 0; word < words; word++) {
        int32_t wanted;
        memcpy(&wanted, address + 4 * word, 4);
        code[count++] = READ(2, 6, place + 4 * word);
        code[count++] = UNLESS_EQUAL(2, wanted, 0);
    }
    // Whose port is it?
    const struct bpf_insn which[] = {
        READ(2, 6, offsetof(struct bpf_sk_lookup, local_port)), WRITE(10, -4, 2), COPY(2, 10), ADD(2, -4), MAP(1, ports_map), CALL(BPF_FUNC_map_lookup_elem),
        IF_ZERO(0, 0), READ_DOUBLE(2, 0, 0), IF_ZERO(2, 0), ADD(2, -1), WRITE(10, -4, 2),
        // That socket, if it is there; it is held until it is let go.
        COPY(2, 10), ADD(2, -4), MAP(1, sockets_map), CALL(BPF_FUNC_map_lookup_elem), IF_ZERO(0, 0),
        COPY(7, 0), COPY(1, 6), COPY(2, 0), SET(3, 0), CALL(BPF_FUNC_sk_assign), COPY(1, 7), CALL(BPF_FUNC_sk_release),
    };
    memcpy(code + count, which, sizeof which);
    count += sizeof which / sizeof which[0];
    pass = count;
    code[count++] = SET(0, SK_PASS);
    code[count++] = EXIT();
    // Every jump is one to the end.
    for (uint32_t at = 0; at < pass; at++) {
        uint8_t kind = BPF_CLASS(code[at].code), operation = BPF_OP(code[at].code);
        if ((kind == BPF_JMP32 || kind == BPF_JMP) && (operation == BPF_JNE || operation == BPF_JEQ)) code[at].off = (int16_t)(pass - at - 1);
    }
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
    attributes.expected_attach_type = BPF_SK_LOOKUP;
    attributes.insns = (uintptr_t)code;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, "ledgerline", sizeof "ledgerline");
    return call(BPF_PROG_LOAD, &attributes);
}

static int attach(int program) {
    int namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (namespace < 0) return -errno;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = (uint32_t)program;
    attributes.link_create.target_fd = (uint32_t)namespace;
    attributes.link_create.attach_type = BPF_SK_LOOKUP;
    int link = call(BPF_LINK_CREATE, &attributes);
    close(namespace);
    return link;
}

int ll_steering_open(const uint8_t *address, uint32_t address_bytes, uint32_t sockets, struct ll_steering *opened) {
    *opened = (struct ll_steering){-1, -1, -1, -1, NULL};
    int result = -EINVAL;
    if (address_bytes != 4 && address_bytes != 16) return result;
    if ((result = opened->ports_map = make_map(BPF_MAP_TYPE_ARRAY, sizeof(uint64_t), PORTS, BPF_F_MMAPABLE)) < 0) goto failed;
    if ((result = opened->sockets_map = make_map(BPF_MAP_TYPE_SOCKMAP, sizeof(uint64_t), sockets, 0)) < 0) goto failed;
    void *ports = mmap(NULL, PORTS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, opened->ports_map, 0);
    if (ports == MAP_FAILED) {
        result = -errno;
        goto failed;
    }
    opened->ports = ports;
    if ((result = opened->program = load(address, address_bytes, opened->ports_map, opened->sockets_map)) < 0) goto failed;
    if ((result = opened->link = attach(opened->program)) < 0) goto failed;
    return 0;
failed:
    ll_steering_close(*opened);
    return result;
}

void ll_steering_close(struct ll_steering opened) {
    const int descriptors[] = {opened.link, opened.program, opened.sockets_map, opened.ports_map};
    for (size_t at = 0; at < sizeof descriptors / sizeof descriptors[0]; at++)
        if (descriptors[at] >= 0) close(descriptors[at]);
    if (opened.ports) munmap(opened.ports, PORTS * sizeof(uint64_t));
}

int ll_steering_put_socket(struct ll_steering opened, uint32_t place, int socket) {
    uint64_t value = (uint64_t)socket;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)opened.sockets_map;
    attributes.key = (uintptr_t)&place;
    attributes.value = (uintptr_t)&value;
    return call(BPF_MAP_UPDATE_ELEM, &attributes);
}

void ll_steering_put_port(struct ll_steering opened, uint16_t port, int32_t place) {
    __atomic_store_n(&opened.ports[port], place < 0 ? 0 : (uint64_t)place + 1, __ATOMIC_RELAXED);
}
