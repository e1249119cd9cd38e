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

// The page runs and styles itself with what the policy has the hash of, and nothing
// else.
func TestSecurityPolicy(t *testing.T) {
	w := get(t, serving(), "/")
	policy := w.Result().Header.Get("Content-Security-Policy")
	assert.True(t, strings.HasPrefix(policy, "default-src 'none'; "))
	assert.NotContains(t, policy, "unsafe")
	for element, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		_, rest, found := strings.Cut(w.Body.String(), "<"+element+">")
		require.True(t, found)
		text, _, found := strings.Cut(rest, "</"+element+">")
		require.True(t, found)
		assert.Contains(t, policy, directive+" "+hash(text)+";")
		assert.NotContains(t, rest, "<"+element)
	}
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
		{Site: "app/other.go:2", Created: ago(time.Second), Closing: &zmqsafe.Report{Site: "app/other.go:2", Began: ago(time.Second)}},
	}
	type answered struct {
		Time     time.Time
		Contexts []struct {
			Context string
			Sockets []struct {
				Type   string
				MadeAt string `json:"made_at"`
			}
			Closing map[string]any
		}
	}
	var all answered
	require.NoError(t, json.Unmarshal(get(t, serving(contexts...), "/?format=json").Body.Bytes(), &all))
	assert.Equal(t, now, all.Time)
	require.Len(t, all.Contexts, 2)
	assert.Equal(t, "app/main.go:1", all.Contexts[0].Context)
	assert.Len(t, all.Contexts[0].Sockets, 5007)
	assert.NotEmpty(t, all.Contexts[1].Closing)

	var some answered
	require.NoError(t, json.Unmarshal(get(t, serving(contexts...), "/?format=json&made_at=app/b.go:2").Body.Bytes(), &some))
	require.Len(t, some.Contexts, 1)
	require.Len(t, some.Contexts[0].Sockets, 7)
	assert.Equal(t, "PULL", some.Contexts[0].Sockets[0].Type)

	assert.Contains(t, get(t, serving(contexts...), "/?format=json&made_at=app/c.go:2").Body.String(), `"contexts":[]`)
	assert.Len(t, contexts[0].Sockets, 5007, "what was listed isn't changed")
}

// Links are relative to where the page is mounted, and keep the rest of the query.
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

// What a program or a client puts into names never becomes markup.
func TestEverythingIsEscaped(t *testing.T) {
	const evil = `<script>alert(1)</script>"'` + "`javascript:x"
	c := zmqsafe.ContextInfo{Site: evil, Created: ago(time.Hour), Sockets: []zmqsafe.SocketInfo{
		{Type: zmqsafe.PUSH, Site: evil, Endpoints: []string{evil}, Created: ago(time.Hour), Waiting: zmqsafe.Waiting{Sends: 1}},
	}}
	closed := c
	closed.Closing = &zmqsafe.Report{
		Site: evil, Began: ago(time.Second), Steps: []zmqsafe.Step{{Name: evil}},
		Sockets: []zmqsafe.ClosedSocket{{SocketInfo: c.Sockets[0]}},
	}
	for _, target := range []string{"/", "/?made_at=" + url.QueryEscape(evil), "/?format=" + url.QueryEscape(evil)} {
		w := get(t, serving(c, closed), target)
		body := w.Body.String()
		if w.Code == http.StatusBadRequest {
			assert.Equal(t, "text/plain; charset=utf-8", w.Result().Header.Get("Content-Type"))
			continue
		}
		assert.Equal(t, 1, strings.Count(body, "<script>"), "only the page's own")
		assert.NotContains(t, body, `"'`+"`", "in an attribute")
		assert.Contains(t, body, "&lt;script&gt;alert(1)")
	}
}
