package debugpage

import (
	"bufio"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var screenshots = flag.String("screenshots", "", "directory for pictures of the page in several sizes, light and dark")

// TestBrowser shows the page in Chromium. Scripts that look at the page and
// click its links run in a test page, which has the page in frames.
func TestBrowser(t *testing.T) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("there is no chromium, chromium-browser or google-chrome in PATH, so the page is not tested in a browser: make browser installs one with apt")
	}
	b := browser(path)
	t.Run("refreshes itself", func(t *testing.T) { testRefresh(t, b) })
	t.Run("keeps what a refresh can keep", func(t *testing.T) { testKeeps(t, b) })
	t.Run("pauses", func(t *testing.T) { testPause(t, b) })
	t.Run("names what a screen reader needs", func(t *testing.T) { testAccessibility(t, b) })
	t.Run("leads from a group to its sockets", func(t *testing.T) { testGroups(t, b) })
	t.Run("shows what holds a close", func(t *testing.T) { testClosing(t, b) })
	t.Run("shows markup as text", func(t *testing.T) { testMarkup(t, b) })
	t.Run("nothing overflows", func(t *testing.T) { testLayout(t, b) })
	t.Run("problems are seen", func(t *testing.T) { testProblemsAreSeen(t, b) })
}

// browser is the path of a Chromium.
type browser string

// open starts the browser with a page, and returns what is written to its
// console until the console says "done", or done is closed.
func (b browser) open(t *testing.T, url string, done <-chan struct{}, options ...string) (console []string) {
	t.Helper()
	cmd := b.command(t, append(options, "--enable-logging=stderr", url)...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			lines <- in.Text()
		}
	}()
	var log []string
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		stderr.Close()
		for range lines { // the goroutine ends
		}
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the browser's log:\n%s", strings.Join(log, "\n"))
		}
	}()
	timeout := time.After(3 * limit)
	for {
		select {
		case line, ok := <-lines:
			require.True(t, ok, "the browser has ended")
			log = append(log, line)
			_, message, found := strings.Cut(line, ":CONSOLE")
			if strings.Contains(message, `"done"`) {
				return console
			}
			if found {
				console = append(console, message)
			}
		case <-done:
			return console
		case <-timeout:
			require.FailNow(t, "the test in the browser doesn't end")
		}
	}
}

