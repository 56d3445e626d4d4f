#ifndef LEDGERLINE_CPROMPTS_H
#define LEDGERLINE_CPROMPTS_H

#include <stddef.h>
#include <stdint.h>

/// A spoken announcement: a WAV file of G.711 µ-law, 8,000 samples a second. The bytes live as long as the process.
typedef struct {
    const char *prompt;
    const char *language;
    const uint8_t *file;
    size_t count;
} prompts_entry;

/// The entry at that place, in no promised order; a null prompt behind the last.
prompts_entry prompts_at(size_t place);

#endif
