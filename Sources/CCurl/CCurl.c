#include "CCurl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void prepare(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

typedef struct {
    const char *rest;
    size_t length;
} source;

static size_t give(char *out, size_t size, size_t count, void *context) {
    source *from = context;
    size_t n = size * count < from->length ? size * count : from->length;
    memcpy(out, from->rest, n);
    from->rest += n;
    from->length -= n;
    return n;
}

static ll_mail_result meaning(CURLcode code, long reply) {
    switch (code) {
    case CURLE_OK: return LL_MAIL_ACCEPTED;
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM: return LL_MAIL_NO_TLS;
    case CURLE_LOGIN_DENIED: return LL_MAIL_NO_LOGIN;
    default: return reply >= 400 ? LL_MAIL_REFUSED : LL_MAIL_UNREACHABLE;
    }
}

ll_mail_result ll_mail_send(const ll_mail *mail, long *code, char *reason, size_t reason_capacity) {
    pthread_once(&once, prepare);
    *code = 0;
    if (reason_capacity > 0) reason[0] = 0;
    CURL *curl = curl_easy_init();
    char from[330], to[330];
    struct curl_slist *recipients = NULL;
    if (snprintf(from, sizeof from, "<%s>", mail->from) < (int)sizeof from && snprintf(to, sizeof to, "<%s>", mail->to) < (int)sizeof to)
        recipients = curl_slist_append(NULL, to);
    if (curl == NULL || recipients == NULL) {
        curl_slist_free_all(recipients);
        if (curl != NULL) curl_easy_cleanup(curl);
        snprintf(reason, reason_capacity, "no memory, or an address that is too long");
        return LL_MAIL_UNREACHABLE;
    }
    source body = {mail->message, mail->length};
    char url[600];
    // What stands behind the slash is what EHLO says.
    snprintf(url, sizeof url, "%s/%s", mail->url, mail->greeting != NULL ? mail->greeting : "");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(mail->tls == 2 ? CURLUSESSL_ALL : mail->tls == 1 ? CURLUSESSL_TRY : CURLUSESSL_NONE));
    if (mail->authorities != NULL) curl_easy_setopt(curl, CURLOPT_CAINFO, mail->authorities);
    if (mail->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, mail->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, mail->password != NULL ? mail->password : "");
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, mail->connect_milliseconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, mail->total_milliseconds);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &body);
    CURLcode status = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, code);
    ll_mail_result result = meaning(status, *code);
    // The detailed message may repeat the server's words, and with them an address.
    if (status != CURLE_OK) snprintf(reason, reason_capacity, "%s", curl_easy_strerror(status));
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return result;
}
