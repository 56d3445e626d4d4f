// What the two counter modes share: libsrtp's tests of either, and where a session's cipher is noted.
#pragma once
#include <srtp2/cipher.h>

void csrtp_note_cipher(const void *cipher);

extern const srtp_cipher_test_case_t csrtp_counter_mode_test, csrtp_counter_mode_256_test;
extern const srtp_cipher_type_t csrtp_counter_mode, csrtp_counter_mode_256;

#if defined(__x86_64__)
extern const srtp_cipher_type_t csrtp_counter_mode_x86, csrtp_counter_mode_256_x86;
#endif
