package api

import "time"

// Values for Option.Want and sentences for Option.More.
const (
	boolean    = "true or false"
	onOff      = "0 or 1"
	count      = "0 or more"
	positive   = "1 or more"
	orSystem   = "-1 (the system's), or 0 or more"
	bytes255   = "1 to 255 bytes"
	orNotPlain = bytes255 + `, or "" (not PLAIN)`
	curveKey   = "32 bytes, or 40 characters of Z85, and a libzmq with CURVE (HasCurve)"
	needCurve  = ", and a libzmq with CURVE (HasCurve)"
	needGssapi = ", and a libzmq with GSSAPI (HasGssapi)"
	needVmci   = "a libzmq with VMCI, which few have"

	system    = "-1 leaves it to the operating system."
	keepalive = "It needs [Socket.SetTcpKeepalive] with 1."
	multicast = "It applies to multicast (pgm, epgm, norm)."
	vmci      = "It needs " + needVmci + "."
)

// messageOptions are about messages, and about who may send and receive them.
var messageOptions = []Option{{
	// Queues.
	Name: "MAXMSGSIZE", Set: "SetMaxmsgsize", Get: "GetMaxmsgsize", Default: "-1", Want: "a size",
	What: "the largest message part that the socket accepts, in bytes",
	More: "A peer that sends a larger one is disconnected. -1 is no limit.",
}, {
	Name: "IMMEDIATE", Set: "SetImmediate", Get: "GetImmediate", Default: "false", Want: boolean,
	What: "whether messages are queued only for established connections, not for those that are still being tried",
	More: "With true, a send blocks while there is no connection, instead of queueing messages for a peer that may never exist.",
}, {
	Name: "INVERT_MATCHING", Set: "SetInvertMatching", Get: "GetInvertMatching", Default: "0", Want: onOff,
	What: "whether filters are inverted (1): messages that match are held back, and all others pass",
	More: "It has an effect on PUB, XPUB and SUB. Each SUB of an inverted PUB must set it, too.",
}, {
	// Patterns.
	Name: "ROUTING_ID", Set: "SetIdentity", Get: "GetIdentity", Default: `""`, Want: bytes255,
	What: "the identity by which a ROUTER peer knows the socket, which libzmq now calls its routing id",
	More: "It has 1 to 255 bytes; those that begin with a zero byte are reserved for libzmq. Without one, each ROUTER makes one up. " +
		"A ROUTER turns away a second peer with the same identity, unless it has [Socket.SetRouterHandover].",
}, {
	Name: "ROUTER_MANDATORY", Set: "SetRouterMandatory", Default: "0", Want: onOff, Types: "ROUTER",
	What: "what happens to a message for a peer that isn't connected or has no room: 0 drops it, 1 refuses it",
	More: "With 1, a send to an unknown peer fails with EHOSTUNREACH, and a send to a peer whose queue is full blocks.",
}, {
	Name: "ROUTER_HANDOVER", Set: "SetRouterHandover", Default: "false", Want: boolean, Types: "ROUTER",
	What: "whether a new connection that claims the identity of another one takes its place; if not, it is turned away",
}, {
	Name: "PROBE_ROUTER", Set: "SetProbeRouter", Default: "0", Want: onOff, Types: "REQ, DEALER and ROUTER",
	What: "whether each new connection begins with an empty message (1), from which a ROUTER peer learns of it",
	More: "Use it only if all peers are ROUTERs.",
}, {
	Name: "REQ_CORRELATE", Set: "SetReqCorrelate", Default: "0", Want: onOff, Types: "REQ",
	What: "whether requests are numbered (1), so that a late reply to an earlier one is dropped",
	More: "The peer sees the number as one more part before the empty one.",
}, {
	Name: "REQ_RELAXED", Set: "SetReqRelaxed", Default: "0", Want: onOff, Types: "REQ",
	What: "whether the socket may send a request before the last one has a reply (1); the last one is then given up",
	More: "Set [Socket.SetReqCorrelate], too, so that a late reply isn't taken for the reply to the new request.",
}, {
	Name: "STREAM_NOTIFY", Set: "SetStreamNotify", Default: "1", Want: onOff, Types: "STREAM",
	What: "whether the socket receives an empty message for each connection that comes or goes (1)",
}, {
	Name: "XPUB_VERBOSE", Set: "SetXpubVerbose", Default: "0", Want: onOff, Types: "XPUB",
	What: "whether the socket receives every subscription (1), or only the first with the same filter",
}, {
	Name: "XPUB_VERBOSER", Set: "SetXpubVerboser", Default: "0", Want: onOff, Types: "XPUB",
	What: "whether the socket receives every subscription and its end (1), or only the first and the last with the same filter",
}, {
	Name: "XPUB_MANUAL", Set: "SetXpubManual", Default: "0", Want: onOff, Types: "XPUB",
	What: "whether subscriptions take effect only when the program says so (1)",
	More: "After receiving one, the program calls [Socket.SetSubscribe] or [Socket.SetUnsubscribe] with a filter of its choice, " +
		"which then applies to that subscriber.",
}, {
	Name: "XPUB_NODROP", Set: "SetXpubNodrop", Default: "false", Want: boolean, Types: "XPUB and PUB",
	What: "whether a send blocks while some subscriber's queue is full; if not, that subscriber misses the message",
}, {
	Name: "XPUB_WELCOME_MSG", Set: "SetXpubWelcomeMsg", Default: `""`, Want: "any message", Types: "XPUB",
	What: "a message that each new subscriber receives first, if it has subscribed to it", More: `"" is none.`,
}, {
	Name: "THREAD_SAFE", Get: "GetThreadSafe",
	What: "whether several threads may use libzmq's socket",
	More: "libzmq says false for every type of socket here; several goroutines may use a [Socket] of this package anyway.",
}, {
	// Security.
	Name: "MECHANISM", Get: "GetMechanism",
	What: "the security mechanism that follows from the options set so far",
}, {
	Name: "ZAP_DOMAIN", Set: "SetZapDomain", Get: "GetZapDomain", Default: `""`, Want: bytes255,
	What: "the domain for authentication (ZAP), which selects rules such as those of [AuthAllow]",
}, {
	Name: "PLAIN_SERVER", Set: "SetPlainServer", Get: "GetPlainServer", Default: "0", Want: onOff,
	What: "whether the socket is a PLAIN server (1)", More: "0 also sets the mechanism to NULL.",
}, {
	Name: "PLAIN_USERNAME", Set: "SetPlainUsername", Get: "GetPlainUsername", Default: `""`, Want: orNotPlain,
	What: "the user name with which the socket connects as a PLAIN client", More: `"" sets the mechanism to NULL.`,
}, {
	Name: "PLAIN_PASSWORD", Set: "SetPlainPassword", Get: "GetPlainPassword", Default: `""`, Want: orNotPlain,
	What: "the password with which the socket connects as a PLAIN client", More: `"" sets the mechanism to NULL.`,
}, {
	Name: "CURVE_SERVER", Set: "SetCurveServer", Default: "0", Want: onOff + needCurve,
	What: "whether the socket is a CURVE server (1), which needs [Socket.SetCurveSecretkey]", More: "0 also sets the mechanism to NULL.",
}, {
	Name: "CURVE_PUBLICKEY", Set: "SetCurvePublickey", Want: curveKey, Key: true,
	What: "the public key with which the socket connects as a CURVE client: 32 bytes, or 40 characters of Z85",
	More: "See [NewCurveKeypair] and [AuthCurvePublic].",
}, {
	Name: "CURVE_PUBLICKEY", Get: "GetCurvePublickeyRaw",
	What: "the socket's public CURVE key as 32 bytes, which are zero if it wasn't set",
}, {
	Name: "CURVE_PUBLICKEY", Get: "GetCurvePublickeykeyZ85",
	What: "the socket's public CURVE key as 40 characters of Z85, which are zeros if it wasn't set",
}, {
	Name: "CURVE_SECRETKEY", Set: "SetCurveSecretkey", Want: curveKey, Key: true,
	What: "the socket's secret CURVE key, as client or server: 32 bytes, or 40 characters of Z85", More: "See [NewCurveKeypair].",
}, {
	Name: "CURVE_SECRETKEY", Get: "GetCurveSecretkeyRaw",
	What: "the socket's secret CURVE key as 32 bytes, which are zero if it wasn't set",
}, {
	Name: "CURVE_SECRETKEY", Get: "GetCurveSecretkeyZ85",
	What: "the socket's secret CURVE key as 40 characters of Z85, which are zeros if it wasn't set",
}, {
	Name: "CURVE_SERVERKEY", Set: "SetCurveServerkey", Want: curveKey, Key: true,
	What: "the public key of the server to which the socket connects as a CURVE client: 32 bytes, or 40 characters of Z85",
}, {
	Name: "CURVE_SERVERKEY", Get: "GetCurveServerkeyRaw",
	What: "the server's public CURVE key as 32 bytes, which are zero if it wasn't set",
}, {
	Name: "CURVE_SERVERKEY", Get: "GetCurveServerkeyZ85",
	What: "the server's public CURVE key as 40 characters of Z85, which are zeros if it wasn't set",
}, {
	Name: "GSSAPI_SERVER", Set: "SetGssapiServer", Get: "GetGssapiServer", Default: "false", Want: boolean + needGssapi,
	What: "whether the socket is a GSSAPI server", More: "Either value sets the mechanism to GSSAPI.",
}, {
	Name: "GSSAPI_PLAINTEXT", Set: "SetGssapiPlaintext", Get: "GetGssapiPlaintext", Default: "false", Want: boolean + needGssapi,
	What: "whether GSSAPI only authenticates, without encryption",
}, {
	Name: "GSSAPI_PRINCIPAL", Set: "SetGssapiPrincipal", Get: "GetGssapiPrincipal", Default: `""`, Want: bytes255 + needGssapi, Text: true,
	What: "the name of the principal whose credentials the socket uses with GSSAPI",
}, {
	Name: "GSSAPI_SERVICE_PRINCIPAL", Set: "SetGssapiServicePrincipal", Get: "GetGssapiServicePrincipal", Default: `""`,
	Want: bytes255 + needGssapi, Text: true,
	What: "the name of the server's principal to which the socket connects as a GSSAPI client",
}}

