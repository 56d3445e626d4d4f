#include "CPrompts.h"

// Swift has no way of its own to carry bytes in the binary that does not compile them one by one; C has one since 2023.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t credit_used_up_de[] = {
#embed "audio/credit_used_up.de.wav"
};
static const uint8_t credit_used_up_en[] = {
#embed "audio/credit_used_up.en.wav"
};
static const uint8_t credit_used_up_es[] = {
#embed "audio/credit_used_up.es.wav"
};
static const uint8_t credit_used_up_fr[] = {
#embed "audio/credit_used_up.fr.wav"
};
static const uint8_t credit_used_up_it[] = {
#embed "audio/credit_used_up.it.wav"
};
static const uint8_t credit_used_up_nl[] = {
#embed "audio/credit_used_up.nl.wav"
};
static const uint8_t credit_used_up_pt[] = {
#embed "audio/credit_used_up.pt.wav"
};
static const uint8_t call_recorded_de[] = {
#embed "audio/call_recorded.de.wav"
};
static const uint8_t call_recorded_en[] = {
#embed "audio/call_recorded.en.wav"
};
static const uint8_t call_recorded_es[] = {
#embed "audio/call_recorded.es.wav"
};
static const uint8_t call_recorded_fr[] = {
#embed "audio/call_recorded.fr.wav"
};
static const uint8_t call_recorded_it[] = {
#embed "audio/call_recorded.it.wav"
};
static const uint8_t call_recorded_nl[] = {
#embed "audio/call_recorded.nl.wav"
};
static const uint8_t call_recorded_pt[] = {
#embed "audio/call_recorded.pt.wav"
};

static const prompts_entry entries[] = {
    {"call_recorded", "de", call_recorded_de, sizeof call_recorded_de},
    {"call_recorded", "en", call_recorded_en, sizeof call_recorded_en},
    {"call_recorded", "es", call_recorded_es, sizeof call_recorded_es},
    {"call_recorded", "fr", call_recorded_fr, sizeof call_recorded_fr},
    {"call_recorded", "it", call_recorded_it, sizeof call_recorded_it},
    {"call_recorded", "nl", call_recorded_nl, sizeof call_recorded_nl},
    {"call_recorded", "pt", call_recorded_pt, sizeof call_recorded_pt},
    {"credit_used_up", "de", credit_used_up_de, sizeof credit_used_up_de},
    {"credit_used_up", "en", credit_used_up_en, sizeof credit_used_up_en},
    {"credit_used_up", "es", credit_used_up_es, sizeof credit_used_up_es},
    {"credit_used_up", "fr", credit_used_up_fr, sizeof credit_used_up_fr},
    {"credit_used_up", "it", credit_used_up_it, sizeof credit_used_up_it},
    {"credit_used_up", "nl", credit_used_up_nl, sizeof credit_used_up_nl},
    {"credit_used_up", "pt", credit_used_up_pt, sizeof credit_used_up_pt},
};

prompts_entry prompts_at(size_t place) {
    static const prompts_entry none = {0};
    return place < sizeof entries / sizeof entries[0] ? entries[place] : none;
}
