// AES-CM, AES-GCM and HMAC-SHA1 for libsrtp, made of OpenSSL's and, where the processor has them, of its own instructions.
//
// Why: the libsrtp of Debian 12 is built on NSS, which makes and frees a context for each packet: 14
// allocations and nine times the processor time. libsrtp lets a program bring its own primitives; it
// tests them against its vectors before it takes them. In C because libsrtp calls them through tables of
// function pointers. No protocol is in here.
#pragma once
#include <srtp2/srtp.h>

// Puts the primitives in place of libsrtp's own. Once, after srtp_init, before any session.
srtp_err_status_t csrtp_use_own_primitives(void);

// Whether counter mode is computed by instructions of the processor instead of OpenSSL.
int csrtp_has_aes_instructions(void);

// Where the primitives of a session's media lie, so that the processor can be asked for them ahead of a packet.
struct csrtp_places {
    const void *cipher, *code;
};

// From now on the first cipher and the first message code that libsrtp asks of this thread are noted in `places`: it begins a session with
// those of its media. NULL: no more.
void csrtp_note_places(struct csrtp_places *places);

// Nothing is read; what is noted wrong, or gone, is fetched in vain.
static inline void csrtp_prefetch(const void *session, const struct csrtp_places *places) {
    __builtin_prefetch(session);
    for (int line = 0; line < 4; line++) __builtin_prefetch((const char *)places->cipher + 64 * line);
    for (int line = 0; line < 2; line++) __builtin_prefetch((const char *)places->code + 64 * line);
}

// For tests of either: encrypts `count` bytes in pieces of `piece`, under 16 or 32 bytes of key and 14 of salt. 0, or -1: it cannot.
int csrtp_counter_mode_apply(int by_instructions, const uint8_t *key, int key_and_salt_bytes, const uint8_t iv[16], uint8_t *bytes, unsigned count, unsigned piece);
