// setns(2) for the calling thread. 0, or -1 with errno.
#pragma once
int namespaces_enter(const char *name);
