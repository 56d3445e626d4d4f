#define _GNU_SOURCE
#include "Namespaces.h"
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int namespaces_enter(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/var/run/netns/%s", name);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (namespace < 0) return -1;
    int result = setns(namespace, CLONE_NEWNET);
    close(namespace);
    return result;
}
