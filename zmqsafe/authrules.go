package zmqsafe

import (
	"log/slog"
	"net"
)

// The rules of authentication: what they have in common is in doc.go.

// AuthAllow puts addresses on the whitelist of a domain. Its servers then refuse
// peers from elsewhere; with PLAIN and CURVE those on the list still have to show
// who they are.
//
// An address is an IP address, or a network in CIDR notation. What is neither is
// logged, and no peer matches it. Domain "*" stands for all domains. If domain
// itself is an address, it and the others are for all domains.
func AuthAllow(domain string, addresses ...string) {
	domain, addresses = addressRule(domain, addresses)
	networks := parseNetworks("AuthAllow", addresses)
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(addresses) > 0 {
		// Not nil even if nothing was understood: then nobody is allowed, not everybody.
		p.allow[domain] = append(append([]*net.IPNet{}, p.allow[domain]...), networks...)
	}
}

// AuthDeny puts addresses on the blacklist of a domain. Its servers then refuse
// peers from there, whoever they are. If there is a whitelist for the domain,
// only that counts. The arguments are as for AuthAllow.
func AuthDeny(domain string, addresses ...string) {
	domain, addresses = addressRule(domain, addresses)
	networks := parseNetworks("AuthDeny", addresses)
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deny[domain] = append(p.deny[domain], networks...)
}

// addressRule moves a domain that is an address to the addresses.
func addressRule(domain string, addresses []string) (string, []string) {
	if parseNetwork(domain) == nil {
		return domain, addresses
	}
	return allDomains, append([]string{domain}, addresses...)
}

func parseNetworks(name string, addresses []string) (networks []*net.IPNet) {
	for _, address := range addresses {
		if network := parseNetwork(address); network != nil {
			networks = append(networks, network)
		} else {
			slog.Warn("AUTH: "+name+": not an IP address or a network in CIDR notation; no peer matches it", "address", address)
		}
	}
	return networks
}

// AuthPlainAdd adds a user for PLAIN to a domain, or with "*" to all domains. One
// who is there already gets the new password.
func AuthPlainAdd(domain, username, password string) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	put(p.users, domain, username, password)
}

// AuthPlainRemove removes users for PLAIN from a domain. Connections that they have
// stay.
func AuthPlainRemove(domain string, usernames ...string) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, username := range usernames {
		delete(p.users[domain], username)
	}
}

// AuthPlainRemoveAll removes all users for PLAIN from a domain.
func AuthPlainRemoveAll(domain string) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.users, domain)
}

// AuthCurveAdd adds public keys of clients for CURVE to a domain, or with "*" to
// all domains. A key is 40 characters of Z85, as NewCurveKeypair makes it, or
// CURVE_ALLOW_ANY for every client that knows the server's public key.
func AuthCurveAdd(domain string, pubkeys ...string) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range pubkeys {
		put(p.keys, domain, key, true)
	}
}

// AuthCurveRemove removes public keys for CURVE from a domain. Connections that
// their owners have stay.
func AuthCurveRemove(domain string, pubkeys ...string) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range pubkeys {
		delete(p.keys[domain], key)
	}
}

// AuthCurveRemoveAll removes all public keys for CURVE from a domain.
func AuthCurveRemoveAll(domain string) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, domain)
}

// put is m[domain][key] = v.
func put[V any](m map[string]map[string]V, domain, key string, v V) {
	if m[domain] == nil {
		m[domain] = make(map[string]V)
	}
	m[domain][key] = v
}

// AuthSetVerbose sets whether starting, stopping and each decision is logged, at
// level Info of slog.Default(). Passwords never are.
func AuthSetVerbose(verbose bool) { auth.policy.verbose.Store(verbose) }

// AuthSetMetadataHandler sets a function that is called for each peer that is let
// in, and returns what RecvMessageWithMetadata is to tell of its messages:
// User-Id, Identity, and properties of the program's own, with names of 255 bytes
// at most. Nil, which is the default, adds none. Its arguments are the frames of
// the request, see https://rfc.zeromq.org/spec/27; the credentials are a user
// name and a password with PLAIN, and a public key of 32 bytes with CURVE.
//
// It is called for one peer after the other, on a goroutine of the package's, and
// may call all Auth functions. Peers wait for it.
func AuthSetMetadataHandler(handler func(version, requestID, domain, address, identity, mechanism string, credentials ...string) (metadata map[string]string)) {
	p := &auth.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = handler
}
