package explain

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

func TestExplain(t *testing.T) {
	for args, want := range map[string]struct {
		status         int
		stdout, stderr string
	}{
		"fd-sweep":             {cli.OK, "fd-sweep: exit clean-up closes descriptors while ", ""},
		"half-sent-message":    {cli.OK, "half-sent-message: a linger ends ", ""},
		"-h":                   {cli.OK, "Usage: zmq-exit explain HAZARD\n", ""},
		"":                     {cli.Usage, "", "zmq-exit explain: one hazard is wanted, not 0: the hazards are auth-stop, blocked-threads, "},
		"fd-sweep stray-close": {cli.Usage, "", "zmq-exit explain: one hazard is wanted, not 2: the hazards are "},
		"nothing":              {cli.Usage, "", `zmq-exit explain: unknown hazard "nothing": the hazards are auth-stop, `},
		"fd-sweep -json":       {cli.Usage, "", "zmq-exit explain: flag provided but not defined: -json\nSee zmq-exit explain -h.\n"},
	} {
		var stdout, stderr bytes.Buffer
		status := Command("zmq-exit explain", strings.Fields(args), &stdout, &stderr)
		assert.Equal(t, want.status, status, args)
		assert.True(t, strings.HasPrefix(stdout.String(), want.stdout), "%s\n%s", args, &stdout)
		assert.True(t, strings.HasPrefix(stderr.String(), want.stderr), "%s\n%s", args, &stderr)
		assert.Equal(t, want.stdout == "", stdout.Len() == 0, args)
		assert.Equal(t, want.stderr == "", stderr.Len() == 0, args)
	}
}
