// What the two counter modes share: libsrtp's tests of either.
#pragma once
#include <srtp2/cipher.h>

extern const srtp_cipher_test_case_t csrtp_counter_mode_test, csrtp_counter_mode_256_test;
extern const srtp_cipher_type_t csrtp_counter_mode, csrtp_counter_mode_256;

#if defined(__x86_64__)
extern const srtp_cipher_type_t csrtp_counter_mode_x86, csrtp_counter_mode_256_x86;
#endif
