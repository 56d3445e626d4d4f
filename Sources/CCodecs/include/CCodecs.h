// The speech codecs of Debian's libraries behind plain functions.
//
// Why in C: libopus is set up through variadic calls, spandsp's headers want those of a TIFF library, and libbcg729 (GPL) is looked for
// when the program runs, not when it is built. No protocol is in here, and no choice: which codec, rate and size is the caller's.
// Nothing but the functions that end in `_new` allocates.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct ll_opus_encoder ll_opus_encoder;
typedef struct ll_opus_decoder ll_opus_decoder;
ll_opus_encoder *ll_opus_encoder_new(int rate, int bits_per_second);
void ll_opus_encoder_free(ll_opus_encoder *e);
/// Bytes written; negative: an error of libopus.
int ll_opus_encode(ll_opus_encoder *e, const int16_t *pcm, int samples, uint8_t *out, int capacity);
ll_opus_decoder *ll_opus_decoder_new(int rate);
void ll_opus_decoder_free(ll_opus_decoder *d);
/// Samples written. Without data: `samples` of what was lost.
// Whether the parts of a packet are where its first bytes say (RFC 6716 §3).
int ll_opus_is_packet(const void *data, int count);
int ll_opus_decode(ll_opus_decoder *d, const uint8_t *data, int count, int16_t *pcm, int samples);

typedef struct ll_g722 ll_g722;
/// rate: 8000 or 16000, of the linear side.
ll_g722 *ll_g722_encoder_new(int rate);
ll_g722 *ll_g722_decoder_new(int rate);
void ll_g722_free(ll_g722 *s);
int ll_g722_encode(ll_g722 *s, const int16_t *pcm, int samples, uint8_t *out);
int ll_g722_decode(ll_g722 *s, const uint8_t *data, int count, int16_t *pcm);

/// 32 kbit/s, four bits a sample, the first sample in the low bits (RFC 3551 §4.5.4).
typedef struct ll_g726 ll_g726;
ll_g726 *ll_g726_new(void);
void ll_g726_free(ll_g726 *s);
int ll_g726_encode(ll_g726 *s, const int16_t *pcm, int samples, uint8_t *out);
int ll_g726_decode(ll_g726 *s, const uint8_t *data, int count, int16_t *pcm);

/// GSM 06.10 full rate: 160 samples, 33 bytes.
typedef struct ll_gsm ll_gsm;
ll_gsm *ll_gsm_new(void);
void ll_gsm_free(ll_gsm *s);
int ll_gsm_encode(ll_gsm *s, const int16_t *pcm, int samples, uint8_t *out);
int ll_gsm_decode(ll_gsm *s, const uint8_t *data, int count, int16_t *pcm);

/// 1: libbcg729 is installed.
int ll_g729_available(void);
typedef struct ll_g729_encoder ll_g729_encoder;
typedef struct ll_g729_decoder ll_g729_decoder;
ll_g729_encoder *ll_g729_encoder_new(void);
void ll_g729_encoder_free(ll_g729_encoder *e);
/// 80 samples to 10 bytes.
void ll_g729_encode(ll_g729_encoder *e, const int16_t *pcm, uint8_t *out);
ll_g729_decoder *ll_g729_decoder_new(void);
void ll_g729_decoder_free(ll_g729_decoder *d);
/// 10 bytes, or 2 of a silence description, to 80 samples; without data: 80 samples of what was lost.
void ll_g729_decode(ll_g729_decoder *d, const uint8_t *data, int count, int16_t *pcm);

/// wide: 16,000 samples a second and frames of 320, else 8,000 and 160.
typedef struct ll_speex ll_speex;
ll_speex *ll_speex_encoder_new(int wide);
ll_speex *ll_speex_decoder_new(int wide);
void ll_speex_free(ll_speex *s);
/// Whole frames; bytes written.
int ll_speex_encode(ll_speex *s, const int16_t *pcm, int samples, uint8_t *out, int capacity);
/// Samples written, of as many frames as there are and fit. Without data: one frame of what was lost.
int ll_speex_decode(ll_speex *s, const uint8_t *data, int count, int16_t *pcm, int capacity);

/// Fills gaps of codecs that have no means of their own.
typedef struct ll_plc ll_plc;
ll_plc *ll_plc_new(void);
void ll_plc_free(ll_plc *p);
/// May change the samples: what was made up is faded into them.
void ll_plc_heard(ll_plc *p, int16_t *pcm, int samples);
void ll_plc_fill(ll_plc *p, int16_t *pcm, int samples);

typedef struct ll_resampler ll_resampler;
ll_resampler *ll_resampler_new(int from, int to);
void ll_resampler_free(ll_resampler *r);
int ll_resample(ll_resampler *r, const int16_t *pcm, int samples, int16_t *out, int capacity);

typedef struct ll_dtmf ll_dtmf;
ll_dtmf *ll_dtmf_new(void);
void ll_dtmf_free(ll_dtmf *d);
/// 8,000 samples a second. The key that is being heard; 0: none.
int ll_dtmf_heard(ll_dtmf *d, const int16_t *pcm, int samples);
