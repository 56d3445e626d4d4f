"""A real SMTP server on loopback for tests: writes each message to stdout as one line of JSON.

usage: sink.py CONTROL [CERTIFICATE]
CONTROL is a file; what it says is the reply to a recipient (empty or no file: it is accepted).
CERTIFICATE is a file with a key; with it nothing is taken before STARTTLS.
"""
import asyncio, json, logging, ssl, sys, warnings
from aiosmtpd.smtp import AuthResult, SMTP

# A client that does not trust the certificate is what a test wants to see, not a fault of this server.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", message="Session.login_data is deprecated")

control, certificate = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None


def tell(**what):
    print(json.dumps(what), flush=True)


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        try:
            reply = open(control).read().strip()
        except FileNotFoundError:
            reply = ""
        if reply:
            tell(refused=reply)
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        tell(sender=envelope.mail_from, to=envelope.rcpt_tos[0], tls=session.ssl is not None,
             login=bool(session.authenticated), content=envelope.content.decode())
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(handled=False, success=data.login == b"ledgerline" and data.password == b"secret of the server")


async def serve():
    options = {"authenticator": authenticate, "hostname": "sink.example"}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options.update(tls_context=context, require_starttls=True)
    else:
        options["auth_require_tls"] = False
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), loop=loop, **options), "127.0.0.1", 0)
    tell(ready=server.sockets[0].getsockname()[1])
    # It ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
