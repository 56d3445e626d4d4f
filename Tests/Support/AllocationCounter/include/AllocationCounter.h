// Counts allocations of the calling thread. Defining malloc in the test program puts these functions
// before the C library's; each hands on to the real one.
#pragma once
#include <stdint.h>

// Allocations that the calling thread has made since it started.
uint64_t allocations_of_this_thread(void);