// transportOptions are about connections.
var transportOptions = []Option{{
	Name: "AFFINITY", Set: "SetAffinity", Get: "GetAffinity", Default: "0", Want: "a bit mask",
	What: "which I/O threads of the context handle new connections, as a bit mask: 1 is the first thread, 2 the second, 3 both",
	More: "0 is any thread. If the context has none of these threads, [Socket.Bind] and [Socket.Connect] fail with EMTHREAD.",
}, {
	Name: "BACKLOG", Set: "SetBacklog", Get: "GetBacklog", Default: "100", Want: count,
	What: "how many connections the operating system queues before they are accepted, for each [Socket.Bind]",
}, {
	Name: "CONNECT_TIMEOUT", Set: "SetConnectTimeout", Get: "GetConnectTimeout", Default: "0",
	What: "how long one attempt to connect over TCP may take",
	More: "0 leaves it to the operating system. The next attempt follows after [Socket.SetReconnectIvl].",
}, {
	Name: "RECONNECT_IVL", Set: "SetReconnectIvl", Get: "GetReconnectIvl", Default: "100 ms", MinusOne: "never",
	What: "the time before a lost or refused connection is tried again",
	More: "libzmq adds a random time of up to as much. -1 and 0 both mean never.",
}, {
	Name: "RECONNECT_IVL_MAX", Set: "SetReconnectIvlMax", Get: "GetReconnectIvlMax", Default: "0",
	What: "the limit up to which the time between attempts to reconnect doubles each time",
	More: "If it is less than [Socket.SetReconnectIvl], the time stays the same.",
}, {
	Name: "HANDSHAKE_IVL", Set: "SetHandshakeIvl", Get: "GetHandshakeIvl", Default: "30 s",
	What: "how long the handshake of a new connection may take before libzmq gives it up",
	More: "0 is no limit. A STREAM has no handshake.",
}, {
	Name: "HEARTBEAT_TIMEOUT", Set: "SetHeartbeatTimeout", Default: "the time between heartbeats",
	What: "how long the peer may be silent after a heartbeat before the connection is taken for dead",
	More: "It needs [Socket.SetHeartbeatIvl].",
}, {
	Name: "HEARTBEAT_TTL", Set: "SetHeartbeatTtl", Default: "0", Step: 100 * time.Millisecond,
	What: "how long the connection may be silent before the peer takes it for dead",
	More: "0 leaves it to the peer. libzmq counts it in tenths of a second, up to 6553.5 s. " +
		"Other times are rounded up, where pebbe/zmq4 makes 0 of less than a tenth. It needs [Socket.SetHeartbeatIvl]. " +
		"Beware: a peer that connects, with a finite RCVHWM and a full queue for longer than this, aborts ([Socket.SetHeartbeatIvl]).",
}, {
	Name: "IPV6", Set: "SetIpv6", Get: "GetIpv6", Default: "false, or the context's ([Context.SetIpv6])", Want: boolean,
	What: "whether the socket uses IPv6 besides IPv4",
}, {
	Name: "SOCKS_PROXY", Set: "SetSocksProxy", Get: "GetSocksProxy", Default: `""`, Want: "host:port", Text: true,
	What: "the SOCKS5 proxy, as host:port, through which TCP connections are made",
	More: `"" is none. The proxy resolves host names. Beware: after a connection through the proxy has failed, libzmq 4.3.4 aborts the process ` +
		"when the socket closes or disconnects (socks_connecter.cpp), and this package can't prevent it.",
}, {
	Name: "TCP_ACCEPT_FILTER", Set: "SetTcpAcceptFilter", Verb: "adds", Default: "none", Text: true,
	Want: "an IP address, with a number of bits or without, as in 192.168.0.0/16",
	What: "an address, or a range as in 192.168.0.0/16, from which bound endpoints accept TCP connections",
	More: `Without any they accept all connections; "" removes all addresses. libzmq recommends authentication instead ([AuthAllow], [AuthDeny]).`,
}, {
	Name: "USE_FD", Set: "SetUseFd", Get: "Getusefd", Default: "-1", Want: "-1 (none), or a descriptor",
	What: "the descriptor that the next [Socket.Bind] to tcp or ipc uses: a listening socket of the operating system, as from systemd",
	More: "-1 is none. From that Bind on, libzmq owns the descriptor and closes it: the program must neither close it nor use it for another Bind. " +
		"Bind refuses a descriptor that isn't open, doesn't listen, or is used by another endpoint of this socket.",
}, {
	// The operating system's sockets.
	Name: "RCVBUF", Set: "SetRcvbuf", Get: "GetRcvbuf", Default: "-1", Want: orSystem,
	What: "the size of the operating system's receive buffer for a connection, in bytes", More: system,
}, {
	Name: "TOS", Set: "SetTos", Get: "GetTos", Default: "0", Want: count,
	What: "the type-of-service byte of IP packets, with DSCP and ECN", More: "0 leaves it to the operating system.",
}, {
	Name: "TCP_KEEPALIVE", Set: "SetTcpKeepalive", Get: "GetTcpKeepalive", Default: "-1", Want: "-1 (the system's), 0 (off) or 1 (on)",
	What: "whether TCP sends probes on idle connections to keep them alive: 0 is no, 1 is yes", More: system,
}, {
	Name: "TCP_KEEPALIVE_IDLE", Set: "SetTcpKeepaliveIdle", Get: "GetTcpKeepaliveIdle", Default: "-1", Want: orSystem,
	What: "the idle time before TCP's first keep-alive probe, in seconds",
	More: system + " Linux takes 1 to 32767; with other values no connection succeeds. " + keepalive,
}, {
	Name: "TCP_KEEPALIVE_CNT", Set: "SetTcpKeepaliveCnt", Get: "GetTcpKeepaliveCnt", Default: "-1", Want: orSystem,
	What: "how many of TCP's keep-alive probes may go unanswered before a connection is taken for dead",
	More: system + " Linux takes 1 to 127; with other values no connection succeeds. " + keepalive,
}, {
	Name: "TCP_KEEPALIVE_INTVL", Set: "SetTcpKeepaliveIntvl", Get: "GetTcpKeepaliveIntvl", Default: "-1", Want: orSystem,
	What: "the time between TCP's keep-alive probes, in seconds",
	More: system + " Linux takes 1 to 32767; with other values no connection succeeds. " + keepalive,
}, {
	Name: "TCP_MAXRT", Set: "SetTcpMaxrt", Get: "GetTcpMaxrt", Default: "0",
	What: "how long data sent over TCP may go unacknowledged before the connection is taken for dead",
	More: "0 leaves it to the operating system.",
}, {
	// Rarer transports.
	Name: "RATE", Set: "SetRate", Get: "GetRate", Default: "100", Want: positive,
	What: "the largest rate of sending or receiving, in kilobits per second", More: multicast,
}, {
	Name: "RECOVERY_IVL", Set: "SetRecoveryIvl", Get: "GetRecoveryIvl", Default: "10 s",
	What: "how long a receiver may be absent before it misses messages for good",
	More: "libzmq keeps sent messages in memory for as long. " + multicast,
}, {
	Name: "MULTICAST_HOPS", Set: "SetMulticastHops", Get: "GetMulticastHops", Default: "1", Want: positive,
	What: "how many hops packets may take", More: "With 1 they stay in the local network. " + multicast,
}, {
	Name: "MULTICAST_MAXTPDU", Set: "SetMulticastMaxtpdu", Get: "GetMulticastMaxtpdu", Default: "1500", Want: positive,
	What: "the largest size of sent packets, in bytes, which every network on the way must carry", More: multicast,
}, {
	Name: "VMCI_BUFFER_SIZE", Set: "SetVmciBufferSize", Get: "GetVmciBufferSize", Default: "0, which leaves it to VMCI", Want: needVmci,
	What: "the buffer size of a connection over VMCI, in bytes", More: vmci,
}, {
	Name: "VMCI_BUFFER_MIN_SIZE", Set: "SetVmciBufferMinSize", Get: "GetVmciBufferMinSize", Default: "0, which leaves it to VMCI", Want: needVmci,
	What: "the least buffer size of a connection over VMCI, in bytes", More: vmci,
}, {
	Name: "VMCI_BUFFER_MAX_SIZE", Set: "SetVmciBufferMaxSize", Get: "GetVmciBufferMaxSize", Default: "0, which leaves it to VMCI", Want: needVmci,
	What: "the largest buffer size of a connection over VMCI, in bytes", More: vmci,
}, {
	Name: "VMCI_CONNECT_TIMEOUT", Set: "SetVmciConnectTimeout", Get: "GetVmciConnectTimeout", Default: "VMCI's own",
	What: "how long an attempt to connect over VMCI may take", More: vmci,
}}
