package debugpage

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var screenshots = flag.String("screenshots", "", "directory for pictures of the page in several sizes, light and dark")

// TestBrowser shows the page in a real browser, one for all tests.
func TestBrowser(t *testing.T) {
	b := startBrowser(t)
	t.Run("renews itself", func(t *testing.T) { testRenewal(t, b.newTab(t)) })
	t.Run("pauses", func(t *testing.T) { testPause(t, b.newTab(t)) })
	t.Run("says when the program is gone", func(t *testing.T) { testProgramGone(t, b.newTab(t)) })
	t.Run("works without scripts", func(t *testing.T) { testWithoutScripts(t, b.newTab(t)) })
	t.Run("leads from a group to its sockets", func(t *testing.T) { testGroups(t, b.newTab(t)) })
	t.Run("shows what holds a close", func(t *testing.T) { testClosing(t, b.newTab(t)) })
	t.Run("nothing overflows", func(t *testing.T) { testLayout(t, b.newTab(t)) })
	t.Run("problems are seen", func(t *testing.T) { testProblemsAreSeen(t, b.newTab(t)) })
}

// serve counts how often the page was loaded and how often it has renewed itself.
func serve(t *testing.T, h http.Handler) (url string, loads, renewals *atomic.Int32) {
	t.Helper()
	loads, renewals = new(atomic.Int32), new(atomic.Int32)
	mux := http.NewServeMux()
	mux.HandleFunc("/some/prefix/zmq", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Dest") == "document" {
			loads.Add(1)
		} else {
			renewals.Add(1)
		}
		h.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/some/prefix/zmq", loads, renewals
}

func newContext(t *testing.T, options ...zmqsafe.Option) *zmqsafe.Context {
	t.Helper()
	ctx, err := zmqsafe.NewContext(append([]zmqsafe.Option{
		zmqsafe.WithLinger(linger.Drop), zmqsafe.WithCloseTimeout(limit),
		zmqsafe.WithLogger(slog.New(slog.DiscardHandler)),
	}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ctx.Close()) })
	return ctx
}

func bind(t *testing.T, ctx *zmqsafe.Context, typ zmqsafe.Type, endpoint string) *zmqsafe.Socket {
	t.Helper()
	soc, err := ctx.NewSocket(typ)
	require.NoError(t, err)
	require.NoError(t, soc.Bind(endpoint))
	return soc
}

func shows(text string) string {
	return fmt.Sprintf("document.querySelector('main').innerText.includes(%q)", text)
}

func testRenewal(t *testing.T, tb *tab) {
	ctx := newContext(t)
	first := bind(t, ctx, zmqsafe.PULL, "inproc://the-first")
	url, loads, renewals := serve(t, Handler())
	tb.resize(t, 800, 120, false) // so low that it scrolls
	tb.open(t, url)
	tb.check(t, shows("inproc://the-first"))
	tb.check(t, "document.querySelectorAll('tbody tr').length === 1")
	tb.check(t, "document.title.startsWith('1 socket –')")
	tb.check(t, "getComputedStyle(document.querySelector('.context')).borderRadius === '8px'") // the style is allowed

	eval[none](t, tb, `window.mark = document.querySelector("tbody tr")`)
	eval[none](t, tb, `mark.querySelector("a").focus(); getSelection().selectAllChildren(mark.querySelector("td")); scrollTo(0, 50)`)
	before := eval[float64](t, tb, "scrollY")
	require.Positive(t, before)
	second := bind(t, ctx, zmqsafe.PUSH, "inproc://the-second")
	tb.waitUntil(t, shows("inproc://the-second"))
	tb.check(t, "document.querySelectorAll('tbody tr').length === 2")
	tb.check(t, "document.title.startsWith('2 sockets –')")
	tb.check(t, `mark.isConnected && document.activeElement === mark.querySelector("a")`)
	tb.check(t, `getSelection().toString().includes("inproc://the-first")`)
	assert.Equal(t, before, eval[float64](t, tb, "scrollY"))

	require.NoError(t, second.Close())
	tb.waitUntil(t, "!"+shows("inproc://the-second"))
	tb.check(t, shows("inproc://the-first"))
	require.NoError(t, first.Close())
	require.NoError(t, ctx.Close())
	tb.waitUntil(t, shows("No ZeroMQ context is open."))
	assert.EqualValues(t, 1, loads.Load())
	assert.GreaterOrEqual(t, renewals.Load(), int32(3))
	assert.Empty(t, tb.problems())
}

// countTimers has the page tell in timers which of its timers are running.
const countTimers = `
	window.timers = new Set(); window.realTimeout = window.setTimeout;
	const clear = window.clearTimeout;
	window.setTimeout = (f, ms) => { const id = realTimeout(() => { timers.delete(id); f(); }, ms); timers.add(id); return id; };
	window.clearTimeout = (id) => { timers.delete(id); clear(id); };`