// command returns a command that runs the browser with a profile of its own, in
// a process group of its own.
func (b browser) command(t *testing.T, options ...string) *exec.Cmd {
	t.Helper()
	profile, err := os.MkdirTemp("", "debugpage")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	cmd := exec.Command(string(b), append([]string{
		"--headless=new", "--user-data-dir=" + profile,
		"--no-sandbox", // it shows only this test's page, and root can't have one
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--no-first-run",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
	}, options...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// site serves a page as a program does, and a test page that looks at it.
type site struct {
	*httptest.Server
	loads, pausedLoads atomic.Int32  // of the page
	thrice             chan struct{} // closed when the page was loaded for the third time
}

const pagePath = "/some/prefix/zmq"

// newSite runs script in the test page. The script may await step(NAME), which
// calls one of steps, on another goroutine than the test's.
func newSite(t *testing.T, page http.Handler, script string, steps map[string]func()) *site {
	t.Helper()
	s := &site{thrice: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc(pagePath, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("pause") {
			s.pausedLoads.Add(1)
		} else if s.loads.Add(1) == 3 {
			close(s.thrice)
		}
		if r.Header.Get("Sec-Fetch-Dest") == "iframe" {
			w = framed{w}
		}
		page.ServeHTTP(w, r)
	})
	mux.HandleFunc("/test", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, testPage, pagePath, script)
	})
	mux.HandleFunc("/step/{name}", func(_ http.ResponseWriter, r *http.Request) { steps[r.PathValue("name")]() })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// framed lets the test page have the page in a frame.
type framed struct{ http.ResponseWriter }

func (w framed) Write(p []byte) (int, error) {
	policy := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
	return w.ResponseWriter.Write(p)
}

// testPage looks at a frame whenever it is loaded. A check that fails is
// written to the console, as everything is that goes wrong.
const testPage = `<!doctype html><link rel="icon" href="data:,"><body><script>
const page = %q;
const loaded = (frame) => new Promise((done) => frame.addEventListener("load", () => done(frame), {once: true}));
const show = (url, style = "") => {
	const frame = document.createElement("iframe");
	frame.src = url;
	frame.style = "border: 0;" + style;
	document.body.append(frame);
	return loaded(frame);
};
const all = (frame, selector) => [...frame.contentDocument.querySelectorAll(selector)];
const has = (frame, text) => Boolean(frame.contentDocument.body?.innerText.includes(text));
const until = async (frame, holds) => { while (!holds()) await loaded(frame); };
const follow = (frame, selector) => { all(frame, selector)[0].click(); return loaded(frame); };
const check = (holds) => console.assert(holds(), String(holds));
const step = (name) => fetch("/step/" + name);
(async () => {
%s
})().finally(() => console.log("done"));
</script>`

// run returns what goes wrong in the test page.
func (b browser) run(t *testing.T, s *site, options ...string) (console []string) {
	t.Helper()
	return b.open(t, s.URL+"/test", nil, options...)
}

func newContext(t *testing.T, options ...zmqsafe.Option) *zmqsafe.Context {
	t.Helper()
	ctx, err := zmqsafe.NewContextWith(append([]zmqsafe.Option{
		zmqsafe.WithLinger(linger.Drop), zmqsafe.WithCloseTimeout(limit),
		zmqsafe.WithLogger(slog.New(slog.DiscardHandler)),
	}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ctx.Close()) })
	return ctx
}

// newSocket makes a socket that lives as long as the test: zmqsafe would close
// one that is no longer referenced.
func newSocket(t *testing.T, ctx *zmqsafe.Context, typ zmqsafe.Type) *zmqsafe.Socket {
	t.Helper()
	soc, err := ctx.NewSocket(typ)
	require.NoError(t, err)
	t.Cleanup(func() { runtime.KeepAlive(soc) })
	return soc
}

// testRefresh opens the page as a user does.
func testRefresh(t *testing.T, b browser) {
	s := newSite(t, Handler(), "", nil)
	assert.Empty(t, b.open(t, s.URL+pagePath, s.thrice))
}

func testKeeps(t *testing.T, b browser) {
	ctx := newContext(t)
	first, second := newSocket(t, ctx, zmqsafe.PULL), newSocket(t, ctx, zmqsafe.PUSH)
	require.NoError(t, first.Bind("inproc://the-first"))
	s := newSite(t, Handler(), `
		const frame = await show(page, "width: 800px; height: 120px"); // so low that it scrolls
		check(() => has(frame, "inproc://the-first"));
		check(() => all(frame, "tbody tr").length === 2);
		check(() => frame.contentDocument.title.startsWith("2 sockets –"));
		check(() => getComputedStyle(all(frame, ".context")[0]).borderRadius === "8px"); // the style is allowed
		frame.contentWindow.scrollTo(0, 50);
		const before = frame.contentWindow.scrollY;
		check(() => before > 0);
		await step("bind");
		await until(frame, () => has(frame, "inproc://the-second"));
		check(() => frame.contentWindow.scrollY === before);
		await step("close");
		await until(frame, () => !has(frame, "inproc://the-second"));
		check(() => has(frame, "inproc://the-first"));
		check(() => all(frame, "tbody tr").length === 1);
		check(() => frame.contentDocument.title.startsWith("1 socket –"));
		check(() => frame.contentWindow.scrollY === before);
		await step("term");
		await until(frame, () => has(frame, "No ZeroMQ context is open."));
	`, map[string]func(){
		"bind":  func() { assert.NoError(t, second.Bind("inproc://the-second")) },
		"close": func() { assert.NoError(t, second.Close()) },
		"term":  func() { assert.NoError(t, ctx.Close()) },
	})
	assert.Empty(t, b.run(t, s))
	assert.GreaterOrEqual(t, s.loads.Load(), int32(4))
}

func testPause(t *testing.T, b browser) {
	soc := newSocket(t, newContext(t), zmqsafe.PULL)
	s := newSite(t, Handler(), `
		const paused = await show(page + "?pause"), live = await show(page);
		check(() => has(paused, "Paused."));
		await step("bind");
		await until(live, () => has(live, "inproc://while-paused"));
		check(() => !has(paused, "inproc://while-paused"));
		await follow(paused, ".refresh a");
		check(() => has(paused, "inproc://while-paused") && has(paused, "Refreshes every 2 seconds."));
		await loaded(paused);
		await follow(paused, ".refresh a");
		check(() => has(paused, "Paused."));
		await loaded(live);
		await loaded(live);
	`, map[string]func(){
		"bind": func() { assert.NoError(t, soc.Bind("inproc://while-paused")) },
	})
	assert.Empty(t, b.run(t, s))
	assert.EqualValues(t, 2, s.pausedLoads.Load())
}

func testAccessibility(t *testing.T, b browser) {
	c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: manyOf(1, zmqsafe.PULL, "app/a.go:1")}
	s := newSite(t, serving(c), `
		const frame = await show(page);
		const seen = all(frame, "*").map((e) => e.computedRole + " " + e.computedName);
		for (const want of ["rowheader PULL", "columnheader Endpoints", "link Pause", "link app/a.go:1"]) {
			console.assert(seen.includes(want), want, seen.join(", "));
		}
		check(() => has(frame, "tcp://127.0.0.1:10000"));
		check(() => all(frame, "script, button").length === 0);
	`, nil)
	assert.Empty(t, b.run(t, s, "--enable-blink-features=ComputedAccessibilityInfo"))
}

