/// What the personal parts of calls are compressed against: what phones, gateways and we ourselves write into them, the likeliest
/// at the end. Parts in a log were compressed with these bytes, so they never change; a better text is a second one, under a format of
/// its own.
enum PartDictionary {
    static let first: [UInt8] = Array(
        (#"""
        \#r
        a=mid:audio\#r
        a=setup:actpass\#r
        a=fingerprint:sha-256 \#r
        a=ice-options:trickle\#r
        a=ice-ufrag:\#r
        a=ice-pwd:\#r
        a=candidate:1 1 UDP 2130706431 10.0.0. typ srflx raddr 192.168.1. rport  typ host\#r
        a=ssrc: cname:\#r
        a=rtcp-fb:* trr-int 1000\#r
        a=rtcp-fb:* ccm tmmbr\#r
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\#r
        a=rtpmap:96 opus/48000/2\#r
        a=fmtp:96 useinbandfec=1;usedtx=1;stereo=0;sprop-stereo=0;maxplaybackrate=16000\#r
        a=rtpmap:97 speex/16000\#r
        a=rtpmap:98 iLBC/8000\#r
        a=fmtp:98 mode=30\#r
        a=rtpmap:97 telephone-event/48000\#r
        a=rtpmap:99 telephone-event/16000\#r
        a=rtpmap:2 G726-32/8000\#r
        a=rtpmap:3 GSM/8000\#r
        a=rtpmap:13 CN/8000\#r
        a=rtcp-mux\#r
        a=rtcp:\#r
        a=label:1\#r
        a=maxptime:150\#r
        a=ptime:30\#r
        b=AS:64\#r
        b=AS:84\#r
        m=audio  RTP/SAVPF m=audio  RTP/SAVP 9 0 8 18 101\#r
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:|2^31\#r
        a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:\#r
        a=crypto:1 AEAD_AES_256_GCM inline:\#r
        a=rtpmap:18 G729/8000\#r
        a=fmtp:18 annexb=no\#r
        a=rtpmap:9 G722/8000\#r
        a=rtpmap:8 PCMA/8000\#r
        a=rtpmap:0 PCMU/8000\#r
        a=rtpmap:101 telephone-event/8000\#r
        a=fmtp:101 0-16\#r
        a=fmtp:101 0-15\#r
        a=ptime:20\#r
        a=sendonly\#r
        a=recvonly\#r
        a=inactive\#r
        a=sendrecv\#r
        ;ob;lr;transport=tls>;transport=ws;transport=tcp;transport=udp:5061:5080:5060\#
        "<sip:anonymous@anonymous.invalid>"Anonymous" <sip:sips:+49+44+33+1@sip:@192.168.1.@10.0.0.@172.16.\#
        v=0\#r
        o=- 0 0 IN IP6 \#r
        o=root o=FreeSWITCH o=user1 53655765 2353687637 IN IP4 \#r
        o=- 1 1 IN IP4 \#r
        s=baresip\#r
        s=Asterisk\#r
        s=Talk\#r
        s=call\#r
        s=-\#r
        c=IN IP6 \#r
        c=IN IP4 \#r
        t=0 0\#r
        m=audio  RTP/AVP 9 8 0 101\#r
        m=audio  RTP/AVP 0 8 101\#r
        m=audio  RTP/AVP 8 0 101\#r
        a=rtpmap:8 PCMA/8000\#r
        a=rtpmap:0 PCMU/8000\#r
        a=rtpmap:101 telephone-event/8000\#r
        a=fmtp:101 0-16\#r
        a=sendrecv\#r

        """#).utf8)
}
