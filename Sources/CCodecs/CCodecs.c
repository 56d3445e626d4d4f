#include "CCodecs.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <opus/opus.h>
#include <speex/speex.h>
#include <speex/speex_resampler.h>

// Of spandsp only what is used: its own umbrella header wants that of libtiff.
#include <spandsp/telephony.h>
#include <spandsp/complex.h>
#include <spandsp/super_tone_rx.h>
#include <spandsp/g722.h>
#include <spandsp/g726.h>
#include <spandsp/gsm0610.h>
#include <spandsp/plc.h>
#include <spandsp/logging.h>
#include <spandsp/tone_detect.h>
#include <spandsp/dtmf.h>

// MARK: - Opus

ll_opus_encoder *ll_opus_encoder_new(int rate, int bits_per_second) {
    int error;
    OpusEncoder *e = opus_encoder_create(rate, 1, OPUS_APPLICATION_VOIP, &error);
    if (!e) return NULL;
    opus_encoder_ctl(e, OPUS_SET_BITRATE(bits_per_second));
    opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(5));
    opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    return (ll_opus_encoder *)e;
}
void ll_opus_encoder_free(ll_opus_encoder *e) { opus_encoder_destroy((OpusEncoder *)e); }
int ll_opus_encode(ll_opus_encoder *e, const int16_t *pcm, int samples, uint8_t *out, int capacity) {
    return opus_encode((OpusEncoder *)e, pcm, samples, out, capacity);
}
ll_opus_decoder *ll_opus_decoder_new(int rate) {
    int error;
    return (ll_opus_decoder *)opus_decoder_create(rate, 1, &error);
}
void ll_opus_decoder_free(ll_opus_decoder *d) { opus_decoder_destroy((OpusDecoder *)d); }
int ll_opus_decode(ll_opus_decoder *d, const uint8_t *data, int count, int16_t *pcm, int samples) {
    return opus_decode((OpusDecoder *)d, data, count, pcm, samples, 0);
}

int ll_opus_is_packet(const void *data, int count) {
    const unsigned char *frames[48];
    opus_int16 sizes[48];
    return opus_packet_parse(data, count, NULL, frames, sizes, NULL) > 0;
}

// MARK: - G.722

struct ll_g722 {
    g722_encode_state_t *encoder;
    g722_decode_state_t *decoder;
};
static ll_g722 *g722_new(g722_encode_state_t *e, g722_decode_state_t *d) {
    ll_g722 *s = e || d ? malloc(sizeof *s) : NULL;
    if (s) *s = (ll_g722){e, d};
    return s;
}
ll_g722 *ll_g722_encoder_new(int rate) {
    return g722_new(g722_encode_init(NULL, 64000, rate == 8000 ? G722_SAMPLE_RATE_8000 : 0), NULL);
}
ll_g722 *ll_g722_decoder_new(int rate) {
    return g722_new(NULL, g722_decode_init(NULL, 64000, rate == 8000 ? G722_SAMPLE_RATE_8000 : 0));
}
void ll_g722_free(ll_g722 *s) {
    if (s->encoder) g722_encode_free(s->encoder);
    if (s->decoder) g722_decode_free(s->decoder);
    free(s);
}
int ll_g722_encode(ll_g722 *s, const int16_t *pcm, int samples, uint8_t *out) { return g722_encode(s->encoder, out, pcm, samples); }
int ll_g722_decode(ll_g722 *s, const uint8_t *data, int count, int16_t *pcm) { return g722_decode(s->decoder, pcm, data, count); }

// MARK: - G.726

ll_g726 *ll_g726_new(void) { return (ll_g726 *)g726_init(NULL, 32000, G726_ENCODING_LINEAR, G726_PACKING_RIGHT); }
void ll_g726_free(ll_g726 *s) { g726_free((g726_state_t *)s); }
int ll_g726_encode(ll_g726 *s, const int16_t *pcm, int samples, uint8_t *out) { return g726_encode((g726_state_t *)s, out, pcm, samples); }
int ll_g726_decode(ll_g726 *s, const uint8_t *data, int count, int16_t *pcm) { return g726_decode((g726_state_t *)s, pcm, data, count); }

