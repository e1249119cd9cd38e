package debugpage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser is a Chromium that is told what to do over a pipe, in the DevTools
// protocol: https://chromedevtools.github.io/devtools-protocol/. Messages are JSON
// that ends with a zero byte.
type browser struct {
	in io.Writer

	mu      sync.Mutex
	lastID  int                      // guarded by mu
	answers map[int]chan message     // guarded by mu; who waits for what
	tabs    map[string]func(message) // guarded by mu; who gets a session's events
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// startBrowser starts a Chromium that lives until the end of the test, or skips the
// test if there is none.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("there is no chromium, chromium-browser or google-chrome in PATH, so the page is not tested in a browser: make browser installs one where apt is there")
	}
	profile, err := os.MkdirTemp("", "debugpage")
	require.NoError(t, err)
	commands, in, err := os.Pipe()
	require.NoError(t, err)
	out, answers, err := os.Pipe()
	require.NoError(t, err)
	var log bytes.Buffer
	cmd := exec.Command(path, "--headless", "--remote-debugging-pipe", "--user-data-dir="+profile,
		"--no-sandbox", // it shows only this test's page, and root can't have one
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--no-first-run",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
	cmd.Stderr = &log
	cmd.ExtraFiles = []*os.File{commands, answers} // 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = limit
	require.NoError(t, cmd.Start())
	commands.Close()
	answers.Close()

	b := &browser{in: in, answers: make(map[int]chan message), tabs: make(map[string]func(message))}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.read(out)
	}()
	t.Cleanup(func() {
		in.Close() // the browser ends with its pipe
		timeout := time.AfterFunc(limit, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait()
		timeout.Stop()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has started
		<-ended
		out.Close()
		_ = os.RemoveAll(profile)
		if t.Failed() {
			t.Logf("the browser said:\n%s", &log)
		}
	})
	return b
}

func (b *browser) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadBytes(0)
		if err != nil {
			break
		}
		var m message
		if json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m) != nil {
			break
		}
		b.mu.Lock()
		answer, event := b.answers[m.ID], b.tabs[m.Session]
		delete(b.answers, m.ID)
		b.mu.Unlock()
		switch {
		case answer != nil:
			answer <- m
		case event != nil:
			event(m)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, answer := range b.answers {
		close(answer)
	}
	b.answers = nil
}

// call returns the result of a method of the protocol, in a tab or, with "", in the
// browser as a whole.
func call[Result any](t *testing.T, b *browser, session, method string, params any) (result Result) {
	t.Helper()
	answer := make(chan message, 1)
	b.mu.Lock()
	require.NotNil(t, b.answers, "%s: the browser has ended", method)
	b.lastID++
	id := b.lastID
	b.answers[id] = answer
	b.mu.Unlock()
	text, err := json.Marshal(params)
	require.NoError(t, err)
	text, err = json.Marshal(message{ID: id, Session: session, Method: method, Params: text})
	require.NoError(t, err)
	_, err = b.in.Write(append(text, 0))
	require.NoError(t, err)
	select {
	case m, ok := <-answer:
		require.True(t, ok, "%s: the browser has ended", method)
		require.Nil(t, m.Error, "%s: %s", method, text)
		require.NoError(t, json.Unmarshal(m.Result, &result))
	case <-time.After(limit):
		require.FailNow(t, "no answer", "%s: %s", method, text)
	}
	return result
}

type none struct{}

// object is what JavaScript calls so.
type object = map[string]any

// tab is a tab of the browser. It notes what goes wrong in its pages.
type tab struct {
	b       *browser
	session string
	loaded  chan struct{}

	mu     sync.Mutex
	errors []string // guarded by mu
}

func (b *browser) newTab(t *testing.T) *tab {
	t.Helper()
	target := call[struct{ TargetID string }](t, b, "", "Target.createTarget", object{"url": "about:blank"})
	attached := call[struct{ SessionID string }](t, b, "", "Target.attachToTarget", object{"targetId": target.TargetID, "flatten": true})
	tb := &tab{b: b, session: attached.SessionID, loaded: make(chan struct{}, 1)}
	b.mu.Lock()
	b.tabs[tb.session] = tb.event
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		tb.do(t, domain+".enable", nil)
	}
	return tb
}

func (tb *tab) do(t *testing.T, method string, params object) {
	t.Helper()
	call[none](t, tb.b, tb.session, method, params)
}

func (tb *tab) event(m message) {
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case tb.loaded <- struct{}{}:
		default:
		}
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
		tb.mu.Lock()
		defer tb.mu.Unlock()
		tb.errors = append(tb.errors, fmt.Sprintf("%s: %s", m.Method, m.Params))
	}
}

// problems are exceptions, what the browser itself complained of, and all that the
// page wrote to the console.
func (tb *tab) problems() []string {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.errors
}

// open returns when the page and its scripts are loaded.
func (tb *tab) open(t *testing.T, url string) {
	t.Helper()
	select {
	case <-tb.loaded: // of the page before
	default:
	}
	answer := call[struct{ ErrorText string }](t, tb.b, tb.session, "Page.navigate", object{"url": url})
	require.Empty(t, answer.ErrorText)
	tb.waitForLoad(t)
}

func (tb *tab) waitForLoad(t *testing.T) {
	t.Helper()
	select {
	case <-tb.loaded:
	case <-time.After(limit):
		require.FailNow(t, "the page isn't loaded")
	}
}

// eval runs an expression in the page, and waits for it if it is a promise.
func eval[Result any](t *testing.T, tb *tab, expression string) Result {
	t.Helper()
	answer := call[struct {
		Result           struct{ Value Result }
		ExceptionDetails json.RawMessage
	}](t, tb.b, tb.session, "Runtime.evaluate", object{"expression": expression, "awaitPromise": true, "returnByValue": true})
	require.Empty(t, answer.ExceptionDetails, "%s", expression)
	return answer.Result.Value
}

// waitUntil returns when an expression is true, which is looked at with every change
// of the page.
func (tb *tab) waitUntil(t *testing.T, expression string) {
	t.Helper()
	fulfilled := eval[bool](t, tb, fmt.Sprintf(`new Promise((done) => {
		const look = () => { if (%s) { observer.disconnect(); clearTimeout(timer); done(true); } };
		const observer = new MutationObserver(look);
		const timer = (window.realTimeout || setTimeout)(() => done(false), %d);
		observer.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
		look();
	})`, expression, (limit-limit/4).Milliseconds()))
	if !fulfilled {
		require.FailNow(t, "it didn't come true", "%s\nin:\n%s", expression, eval[string](t, tb, "document.body.innerText"))
	}
}

// check fails the test if an expression isn't true.
func (tb *tab) check(t *testing.T, expression string) {
	t.Helper()
	assert.True(t, eval[bool](t, tb, expression), "%s", expression)
}

// resize makes the window so large, in dark colours or light ones.
func (tb *tab) resize(t *testing.T, width, height int, dark bool) {
	t.Helper()
	tb.do(t, "Emulation.setDeviceMetricsOverride", object{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	tb.do(t, "Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}})
}

// screenshot returns a PNG of the whole page.
func (tb *tab) screenshot(t *testing.T) []byte {
	t.Helper()
	return call[struct{ Data []byte }](t, tb.b, tb.session, "Page.captureScreenshot", object{"captureBeyondViewport": true}).Data
}
