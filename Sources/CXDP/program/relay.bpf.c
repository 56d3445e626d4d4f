// The short way of a relayed packet: it is taken where the interface's driver hands it over, gets the addresses of its way out and leaves,
// without a socket having seen it. Whatever is not wholly ordinary is left to the sockets: then nothing is changed and nothing counted.
//
// Compiled by tools/generate-bpf into relay_program.h.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include "../include/CXDPFlows.h"

#define inline_always static inline __attribute__((always_inline))
#define wire16(value) ((__u16)__builtin_bswap16(value))

// Helpers by their numbers (linux/bpf.h).
static void *(*const map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static __u64 (*const monotonic_clock)(void) = (void *)BPF_FUNC_ktime_get_ns;
static long (*const redirect)(__u32 interface, __u64 flags) = (void *)BPF_FUNC_redirect;

// Put in by the loader.
extern char rules4, rules6, counts;

struct rtp {
    __u8 first, second;
    __u16 sequence;
    __u32 timestamp, ssrc;
};

inline_always __u16 fold(__u32 sum) {
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (__u16)((sum & 0xFFFF) + (sum >> 16));
}

// The sum of the words from `at` on. Each step is bounded, as the kernel's check of this program wants it.
inline_always __u32 sum_of(const __u8 *at, const void *end, __u32 count) {
    __u32 sum = 0;
    for (int step = 0; step < 256 && count >= 8; step++, at += 8, count -= 8) {
        if ((const void *)(at + 8) > end) return sum;
        const __u16 *words = (const __u16 *)at;
        sum += (__u32)words[0] + words[1] + words[2] + words[3];
    }
    for (int step = 0; step < 4 && count >= 2; step++, at += 2, count -= 2) {
        if ((const void *)(at + 2) > end) return sum;
        sum += *(const __u16 *)at;
    }
    if (count && (const void *)(at + 1) <= end) sum += *at;
    return sum;
}

// The new UDP checksum. One that is not finished is a sum of the pseudo header alone, put there for a device to go on with; nothing but the
// payload tells it from a finished one that looks the same.
inline_always __u16 checksum(const struct udphdr *udp, const struct ll_xdp_rule *rule, const void *end, __u32 count) {
    __u16 old = udp->check;
    if (old == fold((__u32)rule->pseudo + udp->len)) {
        __u32 content = sum_of((const __u8 *)(udp + 1), end, count);
        __u32 ports = (__u32)udp->source + udp->dest + udp->len;
        if (fold((__u32)fold(content) + ports + udp->len + rule->pseudo + old) != 0xFFFF) {
            if (rule->flags & LL_XDP_KEEPS_PARTIAL) return fold((__u32)rule->new_pseudo + udp->len);
            __u32 new_ports = (__u32)rule->source_port + rule->destination_port + udp->len;
            __u16 whole = ~fold((__u32)fold(content) + fold(new_ports) + udp->len + rule->new_pseudo);
            return whole ? whole : 0xFFFF;
        }
    }
    __u16 changed = ~fold((__u32)(__u16)~old + rule->udp_change);
    return changed ? changed : 0xFFFF;
}

// Takes note as StreamStatistics.hear does (RFC 3550 A.1, A.3, A.8).
inline_always void count(struct ll_xdp_counts *counts, const struct rtp *rtp, __s16 step, __u32 bytes, __u64 now) {
    __sync_fetch_and_add(&counts->packets, 1);
    __sync_fetch_and_add(&counts->bytes, bytes);
    counts->last_heard = now;
    if (step <= 0) return;
    counts->highest_sequence += step;
    __u32 timestamp = __builtin_bswap32(rtp->timestamp);
    __s64 ticks = (__s32)(timestamp - counts->timestamp), tick = counts->tick;
    if (!ticks || !tick) return;
    __s64 length = (ticks * tick) >> 4, passed = (__s64)(now - counts->heard_at);
    __s64 pause = length < passed ? length : passed;
    if (step == 1 && pause > 130000000) counts->silence += pause;
    __s64 late = passed - length;
    counts->heard_at = now;
    counts->timestamp = timestamp;
    if (late < 0) late = -late;
    if (late >= 1000000000) return;
    __s64 jitter = counts->jitter + ((late - counts->jitter) >> 4);
    counts->jitter = jitter;
    if (jitter > counts->jitter_max) counts->jitter_max = jitter;
}

// What is the same for both families. `header_bytes`: of IP.
inline_always int pass_on(struct ethhdr *ethernet, struct udphdr *udp, const void *end, const struct ll_xdp_rule *rule, __u32 ip_bytes, __u32 header_bytes) {
    const struct rtp *rtp = (const struct rtp *)(udp + 1);
    __u32 udp_bytes = wire16(udp->len);
    if (udp_bytes != ip_bytes - header_bytes || udp_bytes < sizeof *udp + sizeof *rtp) return 0;
    if (ip_bytes > rule->bytes_max || (const void *)((const __u8 *)udp + udp_bytes) > end) return 0;
    // Version 2 without padding, extension or contributors: what has those is looked at by the worker.
    if (rtp->first != 0x80 || (rtp->second & 0x7F) != rule->payload_type || rtp->ssrc != rule->ssrc) return 0;
    __u32 slot = rule->slot;
    struct ll_xdp_counts *counted = map_lookup(&counts, &slot);
    if (!counted) return 0;
    __s16 step = (__s16)(wire16(rtp->sequence) - (__u16)counted->highest_sequence);
    if (step <= -3000 || step >= 3000) return 0;
    count(counted, rtp, step, udp_bytes - sizeof *udp, monotonic_clock());
    if (udp->check) udp->check = checksum(udp, rule, end, udp_bytes - sizeof *udp);
    udp->source = rule->source_port;
    udp->dest = rule->destination_port;
    __builtin_memcpy(ethernet, rule->ethernet, sizeof rule->ethernet);
    return 1;
}

inline_always int leave(struct xdp_md *context, const struct ll_xdp_rule *rule) {
    return rule->interface == context->ingress_ifindex ? XDP_TX : (int)redirect(rule->interface, 0);
}

__attribute__((section("xdp"), used)) int relay(struct xdp_md *context) {
    void *start = (void *)(long)context->data, *end = (void *)(long)context->data_end;
    struct ethhdr *ethernet = start;
    if ((void *)(ethernet + 1) > end) return XDP_PASS;
    if (ethernet->h_proto == wire16(ETH_P_IP)) {
        struct iphdr *ip = (void *)(ethernet + 1);
        struct udphdr *udp = (void *)(ip + 1);
        if ((void *)((struct rtp *)(udp + 1) + 1) > end) return XDP_PASS;
        // No options, no fragments.
        if (*(__u8 *)ip != 0x45 || ip->protocol != IPPROTO_UDP || ip->frag_off & wire16(0x3FFF) || ip->ttl <= 1) return XDP_PASS;
        struct ll_xdp_key4 key;
        __builtin_memcpy(key.local, &ip->daddr, 4);
        __builtin_memcpy(key.remote, &ip->saddr, 4);
        key.local_port = udp->dest;
        key.remote_port = udp->source;
        const struct ll_xdp_rule *rule = map_lookup(&rules4, &key);
        if (!rule || !pass_on(ethernet, udp, end, rule, wire16(ip->tot_len), sizeof *ip)) return XDP_PASS;
        __builtin_memcpy(&ip->saddr, rule->source, 4);
        __builtin_memcpy(&ip->daddr, rule->destination, 4);
        ip->ttl--;
        // The time to live is the high byte of its word: one less there is one more of its complement.
        ip->check = ~fold((__u32)(__u16)~ip->check + rule->address_change + (__u16)~wire16(0x0100));
        return leave(context, rule);
    }
    if (ethernet->h_proto == wire16(ETH_P_IPV6)) {
        struct ipv6hdr *ip = (void *)(ethernet + 1);
        struct udphdr *udp = (void *)(ip + 1);
        if ((void *)((struct rtp *)(udp + 1) + 1) > end) return XDP_PASS;
        if (ip->version != 6 || ip->nexthdr != IPPROTO_UDP || ip->hop_limit <= 1 || !udp->check) return XDP_PASS;
        struct ll_xdp_key6 key;
        __builtin_memcpy(key.local, &ip->daddr, 16);
        __builtin_memcpy(key.remote, &ip->saddr, 16);
        key.local_port = udp->dest;
        key.remote_port = udp->source;
        const struct ll_xdp_rule *rule = map_lookup(&rules6, &key);
        if (!rule || !pass_on(ethernet, udp, end, rule, wire16(ip->payload_len) + sizeof *ip, sizeof *ip)) return XDP_PASS;
        __builtin_memcpy(&ip->saddr, rule->source, 16);
        __builtin_memcpy(&ip->daddr, rule->destination, 16);
        ip->hop_limit--;
        return leave(context, rule);
    }
    return XDP_PASS;
}