// MARK: - GSM

ll_gsm *ll_gsm_new(void) { return (ll_gsm *)gsm0610_init(NULL, GSM0610_PACKING_VOIP); }
void ll_gsm_free(ll_gsm *s) { gsm0610_free((gsm0610_state_t *)s); }
int ll_gsm_encode(ll_gsm *s, const int16_t *pcm, int samples, uint8_t *out) { return gsm0610_encode((gsm0610_state_t *)s, out, pcm, samples); }
int ll_gsm_decode(ll_gsm *s, const uint8_t *data, int count, int16_t *pcm) { return gsm0610_decode((gsm0610_state_t *)s, pcm, data, count); }

// MARK: - G.729

// As libbcg729 1.1 declares them.
static struct {
    void *(*encoder_new)(uint8_t vad);
    void (*encoder_free)(void *);
    void (*encode)(void *, const int16_t *, uint8_t *, uint8_t *);
    void *(*decoder_new)(void);
    void (*decoder_free)(void *);
    void (*decode)(void *, const uint8_t *, uint8_t, uint8_t erased, uint8_t sid, uint8_t rfc3389, int16_t *);
} bcg729;
static int bcg729_found;

static void bcg729_find(void) {
    void *library = dlopen("libbcg729.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    // POSIX lets an object pointer stand for a function here; C alone does not, hence the copies.
    const struct {
        const char *name;
        void *place;
    } wanted[] = {
        {"initBcg729EncoderChannel", &bcg729.encoder_new}, {"closeBcg729EncoderChannel", &bcg729.encoder_free},
        {"bcg729Encoder", &bcg729.encode},                 {"initBcg729DecoderChannel", &bcg729.decoder_new},
        {"closeBcg729DecoderChannel", &bcg729.decoder_free}, {"bcg729Decoder", &bcg729.decode},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        void *symbol = dlsym(library, wanted[i].name);
        if (!symbol) return;
        memcpy(wanted[i].place, &symbol, sizeof symbol);
    }
    bcg729_found = 1;
}
int ll_g729_available(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, bcg729_find);
    return bcg729_found;
}
ll_g729_encoder *ll_g729_encoder_new(void) { return ll_g729_available() ? bcg729.encoder_new(0) : NULL; }
void ll_g729_encoder_free(ll_g729_encoder *e) { bcg729.encoder_free(e); }
void ll_g729_encode(ll_g729_encoder *e, const int16_t *pcm, uint8_t *out) {
    uint8_t count;
    bcg729.encode(e, pcm, out, &count);
}
ll_g729_decoder *ll_g729_decoder_new(void) { return ll_g729_available() ? bcg729.decoder_new() : NULL; }
void ll_g729_decoder_free(ll_g729_decoder *d) { bcg729.decoder_free(d); }
void ll_g729_decode(ll_g729_decoder *d, const uint8_t *data, int count, int16_t *pcm) {
    bcg729.decode(d, data, (uint8_t)count, data == NULL, count == 2, 0, pcm);
}

// MARK: - Speex

