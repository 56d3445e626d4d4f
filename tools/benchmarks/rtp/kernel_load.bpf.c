// Phones that cost next to nothing: what they send is made in the kernel, a packet of G.711 each 20 ms for each, and what they hear is looked at
// and dropped before it reaches a socket. kernel_load.c starts them.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include "kernel_load.h"

struct rtp {
    __u8 first, second;
    __u16 sequence;
    __u32 timestamp, ssrc;
    // The payload begins with which stream this is, its number there, and when it was sent, or 0.
    __u32 stream, number_high, number_low;
    __u64 sent_at;
} __attribute__((packed));
struct frame {
    struct ethhdr ethernet;
    struct iphdr ip;
    struct udphdr udp;
    struct rtp rtp;
} __attribute__((packed));

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, STREAMS_MAX);
    __type(key, __u32);
    __type(value, struct stream);
} streams SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, STREAMS_MAX);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, __u32);
    __type(value, struct heard);
} hearing SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, __u32);
    __type(value, struct totals);
} all SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct settings);
} wanted SEC(".maps");

static __always_inline __u16 fold(__u32 sum) {
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (__u16)((sum & 0xFFFF) + (sum >> 16));
}

static __always_inline __u32 words(__u32 value) { return (value & 0xFFFF) + (value >> 16); }

// One phone of each call after the other, so that each has its turn every 20 ms.
SEC("xdp") int send(struct xdp_md *context) {
    __u32 zero = 0;
    struct settings *settings = bpf_map_lookup_elem(&wanted, &zero);
    struct totals *totals = bpf_map_lookup_elem(&all, &zero);
    struct frame *frame = (void *)(long)context->data;
    if (!settings || !totals || !settings->calls || (void *)frame + FRAME_BYTES > (void *)(long)context->data_end) return XDP_ABORTED;
    __u64 count = totals->sent++;
    __u32 phones = settings->calls * 2, index = (__u32)(count % phones);
    __u64 number = settings->first + count / phones;
    struct stream *stream = bpf_map_lookup_elem(&streams, &index);
    if (!stream) return XDP_ABORTED;
    if (settings->keep_back && count % settings->keep_back == settings->keep_back - 1) {
        totals->kept_back++;
        return XDP_DROP;
    }
    __builtin_memcpy(&frame->ethernet, stream->ethernet, sizeof stream->ethernet);
    frame->ethernet.h_proto = __builtin_bswap16(ETH_P_IP);
    frame->ip = (struct iphdr){.version = 4, .ihl = 5, .tot_len = __builtin_bswap16(FRAME_BYTES - 14), .ttl = 64, .protocol = IPPROTO_UDP, .saddr = stream->source, .daddr = stream->destination};
    frame->ip.check = ~fold(stream->ip_sum);
    frame->udp.source = stream->source_port;
    frame->udp.dest = stream->destination_port;
    frame->udp.len = __builtin_bswap16(8 + RTP_BYTES);
    struct rtp *rtp = &frame->rtp;
    rtp->first = 0x80;
    rtp->second = 8;
    rtp->sequence = __builtin_bswap16((__u16)number);
    rtp->timestamp = __builtin_bswap32((__u32)number * 160);
    rtp->ssrc = stream->ssrc;
    rtp->stream = index;
    rtp->number_high = (__u32)(number >> 32);
    rtp->number_low = (__u32)number;
    __u64 now = number % STAMP_EVERY == 0 ? bpf_ktime_get_ns() : 0;
    rtp->sent_at = now;
    __u32 sum = (__u32)stream->udp_sum + rtp->sequence + words(rtp->timestamp) + words(rtp->number_high) + words(rtp->number_low) + words((__u32)now) + words((__u32)(now >> 32));
    __u16 check = ~fold(sum);
    frame->udp.check = check ? check : 0xFFFF;
    return (int)bpf_redirect(settings->interface[index & 1], 0);
}

// UDP's checksum. On a pair of veth, which is no wire, that of a socket's packet stays the sum of the pseudo header.
static __always_inline int is_sound(struct xdp_md *context, const struct frame *frame) {
    __u8 bytes[RTP_BYTES + 8];
    if (bpf_xdp_load_bytes(context, 34, bytes, sizeof bytes)) return 0;
    __u32 pseudo = words(frame->ip.saddr) + words(frame->ip.daddr) + __builtin_bswap16(IPPROTO_UDP) + frame->udp.len;
    return frame->udp.check == fold(pseudo) || fold(words((__u32)bpf_csum_diff(0, 0, (__be32 *)bytes, sizeof bytes, 0)) + pseudo) == 0xFFFF;
}

SEC("xdp") int hear(struct xdp_md *context) {
    __u32 zero = 0;
    struct frame *frame = (void *)(long)context->data;
    if ((void *)(frame + 1) > (void *)(long)context->data_end || frame->ethernet.h_proto != __builtin_bswap16(ETH_P_IP)) return XDP_PASS;
    if (frame->ip.protocol != IPPROTO_UDP || frame->rtp.first != 0x80 || frame->rtp.second != 8) return XDP_PASS;
    struct totals *totals = bpf_map_lookup_elem(&all, &zero);
    if (!totals) return XDP_PASS;
    __u32 index = frame->rtp.stream;
    struct stream *stream = bpf_map_lookup_elem(&streams, &index);
    struct heard *heard = bpf_map_lookup_elem(&hearing, &index);
    if (!stream || !heard || frame->rtp.ssrc != stream->ssrc) {
        __sync_fetch_and_add(&totals->strays, 1);
        return XDP_DROP;
    }
    __u64 number = (__u64)frame->rtp.number_high << 32 | frame->rtp.number_low;
    int is_right = context->data_end - context->data == FRAME_BYTES && frame->ip.saddr == stream->heard_from && frame->ip.daddr == stream->heard_at && frame->udp.source == stream->heard_from_port &&
                   frame->udp.dest == stream->heard_at_port && frame->rtp.sequence == __builtin_bswap16((__u16)number) &&
                   frame->rtp.timestamp == __builtin_bswap32((__u32)number * 160);
    __u64 sent_at = frame->rtp.sent_at;
    if (is_right && sent_at) is_right = is_sound(context, frame);
    heard->packets++;
    if (!is_right) heard->wrong++;
    if (number >= heard->next) {
        if (heard->next) heard->lost += number - heard->next;
        heard->next = number + 1;
    } else {
        heard->late++;
    }
    if (sent_at) {
        __u64 delay = bpf_ktime_get_ns() - sent_at, step = delay / DELAY_STEP;
        if (step >= DELAYS) step = DELAYS - 1;
        __sync_fetch_and_add(&totals->delays, 1);
        __sync_fetch_and_add(&totals->delay_counts[step & (DELAYS - 1)], 1);
        if (delay > totals->delay_max) totals->delay_max = delay;
    }
    return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
