// Package zap decides which peers may connect, and reads and writes the frames
// of ZAP, the protocol in which libzmq asks: https://rfc.zeromq.org/spec/27.
//
// libzmq sends a request for each connection and waits for one answer. A server
// passes the request to [Parse], and the result to [Policy.Check]. It answers
// with [OK], [NoAccess], [TryAgain] or [Malformed].
//
// The contract:
//   - Nothing here opens a socket, starts a goroutine, or logs.
//   - Parse takes any frames. Without an error its request is safe to use.
//   - A [Policy] is safe for concurrent use; a check sees one state of it.
//   - No error and no attribute contains a password.
package zap

import (
	"crypto/subtle"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Mechanisms, as libzmq writes them.
const (
	Null  = "NULL"
	Plain = "PLAIN"
	Curve = "CURVE"

	every = "*" // in rules, for each domain; as a key, CURVE_ALLOW_ANY
)

// Policy holds the rules that decide which peers may connect.
type Policy struct {
	mu    sync.Mutex
	allow addressLists                // guarded by mu
	deny  addressLists                // guarded by mu
	peers map[realm]map[string]string // guarded by mu; passwords by name
}

// realm is where a name is known: that of a user, or a public key in Z85.
type realm struct{ mechanism, domain string }

// NewPolicy returns a policy without rules. It admits all peers with NULL, and
// no others.
func NewPolicy() *Policy {
	return &Policy{allow: make(addressLists), deny: make(addressLists), peers: make(map[realm]map[string]string)}
}

// Allow adds addresses to the allow list of a domain. It returns those that are
// neither an IP address nor a network in CIDR notation. If domain is itself an
// address, it and the others are for all domains.
func (p *Policy) Allow(domain string, addresses ...string) (malformed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	malformed = p.allow.add(domain, addresses)
	if len(malformed) > 0 && p.allow[domain] == nil {
		p.allow[domain] = []*net.IPNet{} // then nobody is allowed, not everybody
	}
	return malformed
}

// Deny adds to the deny list of a domain, as [Policy.Allow] to its allow list.
func (p *Policy) Deny(domain string, addresses ...string) (malformed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deny.add(domain, addresses)
}

// Add makes a peer known: with [Plain] by user name and password, which
// replaces an earlier one; with [Curve] by public key, with an empty password.
func (p *Policy) Add(mechanism, domain, name, password string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := realm{mechanism, domain}
	if p.peers[in] == nil {
		p.peers[in] = make(map[string]string)
	}
	p.peers[in][name] = password
}

// Remove is the opposite of [Policy.Add].
func (p *Policy) Remove(mechanism, domain string, names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		delete(p.peers[realm{mechanism, domain}], name)
	}
}

// RemoveAll removes all names that were added for a mechanism and a domain.
func (p *Policy) RemoveAll(mechanism, domain string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.peers, realm{mechanism, domain})
}

// Check returns nil if the peer may connect, or an error that says why not. An
// allow list or else a deny list decides first; with PLAIN and CURVE the peers
// that it lets through must be known, too.
func (p *Policy) Check(r Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	allowList := p.allow.has(r.Domain)
	switch {
	case allowList && !p.allow.contain(r.Domain, r.Address):
		return errors.New("address not on the allow list")
	case !allowList && (p.deny.contain(r.Domain, r.Address) || p.deny.surround(r.Domain, r.Address)):
		return errors.New("address on the deny list")
	}
	var known bool
	switch r.Mechanism {
	case Null:
		known = true
	case Plain:
		known = p.knows(r, r.Credentials[0], r.Credentials[1])
	case Curve:
		key := z85Key(r.Credentials[0])
		known = key != "" && (p.knows(r, every, "") || p.knows(r, key, ""))
	default: // libzmq has checked the credentials; a list must have let the address through
		known = allowList || p.deny.has(r.Domain)
	}
	if !known {
		return errors.New("unknown credentials")
	}
	return nil
}

func (p *Policy) knows(r Request, name, password string) bool {
	for _, domain := range []string{r.Domain, every} {
		want, known := p.peers[realm{r.Mechanism, domain}][name]
		if known && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1 {
			return true
		}
	}
	return false
}

// addressLists has networks by domain; an address is a network of one.
type addressLists map[string][]*net.IPNet

func (l addressLists) add(domain string, addresses []string) (malformed []string) {
	if parseNetwork(domain) != nil {
		domain, addresses = every, append([]string{domain}, addresses...)
	}
	for _, address := range addresses {
		if network := parseNetwork(address); network != nil {
			l[domain] = append(l[domain], network)
		} else {
			malformed = append(malformed, address)
		}
	}
	return malformed
}

// has reports whether there is a list for domain, even an empty one.
func (l addressLists) has(domain string) bool { return l[domain] != nil || l[every] != nil }

// contain reports whether the lists for domain have an address that libzmq
// sent.
func (l addressLists) contain(domain, address string) bool {
	address, _, _ = strings.Cut(address, "%") // fe80::1%eth0: lists have no zones
	ip := net.ParseIP(address)                // nil, which is in no network, if the peer is not tcp
	return slices.ContainsFunc(slices.Concat(l[domain], l[every]), func(n *net.IPNet) bool { return n.Contains(ip) })
}

// surround reports whether the address is that of an IPv4 peer as a socket with
// SetIpv6 sees it, and one of the lists has an IPv6 network with all of these,
// such as ::/0. For contain it is an IPv4 address, which is in no IPv6 network:
// that is right for an allow list, which admits only whom it surely means.
func (l addressLists) surround(domain, address string) bool {
	address, _, _ = strings.Cut(address, "%")
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4In6() {
		return false
	}
	mapped := a.As16()
	return slices.ContainsFunc(slices.Concat(l[domain], l[every]), func(n *net.IPNet) bool {
		return len(n.Mask) == len(mapped) && n.IP.Equal(net.IP(mapped[:]).Mask(n.Mask))
	})
}

// parseNetwork parses an IP address or a network in CIDR notation; nil is
// neither. IPv4 addresses equal the IPv6 addresses that map them, since that is
// how a socket with SetIpv6 sees IPv4 peers.
func parseNetwork(address string) *net.IPNet {
	if _, network, err := net.ParseCIDR(address); err == nil {
		return network
	}
	if ip := net.ParseIP(address); ip != nil {
		return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}
	}
	return nil
}
