#include <errno.h>
#include <ifaddrs.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "CXDP.h"

struct question {
    struct nlmsghdr head;
    char body[256];
};

static int open_netlink(int protocol) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (netlink < 0) return -errno;
    // The kernel answers within the call; this is for a kernel that does not.
    struct timeval limit = {.tv_sec = 1};
    setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return netlink;
}

int ll_netlink_open(void) { return open_netlink(NETLINK_ROUTE); }

static void *begin(struct question *question, uint16_t type, uint16_t flags, uint32_t bytes) {
    static _Thread_local uint32_t number;
    memset(question, 0, sizeof *question);
    question->head.nlmsg_len = NLMSG_LENGTH(bytes);
    question->head.nlmsg_type = type;
    question->head.nlmsg_flags = NLM_F_REQUEST | flags;
    question->head.nlmsg_seq = ++number;
    return NLMSG_DATA(&question->head);
}

static void add(struct question *question, uint16_t type, const void *value, uint16_t bytes) {
    struct rtattr *attribute = (struct rtattr *)((char *)&question->head + NLMSG_ALIGN(question->head.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(bytes);
    memcpy(RTA_DATA(attribute), value, bytes);
    question->head.nlmsg_len = NLMSG_ALIGN(question->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

// Sends, and waits for the answer to it. Bytes of the answer, 0 for an acknowledgement.
static int ask(int netlink, struct question *question, char *answer, uint32_t capacity) {
    if (send(netlink, question, question->head.nlmsg_len, 0) < 0) return -errno;
    while (1) {
        ssize_t count = recv(netlink, answer, capacity, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
        if (!NLMSG_OK(head, (uint32_t)count)) return -EBADMSG;
        // An answer to a question that was given up before.
        if (head->nlmsg_seq != question->head.nlmsg_seq) continue;
        if (head->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
        return (int)count;
    }
}

#define for_each_attribute(name, first, bytes) \
    for (int left = (bytes), go = 1; go; go = 0) \
        for (const struct rtattr *name = (const struct rtattr *)(first); RTA_OK(name, left); name = RTA_NEXT(name, left))

static int family(const struct ll_address *address) { return address->is6 ? AF_INET6 : AF_INET; }
static uint16_t length(const struct ll_address *address) { return address->is6 ? 16 : 4; }

int ll_route_find(int netlink, const struct ll_address *source, const struct ll_address *destination, struct ll_route *found) {
    _Alignas(8) char answer[4096];
    struct question question;
    struct rtmsg *wanted = begin(&question, RTM_GETROUTE, 0, sizeof *wanted);
    wanted->rtm_family = family(destination);
    wanted->rtm_dst_len = wanted->rtm_src_len = length(destination) * 8;
    add(&question, RTA_DST, destination->bytes, length(destination));
    add(&question, RTA_SRC, source->bytes, length(source));
    int count = ask(netlink, &question, answer, sizeof answer);
    if (count <= 0) return count < 0 ? count : -ENOENT;
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
    const struct rtmsg *route = NLMSG_DATA(head);
    memset(found, 0, sizeof *found);
    found->is_unicast = route->rtm_type == RTN_UNICAST;
    for_each_attribute(attribute, RTM_RTA(route), RTM_PAYLOAD(head)) {
        const void *value = RTA_DATA(attribute);
        uint32_t bytes = RTA_PAYLOAD(attribute);
        switch (attribute->rta_type) {
        case RTA_OIF: memcpy(&found->interface, value, sizeof found->interface); break;
        case RTA_GATEWAY:
            found->has_gateway = 1;
            found->gateway.is6 = bytes == 16;
            memcpy(found->gateway.bytes, value, bytes == 16 ? 16 : 4);
            break;
        case RTA_VIA:
            found->has_gateway = 1;
            found->gateway.is6 = ((const struct rtvia *)value)->rtvia_family == AF_INET6;
            memcpy(found->gateway.bytes, ((const struct rtvia *)value)->rtvia_addr, found->gateway.is6 ? 16 : 4);
            break;
        case RTA_METRICS:
            for_each_attribute(metric, value, (int)bytes) {
                if (metric->rta_type == RTAX_MTU) memcpy(&found->mtu, RTA_DATA(metric), sizeof found->mtu);
            }
            break;
        }
    }
    return 0;
}

int ll_neighbour_find(int netlink, uint32_t interface, const struct ll_address *address, struct ll_neighbour *found) {
    _Alignas(8) char answer[4096];
    struct question question;
    struct ndmsg *wanted = begin(&question, RTM_GETNEIGH, 0, sizeof *wanted);
    wanted->ndm_family = family(address);
    wanted->ndm_ifindex = (int)interface;
    add(&question, NDA_DST, address->bytes, length(address));
    memset(found, 0, sizeof *found);
    int count = ask(netlink, &question, answer, sizeof answer);
    if (count == -ENOENT || count == 0) return 0;
    if (count < 0) return count;
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
    const struct ndmsg *neighbour = NLMSG_DATA(head);
    for_each_attribute(attribute, (const char *)neighbour + NLMSG_ALIGN(sizeof *neighbour), (int)NLMSG_PAYLOAD(head, sizeof *neighbour)) {
        if (attribute->rta_type != NDA_LLADDR || RTA_PAYLOAD(attribute) != 6) continue;
        memcpy(found->mac, RTA_DATA(attribute), 6);
        found->is_usable = (neighbour->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)) != 0;
    }
    return 0;
}

int ll_neighbour_use(int netlink, uint32_t interface, const struct ll_address *address) {
    _Alignas(8) char answer[1024];
    struct question question;
    struct ndmsg *wanted = begin(&question, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, sizeof *wanted);
    wanted->ndm_family = family(address);
    wanted->ndm_ifindex = (int)interface;
    wanted->ndm_flags = NTF_USE;
    add(&question, NDA_DST, address->bytes, length(address));
    int count = ask(netlink, &question, answer, sizeof answer);
    return count < 0 ? count : 0;
}

int ll_interface_find(int netlink, uint32_t interface, struct ll_interface *found) {
    _Alignas(8) char answer[16384];
    struct question question;
    struct ifinfomsg *wanted = begin(&question, RTM_GETLINK, 0, sizeof *wanted);
    wanted->ifi_index = (int)interface;
    int count = ask(netlink, &question, answer, sizeof answer);
    if (count <= 0) return count < 0 ? count : -ENODEV;
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
    const struct ifinfomsg *link = NLMSG_DATA(head);
    memset(found, 0, sizeof *found);
    found->is_ethernet = link->ifi_type == ARPHRD_ETHER;
    found->is_up = (link->ifi_flags & IFF_UP) != 0;
    for_each_attribute(attribute, IFLA_RTA(link), IFLA_PAYLOAD(head)) {
        switch (attribute->rta_type) {
        case IFLA_IFNAME: strncpy(found->name, RTA_DATA(attribute), sizeof found->name - 1); break;
        case IFLA_MTU: memcpy(&found->mtu, RTA_DATA(attribute), sizeof found->mtu); break;
        case IFLA_LINKINFO:
            for_each_attribute(detail, RTA_DATA(attribute), (int)RTA_PAYLOAD(attribute)) {
                if (detail->rta_type == IFLA_INFO_KIND) found->is_pair = strncmp(RTA_DATA(detail), "veth", RTA_PAYLOAD(detail)) == 0;
            }
            break;
        case IFLA_ADDRESS:
            if (RTA_PAYLOAD(attribute) == 6) memcpy(found->mac, RTA_DATA(attribute), 6);
            break;
        }
    }
    return 0;
}

uint32_t ll_interface_named(const char *name) { return if_nametoindex(name); }

uint32_t ll_interface_of(const struct ll_address *address) {
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return 0;
    uint32_t found = 0;
    for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != family(address)) continue;
        const void *bytes = address->is6 ? (const void *)&((const struct sockaddr_in6 *)one->ifa_addr)->sin6_addr : (const void *)&((const struct sockaddr_in *)one->ifa_addr)->sin_addr;
        if (memcmp(bytes, address->bytes, length(address)) == 0) found = if_nametoindex(one->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

// linux/netdev.h, which came with Linux 6.3.
enum { NETDEV_COMMAND_GET = 1, NETDEV_ATTRIBUTE_INTERFACE = 1, NETDEV_ATTRIBUTE_FEATURES = 3, NETDEV_FEATURE_REDIRECT = 2, NETDEV_FEATURE_TRANSMIT = 4 };

int ll_interface_takes_frames(uint32_t interface) {
    _Alignas(8) char answer[4096];
    struct question question;
    int netlink = open_netlink(NETLINK_GENERIC);
    if (netlink < 0) return netlink;
    struct genlmsghdr *wanted = begin(&question, GENL_ID_CTRL, 0, GENL_HDRLEN);
    wanted->cmd = CTRL_CMD_GETFAMILY;
    wanted->version = 1;
    add(&question, CTRL_ATTR_FAMILY_NAME, "netdev", sizeof "netdev");
    int count = ask(netlink, &question, answer, sizeof answer);
    uint16_t netdev = 0;
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
    if (count > 0) {
        for_each_attribute(attribute, (const char *)NLMSG_DATA(head) + GENL_HDRLEN, (int)NLMSG_PAYLOAD(head, GENL_HDRLEN)) {
            if ((attribute->rta_type & NLA_TYPE_MASK) == CTRL_ATTR_FAMILY_ID) memcpy(&netdev, RTA_DATA(attribute), sizeof netdev);
        }
    }
    int result = count < 0 ? count : -ENOENT;
    if (netdev) {
        wanted = begin(&question, netdev, 0, GENL_HDRLEN);
        wanted->cmd = NETDEV_COMMAND_GET;
        wanted->version = 1;
        add(&question, NETDEV_ATTRIBUTE_INTERFACE, &interface, sizeof interface);
        count = ask(netlink, &question, answer, sizeof answer);
        if (count < 0) result = count;
        if (count > 0) {
            for_each_attribute(attribute, (const char *)NLMSG_DATA(head) + GENL_HDRLEN, (int)NLMSG_PAYLOAD(head, GENL_HDRLEN)) {
                uint64_t features;
                if ((attribute->rta_type & NLA_TYPE_MASK) != NETDEV_ATTRIBUTE_FEATURES) continue;
                memcpy(&features, RTA_DATA(attribute), sizeof features);
                result = (features & NETDEV_FEATURE_REDIRECT) && (features & NETDEV_FEATURE_TRANSMIT);
            }
        }
    }
    close(netlink);
    return result;
}
