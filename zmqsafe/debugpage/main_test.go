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

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is how long anything in these tests may take before it counts as hung.
const limit = 20 * time.Second

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

// lines returns the text of the page, a row of a table on a line.
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

// manyOf returns n sockets that one line has made, the oldest an hour ago.
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
