// What Swift cannot call: control-message macros and variadics. No logic.
#pragma once
#include <sys/socket.h>
#include <netinet/in.h>
