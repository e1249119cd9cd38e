package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/internal/patience"
	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

// childVariable is set in the environment of child processes, in which the test
// binary runs the services instead of tests.
const childVariable = "SERVICES_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		patience.Bound = limit          // a busy system is late with lines that tests look for
		quiet, bound = 4*quiet, 2*bound // twice that, for a receiver, is less than its grace
		main()
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := zmqsafetest.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

// limit is how long anything in these tests may take before it has hung.
const limit = time.Minute

// run runs the services in this process.
func run(args ...string) (stdout, stderr string, status int) {
	var out, errOut bytes.Buffer
	status = services(args, &out, &errOut)
	return out.String(), errOut.String(), status
}

func TestHelp(t *testing.T) {
	for args, want := range map[string]string{
		"-h":          "Every command has its own -h.",
		"sender -h":   `(default "tcp://broker:5557")`,
		"broker -h":   "take messages at endpoint",
		"receiver -h": "raw (pebbe/zmq4) or guarded (zmqsafe)",
		"counts -h":   "first wait for what",
	} {
		t.Run(args, func(t *testing.T) {
			stdout, stderr, status := run(strings.Fields(args)...)
			assert.Equal(t, exitOK, status)
			assert.True(t, strings.HasPrefix(stdout, "Usage:"), stdout)
			assert.Contains(t, stdout, want)
			assert.Empty(t, stderr)
		})
	}
}

func TestWrongUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                          "a command is wanted: sender, broker, receiver or counts",
		"proxy":                     `unknown command "proxy": the commands are sender, broker, receiver, counts`,
		"sender -mode fast":         `unknown mode "fast": the modes are raw and guarded`,
		"sender -in tcp://*:5557":   "flag provided but not defined: -in",
		"receiver -out tcp://*:555": "flag provided but not defined: -out",
		"broker now":                `no arguments are wanted, not ["now"]`,
		"counts -wait end":          `-wait "end": it must be flow or still`,
		"counts -limit long":        `invalid value "long" for flag -limit`,
	} {
		t.Run(args, func(t *testing.T) {
			stdout, stderr, status := run(strings.Fields(args)...)
			assert.Equal(t, exitUsage, status)
			assert.Contains(t, stderr, want)
			assert.Regexp(t, `\nSee services.* -h\.\n$`, stderr)
			assert.Empty(t, stdout)
		})
	}
}

func TestFailures(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for args, want := range map[string]string{
		"counts -counts " + missing:                        "missing/counts: no such file or directory",
		"sender -counts " + missing:                        "services sender: open ",
		"sender -mode raw -out nowhere -counts .":          "invalid argument",
		"counts -wait flow -limit 1ms -counts .":           "services counts: not flow within 1ms: accepted=0 ",
		"counts -wait still -limit 1ms -counts .":          "services counts: not still within 1ms: accepted=0 ",
		"broker -mode raw -in tcp://1.2.3.4:5 -counts .":   "cannot assign requested address",
		"receiver -mode raw -in udp://127.0.0.1 -counts .": "services receiver: ",
	} {
		t.Run(args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			_, stderr, status := run(strings.Fields(args)...)
			assert.Equal(t, exitFailed, status)
			assert.Contains(t, stderr, want)
		})
	}
}
