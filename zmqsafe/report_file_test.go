package zmqsafe

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/internal/patience"
	"github.com/zmqsafe/zmq-exit/linger"
)

const cantWrite = "zmqsafe: the closing report can't be written"

// writtenReport is a line of a report file, as far as these tests look at it.
type writtenReport struct {
	Version int
	MadeAt  string `json:"made_at"`
	Began   time.Time
	Done    bool
	Error   string
	Sockets []struct{ Type, Outcome string }
}

// reportsTo makes contexts write their reports to the file with a name, or to a
// new file.
func reportsTo(t *testing.T, name string) string {
	t.Helper()
	if name == "" {
		name = filepath.Join(t.TempDir(), "reports.json")
	}
	t.Setenv(ReportVariable, name)
	return name
}

func readReports(t *testing.T, text []byte) (reports []writtenReport) {
	t.Helper()
	for line := range strings.Lines(string(text)) {
		require.True(t, strings.HasSuffix(line, "\n"), "a whole line: %s", line)
		var r writtenReport
		require.NoError(t, json.Unmarshal([]byte(line), &r), "%s", line)
		assert.Equal(t, 1, r.Version)
		reports = append(reports, r)
	}
	return reports
}

func reportsIn(t *testing.T, name string) []writtenReport {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return readReports(t, text)
}

// patientReports lets a close wait for its report as long as a busy system
// needs to write it.
func patientReports(t *testing.T) {
	before := reportPatience
	reportPatience = limit
	t.Cleanup(func() { reportPatience = before })
}

// The first report truncates the file, later ones are appended.
func TestReportsAreWritten(t *testing.T) {
	file := reportsTo(t, "")
	require.NoError(t, os.WriteFile(file, []byte("of another run"), 0o600))
	for i, typ := range []Type{PUSH, PULL} {
		ctx := newContext(t)
		newSocket(t, ctx, typ)
		require.NoError(t, ctx.Close())
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		want, err := json.Marshal(ctx.Report())
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(string(text), string(want)+"\n"), "%s", text)
		require.NoError(t, ctx.Close(), "again")
		reports := reportsIn(t, file)
		require.Len(t, reports, i+1)
		r := reports[i]
		assert.True(t, r.Done)
		assert.Equal(t, ctx.Report().Site, r.MadeAt)
		require.Len(t, r.Sockets, 1)
		assert.Equal(t, typ.String(), r.Sockets[0].Type)
	}
}

// A Shutdown that stops waiting writes a report, and the end of the close
// another.
func TestReportOfAnOverrunIsFollowedByTheFinalOne(t *testing.T) {
	file := reportsTo(t, "")
	ctx := newPlain(t, WithCloseWait(false))
	arrives := lingering(t, ctx)
	bound, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, ctx.Shutdown(bound), context.DeadlineExceeded)
	reports := reportsIn(t, file)
	require.Len(t, reports, 1)
	require.False(t, reports[0].Done)
	require.Len(t, reports[0].Sockets, 1)
	assert.Equal(t, "holding", reports[0].Sockets[0].Outcome)

	arrives() // in another context
	bounded(t, "Shutdown", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
	reports = slices.DeleteFunc(reportsIn(t, file), func(r writtenReport) bool { return r.MadeAt != reports[0].MadeAt })
	require.Len(t, reports, 2)
	assert.True(t, reports[1].Done)
	assert.Equal(t, "gone", reports[1].Sockets[0].Outcome)
	assert.Equal(t, reports[0].Began, reports[1].Began)
}

// Many contexts close at the same time, and Shutdown abandons some. No line is
// torn, and the last one of each context is its final one.
func TestReportsOfManyContexts(t *testing.T) {
	const contexts = 30
	file := reportsTo(t, "")
	done := make(chan error)
	for i := range contexts {
		ctx := newPlain(t, WithLinger(linger.MustFor(time.Duration(i%3)*5*time.Millisecond)))
		sendToNobody(t, ctx)
		go func() {
			bound, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
			defer cancel()
			_ = ctx.Shutdown(bound)
			done <- ctx.Shutdown(context.Background())
		}()
	}
	for range contexts {
		_ = waitFor(t, "Shutdown", done) // some lose their message
	}
	require.Eventually(t, func() bool { // on a busy machine a close may not have waited for its report
		last := make(map[string]writtenReport)
		for _, r := range reportsIn(t, file) {
			last[r.Began.String()] = r
		}
		for _, r := range last {
			if !r.Done {
				return false
			}
		}
		return len(last) == contexts
	}, limit, time.Millisecond)
}

// A report that can't be written is one warning for each context, whose close
// returns nil anyway.
func TestReportThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	patientReports(t)
	fifo := filepath.Join(dir, "nobody-reads")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	for name, want := range map[string]string{
		filepath.Join(dir, "no-such-directory", "file"): "no such file or directory",
		dir:         "is a directory",
		fifo:        "no such device or address",
		"/dev/full": "no space left on device",
	} {
		reportsTo(t, name)
		var log syncBuffer
		ctx, err := NewContextWith(WithLogger(log.logger()), WithLinger(linger.Drop))
		require.NoError(t, err)
		newSocket(t, ctx, PUSH)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		for range 3 { // may be in time
			_ = ctx.Shutdown(done)
		}
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		line := log.line(t, cantWrite)
		assert.Equal(t, name, line["file"])
		assert.Equal(t, ctx.Report().Site, line["made_at"])
		assert.Contains(t, line["err"], want)
	}
}

