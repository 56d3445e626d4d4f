// The low-level SHA-1 is what keeps a keyed state that can be copied without allocating; EVP's copies
// allocate (OpenSSL 3.0). It is deprecated in name and not removed.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CSRTPPrimitives.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdlib.h>
#include <string.h>

// ---- AES in counter mode (RFC 3711 §4.1.1) ----

struct counter_mode {
    srtp_cipher_t cipher;    // what libsrtp holds; its `state` points back here
    EVP_CIPHER_CTX *context;
    uint8_t offset[16];      // the salt, times 2^16
};

static srtp_err_status_t counter_mode_dealloc(srtp_cipher_t *cipher) {
    struct counter_mode *self = cipher->state;
    EVP_CIPHER_CTX_free(self->context);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

extern const srtp_cipher_type_t csrtp_counter_mode;

static srtp_err_status_t counter_mode_alloc(srtp_cipher_t **result, int key_len, int tag_len) {
    (void)tag_len;
    if (key_len != SRTP_AES_ICM_128_KEY_LEN_WSALT) return srtp_err_status_bad_param;
    struct counter_mode *self = calloc(1, sizeof *self);
    if (self == NULL) return srtp_err_status_alloc_fail;
    self->context = EVP_CIPHER_CTX_new();
    if (self->context == NULL) {
        free(self);
        return srtp_err_status_alloc_fail;
    }
    self->cipher.type = &csrtp_counter_mode;
    self->cipher.state = self;
    self->cipher.key_len = key_len;
    self->cipher.algorithm = SRTP_AES_ICM_128;
    *result = &self->cipher;
    return srtp_err_status_ok;
}

// `key`: 16 bytes, then 14 of salt.
static srtp_err_status_t counter_mode_init(void *state, const uint8_t *key) {
    struct counter_mode *self = state;
    memcpy(self->offset, key + SRTP_AES_128_KEY_LEN, SRTP_SALT_LEN);
    memset(self->offset + SRTP_SALT_LEN, 0, sizeof self->offset - SRTP_SALT_LEN);
    if (EVP_EncryptInit_ex(self->context, EVP_aes_128_ctr(), NULL, key, NULL) != 1) return srtp_err_status_init_fail;
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
static const srtp_cipher_test_case_t counter_mode_test = {
    .key_length_octets = 30, .key = counter_mode_test_key, .idx = counter_mode_test_index,
    .plaintext_length_octets = 32, .plaintext = counter_mode_test_plain,
    .ciphertext_length_octets = 32, .ciphertext = counter_mode_test_cipher};

const srtp_cipher_type_t csrtp_counter_mode = {
    .alloc = counter_mode_alloc, .dealloc = counter_mode_dealloc, .init = counter_mode_init,
    .encrypt = counter_mode_apply, .decrypt = counter_mode_apply, .set_iv = counter_mode_set_iv,
    .description = "AES-128 counter mode by OpenSSL", .test_data = &counter_mode_test, .id = SRTP_AES_ICM_128};

// ---- HMAC-SHA1 (RFC 2104) ----

struct message_code {
    srtp_auth_t auth;       // what libsrtp holds; its `state` points back here
    SHA_CTX inner, outer;   // after the padded key
    SHA_CTX running;
};

static srtp_err_status_t message_code_dealloc(srtp_auth_t *auth) {
    struct message_code *self = auth->state;
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

extern const srtp_auth_type_t csrtp_message_code;

static srtp_err_status_t message_code_alloc(srtp_auth_t **result, int key_len, int out_len) {
    if (key_len < 0 || key_len > SHA_CBLOCK || out_len < 0 || out_len > SHA_DIGEST_LENGTH) return srtp_err_status_bad_param;
    struct message_code *self = calloc(1, sizeof *self);
    if (self == NULL) return srtp_err_status_alloc_fail;
    self->auth.type = &csrtp_message_code;
    self->auth.state = self;
    self->auth.out_len = out_len;
    self->auth.key_len = key_len;
    *result = &self->auth;
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_start(void *state) {
    struct message_code *self = state;
    self->running = self->inner;
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_init(void *state, const uint8_t *key, int key_len) {
    struct message_code *self = state;
    if (key_len < 0 || key_len > SHA_CBLOCK) return srtp_err_status_bad_param;
    uint8_t block[SHA_CBLOCK] = {0};
    memcpy(block, key, (size_t)key_len);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    SHA1_Init(&self->inner);
    SHA1_Update(&self->inner, block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
    SHA1_Init(&self->outer);
    SHA1_Update(&self->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
    return message_code_start(state);
}

static srtp_err_status_t message_code_update(void *state, const uint8_t *message, int length) {
    struct message_code *self = state;
    SHA1_Update(&self->running, message, (size_t)length);
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_compute(void *state, const uint8_t *message, int length, int tag_len, uint8_t *tag) {
    struct message_code *self = state;
    if (tag_len < 0 || tag_len > SHA_DIGEST_LENGTH) return srtp_err_status_bad_param;
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1_Update(&self->running, message, (size_t)length);
    SHA1_Final(digest, &self->running);
    self->running = self->outer;
    SHA1_Update(&self->running, digest, sizeof digest);
    SHA1_Final(digest, &self->running);
    memcpy(tag, digest, (size_t)tag_len);
    return srtp_err_status_ok;
}

// RFC 2202, case 1.
static const uint8_t message_code_test_key[20] = {
    0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
static const uint8_t message_code_test_message[8] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
static const uint8_t message_code_test_tag[20] = {
    0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};
static const srtp_auth_test_case_t message_code_test = {
    .key_length_octets = 20, .key = message_code_test_key, .data_length_octets = 8,
    .data = message_code_test_message, .tag_length_octets = 20, .tag = message_code_test_tag};

const srtp_auth_type_t csrtp_message_code = {
    .alloc = message_code_alloc, .dealloc = message_code_dealloc, .init = message_code_init,
    .compute = message_code_compute, .update = message_code_update, .start = message_code_start,
    .description = "HMAC-SHA1 by OpenSSL", .test_data = &message_code_test, .id = SRTP_HMAC_SHA1};

srtp_err_status_t csrtp_use_openssl(void) {
    srtp_err_status_t status = srtp_replace_cipher_type(&csrtp_counter_mode, SRTP_AES_ICM_128);
    if (status != srtp_err_status_ok) return status;
    return srtp_replace_auth_type(&csrtp_message_code, SRTP_HMAC_SHA1);
}
