package zap

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rules are functions that add to a policy.
type rules []func(p *Policy)

func (r rules) policy() *Policy {
	p := NewPolicy()
	for _, rule := range r {
		rule(p)
	}
	return p
}

func allow(domain string, addresses ...string) func(p *Policy) {
	return func(p *Policy) { p.Allow(domain, addresses...) }
}

func deny(domain string, addresses ...string) func(p *Policy) {
	return func(p *Policy) { p.Deny(domain, addresses...) }
}

func user(domain, name, password string) func(p *Policy) {
	return func(p *Policy) { p.Add(Plain, domain, name, password) }
}

func key(domain, text string) func(p *Policy) {
	return func(p *Policy) { p.Add(Curve, domain, text, "") }
}

func remove(mechanism, domain string, names ...string) func(p *Policy) {
	return func(p *Policy) { p.Remove(mechanism, domain, names...) }
}

func removeAll(mechanism, domain string) func(p *Policy) {
	return func(p *Policy) { p.RemoveAll(mechanism, domain) }
}

func TestPolicy(t *testing.T) {
	null := []string{Null}
	gssapi := []string{"GSSAPI", "who"}
	plain := func(name, password string) []string { return []string{Plain, name, password} }
	curve := func(k keyPair) []string { return []string{Curve, k.binary} }
	const (
		yes       = ""
		notListed = "address not on the allow list"
		listed    = "address on the deny list"
		unknown   = "unknown credentials"
	)
	for name, c := range map[string]struct {
		rules           rules
		domain, address string
		mechanism       []string
		want            string
	}{
		"null without rules":    {rules{}, "d", "1.2.3.4", null, yes},
		"plain without rules":   {rules{}, "d", "1.2.3.4", plain("u", "p"), unknown},
		"curve without rules":   {rules{}, "d", "1.2.3.4", curve(alice), unknown},
		"other without rules":   {rules{}, "d", "1.2.3.4", gssapi, unknown},
		"other on allow list":   {rules{allow("d", "1.2.3.4")}, "d", "1.2.3.4", gssapi, yes},
		"other not denied":      {rules{deny("d", "1.2.3.4")}, "d", "1.2.3.5", gssapi, yes},
		"other denied":          {rules{deny("d", "1.2.3.4")}, "d", "1.2.3.4", gssapi, listed},
		"other, only a mistake": {rules{deny("d", "1.2.3.400")}, "d", "1.2.3.4", gssapi, unknown},
		"allowed":               {rules{allow("d", "1.2.3.4")}, "d", "1.2.3.4", null, yes},
		"not allowed":           {rules{allow("d", "1.2.3.4")}, "d", "1.2.3.5", null, notListed},
		"allowed elsewhere":     {rules{allow("d", "1.2.3.4")}, "e", "1.2.3.5", null, yes},
		"allowed for all":       {rules{allow("*", "1.2.3.4")}, "e", "1.2.3.4", null, yes},
		"not allowed for all":   {rules{allow("*", "1.2.3.4")}, "e", "1.2.3.5", null, notListed},
		"second allowed":        {rules{allow("d", "1.2.3.4"), allow("d", "1.2.3.5")}, "d", "1.2.3.5", null, yes},
		"allowed network":       {rules{allow("d", "10.1.0.0/16")}, "d", "10.1.2.3", null, yes},
		"not allowed network":   {rules{allow("d", "10.1.0.0/16")}, "d", "10.2.2.3", null, notListed},
		"address for a domain":  {rules{allow("1.2.3.4", "1.2.3.5")}, "d", "1.2.3.4", null, yes},
		"address for domain, 2": {rules{allow("1.2.3.4", "1.2.3.5")}, "d", "1.2.3.5", null, yes},
		"address for domain, 3": {rules{allow("1.2.3.4", "1.2.3.5")}, "d", "1.2.3.6", null, notListed},
		"address for domain, 4": {rules{allow("1.2.3.4", "localhost")}, "d", "1.2.3.4", null, yes},
		"network for a domain":  {rules{deny("10.1.0.0/16")}, "d", "10.1.2.3", null, listed},
		"no addresses":          {rules{allow("d")}, "d", "1.2.3.4", null, yes},
		"only a mistake":        {rules{allow("d", "localhost")}, "d", "127.0.0.1", null, notListed},
		"a mistake, allowed":    {rules{allow("d", "localhost", "1.2.3.4")}, "d", "1.2.3.4", null, yes},
		"a mistake afterwards":  {rules{allow("d", "1.2.3.4"), allow("d", "localhost")}, "d", "1.2.3.4", null, yes},
		"denied":                {rules{deny("d", "1.2.3.4")}, "d", "1.2.3.4", null, listed},
		"not denied":            {rules{deny("d", "1.2.3.4")}, "d", "1.2.3.5", null, yes},
		"denied mistake":        {rules{deny("d", "1.2.3.400")}, "d", "1.2.3.4", null, yes},
		"denied for all":        {rules{deny("*", "10.0.0.0/8")}, "d", "10.1.2.3", null, listed},
		"allowed and denied":    {rules{allow("d", "1.2.3.4"), deny("d", "1.2.3.4")}, "d", "1.2.3.4", null, yes},
		"v6":                    {rules{allow("d", "2001:db8::/32")}, "d", "2001:db8::1", null, yes},
		"v6 spelled otherwise":  {rules{deny("d", "2001:0db8:0:0::1")}, "d", "2001:db8::1", null, listed},
		"v4 seen by v6":         {rules{deny("d", "1.2.3.4")}, "d", "::ffff:1.2.3.4", null, listed},
		"v4 written as v6":      {rules{allow("d", "::ffff:1.2.3.4")}, "d", "1.2.3.4", null, yes},
		"v6 with zone":          {rules{deny("d", "fe80::/10")}, "d", "fe80::1%eth0", null, listed},
		"v4 in ::/0":            {rules{deny("d", "::/0")}, "d", "::ffff:1.2.3.4", null, listed},
		"v4 in ::/0, for all":   {rules{deny("::/0")}, "d", "::ffff:1.2.3.4", null, listed},
		"v4 in a wide network":  {rules{deny("d", "2001:db8::/32", "::fffe:0:0/95")}, "d", "::ffff:1.2.3.4", null, listed},
		"v4 in ::/80":           {rules{deny("d", "::/80")}, "d", "::ffff:1.2.3.4", null, listed},
		"all v4 written as v6":  {rules{deny("d", "::ffff:0:0/96")}, "d", "::ffff:1.2.3.4", null, listed},
		"some v4 written as v6": {rules{deny("d", "::ffff:1.2.0.0/112")}, "d", "::ffff:1.2.3.4", null, listed},
		"other v4, as v6":       {rules{deny("d", "::ffff:1.3.0.0/112")}, "d", "::ffff:1.2.3.4", null, yes},
		"v4 not in ::/96":       {rules{deny("d", "::/96")}, "d", "::ffff:1.2.3.4", null, yes},
		"v4 not in 2000::/3":    {rules{deny("d", "2000::/3")}, "d", "::ffff:1.2.3.4", null, yes},
		"v4 not seen by v6":     {rules{deny("d", "::/0")}, "d", "1.2.3.4", null, yes},
		"v6 in ::/0":            {rules{deny("d", "::/0")}, "d", "2001:db8::1", null, listed},
		"v6 not in 0.0.0.0/0":   {rules{deny("d", "0.0.0.0/0")}, "d", "2001:db8::1", null, yes},
		"v4 in 0.0.0.0/0":       {rules{deny("d", "0.0.0.0/0")}, "d", "::ffff:1.2.3.4", null, listed},
		"v4, only v6 allowed":   {rules{allow("d", "::/0")}, "d", "::ffff:1.2.3.4", null, notListed},
		"v4, all allowed":       {rules{allow("d", "::/0", "0.0.0.0/0")}, "d", "::ffff:1.2.3.4", null, yes},
		"not tcp, allowed":      {rules{allow("d", "1.2.3.4")}, "d", ":1000:1000:77", null, notListed},
		"not tcp, all allowed":  {rules{allow("d", "0.0.0.0/0", "::/0")}, "d", "", null, notListed},
		"not tcp, denied":       {rules{deny("d", "1.2.3.4")}, "d", "", null, yes},

		"user":                    {rules{user("d", "u", "p")}, "d", "1.2.3.4", plain("u", "p"), yes},
		"wrong password":          {rules{user("d", "u", "p")}, "d", "1.2.3.4", plain("u", "q"), unknown},
		"unknown user":            {rules{user("d", "u", "p")}, "d", "1.2.3.4", plain("v", "p"), unknown},
		"unknown, empty password": {rules{user("d", "u", "p")}, "d", "1.2.3.4", plain("v", ""), unknown},
		"user of another domain":  {rules{user("d", "u", "p")}, "e", "1.2.3.4", plain("u", "p"), unknown},
		"user of all domains":     {rules{user("*", "u", "p")}, "e", "1.2.3.4", plain("u", "p"), yes},
		"user named *":            {rules{user("d", "*", "p")}, "d", "1.2.3.4", plain("u", "p"), unknown},
		"user named as a key":     {rules{key("d", alice.text), key("d", "*")}, "d", "1.2.3.4", plain(alice.text, ""), unknown},
		"new password":            {rules{user("d", "u", "p"), user("d", "u", "q")}, "d", "1.2.3.4", plain("u", "p"), unknown},
		"user removed":            {rules{user("d", "u", "p"), remove(Plain, "d", "x", "u")}, "d", "1.2.3.4", plain("u", "p"), unknown},
		"removed elsewhere":       {rules{user("d", "u", "p"), remove(Plain, "e", "u")}, "d", "1.2.3.4", plain("u", "p"), yes},
		"users removed":           {rules{user("d", "u", "p"), removeAll(Plain, "d")}, "d", "1.2.3.4", plain("u", "p"), unknown},
		"keys removed, not users": {rules{user("d", "u", "p"), removeAll(Curve, "d")}, "d", "1.2.3.4", plain("u", "p"), yes},
		"user denied":             {rules{deny("d", "1.2.3.4"), user("d", "u", "p")}, "d", "1.2.3.4", plain("u", "p"), listed},
		"allowed, no user":        {rules{allow("d", "1.2.3.4")}, "d", "1.2.3.4", plain("u", "p"), unknown},

		"key":                   {rules{key("d", alice.text)}, "d", "1.2.3.4", curve(alice), yes},
		"other key":             {rules{key("d", alice.text)}, "d", "1.2.3.4", curve(bob), unknown},
		"key of another domain": {rules{key("d", alice.text)}, "e", "1.2.3.4", curve(alice), unknown},
		"key for all domains":   {rules{key("*", bob.text), key("*", alice.text)}, "e", "1.2.3.4", curve(alice), yes},
		"any key":               {rules{key("d", "*")}, "d", "1.2.3.4", curve(bob), yes},
		"any key for all":       {rules{key("*", "*")}, "d", "1.2.3.4", curve(bob), yes},
		"no key":                {rules{key("d", "*"), key("d", "")}, "d", "1.2.3.4", []string{Curve, "short"}, unknown},
		"key removed":           {rules{key("d", alice.text), remove(Curve, "d", alice.text)}, "d", "1.2.3.4", curve(alice), unknown},
		"keys removed":          {rules{key("d", "*"), removeAll(Curve, "d")}, "d", "1.2.3.4", curve(alice), unknown},
		"key not allowed":       {rules{allow("d", "1.2.3.5"), key("d", alice.text)}, "d", "1.2.3.4", curve(alice), notListed},
		"user, not a key":       {rules{user("d", alice.text, "")}, "d", "1.2.3.4", curve(alice), unknown},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(append([]string{"1.0", "77", c.domain, c.address, "identity"}, c.mechanism...))
			require.NoError(t, err)
			err = c.rules.policy().Check(r)
			if c.want == yes {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, c.want)
			}
		})
	}
}

