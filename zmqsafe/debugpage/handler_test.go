package debugpage

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestHeaders(t *testing.T) {
	for _, target := range []string{"/debug/zmq", "/debug/zmq?format=json"} {
		w := get(t, serving(), target)
		require.Equal(t, http.StatusOK, w.Code)
		header := w.Result().Header
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		assert.Equal(t, "Accept", header.Get("Vary"))
		assert.Equal(t, strconv.Itoa(w.Body.Len()), header.Get("Content-Length"))
	}
}

// The page has its own style sheet, and nothing else: no script.
func TestSecurityPolicy(t *testing.T) {
	w := get(t, serving(), "/")
	policy := w.Result().Header.Get("Content-Security-Policy")
	assert.True(t, strings.HasPrefix(policy, "default-src 'none'; "))
	assert.NotContains(t, policy, "unsafe")
	assert.NotContains(t, policy, "script-src")
	assert.NotContains(t, w.Body.String(), "<script")
	_, rest, found := strings.Cut(w.Body.String(), "<style>")
	require.True(t, found)
	text, _, found := strings.Cut(rest, "</style>")
	require.True(t, found)
	assert.Contains(t, policy, "style-src "+hash(text)+";")
	assert.NotContains(t, rest, "<style")
}

func TestRefresh(t *testing.T) {
	h := serving(zmqsafe.ContextInfo{Site: "app/main.go:1", Sockets: manyOf(1, zmqsafe.PUSH, "app/a.go:1")})
	w := get(t, h, "/?key=k")
	assert.Equal(t, "2", w.Result().Header.Get("Refresh"))
	assert.Contains(t, w.Body.String(), `Refreshes every 2 seconds. <a href="?key=k&amp;pause=1">Pause</a>`)
	for _, target := range []string{"/?key=k&pause", "/?key=k&pause=1"} {
		w = get(t, h, target)
		assert.NotContains(t, w.Result().Header, "Refresh")
		assert.Contains(t, w.Body.String(), `Paused. <a href="?key=k">Resume</a>`)
	}
	assert.Contains(t, w.Body.String(), `href="?key=k&amp;made_at=app%2Fa.go%3A1&amp;pause=1"`, "links lead to paused pages")
	for _, target := range []string{"/?format=json", "/?format=xml"} {
		assert.NotContains(t, get(t, h, target).Result().Header, "Refresh")
	}
	// Chromium doesn't refresh a page that was loaded with a fragment.
	assert.NotContains(t, get(t, serving(busy()...), "/").Body.String(), `href="#`)
}

func TestMethods(t *testing.T) {
	server := httptest.NewServer(Handler())
	defer server.Close()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PURGE"} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
		assert.Equal(t, "GET, HEAD", w.Result().Header.Get("Allow"))
		assert.Contains(t, w.Body.String(), "use GET or HEAD")
	}
	response, err := server.Client().Head(server.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Greater(t, response.ContentLength, int64(1000))
}

func TestFormat(t *testing.T) {
	const browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct {
		target  string
		headers []string
		json    bool
	}{
		{"/", nil, false},
		{"/", []string{browser}, false},
		{"/", []string{"Accept: */*"}, false},
		{"/", []string{"Accept: application/json"}, true},
		{"/", []string{"Accept: Application/JSON; charset=utf-8"}, true},
		{"/", []string{"Accept: application/*"}, true},
		{"/", []string{"Accept: text/html;q=0.5, application/json"}, true},
		{"/", []string{"Accept: text/html;q=0.5", "Accept: application/json"}, true},
		{"/", []string{"Accept: application/json;q=0.5, text/html"}, false},
		{"/", []string{"Accept: application/json, */*"}, false},
		{"/", []string{"Accept: text/html;q=0, */*"}, true},
		{"/", []string{"Accept: */*, application/json;q=0"}, false},
		{"/", []string{"Accept: ;;,nonsense/,=,application/json;q=x"}, true},
		{"/?format=json", []string{browser}, true},
		{"/?format=html", []string{"Accept: application/json"}, false},
	} {
		w := get(t, serving(), test.target, test.headers...)
		require.Equal(t, http.StatusOK, w.Code)
		want := "text/html; charset=utf-8"
		if test.json {
			want = "application/json"
		}
		assert.Equal(t, want, w.Result().Header.Get("Content-Type"), "%v", test)
	}
	w := get(t, serving(), "/?format=xml")
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Contains(t, w.Body.String(), `format "xml" is unknown: use json or html`)
}

