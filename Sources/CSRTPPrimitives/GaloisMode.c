// AES in Galois/counter mode (RFC 7714) by OpenSSL.
#include "Primitives.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define GALOIS_NONCE_BYTES 12

struct galois_mode {
    srtp_cipher_t cipher;    // what libsrtp holds; its `state` points back here
    EVP_CIPHER_CTX *context;
    int key_bytes;           // without the salt, which libsrtp puts into the nonce itself
    int tag_bytes;           // 16; 8 in a test of libsrtp's own
};

static srtp_err_status_t galois_mode_dealloc(srtp_cipher_t *cipher) {
    struct galois_mode *self = cipher->state;
    EVP_CIPHER_CTX_free(self->context);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_alloc(srtp_cipher_t **result, int key_len, int tag_len) {
    if (key_len != SRTP_AES_GCM_128_KEY_LEN_WSALT && key_len != SRTP_AES_GCM_256_KEY_LEN_WSALT) return srtp_err_status_bad_param;
    if (tag_len != 16 && tag_len != 8) return srtp_err_status_bad_param;
    int is_256 = key_len == SRTP_AES_GCM_256_KEY_LEN_WSALT;
    struct galois_mode *self = calloc(1, sizeof *self);
    if (self == NULL) return srtp_err_status_alloc_fail;
    self->context = EVP_CIPHER_CTX_new();
    if (self->context == NULL) {
        free(self);
        return srtp_err_status_alloc_fail;
    }
    self->cipher.type = is_256 ? &csrtp_galois_mode_256 : &csrtp_galois_mode;
    self->cipher.state = self;
    self->cipher.key_len = key_len;
    self->cipher.algorithm = is_256 ? SRTP_AES_GCM_256 : SRTP_AES_GCM_128;
    self->key_bytes = is_256 ? SRTP_AES_256_KEY_LEN : SRTP_AES_128_KEY_LEN;
    self->tag_bytes = tag_len;
    *result = &self->cipher;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_init(void *state, const uint8_t *key) {
    struct galois_mode *self = state;
    const EVP_CIPHER *kind = self->key_bytes == SRTP_AES_128_KEY_LEN ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    if (EVP_CipherInit_ex(self->context, kind, NULL, key, NULL, 1) != 1) return srtp_err_status_init_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
    struct galois_mode *self = state;
    int is_encrypting = direction == srtp_direction_encrypt;
    if (EVP_CipherInit_ex(self->context, NULL, NULL, NULL, iv, is_encrypting) != 1) return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_set_aad(void *state, const uint8_t *aad, uint32_t length) {
    struct galois_mode *self = state;
    int done = 0;
    if (EVP_CipherUpdate(self->context, NULL, &done, aad, (int)length) != 1) return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_encrypt(void *state, uint8_t *buffer, unsigned int *length) {
    struct galois_mode *self = state;
    int done = 0;
    if (EVP_EncryptUpdate(self->context, buffer, &done, buffer, (int)*length) != 1) return srtp_err_status_cipher_fail;
    *length = (unsigned int)done;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_get_tag(void *state, uint8_t *tag, uint32_t *length) {
    struct galois_mode *self = state;
    uint8_t nothing[16];
    int done = 0;
    if (EVP_EncryptFinal_ex(self->context, nothing, &done) != 1) return srtp_err_status_cipher_fail;
    if (EVP_CIPHER_CTX_ctrl(self->context, EVP_CTRL_GCM_GET_TAG, self->tag_bytes, tag) != 1) return srtp_err_status_cipher_fail;
    *length = (uint32_t)self->tag_bytes;
    return srtp_err_status_ok;
}

// The tag is the end of `buffer`.
static srtp_err_status_t galois_mode_decrypt(void *state, uint8_t *buffer, unsigned int *length) {
    struct galois_mode *self = state;
    if (*length < (unsigned int)self->tag_bytes) return srtp_err_status_bad_param;
    int size = (int)*length - self->tag_bytes, done = 0, last = 0;
    if (EVP_CIPHER_CTX_ctrl(self->context, EVP_CTRL_GCM_SET_TAG, self->tag_bytes, buffer + size) != 1) return srtp_err_status_cipher_fail;
    if (EVP_DecryptUpdate(self->context, buffer, &done, buffer, size) != 1) return srtp_err_status_cipher_fail;
    uint8_t nothing[16];
    if (EVP_DecryptFinal_ex(self->context, nothing, &last) != 1) return srtp_err_status_auth_fail;
    *length = (unsigned int)size;
    return srtp_err_status_ok;
}

// RFC 7714 §16.1.1 and §16.2.1: the packet that both protect, and what the key makes of it.
static const uint8_t galois_mode_test_key[44] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
    0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x51, 0x75, 0x69, 0x64, 0x20, 0x70, 0x72, 0x6f, 0x20, 0x71, 0x75, 0x6f};
static uint8_t galois_mode_test_nonce[GALOIS_NONCE_BYTES] = {0x51, 0x75, 0x3c, 0x65, 0x80, 0xc2, 0x72, 0x6f, 0x20, 0x71, 0x84, 0x14};
static const uint8_t galois_mode_test_aad[12] = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
static const uint8_t galois_mode_test_plain[38] = {
    0x47, 0x61, 0x6c, 0x6c, 0x69, 0x61, 0x20, 0x65, 0x73, 0x74, 0x20, 0x6f, 0x6d, 0x6e, 0x69, 0x73, 0x20, 0x64, 0x69,
    0x76, 0x69, 0x73, 0x61, 0x20, 0x69, 0x6e, 0x20, 0x70, 0x61, 0x72, 0x74, 0x65, 0x73, 0x20, 0x74, 0x72, 0x65, 0x73};
static const uint8_t galois_mode_test_cipher[54] = {
    0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca, 0xbe, 0x63,
    0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf,
    0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
static const srtp_cipher_test_case_t galois_mode_test = {
    .key_length_octets = 28, .key = galois_mode_test_key, .idx = galois_mode_test_nonce,
    .plaintext_length_octets = 38, .plaintext = galois_mode_test_plain,
    .ciphertext_length_octets = 54, .ciphertext = galois_mode_test_cipher,
    .aad_length_octets = 12, .aad = galois_mode_test_aad, .tag_length_octets = 16};
static const uint8_t galois_mode_256_test_cipher[54] = {
    0x32, 0xb1, 0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e, 0x33, 0xaa, 0xb1, 0x80,
    0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02, 0x76, 0xff, 0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99,
    0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36, 0xdf, 0xff, 0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13};
static const srtp_cipher_test_case_t galois_mode_256_test = {
    .key_length_octets = 44, .key = galois_mode_test_key, .idx = galois_mode_test_nonce,
    .plaintext_length_octets = 38, .plaintext = galois_mode_test_plain,
    .ciphertext_length_octets = 54, .ciphertext = galois_mode_256_test_cipher,
    .aad_length_octets = 12, .aad = galois_mode_test_aad, .tag_length_octets = 16};

const srtp_cipher_type_t csrtp_galois_mode = {
    .alloc = galois_mode_alloc, .dealloc = galois_mode_dealloc, .init = galois_mode_init, .set_aad = galois_mode_set_aad,
    .encrypt = galois_mode_encrypt, .decrypt = galois_mode_decrypt, .set_iv = galois_mode_set_iv, .get_tag = galois_mode_get_tag,
    .description = "AES-128 GCM by OpenSSL", .test_data = &galois_mode_test, .id = SRTP_AES_GCM_128};
const srtp_cipher_type_t csrtp_galois_mode_256 = {
    .alloc = galois_mode_alloc, .dealloc = galois_mode_dealloc, .init = galois_mode_init, .set_aad = galois_mode_set_aad,
    .encrypt = galois_mode_encrypt, .decrypt = galois_mode_decrypt, .set_iv = galois_mode_set_iv, .get_tag = galois_mode_get_tag,
    .description = "AES-256 GCM by OpenSSL", .test_data = &galois_mode_256_test, .id = SRTP_AES_GCM_256};
