package conformance

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	_ "github.com/zmqsafe/zmq-exit/zmqsafe" // what a cached result of go test depends on
)

var (
	runs  = flag.Int("conformance.runs", 10, "run the suite on zmqsafe in `n` processes (-short: in one)")
	count = flag.Int("conformance.count", 1, "run each test `n` times in a process, which shows what tests leave behind")
)

func TestMain(m *testing.M) {
	if binary := os.Getenv(aloneVariable); binary != "" {
		fmt.Fprintln(os.Stderr, "can't be alone:", becomeAlone(binary))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func TestSuite(t *testing.T) {
	n := *runs
	if testing.Short() {
		n = 1
	}
	require.Positive(t, n)
	onRaw, onZmqsafe := buildSuites(t)
	names, err := onRaw.list(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, names)
	guardedNames, err := onZmqsafe.list(t.Context())
	require.NoError(t, err)
	require.Equal(t, names, guardedNames)

	results := runSuites(t, append([]suite{onRaw}, slices.Repeat([]suite{onZmqsafe}, n)...))
	raw, guarded := results[0], results[1:]
	if raw.err != nil {
		t.Logf("raw: %v\n%s", raw.err, raw.output)
	}
	for i, r := range guarded {
		assert.NoError(t, r.err, "process %d of %d:\n%s", i+1, n, r.output)
	}
	for _, name := range names {
		want := passed
		if raw.verdict(name) == skipped {
			want = skipped
		}
		assert.Equal(t, n, having(guarded, name, want), "processes in which %s %s", name, want)
	}
	printTable(t, names, raw, guarded)
}

// having counts the runs in which a test had the verdict.
func having(results []result, name string, v verdict) (n int) {
	for _, r := range results {
		if r.verdict(name) == v {
			n++
		}
	}
	return n
}

// printTable shows raw and guarded side by side; the last line is the suite.
func printTable(t *testing.T, names []string, raw result, guarded []result) {
	out := tabwriter.NewWriter(t.Output(), 0, 0, 3, ' ', 0)
	defer out.Flush()
	fmt.Fprintln(out, "test\traw\traw, s\tguarded, s (median)\tguarded passed in")
	for _, name := range names {
		fmt.Fprintf(out, "%s\t%s\t%.2f\t%.2f\t%d of %d\n", name, raw.verdict(name), raw.took(name).Seconds(),
			median(guarded, func(r result) time.Duration { return r.took(name) }).Seconds(),
			having(guarded, name, passed), len(guarded))
	}
	fmt.Fprintf(out, "all\t\t%.2f\t%.2f\t\n", raw.total.Seconds(),
		median(guarded, func(r result) time.Duration { return r.total }).Seconds())
}

func median(results []result, of func(result) time.Duration) time.Duration {
	all := make([]time.Duration, len(results))
	for i, r := range results {
		all[i] = of(r)
	}
	slices.Sort(all)
	return all[len(all)/2]
}