func TestJSONHasEverySocket(t *testing.T) {
	contexts := []zmqsafe.ContextInfo{
		{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: append(manyOf(5000, zmqsafe.PUSH, "app/a.go:1"), manyOf(7, zmqsafe.PULL, "app/b.go:2")...)},
		{Site: "app/other.go:2", Created: ago(time.Second), Report: zmqsafe.Report{Site: "app/other.go:2", Began: ago(time.Second)}},
	}
	type answered struct {
		Time     time.Time
		Contexts []struct {
			MadeAt  string `json:"made_at"`
			Sockets []struct {
				Type   string
				MadeAt string `json:"made_at"`
			}
			Report map[string]any
		}
	}
	var all answered
	require.NoError(t, json.Unmarshal(get(t, serving(contexts...), "/?format=json").Body.Bytes(), &all))
	assert.Equal(t, now, all.Time)
	require.Len(t, all.Contexts, 2)
	assert.Equal(t, "app/main.go:1", all.Contexts[0].MadeAt)
	assert.Len(t, all.Contexts[0].Sockets, 5007)
	assert.NotEmpty(t, all.Contexts[1].Report)

	var some answered
	require.NoError(t, json.Unmarshal(get(t, serving(contexts...), "/?format=json&made_at=app/b.go:2").Body.Bytes(), &some))
	require.Len(t, some.Contexts, 1)
	require.Len(t, some.Contexts[0].Sockets, 7)
	assert.Equal(t, "PULL", some.Contexts[0].Sockets[0].Type)

	assert.Contains(t, get(t, serving(contexts...), "/?format=json&made_at=app/c.go:2").Body.String(), `"contexts":[]`)
	assert.Len(t, contexts[0].Sockets, 5007, "the list isn't changed")
}

// Links are relative to where the page is mounted, and keep the rest of the
// query.
func TestMountedAnywhere(t *testing.T) {
	mux := http.NewServeMux()
	h := serving(zmqsafe.ContextInfo{Site: "app/main.go:1", Sockets: manyOf(1, zmqsafe.PUSH, "app/a.go:1")})
	mux.Handle("/x/debug/zmq", h)
	mux.Handle("/y/", http.StripPrefix("/y", h))
	for _, target := range []string{"/x/debug/zmq?key=k%26", "/y/?key=k%26"} {
		w := get(t, mux, target)
		require.Equal(t, http.StatusOK, w.Code)
		body := w.Body.String()
		assert.Contains(t, body, `href="?key=k%26&amp;made_at=app%2Fa.go%3A1"`)
		assert.NotContains(t, body, `href="/`)
		assert.NotContains(t, body, `src=`)
	}
	w := get(t, mux, "/y/?key=k&made_at="+url.QueryEscape("app/a.go:1"))
	assert.Contains(t, w.Body.String(), `<a href="?key=k">Show all</a>`)
	assert.Contains(t, w.Body.String(), `href="?format=json&amp;key=k&amp;made_at=app%2Fa.go%3A1"`)
}

// Names that a program or a client chooses never become markup.
func TestEverythingIsEscaped(t *testing.T) {
	const evil = `<script>alert(1)</script>"'` + "`javascript:x"
	c := zmqsafe.ContextInfo{Site: evil, Created: ago(time.Hour), Sockets: []zmqsafe.SocketInfo{
		{Type: zmqsafe.PUSH, Site: evil, Endpoints: []string{evil}, Created: ago(time.Hour), Waiting: zmqsafe.Waiting{Sends: 1}},
	}}
	closed := c
	closed.Report = zmqsafe.Report{
		Site: evil, Began: ago(time.Second), Steps: []zmqsafe.Step{{Name: evil}},
		Sockets:  []zmqsafe.ClosedSocket{{SocketInfo: c.Sockets[0]}},
		Detached: []zmqsafe.Detached{{Site: evil, SocketSite: evil, Endpoint: evil, Open: 1}, {Endpoints: []string{evil}}},
		Unread:   []zmqsafe.Unread{{Site: evil}},
	}
	for _, target := range []string{"/", "/?made_at=" + url.QueryEscape(evil), "/?format=" + url.QueryEscape(evil)} {
		w := get(t, serving(c, closed), target)
		body := w.Body.String()
		if w.Code == http.StatusBadRequest {
			assert.Equal(t, "text/plain; charset=utf-8", w.Result().Header.Get("Content-Type"))
			continue
		}
		assert.NotContains(t, body, "<script")
		assert.NotContains(t, body, `"'`+"`", "in an attribute")
		assert.Contains(t, body, "&lt;script&gt;alert(1)")
	}
}