struct ll_speex {
    void *state;
    int encodes;
    int frame;
    SpeexBits bits;
};
static ll_speex *speex_new(int encodes, int wide) {
    ll_speex *s = malloc(sizeof *s);
    if (!s) return NULL;
    const SpeexMode *mode = speex_lib_get_mode(wide ? SPEEX_MODEID_WB : SPEEX_MODEID_NB);
    s->encodes = encodes;
    s->state = encodes ? speex_encoder_init(mode) : speex_decoder_init(mode);
    if (!s->state) {
        free(s);
        return NULL;
    }
    speex_bits_init(&s->bits);
    int quality = 8;
    if (encodes) {
        speex_encoder_ctl(s->state, SPEEX_SET_QUALITY, &quality);
        speex_encoder_ctl(s->state, SPEEX_GET_FRAME_SIZE, &s->frame);
    } else {
        speex_decoder_ctl(s->state, SPEEX_GET_FRAME_SIZE, &s->frame);
    }
    return s;
}
ll_speex *ll_speex_encoder_new(int wide) { return speex_new(1, wide); }
ll_speex *ll_speex_decoder_new(int wide) { return speex_new(0, wide); }
void ll_speex_free(ll_speex *s) {
    if (s->encodes) speex_encoder_destroy(s->state); else speex_decoder_destroy(s->state);
    speex_bits_destroy(&s->bits);
    free(s);
}
int ll_speex_encode(ll_speex *s, const int16_t *pcm, int samples, uint8_t *out, int capacity) {
    speex_bits_reset(&s->bits);
    for (int at = 0; at + s->frame <= samples; at += s->frame) {
        // The encoder uses the room of its input for its own ends.
        int16_t frame[320];
        memcpy(frame, pcm + at, (size_t)s->frame * sizeof *pcm);
        speex_encode_int(s->state, frame, &s->bits);
    }
    return speex_bits_write(&s->bits, (char *)out, capacity);
}
int ll_speex_decode(ll_speex *s, const uint8_t *data, int count, int16_t *pcm, int capacity) {
    if (!data) {
        if (capacity < s->frame) return 0;
        speex_decode_int(s->state, NULL, pcm);
        return s->frame;
    }
    speex_bits_read_from(&s->bits, (const char *)data, count);
    int written = 0;
    while (written + s->frame <= capacity && speex_bits_remaining(&s->bits) >= 5 &&
           speex_decode_int(s->state, &s->bits, pcm + written) == 0)
        written += s->frame;
    return written;
}

// MARK: - Loss, rates, keys

ll_plc *ll_plc_new(void) { return (ll_plc *)plc_init(NULL); }
void ll_plc_free(ll_plc *p) { plc_free((plc_state_t *)p); }
void ll_plc_heard(ll_plc *p, int16_t *pcm, int samples) { plc_rx((plc_state_t *)p, pcm, samples); }
void ll_plc_fill(ll_plc *p, int16_t *pcm, int samples) { plc_fillin((plc_state_t *)p, pcm, samples); }

ll_resampler *ll_resampler_new(int from, int to) {
    int error;
    return (ll_resampler *)speex_resampler_init(1, (spx_uint32_t)from, (spx_uint32_t)to, 3, &error);
}
void ll_resampler_free(ll_resampler *r) { speex_resampler_destroy((SpeexResamplerState *)r); }
int ll_resample(ll_resampler *r, const int16_t *pcm, int samples, int16_t *out, int capacity) {
    spx_uint32_t taken = (spx_uint32_t)samples, written = (spx_uint32_t)capacity;
    speex_resampler_process_int((SpeexResamplerState *)r, 0, pcm, &taken, out, &written);
    return (int)written;
}

ll_dtmf *ll_dtmf_new(void) { return (ll_dtmf *)dtmf_rx_init(NULL, NULL, NULL); }
void ll_dtmf_free(ll_dtmf *d) { dtmf_rx_free((dtmf_rx_state_t *)d); }
int ll_dtmf_heard(ll_dtmf *d, const int16_t *pcm, int samples) {
    char digits[MAX_DTMF_DIGITS + 1];
    dtmf_rx((dtmf_rx_state_t *)d, pcm, samples);
    // Nobody reads its list of digits: it is emptied, so that it does not fill up.
    dtmf_rx_get((dtmf_rx_state_t *)d, digits, MAX_DTMF_DIGITS);
    int status = dtmf_rx_status((dtmf_rx_state_t *)d);
    return status == 'x' ? 0 : status;
}
