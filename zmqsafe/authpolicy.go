package zmqsafe

import (
	"crypto/subtle"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pebbe/zmq4"
)

// allDomains stands for every domain, in rules.
const allDomains = "*"

// authPolicy knows who may connect. None of the program's code is called with mu
// held.
type authPolicy struct {
	verbose atomic.Bool

	mu      sync.Mutex
	allow   addressLists                 // guarded by mu
	deny    addressLists                 // guarded by mu
	users   map[string]map[string]string // guarded by mu; by domain: names and passwords
	keys    map[string]map[string]bool   // guarded by mu; by domain: Z85, or CURVE_ALLOW_ANY
	handler metadataHandler              // guarded by mu; nil for none
}

type metadataHandler func(version, requestID, domain, address, identity, mechanism string, credentials ...string) map[string]string

func newAuthPolicy() authPolicy {
	return authPolicy{
		allow: make(addressLists),
		deny:  make(addressLists),
		users: make(map[string]map[string]string),
		keys:  make(map[string]map[string]bool),
	}
}

// admits decides about a peer, and says why. A whitelist or else a blacklist
// comes first; with PLAIN and CURVE also those who passed it must be known.
func (p *authPolicy) admits(r zapRequest) (admitted bool, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	whitelist := p.allow.has(r.domain)
	switch {
	case whitelist && !p.allow.contain(r.domain, r.address):
		return false, "DENIED (not in whitelist)"
	case !whitelist && p.deny.contain(r.domain, r.address):
		return false, "DENIED (blacklist)"
	}
	switch r.mechanism {
	case "NULL":
		admitted = true
	case "PLAIN":
		admitted = p.knowsUser(r.domain, r.credentials[0], r.credentials[1])
	case "CURVE":
		admitted = p.knowsKey(r.domain, r.credentials[0])
	default: // libzmq has checked what there is to check; a list of addresses must speak for the peer
		admitted = whitelist || p.deny.has(r.domain)
	}
	if admitted {
		return true, "ALLOWED (" + r.mechanism + ")"
	}
	return false, "DENIED (" + r.mechanism + ")"
}

func (p *authPolicy) knowsUser(domain, name, password string) bool {
	for _, d := range []string{domain, allDomains} {
		want, known := p.users[d][name]
		if known && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1 {
			return true
		}
	}
	return false
}

func (p *authPolicy) knowsKey(domain, key string) bool {
	text := z85Key(key)
	if text == "" {
		return false
	}
	for _, d := range []string{domain, allDomains} {
		if p.keys[d][zmq4.CURVE_ALLOW_ANY] || p.keys[d][text] {
			return true
		}
	}
	return false
}

func (p *authPolicy) metadataHandler() metadataHandler {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handler
}

// trace logs what AuthSetVerbose asks for.
func (p *authPolicy) trace(what string, attributes ...any) {
	if p.verbose.Load() {
		slog.Info("AUTH: "+what, attributes...)
	}
}

// addressLists has a list of networks for each domain; an address is a network
// of one.
type addressLists map[string][]*net.IPNet

// has reports whether there is a list that counts for domain, even an empty one.
func (l addressLists) has(domain string) bool { return l[domain] != nil || l[allDomains] != nil }

// contain reports whether an address as libzmq writes it is in a list that counts
// for domain.
func (l addressLists) contain(domain, address string) bool {
	address, _, _ = strings.Cut(address, "%") // fe80::1%eth0: lists have no zones
	ip := net.ParseIP(address)
	if ip == nil {
		return false // not tcp
	}
	for _, d := range []string{domain, allDomains} {
		for _, network := range l[d] {
			if network.Contains(ip) {
				return true
			}
		}
	}
	return false
}

// parseNetwork understands an IP address or a network in CIDR notation; nil is
// neither. An IPv4 address and the IPv6 address that maps it are the same, as a
// socket with SetIpv6 sees IPv4 peers.
func parseNetwork(address string) *net.IPNet {
	if _, network, err := net.ParseCIDR(address); err == nil {
		return network
	}
	if ip := net.ParseIP(address); ip != nil {
		return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}
	}
	return nil
}
