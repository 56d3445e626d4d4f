#pragma once
#include <stddef.h>
#include <stdint.h>

// libFuzzer's driver (compiler-rt), which the compiler links with -sanitize=fuzzer.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));
