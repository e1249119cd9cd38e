package diagnose

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

var update = flag.Bool("update", false, "write the .want files anew")

const reports = "../../../testdata/backtraces"

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// TestReports reads every report and compares the verdict with the file beside
// it.
func TestReports(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reports, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			report, err := os.Open(file)
			require.NoError(t, err)
			defer report.Close()
			v, err := Read(report, "")
			require.NoError(t, err)

			golden := strings.TrimSuffix(file, ".txt") + ".want"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(v.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "run the test with -update to make it")
			assert.Equal(t, string(want), v.String())
		})
	}
}

// TestReportsAreNamedForTheirHazard keeps a careless -update from hiding a
// change of verdict.
func TestReportsAreNamedForTheirHazard(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(reports, "*.want"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		hazard, _, _ := strings.Cut(string(want), " (")
		hazard, _, _ = strings.Cut(hazard, ":")
		assert.True(t, strings.HasPrefix(filepath.Base(file), hazard+"."), "%s says %s", filepath.Base(file), hazard)
		assert.FileExists(t, strings.TrimSuffix(file, ".want")+".txt")
	}
}

func diagnose(t *testing.T, report, release string) Verdict {
	t.Helper()
	v, err := Read(strings.NewReader(report), release)
	require.NoError(t, err)
	return v
}

func TestReleaseDecidesTheFunction(t *testing.T) {
	const line = "Bad file descriptor (src/epoll.cpp:100)\n"
	tests := []struct {
		release, report string
		want            []string
	}{
		{"4.3.4", line, []string{"epoll_t::add_fd"}},
		{"4.3.0", line, []string{"epoll_t::add_fd"}},
		{"4.3.5", line, []string{"epoll_t::set_pollin"}},
		{"4.2.3", line, []string{"epoll_t::rm_fd"}},
		{"", line, []string{"epoll_t::set_pollin", "epoll_t::add_fd", "epoll_t::rm_fd"}},
		{"9.9.9", line, []string{"epoll_t::set_pollin", "epoll_t::add_fd", "epoll_t::rm_fd"}}, // not in the table
		{"", line + "/usr/lib/libzmq.so.5.2.4\n", []string{"epoll_t::add_fd"}},
		{"", line + "/usr/lib/libzmq.so.5.2.5\n", []string{"epoll_t::set_pollin"}},
		{"4.3.4", line + "/usr/lib/libzmq.so.5.2.5\n", []string{"epoll_t::add_fd"}}, // what was given wins
		{"4.3.4", "Bad file descriptor (src/epoll.cpp:187)\n", []string{"epoll_t::loop"}},
		{"4.2.5", "Bad file descriptor (/build/libzmq/src/epoll.cpp:90)\n", []string{"epoll_t::add_fd"}},
		{"4.3.5", "Bad file descriptor (epoll.cpp:73)\n", []string{"epoll_t::add_fd"}},
	}
	for _, tt := range tests {
		v := diagnose(t, tt.report, tt.release)
		assert.Equal(t, "fd-sweep", v.Hazard)
		assert.Equal(t, Low, v.Confidence, "an abort line alone doesn't tell who closed the descriptor")
		var got []string
		for _, f := range v.Functions {
			got = append(got, f.Name)
		}
		assert.Equal(t, tt.want, got, "%q with %q", tt.report, tt.release)
	}
}

func TestLineThatTheReleaseDoesNotHave(t *testing.T) {
	v := diagnose(t, "Bad file descriptor (src/epoll.cpp:100)\n", "4.2.5")
	assert.Equal(t, "fd-sweep", v.Hazard)
	assert.Equal(t, Low, v.Confidence)
	assert.Empty(t, v.Functions)
	assert.Contains(t, v.Why[0].Means, "line 100 of epoll.cpp can't abort in libzmq 4.2.5")
	assert.Contains(t, v.Next, whichLibzmq)
}

func TestFindRelease(t *testing.T) {
	for line, want := range map[string]string{
		"#4 ?? () from /usr/lib/x86_64-linux-gnu/libzmq.so.5.2.4": "4.3.4",
		"/lib/libzmq.so.5.1.5(+0x1)":                              "4.2.5",
		"ZeroMQ 5.2.4":                                            "4.3.4",
		"built with libzmq 4.3.5":                                 "4.3.5",
		"/build/zeromq3-4.3.4/src/epoll.cpp":                      "4.3.4",
		"/home/user/.conan/libzmq/4.3.2/src":                      "4.3.2",
		"github.com/pebbe/zmq4@v1.4.0/zmq4.go:240":                "",
		"libzmq.so.5":                                             "",
		"pyzmq 22.3.0":                                            "",
	} {
		assert.Equal(t, want, findRelease(line), line)
	}
}

func TestMalformedReleaseIsRefused(t *testing.T) {
	for _, release := range []string{"4", "4.3", "v4.3.4", "4.3.4-6", "latest", " 4.3.4"} {
		_, err := Read(strings.NewReader(""), release)
		assert.ErrorContains(t, err, "give three numbers, such as 4.3.4", release)
	}
}

func TestErrorsOfTheReader(t *testing.T) {
	broken := errors.New("broken")
	_, err := Read(iotest.ErrReader(broken), "")
	assert.ErrorIs(t, err, broken)
}

func TestReportThatIsTooLarge(t *testing.T) {
	_, err := Read(bytes.NewReader(make([]byte, MaxSize+1)), "")
	assert.ErrorContains(t, err, "larger than 16 MiB")
}

func TestLargestReport(t *testing.T) {
	noise := strings.Repeat("2026-01-02T03:04:05Z INFO handler served a request in 12 ms\n", MaxSize/70)
	v := diagnose(t, noise+"Bad file descriptor (src/epoll.cpp:100)\n", "4.3.4")
	assert.Equal(t, "fd-sweep", v.Hazard)
}

func TestLineThatIsVeryLong(t *testing.T) {
	for _, report := range []string{
		strings.Repeat("x", 1<<20) + ": Bad file descriptor (src/epoll.cpp:100)" + strings.Repeat("y", 1<<20),
		strings.Repeat("é", 1<<19) + ": Bad file descriptor (src/epoll.cpp:100)",
	} {
		v := diagnose(t, report, "4.3.4")
		require.Equal(t, "fd-sweep", v.Hazard)
		assert.Contains(t, v.Why[0].Text, "epoll.cpp:100")
		assert.Less(t, len(v.Why[0].Text), 200)
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(reports, "*.txt"))
	for _, file := range files {
		if report, err := os.ReadFile(file); err == nil && len(report) < 10_000 {
			f.Add(string(report))
		}
	}
	f.Fuzz(func(t *testing.T, report string) {
		v, err := Read(strings.NewReader(report), "")
		require.NoError(t, err)
		if v.Hazard == Unknown {
			assert.NotEmpty(t, v.Next, "unknown says what to collect")
			return
		}
		_, known := explain.Find(v.Hazard)
		assert.True(t, known, v.Hazard)
		assert.NotEmpty(t, v.Confidence)
		assert.NotEmpty(t, v.Why, "a hazard is named on evidence")
	})
}
