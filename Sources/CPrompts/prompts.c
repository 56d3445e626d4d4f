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
static const uint8_t conference_full_de[] = {
#embed "audio/conference_full.de.wav"
};
static const uint8_t conference_full_en[] = {
#embed "audio/conference_full.en.wav"
};
static const uint8_t conference_full_es[] = {
#embed "audio/conference_full.es.wav"
};
static const uint8_t conference_full_fr[] = {
#embed "audio/conference_full.fr.wav"
};
static const uint8_t conference_full_it[] = {
#embed "audio/conference_full.it.wav"
};
static const uint8_t conference_full_nl[] = {
#embed "audio/conference_full.nl.wav"
};
static const uint8_t conference_full_pt[] = {
#embed "audio/conference_full.pt.wav"
};
static const uint8_t conference_pin_de[] = {
#embed "audio/conference_pin.de.wav"
};
static const uint8_t conference_pin_en[] = {
#embed "audio/conference_pin.en.wav"
};
static const uint8_t conference_pin_es[] = {
#embed "audio/conference_pin.es.wav"
};
static const uint8_t conference_pin_fr[] = {
#embed "audio/conference_pin.fr.wav"
};
static const uint8_t conference_pin_it[] = {
#embed "audio/conference_pin.it.wav"
};
static const uint8_t conference_pin_nl[] = {
#embed "audio/conference_pin.nl.wav"
};
static const uint8_t conference_pin_pt[] = {
#embed "audio/conference_pin.pt.wav"
};
static const uint8_t conference_wrong_pin_de[] = {
#embed "audio/conference_wrong_pin.de.wav"
};
static const uint8_t conference_wrong_pin_en[] = {
#embed "audio/conference_wrong_pin.en.wav"
};
static const uint8_t conference_wrong_pin_es[] = {
#embed "audio/conference_wrong_pin.es.wav"
};
static const uint8_t conference_wrong_pin_fr[] = {
#embed "audio/conference_wrong_pin.fr.wav"
};
static const uint8_t conference_wrong_pin_it[] = {
#embed "audio/conference_wrong_pin.it.wav"
};
static const uint8_t conference_wrong_pin_nl[] = {
#embed "audio/conference_wrong_pin.nl.wav"
};
static const uint8_t conference_wrong_pin_pt[] = {
#embed "audio/conference_wrong_pin.pt.wav"
};

static const prompts_entry entries[] = {
    {"conference_wrong_pin", "de", conference_wrong_pin_de, sizeof conference_wrong_pin_de},
    {"conference_wrong_pin", "en", conference_wrong_pin_en, sizeof conference_wrong_pin_en},
    {"conference_wrong_pin", "es", conference_wrong_pin_es, sizeof conference_wrong_pin_es},
    {"conference_wrong_pin", "fr", conference_wrong_pin_fr, sizeof conference_wrong_pin_fr},
    {"conference_wrong_pin", "it", conference_wrong_pin_it, sizeof conference_wrong_pin_it},
    {"conference_wrong_pin", "nl", conference_wrong_pin_nl, sizeof conference_wrong_pin_nl},
    {"conference_wrong_pin", "pt", conference_wrong_pin_pt, sizeof conference_wrong_pin_pt},
    {"conference_pin", "de", conference_pin_de, sizeof conference_pin_de},
    {"conference_pin", "en", conference_pin_en, sizeof conference_pin_en},
    {"conference_pin", "es", conference_pin_es, sizeof conference_pin_es},
    {"conference_pin", "fr", conference_pin_fr, sizeof conference_pin_fr},
    {"conference_pin", "it", conference_pin_it, sizeof conference_pin_it},
    {"conference_pin", "nl", conference_pin_nl, sizeof conference_pin_nl},
    {"conference_pin", "pt", conference_pin_pt, sizeof conference_pin_pt},
    {"conference_full", "de", conference_full_de, sizeof conference_full_de},
    {"conference_full", "en", conference_full_en, sizeof conference_full_en},
    {"conference_full", "es", conference_full_es, sizeof conference_full_es},
    {"conference_full", "fr", conference_full_fr, sizeof conference_full_fr},
    {"conference_full", "it", conference_full_it, sizeof conference_full_it},
    {"conference_full", "nl", conference_full_nl, sizeof conference_full_nl},
    {"conference_full", "pt", conference_full_pt, sizeof conference_full_pt},
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
