package api

import "time"

const (
	count      = "0 or more"
	positive   = "1 or more"
	flag       = "0 or 1"
	orSystem   = "-1 (the system's), or 0 or more"
	bytes255   = "1 to 255 bytes"
	curveKey   = "32 bytes, or 40 characters of Z85, and a libzmq with CURVE (HasCurve)"
	needGssapi = ", and a libzmq with GSSAPI (HasGssapi)"
	needVmci   = "a libzmq with VMCI, which few have"
	multicast  = "It is for multicast (pgm, epgm, norm)."
)

// options is the part of Table that Generate works from.
var options = []Entry{
	// Queues and messages.
	{
		Option: "SNDHWM", Set: "SetSndhwm", Get: "GetSndhwm", Default: "1000", Want: count,
		What: "the high-water mark for outbound messages: how many are queued for one peer before a send blocks or drops",
		More: "0 is no limit. It counts for connections that are there, too.",
	},
	{
		Option: "RCVHWM", Set: "SetRcvhwm", Get: "GetRcvhwm", Default: "1000", Want: count,
		What: "the high-water mark for inbound messages: how many are queued from one peer before no more are taken from it",
		More: "0 is no limit. It counts for connections that are there, too.",
	},
	{
		Option: "MAXMSGSIZE", Set: "SetMaxmsgsize", Get: "GetMaxmsgsize", Unit: "bytes", Default: "-1", Want: "a size",
		What: "the largest message part that is accepted",
		More: "A peer that sends a larger one is disconnected. -1 is no limit.",
	},
	{
		Option: "CONFLATE", Set: "SetConflate", Default: "false", Want: "true or false",
		What: "whether the socket keeps only the newest message, in each direction",
		More: "High-water marks don't count then, and of a message with several parts only one is kept. " +
			"It has an effect for PULL, PUSH, SUB, PUB and DEALER, and has to be set before Bind and Connect.",
	},
	{
		Option: "IMMEDIATE", Set: "SetImmediate", Get: "GetImmediate", Default: "false", Want: "true or false",
		What: "whether messages are queued for established connections only, not for those that are still being tried",
		More: "With true a send blocks while there is no connection, rather than give messages to a peer that may never be there.",
	},
	{
		Option: "SUBSCRIBE", Set: "SetSubscribe", Want: "any filter", Types: "SUB and XPUB with SetXpubManual",
		What: "a filter: the socket receives messages that begin with it, besides what other filters let through",
		More: "The empty filter lets all through; a new socket has none and receives nothing. Two equal filters have to be taken back twice.",
	},
	{
		Option: "UNSUBSCRIBE", Set: "SetUnsubscribe", Want: "any filter", Types: "SUB and XPUB with SetXpubManual",
		What: "a filter out of force: it takes back one SetSubscribe with the same filter",
		More: "A filter that isn't in force is no error.",
	},
	{
		Option: "INVERT_MATCHING", Set: "SetInvertMatching", Get: "GetInvertMatching", Default: "0", Want: flag,
		What: "whether filters are inverted (1): what would be let through isn't, and the other way round",
		More: "It has an effect for PUB, XPUB and SUB; the SUBs of an inverted PUB have to set it, too.",
	},

	// Connections.
	{
		Option: "AFFINITY", Set: "SetAffinity", Get: "GetAffinity", Default: "0", Want: "a bit mask",
		What: "which I/O threads of the context handle new connections, as a bit mask: 1 is the first thread, 2 the second, 3 both",
		More: "0 is any thread. Where the mask has no thread of the context, Bind and Connect fail with EMTHREAD.",
	},
	{
		Option: "BACKLOG", Set: "SetBacklog", Get: "GetBacklog", Default: "100", Want: count,
		What: "the length of the system's queue of connections that aren't accepted yet, for each Bind",
	},
	{
		Option: "CONNECT_TIMEOUT", Set: "SetConnectTimeout", Get: "GetConnectTimeout", Default: "0",
		What: "how long one attempt to connect over TCP may take",
		More: "0 leaves it to the system. The next attempt follows after SetReconnectIvl.",
	},
	{
		Option: "RECONNECT_IVL", Set: "SetReconnectIvl", Get: "GetReconnectIvl", Default: "100 ms", MinusOne: "never",
		What: "the time before a connection that was lost or refused is tried again",
		More: "libzmq adds a random time of up to as much. -1 is never; so is 0.",
	},
	{
		Option: "RECONNECT_IVL_MAX", Set: "SetReconnectIvlMax", Get: "GetReconnectIvlMax", Default: "0",
		What: "the limit up to which the time between attempts to reconnect doubles each time",
		More: "With less than SetReconnectIvl it stays the same.",
	},
	{
		Option: "HANDSHAKE_IVL", Set: "SetHandshakeIvl", Get: "GetHandshakeIvl", Default: "30 s",
		What: "how long the handshake of a new connection may take before it is given up",
		More: "0 is no limit. A STREAM has no handshake.",
	},
	{
		Option: "HEARTBEAT_IVL", Set: "SetHeartbeatIvl", Default: "0",
		What: "the time between heartbeats, which find dead connections",
		More: "0 is no heartbeat.",
	},
	{
		Option: "HEARTBEAT_TIMEOUT", Set: "SetHeartbeatTimeout", Default: "the time between heartbeats",
		What: "how long nothing may come from the peer after a heartbeat before the connection counts as dead",
		More: "It needs SetHeartbeatIvl.",
	},
	{
		Option: "HEARTBEAT_TTL", Set: "SetHeartbeatTtl", Default: "0", Step: 100 * time.Millisecond,
		What: "after how long without traffic the peer is to count the connection as dead",
		More: "0 leaves it to the peer. libzmq counts it in tenths of a second, up to 6553.5 s; it is rounded up, " +
			"where raw makes 0 of what is less. It needs SetHeartbeatIvl.",
	},
	{
		Option: "IPV6", Set: "SetIpv6", Get: "GetIpv6", Default: "false, or what the context has (Context.SetIpv6)", Want: "true or false",
		What: "whether the socket uses IPv6 besides IPv4",
	},
	{
		Option: "SOCKS_PROXY", Set: "SetSocksProxy", Get: "GetSocksProxy", Default: `""`, Want: "host:port", Text: true,
		What: "the SOCKS5 proxy, as host:port, through which TCP connections are made",
		More: `"" is none. The proxy looks up host names. Beware: when a connection through the proxy has failed, libzmq 4.3.4 aborts the process as the ` +
			"socket closes or disconnects (socks_connecter.cpp), and this package can't prevent it.",
	},
	{
		Option: "TCP_ACCEPT_FILTER", Set: "SetTcpAcceptFilter", Default: "none", Text: true,
		Want: "an IP address, with a number of bits or without, as in 192.168.0.0/16",
		What: "an address, or range as in 192.168.0.0/16, from which bound endpoints accept TCP connections, besides those set before",
		More: `Without any they accept all; "" takes all back. libzmq advises authentication instead (AuthAllow, AuthDeny).`,
	},
	{
		Option: "USE_FD", Set: "SetUseFd", Get: "Getusefd", Default: "-1", Want: "-1 (none), or a descriptor",
		What: "the descriptor that the next Bind to tcp or ipc uses: a socket of the system on which listen was called, as from systemd",
		More: "-1 is none. libzmq owns the descriptor from that Bind on, and closes it: the program must not close it any more, " +
			"nor use it for another Bind. Bind refuses a descriptor that isn't open, doesn't listen, or is used by another endpoint of this socket.",
	},

	// The system's sockets.
	{
		Option: "SNDBUF", Set: "SetSndbuf", Get: "GetSndbuf", Unit: "bytes", Default: "-1", Want: orSystem,
		What: "the size of the system's transmit buffer for a connection",
		More: "-1 leaves it to the system.",
	},
	{
		Option: "RCVBUF", Set: "SetRcvbuf", Get: "GetRcvbuf", Unit: "bytes", Default: "-1", Want: orSystem,
		What: "the size of the system's receive buffer for a connection",
		More: "-1 leaves it to the system.",
	},
	{
		Option: "TOS", Set: "SetTos", Get: "GetTos", Default: "0", Want: count,
		What: "the type-of-service byte of IP packets, with DSCP and ECN",
		More: "0 leaves it to the system.",
	},
	{
		Option: "TCP_KEEPALIVE", Set: "SetTcpKeepalive", Get: "GetTcpKeepalive", Default: "-1", Want: "-1 (the system's), 0 (off) or 1 (on)",
		What: "whether TCP keeps idle connections alive with probes: -1 is as the system does, 0 no, 1 yes",
	},
	{
		Option: "TCP_KEEPALIVE_IDLE", Set: "SetTcpKeepaliveIdle", Get: "GetTcpKeepaliveIdle", Unit: "seconds", Default: "-1", Want: orSystem,
		What: "the idle time before TCP's first keep-alive probe",
		More: "-1 leaves it to the system. Linux takes 1 to 32767; with other values no connection succeeds. It needs SetTcpKeepalive(1).",
	},
	{
		Option: "TCP_KEEPALIVE_CNT", Set: "SetTcpKeepaliveCnt", Get: "GetTcpKeepaliveCnt", Default: "-1", Want: orSystem,
		What: "how many of TCP's keep-alive probes go unanswered before a connection counts as dead",
		More: "-1 leaves it to the system. Linux takes 1 to 127; with other values no connection succeeds. It needs SetTcpKeepalive(1).",
	},
	{
		Option: "TCP_KEEPALIVE_INTVL", Set: "SetTcpKeepaliveIntvl", Get: "GetTcpKeepaliveIntvl", Unit: "seconds", Default: "-1", Want: orSystem,
		What: "the time between TCP's keep-alive probes",
		More: "-1 leaves it to the system. Linux takes 1 to 32767; with other values no connection succeeds. It needs SetTcpKeepalive(1).",
	},
	{
		Option: "TCP_MAXRT", Set: "SetTcpMaxrt", Get: "GetTcpMaxrt", Default: "0",
		What: "how long what was sent over TCP may go unacknowledged before the connection counts as dead",
		More: "0 leaves it to the system.",
	},

	// Patterns.
	{
		Option: "ROUTING_ID", Set: "SetIdentity", Get: "GetIdentity", Default: `""`, Want: bytes255,
		What: "the identity by which a ROUTER peer knows the socket, which libzmq now calls its routing id",
		More: "It has 1 to 255 bytes; libzmq keeps those for itself that begin with a zero byte. Without one each ROUTER makes one up. " +
			"A ROUTER turns a second peer with the same identity away, unless it has SetRouterHandover.",
	},
	{
		Option: "ROUTER_MANDATORY", Set: "SetRouterMandatory", Default: "0", Want: flag, Types: "ROUTER",
		What: "what becomes of a message to a peer that isn't there or has no room: 0 drops it, 1 refuses it",
		More: "Refused are an unknown peer with EHOSTUNREACH, and a full queue as other sockets do: the send blocks.",
	},
	{
		Option: "ROUTER_HANDOVER", Set: "SetRouterHandover", Default: "false", Want: "true or false", Types: "ROUTER",
		What: "whether a new connection that claims the identity of another one takes its place; if not, it is turned away",
	},
	{
		Option: "PROBE_ROUTER", Set: "SetProbeRouter", Default: "0", Want: flag, Types: "REQ, DEALER and ROUTER",
		What: "whether each new connection begins with an empty message (1), by which a ROUTER peer learns of it",
		More: "It is for peers that are ROUTERs only.",
	},
	{
		Option: "REQ_CORRELATE", Set: "SetReqCorrelate", Default: "0", Want: flag, Types: "REQ",
		What: "whether requests are numbered (1), so that a late reply to an older one is dropped",
		More: "The peer sees the number as one more part before the empty one.",
	},
	{
		Option: "REQ_RELAXED", Set: "SetReqRelaxed", Default: "0", Want: flag, Types: "REQ",
		What: "whether a request may follow a request that has no reply yet (1), which is then given up",
		More: "Set it together with SetReqCorrelate, so that a late reply isn't taken for the new one's.",
	},
	{
		Option: "STREAM_NOTIFY", Set: "SetStreamNotify", Default: "1", Want: flag, Types: "STREAM",
		What: "whether an empty message tells of each connection that comes and goes (1)",
	},
	{
		Option: "XPUB_VERBOSE", Set: "SetXpubVerbose", Default: "0", Want: flag, Types: "XPUB",
		What: "whether the socket receives each subscription (1), or only the first with the same filter",
	},
	{
		Option: "XPUB_VERBOSER", Set: "SetXpubVerboser", Default: "0", Want: flag, Types: "XPUB",
		What: "whether the socket receives each subscription and its end (1), or only the first and the last with the same filter",
	},
	{
		Option: "XPUB_MANUAL", Set: "SetXpubManual", Default: "0", Want: flag, Types: "XPUB",
		What: "whether subscriptions come into force only when the program says so (1)",
		More: "After it has received one, it calls SetSubscribe or SetUnsubscribe with the filter of its choice, which is then that subscriber's.",
	},
	{
		Option: "XPUB_NODROP", Set: "SetXpubNodrop", Default: "false", Want: "true or false", Types: "XPUB and PUB",
		What: "whether a send blocks while some subscriber's queue is full; if not, that subscriber misses the message",
	},
	{
		Option: "XPUB_WELCOME_MSG", Set: "SetXpubWelcomeMsg", Default: `""`, Want: "any message", Types: "XPUB",
		What: "a message that each new subscriber gets first, if it has subscribed to it",
		More: `"" is none.`,
	},

	// Security.
	{
		Option: "MECHANISM", Get: "GetMechanism", Default: "NULL",
		What: "the security mechanism that the options set so far lead to",
	},
	{
		Option: "ZAP_DOMAIN", Set: "SetZapDomain", Get: "GetZapDomain", Default: `""`, Want: bytes255,
		What: "the domain for authentication (ZAP), by which rules such as AuthAllow are chosen",
	},
	{
		Option: "PLAIN_SERVER", Set: "SetPlainServer", Get: "GetPlainServer", Default: "0", Want: flag,
		What: "whether the socket is a server for PLAIN (1)",
		More: "0 also sets the mechanism to NULL.",
	},
	{
		Option: "PLAIN_USERNAME", Set: "SetPlainUsername", Get: "GetPlainUsername", Default: `""`, Want: `1 to 255 bytes, or "" (not PLAIN)`,
		What: "the user name with which the socket connects as a client of PLAIN",
		More: `"" sets the mechanism to NULL.`,
	},
	{
		Option: "PLAIN_PASSWORD", Set: "SetPlainPassword", Get: "GetPlainPassword", Default: `""`, Want: `1 to 255 bytes, or "" (not PLAIN)`,
		What: "the password with which the socket connects as a client of PLAIN",
		More: `"" sets the mechanism to NULL.`,
	},
	{
		Option: "CURVE_SERVER", Set: "SetCurveServer", Default: "0", Want: flag + ", and a libzmq with CURVE (HasCurve)",
		What: "whether the socket is a server for CURVE (1), which needs SetCurveSecretkey",
		More: "0 also sets the mechanism to NULL.",
	},
	{
		Option: "CURVE_PUBLICKEY", Set: "SetCurvePublickey", Want: curveKey, Key: true,
		What: "the public key with which the socket connects as a client of CURVE: 32 bytes, or 40 characters of Z85",
		More: "See NewCurveKeypair and AuthCurvePublic.",
	},
	{
		Option: "CURVE_PUBLICKEY", Get: "GetCurvePublickeyRaw",
		What: "the socket's public key for CURVE as 32 bytes, which are zero if it wasn't set",
	},
	{
		Option: "CURVE_PUBLICKEY", Get: "GetCurvePublickeykeyZ85",
		What: "the socket's public key for CURVE as 40 characters of Z85, which are zeros if it wasn't set",
	},
	{
		Option: "CURVE_SECRETKEY", Set: "SetCurveSecretkey", Want: curveKey, Key: true,
		What: "the socket's secret key for CURVE, as client or server: 32 bytes, or 40 characters of Z85",
		More: "See NewCurveKeypair.",
	},
	{
		Option: "CURVE_SECRETKEY", Get: "GetCurveSecretkeyRaw",
		What: "the socket's secret key for CURVE as 32 bytes, which are zero if it wasn't set",
	},
	{
		Option: "CURVE_SECRETKEY", Get: "GetCurveSecretkeyZ85",
		What: "the socket's secret key for CURVE as 40 characters of Z85, which are zeros if it wasn't set",
	},
	{
		Option: "CURVE_SERVERKEY", Set: "SetCurveServerkey", Want: curveKey, Key: true,
		What: "the public key of the server to which the socket connects as a client of CURVE: 32 bytes, or 40 characters of Z85",
	},
	{
		Option: "CURVE_SERVERKEY", Get: "GetCurveServerkeyRaw",
		What: "the server's public key for CURVE as 32 bytes, which are zero if it wasn't set",
	},
	{
		Option: "CURVE_SERVERKEY", Get: "GetCurveServerkeyZ85",
		What: "the server's public key for CURVE as 40 characters of Z85, which are zeros if it wasn't set",
	},
	{
		Option: "GSSAPI_SERVER", Set: "SetGssapiServer", Get: "GetGssapiServer", Default: "false", Want: "true or false" + needGssapi,
		What: "whether the socket is a server for GSSAPI",
		More: "Either value sets the mechanism to GSSAPI.",
	},
	{
		Option: "GSSAPI_PLAINTEXT", Set: "SetGssapiPlaintext", Get: "GetGssapiPlaintext", Default: "false", Want: "true or false" + needGssapi,
		What: "whether GSSAPI authenticates only, without encrypting",
	},
	{
		Option: "GSSAPI_PRINCIPAL", Set: "SetGssapiPrincipal", Get: "GetGssapiPrincipal", Default: `""`, Want: bytes255 + needGssapi, Text: true,
		What: "the name of the principal whose credentials the socket uses with GSSAPI",
	},
	{
		Option: "GSSAPI_SERVICE_PRINCIPAL", Set: "SetGssapiServicePrincipal", Get: "GetGssapiServicePrincipal", Default: `""`,
		Want: bytes255 + needGssapi, Text: true,
		What: "the name of the server's principal to which the socket connects as a client of GSSAPI",
	},

	// Rarer transports.
	{
		Option: "RATE", Set: "SetRate", Get: "GetRate", Unit: "kilobits per second", Default: "100", Want: positive,
		What: "the largest rate of sending or receiving", More: multicast,
	},
	{
		Option: "RECOVERY_IVL", Set: "SetRecoveryIvl", Get: "GetRecoveryIvl", Default: "10 s",
		What: "how long a receiver may be absent before it misses something for good",
		More: "libzmq keeps what was sent in memory for as long. " + multicast,
	},
	{
		Option: "MULTICAST_HOPS", Set: "SetMulticastHops", Get: "GetMulticastHops", Default: "1", Want: positive,
		What: "how many hops packets may take", More: "With 1 they stay in the local network. " + multicast,
	},
	{
		Option: "MULTICAST_MAXTPDU", Set: "SetMulticastMaxtpdu", Get: "GetMulticastMaxtpdu", Unit: "bytes", Default: "1500", Want: positive,
		What: "the largest size of packets sent, which every network on the way has to carry", More: multicast,
	},
	{
		Option: "VMCI_BUFFER_SIZE", Set: "SetVmciBufferSize", Get: "GetVmciBufferSize", Unit: "bytes", Default: "0, which is VMCI's own", Want: needVmci,
		What: "the buffer size of a connection over VMCI", More: "It fails without " + needVmci + ".",
	},
	{
		Option: "VMCI_BUFFER_MIN_SIZE", Set: "SetVmciBufferMinSize", Get: "GetVmciBufferMinSize", Unit: "bytes", Default: "0, which is VMCI's own", Want: needVmci,
		What: "the least buffer size of a connection over VMCI", More: "It fails without " + needVmci + ".",
	},
	{
		Option: "VMCI_BUFFER_MAX_SIZE", Set: "SetVmciBufferMaxSize", Get: "GetVmciBufferMaxSize", Unit: "bytes", Default: "0, which is VMCI's own", Want: needVmci,
		What: "the largest buffer size of a connection over VMCI", More: "It fails without " + needVmci + ".",
	},
	{
		Option: "VMCI_CONNECT_TIMEOUT", Set: "SetVmciConnectTimeout", Get: "GetVmciConnectTimeout", Default: "VMCI's own",
		What: "how long an attempt to connect over VMCI may take", More: "It fails without " + needVmci + ".",
	},
	{
		Option: "THREAD_SAFE", Get: "GetThreadSafe",
		What: "whether libzmq's socket may be used by several threads",
		More: "libzmq says false for all types of sockets here; a Socket of this package may be used by several goroutines nevertheless.",
	},
}
