package debugpage

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is how long a step of these tests may take before the test fails.
const limit = time.Minute

var now = time.Date(2026, 7, 1, 12, 30, 45, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// serving returns a handler that shows these contexts, at now.
func serving(contexts ...zmqsafe.ContextInfo) *handler {
	return &handler{func() []zmqsafe.ContextInfo { return contexts }, func() time.Time { return now }}
}

// get asks h. A header is "Name: value".
func get(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var (
	mainPart = regexp.MustCompile(`(?s)<main>(.*)</main>`)
	lineEnd  = regexp.MustCompile(`</(tr|p|li|h2|caption)>`)
	cellEnd  = regexp.MustCompile(`</(td|th)>`)
	tag      = regexp.MustCompile(`<[^>]*>`)
)

// lines returns the text of the page, each row of a table as one line.
func lines(t testing.TB, w *httptest.ResponseRecorder) []string {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
	found := mainPart.FindStringSubmatch(w.Body.String())
	require.NotNil(t, found)
	text := strings.Join(strings.Fields(found[1]), " ")
	text = cellEnd.ReplaceAllString(lineEnd.ReplaceAllString(text, "\n"), " | ")
	text = html.UnescapeString(tag.ReplaceAllString(text, " "))
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.Trim(strings.Join(strings.Fields(line), " "), " |"); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// manyOf returns n sockets that one line made, the oldest an hour ago.
func manyOf(n int, typ zmqsafe.Type, site string) []zmqsafe.SocketInfo {
	var sockets []zmqsafe.SocketInfo
	for i := range n {
		sockets = append(sockets, zmqsafe.SocketInfo{
			Type: typ, Site: site, Created: ago(time.Hour - time.Duration(i)*time.Millisecond),
			Endpoints: []string{fmt.Sprintf("tcp://127.0.0.1:%d", 10000+i)}, Accepted: 1,
		})
	}
	return sockets
}

func assertLine(t testing.TB, lines []string, want string) {
	t.Helper()
	if !slices.Contains(lines, want) {
		t.Errorf("no line is\n%s\nthe first ones are\n%s", want, strings.Join(lines[:min(len(lines), 60)], "\n"))
	}
}

// busy has one of everything, and some very long names.
func busy() []zmqsafe.ContextInfo {
	long := zmqsafe.SocketInfo{
		Type: zmqsafe.ROUTER, Site: "some_very_long_directory_name_of_a_package/an_even_longer_name_of_a_file_for_a_worker.go:12345",
		Created: ago(100 * 24 * time.Hour), Endpoints: []string{
			"tcp://[fe80::1234:5678:9abc:def0%eth0]:12345", "inproc://" + strings.Repeat("x", 200), "ipc:///run/some/where/in/the/file/system.sock",
		},
		Accepted: 12345678901, Received: 98765432109, Waiting: zmqsafe.Waiting{Receives: 1000, Sends: 2000, Polls: 3000},
	}
	pull := zmqsafe.SocketInfo{
		Type: zmqsafe.PULL, Site: "app/worker.go:20", Created: ago(50 * time.Minute), Endpoints: []string{"tcp://0.0.0.0:5555", "inproc://jobs"},
		Received: 1234567, Waiting: zmqsafe.Waiting{Receives: 1, Polls: 2},
	}
	pub := zmqsafe.SocketInfo{Type: zmqsafe.PUB, Site: "app/feed.go:31", Created: ago(49 * time.Minute), Endpoints: []string{"tcp://0.0.0.0:5556"}, Accepted: 8812}
	req := zmqsafe.SocketInfo{Type: zmqsafe.REQ, Site: "app/client.go:77", Created: ago(3 * time.Second), Linger: linger.Forever, Accepted: 1}
	lost := zmqsafe.Report{
		Sockets: []zmqsafe.ClosedSocket{{SocketInfo: long, EffectiveLinger: linger.Drop, Closed: ago(time.Hour), Released: ago(time.Hour), Outcome: zmqsafe.RanOut, Merged: 12345}},
		Detached: []zmqsafe.Detached{
			{Site: long.Site, Times: 12345, Type: zmqsafe.ROUTER, SocketSite: long.Site, Outcome: zmqsafe.RanOut, Accepted: 12345678901, MayLose: 12345678901, Endpoints: long.Endpoints},
			{Site: "app/a.go:7", Times: 1, Type: zmqsafe.PUB, SocketSite: pub.Site, Endpoint: "tcp://0.0.0.0:5556", Bound: true, Accepted: 7, Outcome: zmqsafe.Gone},
		},
		Unread: []zmqsafe.Unread{{Type: zmqsafe.ROUTER, Site: long.Site, Sockets: 12345, Messages: 98765432109, AtLeast: true}},
	}
	gone := zmqsafe.ClosedSocket{SocketInfo: pub, Closed: ago(1900 * time.Millisecond), Released: ago(1890 * time.Millisecond), Outcome: zmqsafe.Gone}
	return []zmqsafe.ContextInfo{
		{Site: "app/main.go:12", Created: ago(time.Hour), Sockets: []zmqsafe.SocketInfo{pull, pub, long, req}, Report: lost},
		{
			Site: "pool/pool.go:9", Created: ago(30 * time.Hour), Sockets: append(append(manyOf(812, zmqsafe.PUSH, "pool/conn.go:41"),
				manyOf(37, zmqsafe.SUB, "pool/feed.go:8")...), long),
		},
		{Site: "lib/default.go:3", Created: ago(time.Minute), Default: true},
		{Site: "app/jobs.go:55", Created: ago(2 * time.Hour), Report: zmqsafe.Report{
			Site: "app/jobs.go:55", Began: ago(2 * time.Second), Took: 2 * time.Second, Deadline: now.Add(3 * time.Second),
			Steps: []zmqsafe.Step{
				{Name: "wake", Took: 80 * time.Microsecond},
				{Name: "zmq_close", Took: 2 * time.Millisecond},
				{Name: "monitors and authentication", Took: time.Millisecond},
				{Name: "zmq_ctx_term", Took: 1997 * time.Millisecond},
			},
			Sockets: []zmqsafe.ClosedSocket{gone, {SocketInfo: long, EffectiveLinger: linger.MustFor(4750 * time.Millisecond), Closed: ago(1900 * time.Millisecond)}},
		}},
	}
}