func testGroups(t *testing.T, b browser) {
	sockets := append(manyOf(5000, zmqsafe.PUSH, "app/many.go:2"), manyOf(20, zmqsafe.SUB, "app/few.go:1")...)
	s := newSite(t, serving(zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: sockets}), `
		const frame = await show(page + "?pause");
		check(() => all(frame, "tbody tr").length === 2);
		check(() => all(frame, "tbody tr")[0].innerText.includes("5,000"));
		await follow(frame, "tbody a");
		check(() => all(frame, "tbody tr").length === 200);
		check(() => has(frame, "And 4,800 younger sockets."));
		await follow(frame, ".filter a");
		check(() => all(frame, "tbody tr").length === 2);
	`, nil)
	assert.Empty(t, b.run(t, s))
}

func testClosing(t *testing.T, b browser) {
	dir, err := os.MkdirTemp("", "") // t.TempDir may be too long for a socket's name
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	endpoint := "ipc://" + filepath.Join(dir, "peer")
	ctx := newContext(t)
	soc := newSocket(t, ctx, zmqsafe.DEALER)
	require.NoError(t, soc.Connect(endpoint))
	_, err = soc.Send("unsent", 0)
	require.NoError(t, err)
	require.NoError(t, soc.SetLinger(-1))
	closed := make(chan error, 1)
	var peers *zmqsafe.Context
	s := newSite(t, Handler(), `
		const frame = await show(page);
		await step("close");
		await until(frame, () => has(frame, "Needs attention") && all(frame, ".steps [aria-current]")[0]?.innerText.includes("zmq_ctx_term"));
		check(() => has(frame, "libzmq still has 1 socket, DEALER socket made at debugpage/page_browser_test.go:"));
		check(() => all(frame, ".context tr.bad")[0].innerText.includes("holding"));
		await step("receive");
		await until(frame, () => has(frame, "as of") && !has(frame, "Needs attention"));
	`, map[string]func(){
		"close": func() {
			assert.NoError(t, soc.Close())
			go func() { closed <- ctx.Close() }()
		},
		"receive": func() {
			peers = newContext(t)
			assert.NoError(t, newSocket(t, peers, zmqsafe.DEALER).Bind(endpoint))
			assert.NoError(t, <-closed)
		},
	})
	assert.Empty(t, b.run(t, s))
	require.NoError(t, peers.Close())
}

func testMarkup(t *testing.T, b browser) {
	const evil = `<img src=x onerror="console.log('ran')"><script>console.log('ran')</script>`
	sockets := manyOf(1, zmqsafe.PUSH, evil)
	sockets[0].Endpoints = []string{"inproc://" + evil}
	s := newSite(t, serving(zmqsafe.ContextInfo{Site: evil, Created: ago(time.Hour), Sockets: sockets}), `
		const frame = await show(page);
		await loaded(frame);
		check(() => all(frame, "td code")[0].innerText === "inproc://" + all(frame, "h2 code")[0].innerText);
		check(() => has(frame, "<script>console.log('ran')<" + "/script>"));
		check(() => all(frame, "img, script").length === 0);
	`, nil)
	assert.Empty(t, b.run(t, s))
}

func testLayout(t *testing.T, b browser) {
	for name, contexts := range map[string][]zmqsafe.ContextInfo{"busy": busy(), "empty": nil} {
		s := newSite(t, serving(contexts...), `
		for (const width of [320, 480, 1008, 1009, 1200, 1201, 2560]) {
			for (const scheme of ["light", "dark"]) {
				const frame = await show(page + "?pause", "width: " + width + "px; height: 700px; color-scheme: " + scheme);
				const size = frame.contentWindow.innerWidth;
				console.assert(size === width, size, "isn't", width);
				const overflowing = all(frame, "body, body *").filter((e) => !e.closest("thead") &&
					(e.getBoundingClientRect().right > size + 0.5 || (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")));
				for (const e of overflowing) console.assert(false, width, e.outerHTML.slice(0, 200));
				check(() => frame.contentDocument.documentElement.scrollWidth <= size);
				check(() => (getComputedStyle(frame.contentDocument.body).backgroundColor === "rgb(18, 21, 27)") === (scheme === "dark"));
				frame.remove();
			}
		}
		`, nil)
		assert.Empty(t, b.run(t, s))
		if *screenshots != "" {
			for _, width := range []int{500, 1008, 1200, 2560} { // a window isn't narrower
				for scheme, options := range map[string][]string{"light": nil, "dark": {"--force-dark-mode"}} {
					file := filepath.Join(*screenshots, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
					options = append(options, "--screenshot="+file, fmt.Sprintf("--window-size=%d,2000", width), s.URL+pagePath)
					require.NoError(t, b.command(t, options...).Run())
				}
			}
		}
	}
}

func testProblemsAreSeen(t *testing.T, b browser) {
	s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", securityPolicy)
		fmt.Fprint(w, `<script>document.title = "ran"</script><style>p { color: red }</style><p>hello`)
	}), `
		const frame = await show(page);
		check(() => frame.contentDocument.title !== "ran");
		check(() => frame.contentDocument.title === "ran");
	`, nil)
	console := b.run(t, s)
	require.Len(t, console, 3)
	assert.Contains(t, console[0], "inline script")
	assert.Contains(t, console[1], "inline style")
	assert.Contains(t, console[2], `title === "ran"`)
}