// shutdownHandler calls Shutdown when it is logged that the report can't be
// written.
type shutdownHandler struct {
	slog.Handler
	shutdown func()
}

func (h shutdownHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Message == cantWrite {
		h.shutdown()
	}
	return nil
}

// No lock is held while that is logged.
func TestLoggerOfUnwrittenReportMayShutDown(t *testing.T) {
	reportsTo(t, t.TempDir())
	done, cancel := context.WithCancel(t.Context())
	cancel()
	var ctx *Context
	shutdown := func() { assert.ErrorIs(t, ctx.Shutdown(done), context.Canceled) }
	logger := slog.New(shutdownHandler{slog.Default().Handler(), shutdown})
	ctx = newContext(t, WithLogger(logger), WithLinger(linger.MustFor(time.Second)))
	sendToNobody(t, ctx)
	bounded(t, "Shutdown", shutdown)
}

func TestReportsAreWrittenToAPipe(t *testing.T) {
	patientReports(t)
	name := reportsTo(t, filepath.Join(t.TempDir(), "pipe"))
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	pipe, err := os.OpenFile(name, os.O_RDWR, 0) // a writer, too, so that reading never meets the end
	require.NoError(t, err)
	defer pipe.Close()
	for range 2 {
		ctx := newContext(t)
		require.NoError(t, ctx.Close())
		text := make([]byte, 1<<16)
		n, err := pipe.Read(text)
		require.NoError(t, err)
		reports := readReports(t, text[:n])
		require.Len(t, reports, 1)
		assert.Equal(t, ctx.Report().Site, reports[0].MadeAt)
	}
}

// A pipe that nobody empties doesn't hold up the close.
func TestReportToAFullPipe(t *testing.T) {
	name := reportsTo(t, filepath.Join(t.TempDir(), "pipe"))
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	pipe, err := os.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	defer pipe.Close()
	raw, err := pipe.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Write(func(fd uintptr) bool {
		for err == nil {
			_, err = syscall.Write(int(fd), make([]byte, 1<<16))
		}
		return true
	}))
	require.Equal(t, syscall.EAGAIN, err)
	var log syncBuffer
	ctx, err := NewContextWith(WithLogger(log.logger()))
	require.NoError(t, err)
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	assert.Contains(t, log.line(t, cantWrite)["err"], "timeout")
}

// A deadline that comes while the report is written doesn't fail the close.
func TestReportIsWrittenWhileTheDeadlinePasses(t *testing.T) {
	file := reportsTo(t, "")
	ctx := newContext(t)
	newSocket(t, ctx, PUSH)
	reportFile.mu.Lock()
	bound, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ctx.Shutdown(bound) }()
	require.Eventually(t, func() bool { return ctx.c.current() == closed }, limit, time.Millisecond)
	cancel()
	reportFile.mu.Unlock()
	require.NoError(t, waitFor(t, "Shutdown", done))
	require.Eventually(t, func() bool {
		_, err := os.Stat(file)
		return err == nil && len(reportsIn(t, file)) == 1
	}, limit, time.Millisecond)
}

// One report that can't be written for now holds up neither its own close for
// long, nor that of other contexts.
func TestReportThatIsStuck(t *testing.T) {
	reportsTo(t, "/dev/null") // no regular file
	var log syncBuffer
	ctx, err := NewContextWith(WithLogger(log.logger()))
	require.NoError(t, err)
	reportFile.mu.Lock() // as who writes to a standard error that nobody reads
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	reportFile.mu.Unlock()
	assert.Contains(t, log.line(t, cantWrite)["err"], "timeout")
}

// closeContextAndExit is a program, which a process of a test ends with.
func closeContextAndExit() {
	ctx, err := NewContext()
	if err == nil {
		err = ctx.Close()
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// A standard output that nobody reads any more doesn't end the program: Go does
// that only for a write to the descriptor itself.
func TestReportWithoutAReader(t *testing.T) {
	if isChild(t) {
		patientReports(t)
		patience.Bound = limit
		closeContextAndExit()
	}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer w.Close()
	child := newChild(t, ReportVariable+"=/dev/stdout")
	child.Stdout = w
	var log strings.Builder
	child.Stderr = &log
	require.NoError(t, child.Run(), "%s", &log)
	assert.Contains(t, log.String(), cantWrite)
	assert.Contains(t, log.String(), "broken pipe")
}

func TestNoReportIsWrittenUnlessAskedFor(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, set := range []bool{false, true} {
		if t.Setenv(ReportVariable, ""); !set {
			require.NoError(t, os.Unsetenv(ReportVariable))
		}
		require.NoError(t, newContext(t).Close())
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// Standard error may be a log file, which isn't truncated, or a socket; and a
// program may exit as soon as Close has returned.
func TestReportsAreWrittenToStandardError(t *testing.T) {
	if isChild(t) {
		closeContextAndExit()
	}
	log := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(log, []byte("a log\n"), 0o600))
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	defer out.Close()
	child := newChild(t, ReportVariable+"=/dev/stderr")
	child.Stderr = out
	require.NoError(t, child.Run())
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	rest, found := strings.CutPrefix(string(text), "a log\n")
	require.True(t, found, "%s", text)
	require.Len(t, readReports(t, []byte(rest)), 1)
}
