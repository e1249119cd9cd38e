package debugpage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Handler returns the handler that serves the page and its JSON, for GET and
// HEAD. It may be mounted at any path and is safe for concurrent use.
//
// It answers 405 to any other method and 400 to an unknown format. Like
// [zmqsafe.Contexts], it waits for calls inside libzmq, which take one message
// at most.
func Handler() http.Handler { return &handler{zmqsafe.Contexts, time.Now} }

type handler struct {
	contexts func() []zmqsafe.ContextInfo
	now      func() time.Time
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "method "+r.Method+" isn't allowed: use GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	asJSON, err := wantsJSON(query.Get("format"), r.Header.Values("Accept"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now, contexts := h.now(), h.contexts()
	if madeAt := query.Get("made_at"); madeAt != "" {
		contexts = only(contexts, madeAt)
	}
	var body bytes.Buffer // an error can still be answered
	if asJSON {
		header.Set("Content-Type", "application/json")
		err = json.NewEncoder(&body).Encode(struct {
			Time     time.Time             `json:"time"`
			Contexts []zmqsafe.ContextInfo `json:"contexts"`
		}{now, contexts})
	} else {
		p := newPage(now, contexts, query)
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", securityPolicy)
		header.Set("Referrer-Policy", "no-referrer")
		if !p.Paused {
			header.Set("Refresh", "2") // seconds
		}
		err = pageTemplate.Execute(&body, p)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header.Set("Vary", "Accept")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = body.WriteTo(w) // an error is the client's
}

// only returns the sockets made at a place, in those contexts that have some.
func only(contexts []zmqsafe.ContextInfo, madeAt string) []zmqsafe.ContextInfo {
	some := []zmqsafe.ContextInfo{}
	elsewhere := func(s zmqsafe.SocketInfo) bool { return s.Site != madeAt }
	for _, c := range contexts {
		if c.Sockets = slices.DeleteFunc(slices.Clone(c.Sockets), elsewhere); len(c.Sockets) > 0 {
			some = append(some, c)
		}
	}
	return some
}

// wantsJSON decides by the parameter format or, without it, by the header
// Accept.
func wantsJSON(format string, accept []string) (bool, error) {
	switch format {
	case "json":
		return true, nil
	case "html":
		return false, nil
	case "":
		list := strings.Join(accept, ",")
		return quality(list, "application/json") > quality(list, "text/html"), nil
	}
	return false, fmt.Errorf("format %q is unknown: use json or html", format)
}

// quality is how much a client that sends accept wants a media type, from 0 to
// 1. The most specific range applies (RFC 9110, section 12.5.1).
func quality(accept, mediaType string) float64 {
	family, _, _ := strings.Cut(mediaType, "/")
	best, q := 0, 0.0
	for item := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(item)
		specific := map[string]int{mediaType: 3, family + "/*": 2, "*/*": 1}[name]
		if err != nil || specific <= best {
			continue
		}
		best, q = specific, 1
		if given, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			q = given
		}
	}
	return q
}
