// A program in the kernel (BPF_PROG_TYPE_SK_LOOKUP) that hands the UDP packets of chosen local ports to a few sockets, whatever socket is
// bound to those ports; bpf(2) behind plain functions. No choice is made here. Functions return 0, or -errno when the kernel refuses.
#pragma once
#include <stdint.h>

struct ll_steering {
    int ports_map, sockets_map, program, link;
    uint64_t *ports;  // for each of 65536: 0, or one more than the place of the socket; in memory shared with the kernel
};

// For packets to one local address, of 4 or 16 bytes as on the wire, in the network namespace of the process, and up to `sockets` sockets.
// Nothing is steered until ports are set. All ends with the descriptor of the link, by whom- or whatever it is closed.
int ll_steering_open(const uint8_t *address, uint32_t address_bytes, uint32_t sockets, struct ll_steering *opened);
void ll_steering_close(struct ll_steering opened);
// The socket is bound, of the address's family, and gets what is steered to its place.
int ll_steering_put_socket(struct ll_steering opened, uint32_t place, int socket);
// Takes effect for the next packet. `place` below 0: the port's own socket gets them again.
void ll_steering_put_port(struct ll_steering opened, uint16_t port, int32_t place);
