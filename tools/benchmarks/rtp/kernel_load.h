// What the phones' programs in the kernel and the one that starts them tell each other.
#pragma once
#include <linux/types.h>

enum {
    STREAMS_MAX = 8000,
    RTP_BYTES = 172,             // header and 20 ms of G.711
    FRAME_BYTES = 14 + 20 + 8 + RTP_BYTES,
    STAMP_EVERY = 16,            // packets of a stream, of which one says when it was sent
    DELAYS = 4096,               // a count for each 10 µs
    DELAY_STEP = 10000,
};

// What one phone sends, and what the phone at the other end of its call hears of it. Addresses and ports as on the wire.
struct stream {
    __u8 ethernet[12];
    __u32 source, destination;
    __u16 source_port, destination_port;
    __u32 heard_from, heard_at;
    __u16 heard_from_port, heard_at_port;
    __u16 ip_sum, udp_sum;  // of all that stays the same, in one's complement, not folded into its complement yet
    __u32 ssrc;
};

// At the far end.
struct heard {
    __u64 packets, lost, late, wrong;
    __u64 next;  // number
};

// Of all. The program that sends writes the first line of the cache, the one that hears the others.
struct totals {
    __u64 sent, kept_back, unused[6];
    __u64 strays, delays, delay_max, unused2[5];
    __u32 delay_counts[DELAYS];
};

struct settings {
    __u32 calls;
    __u32 interface[2];  // by which each side's packets leave
    __u32 keep_back;     // 0, or: each so manieth packet is not sent, though it has its number
    __u64 first;         // number
};
