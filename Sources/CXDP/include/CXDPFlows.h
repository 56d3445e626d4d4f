// What the program in the kernel and the worker tell each other: the two maps of the program, byte for byte.
#pragma once
#include <linux/types.h>

// A packet's way in. Addresses and ports as on the wire.
struct ll_xdp_key4 {
    __u8 local[4], remote[4];
    __u16 local_port, remote_port;
};
struct ll_xdp_key6 {
    __u8 local[16], remote[16];
    __u16 local_port, remote_port;
};

enum {
    // The network stack knows of checksums that are not finished: they are kept so. Else they are finished here.
    LL_XDP_KEEPS_PARTIAL = 1,
};

// What becomes of it. Sums are of 16-bit words as they stand in memory, in one's complement (RFC 1624).
struct ll_xdp_rule {
    __u32 slot;       // of its counts
    __u32 interface;  // out
    __u32 ssrc;       // as on the wire
    __u16 bytes_max;  // of the IP packet, on the way out
    __u8 payload_type;
    __u8 flags;
    __u8 ethernet[12];  // destination, source
    __u16 source_port, destination_port;
    __u16 address_change;  // to be added for the new addresses
    __u16 udp_change;      // the same and the ports
    __u16 pseudo;          // of the old pseudo header without its length (RFC 768)
    __u16 new_pseudo;
    __u8 source[16], destination[16];
};

// What has passed, in memory that both see. The second half goes on with RTP's StreamStatistics: same fields, same meaning.
struct ll_xdp_counts {
    __u64 packets;
    __u64 bytes;       // of UDP payloads
    __u64 last_heard;  // nanoseconds of the monotonic clock
    __u64 heard_at;
    __s64 tick;
    __s64 jitter;
    __s64 jitter_max;
    __s64 silence;
    __u32 highest_sequence;
    __u32 timestamp;
    __u64 unused[7];  // one flow to two lines of the cache, none shared
};
