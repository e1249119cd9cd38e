package zmqsafe

import (
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
)

func TestAuthRules(t *testing.T) {
	alice, bob := newKeyPair(t), newKeyPair(t)
	null := []string{"NULL"}
	plain := func(user, password string) []string { return []string{"PLAIN", user, password} }
	curve := func(k keyPair) []string { return []string{"CURVE", zmq4.Z85decode(k.public)} }
	allow := func(args ...string) func() { return func() { AuthAllow(args[0], args[1:]...) } }
	deny := func(args ...string) func() { return func() { AuthDeny(args[0], args[1:]...) } }
	both := func(rules ...func()) func() {
		return func() {
			for _, rule := range rules {
				rule()
			}
		}
	}
	const yes, no = "200", "400"
	for name, c := range map[string]struct {
		rules           func()
		domain, address string
		mechanism       []string
		want            string
	}{
		"null without rules":    {both(), "d", "1.2.3.4", null, yes},
		"plain without rules":   {both(), "d", "1.2.3.4", plain("u", "p"), no},
		"curve without rules":   {both(), "d", "1.2.3.4", curve(alice), no},
		"other without rules":   {both(), "d", "1.2.3.4", []string{"GSSAPI", "who"}, no},
		"other on whitelist":    {allow("d", "1.2.3.4"), "d", "1.2.3.4", []string{"GSSAPI", "who"}, yes},
		"other not denied":      {deny("d", "1.2.3.4"), "d", "1.2.3.5", []string{"GSSAPI", "who"}, yes},
		"other denied":          {deny("d", "1.2.3.4"), "d", "1.2.3.4", []string{"GSSAPI", "who"}, no},
		"allowed":               {allow("d", "1.2.3.4"), "d", "1.2.3.4", null, yes},
		"not allowed":           {allow("d", "1.2.3.4"), "d", "1.2.3.5", null, no},
		"allowed elsewhere":     {allow("d", "1.2.3.4"), "e", "1.2.3.5", null, yes},
		"allowed for all":       {allow("*", "1.2.3.4"), "e", "1.2.3.4", null, yes},
		"not allowed for all":   {allow("*", "1.2.3.4"), "e", "1.2.3.5", null, no},
		"second allowed":        {both(allow("d", "1.2.3.4"), allow("d", "1.2.3.5")), "d", "1.2.3.5", null, yes},
		"allowed network":       {allow("d", "10.1.0.0/16"), "d", "10.1.2.3", null, yes},
		"not allowed network":   {allow("d", "10.1.0.0/16"), "d", "10.2.2.3", null, no},
		"address for a domain":  {allow("1.2.3.4", "1.2.3.5"), "d", "1.2.3.4", null, yes},
		"address for domain, 2": {allow("1.2.3.4", "1.2.3.5"), "d", "1.2.3.5", null, yes},
		"address for domain, 3": {allow("1.2.3.4", "1.2.3.5"), "d", "1.2.3.6", null, no},
		"network for a domain":  {deny("10.1.0.0/16"), "d", "10.1.2.3", null, no},
		"no addresses":          {allow("d"), "d", "1.2.3.4", null, yes},
		"only a mistake":        {allow("d", "localhost"), "d", "127.0.0.1", null, no},
		"denied":                {deny("d", "1.2.3.4"), "d", "1.2.3.4", null, no},
		"not denied":            {deny("d", "1.2.3.4"), "d", "1.2.3.5", null, yes},
		"denied mistake":        {deny("d", "1.2.3.400"), "d", "1.2.3.4", null, yes},
		"denied for all":        {deny("*", "10.0.0.0/8"), "d", "10.1.2.3", null, no},
		"allowed and denied":    {both(allow("d", "1.2.3.4"), deny("d", "1.2.3.4")), "d", "1.2.3.4", null, yes},
		"v6":                    {allow("d", "2001:db8::/32"), "d", "2001:db8::1", null, yes},
		"v6 spelled otherwise":  {deny("d", "2001:0db8:0:0::1"), "d", "2001:db8::1", null, no},
		"v4 seen by v6":         {deny("d", "1.2.3.4"), "d", "::ffff:1.2.3.4", null, no},
		"v4 written as v6":      {allow("d", "::ffff:1.2.3.4"), "d", "1.2.3.4", null, yes},
		"v6 with zone":          {deny("d", "fe80::/10"), "d", "fe80::1%eth0", null, no},
		"not tcp, allowed":      {allow("d", "1.2.3.4"), "d", ":1000:1000:77", null, no},
		"not tcp, denied":       {deny("d", "1.2.3.4"), "d", "", null, yes},

		"user":                    {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("u", "p"), yes},
		"wrong password":          {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("u", "q"), no},
		"unknown user":            {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("v", "p"), no},
		"unknown, empty password": {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("v", ""), no},
		"user of another domain":  {func() { AuthPlainAdd("d", "u", "p") }, "e", "1.2.3.4", plain("u", "p"), no},
		"user of all domains":     {func() { AuthPlainAdd("*", "u", "p") }, "e", "1.2.3.4", plain("u", "p"), yes},
		"new password":            {func() { AuthPlainAdd("d", "u", "p"); AuthPlainAdd("d", "u", "q") }, "d", "1.2.3.4", plain("u", "p"), no},
		"user removed":            {func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemove("d", "x", "u") }, "d", "1.2.3.4", plain("u", "p"), no},
		"removed elsewhere":       {func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemove("e", "u") }, "d", "1.2.3.4", plain("u", "p"), yes},
		"users removed":           {func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemoveAll("d") }, "d", "1.2.3.4", plain("u", "p"), no},
		"user denied":             {both(deny("d", "1.2.3.4"), func() { AuthPlainAdd("d", "u", "p") }), "d", "1.2.3.4", plain("u", "p"), no},
		"allowed, no user":        {allow("d", "1.2.3.4"), "d", "1.2.3.4", plain("u", "p"), no},

		"key":                   {func() { AuthCurveAdd("d", alice.public) }, "d", "1.2.3.4", curve(alice), yes},
		"other key":             {func() { AuthCurveAdd("d", alice.public) }, "d", "1.2.3.4", curve(bob), no},
		"key of another domain": {func() { AuthCurveAdd("d", alice.public) }, "e", "1.2.3.4", curve(alice), no},
		"key for all domains":   {func() { AuthCurveAdd("*", bob.public, alice.public) }, "e", "1.2.3.4", curve(alice), yes},
		"any key":               {func() { AuthCurveAdd("d", zmq4.CURVE_ALLOW_ANY) }, "d", "1.2.3.4", curve(bob), yes},
		"no key":                {func() { AuthCurveAdd("d", zmq4.CURVE_ALLOW_ANY, "") }, "d", "1.2.3.4", []string{"CURVE", "short"}, no},
		"key removed":           {func() { AuthCurveAdd("d", alice.public); AuthCurveRemove("d", alice.public) }, "d", "1.2.3.4", curve(alice), no},
		"keys removed":          {func() { AuthCurveAdd("d", zmq4.CURVE_ALLOW_ANY); AuthCurveRemoveAll("d") }, "d", "1.2.3.4", curve(alice), no},
		"key not allowed":       {both(allow("d", "1.2.3.5"), func() { AuthCurveAdd("d", alice.public) }), "d", "1.2.3.4", curve(alice), no},
	} {
		t.Run(name, func(t *testing.T) {
			startAuth(t)
			c.rules()
			reply := ask(t, append([]string{"1.0", "77", c.domain, c.address, "identity", c.mechanism[0]}, c.mechanism[1:]...)...)
			assert.Equal(t, c.want, reply[0])
		})
	}
}
