// C face of libcurl's SMTP: its options are set by a function with variable arguments, which Swift cannot call.
#pragma once
#include <stddef.h>

/// What one message is sent with. Strings are UTF-8 and NUL-terminated.
typedef struct {
    /// `smtp://host:port` or `smtps://host:port`.
    const char *url;
    /// 0: in the clear; 1: STARTTLS if the server offers it; 2: TLS or nothing.
    int tls;
    /// A file of certificates to trust; NULL: the machine's.
    const char *authorities;
    /// Both NULL: without logging in.
    const char *user, *password;
    /// What this machine calls itself (EHLO); NULL: its own name.
    const char *greeting;
    /// Of the envelope, without angle brackets.
    const char *from, *to;
    /// The message with CRLF at the end of each line.
    const char *message;
    size_t length;
    long connect_milliseconds, total_milliseconds;
} ll_mail;

typedef enum {
    LL_MAIL_ACCEPTED = 0,
    /// No answer, or none that could be understood: try again.
    LL_MAIL_UNREACHABLE = 1,
    /// The server has answered with `code`, and has not taken the message.
    LL_MAIL_REFUSED = 2,
    /// Its certificate or its TLS cannot be accepted.
    LL_MAIL_NO_TLS = 3,
    /// User name or password were refused.
    LL_MAIL_NO_LOGIN = 4,
} ll_mail_result;

/// Blocks until the server has taken the message or has not. `code` is the server's last reply (RFC 5321), 0: none.
/// `reason` gets libcurl's word for it, which holds no address of the message.
ll_mail_result ll_mail_send(const ll_mail *mail, long *code, char *reason, size_t reason_capacity);
