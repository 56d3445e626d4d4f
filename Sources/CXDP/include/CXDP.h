// bpf(2), rtnetlink(7) and netdev's generic netlink behind plain functions: unions, macros of messages and what the Glibc module leaves out.
// No choice is made here. Functions return a descriptor or 0, and -errno when the kernel refuses.
#pragma once
#include <stdint.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include "CXDPFlows.h"

struct ll_xdp_program {
    int rules4, rules6, counts_map, program;
    uint32_t flows;
    struct ll_xdp_counts *counts;  // of `flows` flows, in memory shared with the kernel
};

// Loads the program with maps for so many flows. `reason`: what the kernel's verifier has to say, if it is that.
int ll_xdp_open(uint32_t flows, struct ll_xdp_program *opened, char *reason, uint32_t reason_bytes);
void ll_xdp_close(struct ll_xdp_program *opened);
// The interface runs the program until the descriptor that comes back is closed, by whom- or whatever.
int ll_xdp_attach(const struct ll_xdp_program *opened, uint32_t interface, int native);
int ll_xdp_put4(const struct ll_xdp_program *opened, const struct ll_xdp_key4 *key, const struct ll_xdp_rule *rule);
int ll_xdp_put6(const struct ll_xdp_program *opened, const struct ll_xdp_key6 *key, const struct ll_xdp_rule *rule);
int ll_xdp_remove4(const struct ll_xdp_program *opened, const struct ll_xdp_key4 *key);
int ll_xdp_remove6(const struct ll_xdp_program *opened, const struct ll_xdp_key6 *key);
// Runs the program once over a frame, as if it came by the loopback interface (number 1). What the program says (enum xdp_action of
// linux/bpf.h); the frame is changed in place.
int ll_xdp_run(const struct ll_xdp_program *opened, void *frame, uint32_t bytes);
// Counts are written by the kernel meanwhile: each word is read whole.
void ll_xdp_counts_read(const struct ll_xdp_counts *at, struct ll_xdp_counts *into);

// Addresses as on the wire, of 4 or 16 bytes, in front.
struct ll_address {
    uint8_t bytes[16];
    uint8_t is6;
};
struct ll_route {
    uint32_t interface;
    uint32_t mtu;              // of the route; 0: that of the interface
    uint8_t is_unicast;        // else local, blackhole, …
    uint8_t has_gateway;
    struct ll_address gateway;  // of either family
};
struct ll_neighbour {
    uint8_t is_usable;  // its address is known, and it has not failed to answer
    uint8_t mac[6];
};
struct ll_interface {
    char name[16];
    uint8_t mac[6];
    uint8_t is_ethernet, is_up;
    uint8_t is_pair;  // veth(4)
    uint32_t mtu;
};

int ll_netlink_open(void);
int ll_route_find(int netlink, const struct ll_address *source, const struct ll_address *destination, struct ll_route *found);
int ll_neighbour_find(int netlink, uint32_t interface, const struct ll_address *address, struct ll_neighbour *found);
// The kernel asks for the neighbour's address anew where it is old or unknown, as if a packet were to be sent.
int ll_neighbour_use(int netlink, uint32_t interface, const struct ll_address *address);
int ll_interface_find(int netlink, uint32_t interface, struct ll_interface *found);
// The interface that has the address; 0: none.
uint32_t ll_interface_of(const struct ll_address *address);
uint32_t ll_interface_named(const char *name);
// Drivers of which a packet of another interface's program can leave natively: 1; 0: not; -errno: the kernel does not say.
int ll_interface_takes_frames(uint32_t interface);