func TestMalformedAddresses(t *testing.T) {
	p := NewPolicy()
	assert.Empty(t, p.Allow("d", "1.2.3.4", "10.0.0.0/8", "::1", "2001:db8::/32"))
	assert.Empty(t, p.Allow("1.2.3.4"), "a domain that is an address")
	assert.Equal(t, []string{"localhost", "", "10.0.0.0/33", "*"}, p.Allow("d", "localhost", "", "1.2.3.4", "10.0.0.0/33", "*"))
	assert.Equal(t, []string{"1.2.3.400"}, p.Deny("10.0.0.0/8", "1.2.3.400"))
}

// The user becomes known only after the address is denied. A check that mixed
// the rules before and after would admit the peer.
func TestCheckSeesOneState(t *testing.T) {
	r, err := Parse([]string{"1.0", "1", "d", "1.2.3.4", "", Plain, "u", "p"})
	require.NoError(t, err)
	for range 1000 {
		p := NewPolicy()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 10 {
					assert.Error(t, p.Check(r))
				}
			})
		}
		wg.Go(func() {
			p.Deny("d", "1.2.3.4")
			p.Add(Plain, "d", "u", "p")
		})
		wg.Go(func() {
			p.Allow("e", "1.2.3.4")
			p.Remove(Plain, "d", "v")
			p.RemoveAll(Curve, "d")
		})
		wg.Wait()
	}
}
