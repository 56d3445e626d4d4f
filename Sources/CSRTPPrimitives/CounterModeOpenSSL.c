// AES in counter mode (RFC 3711 §4.1.1) by OpenSSL.
#include "Primitives.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct counter_mode {
    srtp_cipher_t cipher;    // what libsrtp holds; its `state` points back here
    EVP_CIPHER_CTX *context;
    int key_bytes;           // without the salt
    uint8_t offset[16];      // the salt, times 2^16
};

static srtp_err_status_t counter_mode_dealloc(srtp_cipher_t *cipher) {
    struct counter_mode *self = cipher->state;
    EVP_CIPHER_CTX_free(self->context);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

static srtp_err_status_t counter_mode_alloc(srtp_cipher_t **result, int key_len, int tag_len) {
    (void)tag_len;
    if (key_len != SRTP_AES_ICM_128_KEY_LEN_WSALT && key_len != SRTP_AES_ICM_256_KEY_LEN_WSALT) return srtp_err_status_bad_param;
    int is_256 = key_len == SRTP_AES_ICM_256_KEY_LEN_WSALT;
    struct counter_mode *self = calloc(1, sizeof *self);
    if (self == NULL) return srtp_err_status_alloc_fail;
    self->context = EVP_CIPHER_CTX_new();
    if (self->context == NULL) {
        free(self);
        return srtp_err_status_alloc_fail;
    }
    self->cipher.type = is_256 ? &csrtp_counter_mode_256 : &csrtp_counter_mode;
    self->cipher.state = self;
    self->cipher.key_len = key_len;
    self->cipher.algorithm = is_256 ? SRTP_AES_ICM_256 : SRTP_AES_ICM_128;
    self->key_bytes = key_len - SRTP_SALT_LEN;
    *result = &self->cipher;
    return srtp_err_status_ok;
}

// `key`: 16 or 32 bytes, then 14 of salt.
static srtp_err_status_t counter_mode_init(void *state, const uint8_t *key) {
    struct counter_mode *self = state;
    memcpy(self->offset, key + self->key_bytes, SRTP_SALT_LEN);
    memset(self->offset + SRTP_SALT_LEN, 0, sizeof self->offset - SRTP_SALT_LEN);
    const EVP_CIPHER *kind = self->key_bytes == SRTP_AES_128_KEY_LEN ? EVP_aes_128_ctr() : EVP_aes_256_ctr();
    if (EVP_EncryptInit_ex(self->context, kind, NULL, key, NULL) != 1) return srtp_err_status_init_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t counter_mode_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
    (void)direction;  // counter mode is its own inverse
    struct counter_mode *self = state;
    uint8_t counter[16];
    for (size_t i = 0; i < sizeof counter; i++) counter[i] = self->offset[i] ^ iv[i];
    if (EVP_EncryptInit_ex(self->context, NULL, NULL, NULL, counter) != 1) return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t counter_mode_apply(void *state, uint8_t *buffer, unsigned int *length) {
    struct counter_mode *self = state;
    int done = 0;
    if (EVP_EncryptUpdate(self->context, buffer, &done, buffer, (int)*length) != 1) return srtp_err_status_cipher_fail;
    *length = (unsigned int)done;
    return srtp_err_status_ok;
}

// RFC 3711 appendix B.2: the first two blocks of key stream.
static const uint8_t counter_mode_test_key[30] = {
    0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f,
    0x3c, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static uint8_t counter_mode_test_index[16];
static const uint8_t counter_mode_test_plain[32];
static const uint8_t counter_mode_test_cipher[32] = {
    0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
    0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab};
const srtp_cipher_test_case_t csrtp_counter_mode_test = {
    .key_length_octets = 30, .key = counter_mode_test_key, .idx = counter_mode_test_index,
    .plaintext_length_octets = 32, .plaintext = counter_mode_test_plain,
    .ciphertext_length_octets = 32, .ciphertext = counter_mode_test_cipher};

const srtp_cipher_type_t csrtp_counter_mode = {
    .alloc = counter_mode_alloc, .dealloc = counter_mode_dealloc, .init = counter_mode_init,
    .encrypt = counter_mode_apply, .decrypt = counter_mode_apply, .set_iv = counter_mode_set_iv,
    .description = "AES-128 counter mode by OpenSSL", .test_data = &csrtp_counter_mode_test, .id = SRTP_AES_ICM_128};

// RFC 6188 §7.1: the first two blocks of key stream.
static const uint8_t counter_mode_256_test_key[46] = {
    0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c, 0x40, 0xb1, 0xf0, 0x92,
    0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82, 0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static const uint8_t counter_mode_256_test_cipher[32] = {
    0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77, 0xd0, 0x8b, 0x55, 0x15, 0xa4,
    0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8, 0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac};
const srtp_cipher_test_case_t csrtp_counter_mode_256_test = {
    .key_length_octets = 46, .key = counter_mode_256_test_key, .idx = counter_mode_test_index,
    .plaintext_length_octets = 32, .plaintext = counter_mode_test_plain,
    .ciphertext_length_octets = 32, .ciphertext = counter_mode_256_test_cipher};

const srtp_cipher_type_t csrtp_counter_mode_256 = {
    .alloc = counter_mode_alloc, .dealloc = counter_mode_dealloc, .init = counter_mode_init,
    .encrypt = counter_mode_apply, .decrypt = counter_mode_apply, .set_iv = counter_mode_set_iv,
    .description = "AES-256 counter mode by OpenSSL", .test_data = &csrtp_counter_mode_256_test, .id = SRTP_AES_ICM_256};