func testPause(t *testing.T, tb *tab) {
	ctx := newContext(t)
	url, _, _ := serve(t, Handler())
	tb.do(t, "Page.addScriptToEvaluateOnNewDocument", object{"source": countTimers})
	tb.open(t, url)
	tb.check(t, "timers.size === 1")
	eval[none](t, tb, "pause.click()")
	tb.check(t, "timers.size === 0")
	tb.check(t, `pause.getAttribute("aria-pressed") === "true" && state.innerText === "Paused."`)
	soc := bind(t, ctx, zmqsafe.PULL, "inproc://while-paused")
	defer soc.Close()
	tb.check(t, "!"+shows("inproc://while-paused"))
	eval[none](t, tb, "pause.click()")
	tb.waitUntil(t, shows("inproc://while-paused"))
	tb.check(t, `pause.getAttribute("aria-pressed") === "false" && state.innerText === "Renewed every 2 seconds."`)

	// It also pauses while nobody sees it.
	setHidden := func(hidden bool) {
		eval[none](t, tb, fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %v, configurable: true});
			void document.dispatchEvent(new Event("visibilitychange"))`, hidden))
	}
	setHidden(true)
	tb.check(t, "timers.size === 0")
	require.NoError(t, soc.Close())
	setHidden(false)
	tb.waitUntil(t, "!"+shows("inproc://while-paused"))
	assert.Empty(t, tb.problems())
}

func testProgramGone(t *testing.T, tb *tab) {
	c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: manyOf(1, zmqsafe.PULL, "app/a.go:1")}
	var gone, loggedOut atomic.Bool
	url, _, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			http.Error(w, "no program", http.StatusBadGateway)
			return
		}
		if loggedOut.Load() {
			fmt.Fprint(w, "<!doctype html><p>Log in")
			return
		}
		serving(c).ServeHTTP(w, r)
	}))
	tb.open(t, url)
	gone.Store(true)
	tb.waitUntil(t, `document.body.className === "stale" && state.innerText.includes("the answer is 502")`)
	tb.check(t, shows("app/a.go:1")) // what was known stays
	loggedOut.Store(true)
	gone.Store(false)
	tb.waitUntil(t, `state.innerText.includes("the answer is 200")`)
	tb.check(t, shows("app/a.go:1"))
	loggedOut.Store(false)
	tb.waitUntil(t, `document.body.className === "" && state.innerText === "Renewed every 2 seconds."`)
}

func testWithoutScripts(t *testing.T, tb *tab) {
	ctx := newContext(t)
	soc := bind(t, ctx, zmqsafe.PULL, "inproc://no-script")
	defer soc.Close()
	url, _, renewals := serve(t, Handler())
	tb.do(t, "Emulation.setScriptExecutionDisabled", object{"value": true})
	tb.open(t, url)
	// What assistive technology is told is what is to be seen.
	tree := call[struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value string }
		}
	}](t, tb.b, tb.session, "Accessibility.getFullAXTree", object{})
	var seen []string
	for _, n := range tree.Nodes {
		if !n.Ignored {
			seen = append(seen, n.Role.Value+" "+n.Name.Value)
		}
	}
	assert.Contains(t, seen, "rowheader PULL")
	assert.Contains(t, seen, "columnheader Endpoints")
	assert.Contains(t, strings.Join(seen, "\n"), "inproc://no-script")
	assert.Contains(t, seen, "StaticText Reload the page to see what has changed.")
	assert.NotContains(t, seen, "button Pause")
	assert.Zero(t, renewals.Load())
	assert.Empty(t, tb.problems())
}

func testGroups(t *testing.T, tb *tab) {
	sockets := append(manyOf(5000, zmqsafe.PUSH, "app/many.go:2"), manyOf(20, zmqsafe.SUB, "app/few.go:1")...)
	url, _, _ := serve(t, serving(zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: sockets}))
	tb.open(t, url)
	tb.check(t, "document.querySelectorAll('tbody tr').length === 2")
	tb.check(t, "document.querySelector('tbody tr').innerText.includes('5,000')")
	eval[none](t, tb, "document.querySelector('tbody a').click()")
	tb.waitForLoad(t)
	tb.check(t, "document.querySelectorAll('tbody tr').length === 200")
	tb.check(t, shows("And 4,800 younger sockets."))
	eval[none](t, tb, "document.querySelector('.filter a').click()")
	tb.waitForLoad(t)
	tb.check(t, "document.querySelectorAll('tbody tr').length === 2")
	assert.Empty(t, tb.problems())
}

func testClosing(t *testing.T, tb *tab) {
	dir, err := os.MkdirTemp("", "") // t.TempDir may be too long for a socket's name
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	endpoint := "ipc://" + filepath.Join(dir, "peer")
	ctx := newContext(t)
	soc, err := ctx.NewSocket(zmqsafe.DEALER)
	require.NoError(t, err)
	require.NoError(t, soc.Connect(endpoint))
	_, err = soc.Send("unsent", 0)
	require.NoError(t, err)
	require.NoError(t, soc.SetLinger(-1))
	url, _, _ := serve(t, Handler())
	tb.open(t, url)
	require.NoError(t, soc.Close())
	closed := make(chan error)
	go func() { closed <- ctx.Close() }()
	tb.waitUntil(t, shows("Needs attention")+" && "+shows("libzmq still has 1 socket, DEALER socket made at debugpage/browser_test.go:"))
	tb.check(t, "document.querySelector('.context tr.bad').innerText.includes('holding')")
	tb.check(t, "document.querySelector('.steps [aria-current]').innerText.includes('zmq_ctx_term')")

	peers := newContext(t)
	peer := bind(t, peers, zmqsafe.DEALER, endpoint)
	require.NoError(t, <-closed)
	tb.waitUntil(t, "!"+shows("Needs attention"))
	require.NoError(t, peer.Close())
	assert.Empty(t, tb.problems())
}

// overflowing lists what reaches over the right edge of the window, or of its own box.
const overflowing = `[...document.querySelectorAll("body, body *")].filter((e) => !e.closest("thead") &&
	(e.getBoundingClientRect().right > innerWidth + 0.5 || (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")))
	.map((e) => e.outerHTML.slice(0, 200))`

func testLayout(t *testing.T, tb *tab) {
	for name, contexts := range map[string][]zmqsafe.ContextInfo{"busy": busy(), "empty": nil} {
		url, _, _ := serve(t, serving(contexts...))
		for _, width := range []int{320, 480, 928, 929, 1200, 1201, 2560} {
			for _, dark := range []bool{false, true} {
				tb.resize(t, width, 700, dark)
				tb.open(t, url)
				assert.Empty(t, eval[[]string](t, tb, overflowing), "%d wide", width)
				tb.check(t, "document.documentElement.scrollWidth <= innerWidth")
				tb.check(t, fmt.Sprintf("(getComputedStyle(document.body).backgroundColor === 'rgb(18, 21, 27)') === %v", dark))
				if *screenshots != "" {
					file := fmt.Sprintf("%s-%d-dark-%v.png", name, width, dark)
					require.NoError(t, os.WriteFile(filepath.Join(*screenshots, file), tb.screenshot(t), 0o644))
				}
			}
		}
	}
	assert.Empty(t, tb.problems())
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
	gone := zmqsafe.ClosedSocket{SocketInfo: pub, Closed: ago(1900 * time.Millisecond), Gone: ago(1890 * time.Millisecond), Outcome: zmqsafe.Gone}
	return []zmqsafe.ContextInfo{
		{Site: "app/main.go:12", Created: ago(time.Hour), Sockets: []zmqsafe.SocketInfo{pull, pub, long, req}},
		{
			Site: "pool/pool.go:9", Created: ago(30 * time.Hour), Sockets: append(append(manyOf(812, zmqsafe.PUSH, "pool/conn.go:41"),
				manyOf(37, zmqsafe.SUB, "pool/feed.go:8")...), long),
		},
		{Site: "lib/default.go:3", Created: ago(time.Minute), Default: true},
		{Site: "app/jobs.go:55", Created: ago(2 * time.Hour), Closing: &zmqsafe.Report{
			Site: "app/jobs.go:55", Began: ago(2 * time.Second), Took: 2 * time.Second, Deadline: now.Add(3 * time.Second),
			Steps: []zmqsafe.Step{
				{Name: "wake", Took: 80 * time.Microsecond},
				{Name: "zmq_close", Took: 2 * time.Millisecond},
				{Name: "monitors and authentication", Took: time.Millisecond},
				{Name: "zmq_ctx_term", Took: 1997 * time.Millisecond},
			},
			Sockets: []zmqsafe.ClosedSocket{gone, {SocketInfo: long, Lingers: linger.MustFor(4750 * time.Millisecond), Closed: ago(1900 * time.Millisecond)}},
		}},
	}
}

func testProblemsAreSeen(t *testing.T, tb *tab) {
	url, _, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", securityPolicy)
		fmt.Fprint(w, `<script>document.title = "ran"</script><style>p { color: red }</style><p>hello`)
	}))
	tb.open(t, url)
	tb.check(t, `document.title !== "ran"`)
	assert.Len(t, tb.problems(), 2, "neither script nor style is allowed")
}
