package zmqsafetest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestVerifyNone(t *testing.T) {
	fake := &fakeTB{TB: t}
	VerifyNone(fake)
	assert.Empty(t, fake.errors)
	newContext(t)
	VerifyNone(fake, IgnoreCurrent())
	assert.Empty(t, fake.errors)
	VerifyNone(fake)
	require.Len(t, fake.errors, 1)
	assert.Contains(t, fake.errors[0], "0 sockets in 1 context")
}

type fakeM int

func (m fakeM) Run() int { return int(m) }

func TestVerifyTestMain(t *testing.T) {
	for name, test := range map[string]struct {
		m        fakeM
		leaky    bool
		ignoring bool
		code     int
		reports  bool
	}{
		"pass":          {},
		"pass and leak": {leaky: true, code: 1, reports: true},
		"leak ignored":  {leaky: true, ignoring: true},
		"fail and leak": {m: 3, leaky: true, code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := inChild(t, func() {
				if test.leaky {
					ctx, err := zmqsafe.NewContext()
					require.NoError(t, err)
					defer func() { _ = ctx.Close() }() // keeps it from being lost
				}
				var options []Option
				if test.ignoring {
					options = append(options, IgnoreCurrent())
				}
				VerifyTestMain(test.m, options...)
				os.Exit(99)
			})
			assert.Equal(t, test.code, code, "%s", out)
			if test.reports {
				assert.Contains(t, out, "zmqsafetest: still open: 0 sockets in 1 context\n")
			} else {
				assert.Empty(t, out)
			}
		})
	}
}
