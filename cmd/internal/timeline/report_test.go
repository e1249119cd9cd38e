package timeline

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const fullReport = `{
  "version": 1,
  "made_at": "dir/file.go:42",
  "began": "2026-01-02T03:04:05.5Z",
  "deadline": "2026-01-02T03:04:10.5Z",
  "took": "1.2s",
  "done": true,
  "steps": [{"name": "wake", "began": "2026-01-02T03:04:05.5Z", "took": "1ms"}],
  "sockets": [
    {"type": "PULL", "made_at": "dir/file.go:51", "created": "2026-01-02T03:04:05.1Z", "linger": "drop", "accepted": 0, "received": 8,
     "effective_linger": "drop", "closed": "2026-01-02T03:04:05.6Z", "outcome": "holding", "unread": 12, "unread_at_least": true},
    {"type": "PUSH", "endpoints": ["tcp://a:1"], "made_at": "dir/file.go:50", "created": "2026-01-02T03:04:05Z", "linger": "forever",
     "accepted": 3, "received": 0, "waiting": {"receives": 1, "sends": 2, "polls": 3}, "effective_linger": "250ms",
     "woken": "2026-01-02T03:04:05.6Z", "closed": "2026-01-02T03:04:05.7Z", "released": "2026-01-02T03:04:05.8Z", "outcome": "ran out"}
  ],
  "detached": [{"detached_at": "dir/file.go:61", "times": 3, "time": "2026-01-02T03:04:05.2Z", "type": "PUSH", "made_at": "dir/file.go:50", "endpoint": "tcp://a:2",
    "bound": true, "linger": "1s", "accepted": 3, "outcome": "ran out", "may_lose": 2, "open": 1, "endpoints": ["tcp://a:2"]}],
  "unclosed": 2,
  "unread": [{"type": "PULL", "made_at": "dir/file.go:51", "sockets": 3, "messages": 40, "at_least": true}],
  "error": "something"
}`

func TestParse(t *testing.T) {
	reports, err := Parse([]byte(fullReport))
	require.NoError(t, err)
	assert.Equal(t, []Report{{
		MadeAt: "dir/file.go:42", Began: at(500), Deadline: at(5500), Took: duration(1200 * time.Millisecond), Done: true, Unclosed: 2,
		Detached: []Detached{{At: "dir/file.go:61", Type: "PUSH", MadeAt: "dir/file.go:50", Bound: true, MayLose: 2, Open: 1, Endpoints: []string{"tcp://a:2"}}},
		Unread:   []Unread{{"PULL", "dir/file.go:51", 3, 40, true}},
		Steps:    []Step{{"wake", at(500), duration(time.Millisecond)}},
		Sockets: []Socket{
			{
				Type: "PUSH", MadeAt: "dir/file.go:50", Endpoints: []string{"tcp://a:1"}, Created: start, Linger: "forever", EffectiveLinger: "250ms",
				Accepted: 3, Waiting: waiting{1, 2, 3}, Woken: at(600), Closed: at(700), Released: at(800), Outcome: ranOut,
			},
			{Type: "PULL", MadeAt: "dir/file.go:51", Created: at(100), Linger: "drop", EffectiveLinger: "drop", Received: 8, Closed: at(600), Outcome: holding, Unread: 12, UnreadAtLeast: true},
		},
	}}, reports)
}

// line is a report as ZMQSAFE_REPORT has it written.
func line(madeAt, began, took string) string {
	return `{"version":1,"made_at":"` + madeAt + `","began":"2026-01-02T03:04:` + began + `Z","took":"` + took + `","done":false,"new":[{}]}` + "\n"
}

// Of the reports of one close the last one applies.
func TestParseSeveral(t *testing.T) {
	reports, err := Parse([]byte(line("a.go:1", "05", "1s") + line("b.go:1", "05", "1s") + line("a.go:1", "05.1", "1s") + line("a.go:1", "05", "2s")))
	require.NoError(t, err)
	want := []Report{
		{MadeAt: "a.go:1", Began: at(0), Took: duration(2 * time.Second)},
		{MadeAt: "b.go:1", Began: at(0), Took: duration(time.Second)},
		{MadeAt: "a.go:1", Began: at(100), Took: duration(time.Second)},
	}
	assert.Equal(t, want, reports)
}

func TestParseErrors(t *testing.T) {
	good := line("a.go:1", "05", "1s")
	for text, want := range map[string]string{
		"":                                     "nothing there; ",
		" \n":                                  "nothing there; ",
		"closed in 1.2s":                       "not JSON: invalid character 'c' looking for beginning of value; ",
		"\x7fELF\x02\x01":                      "not JSON: invalid character ",
		fullReport[:300]:                       "not JSON: unexpected EOF; ",
		good + good[:20]:                       "after 1 report: not JSON: unexpected EOF; ",
		good + "panic: gone":                   "after 1 report: not JSON: invalid character ",
		"null":                                 "not a closing report: it has no version; ",
		"{}":                                   "not a closing report: it has no version; ",
		"[" + fullReport + "]":                 "not a closing report: it has no version; ",
		`"a"`:                                  "not a closing report: it has no version; ",
		`{"hazard": "fd-sweep"}`:               "not a closing report: it has no version; ",
		`{"version": -1}`:                      "not a closing report: it has no version; ",
		`{"version": "1.2.3"}`:                 "not a closing report: it has no version; ",
		`{"version": 1, "took": 5}`:            "not a closing report: json: cannot unmarshal number ",
		strings.Replace(good, "1s", "soon", 1): `not a closing report: time: invalid duration "soon"; `,

		`{"version": 7}`:                         "this is report version 7; this zmq-exit reads version 1: install a newer one",
		`{"version": 2, "took": {"wall": 1}}`:    "this is report version 2; ",
		good + `{"version": 2}`:                  "after 1 report: this is report version 2; ",
		`{"version":1,"made_at":"","took":"0s"}`: "nothing to draw: this report was made before its context was closed",
	} {
		reports, err := Parse([]byte(text))
		require.Error(t, err, text)
		assert.True(t, strings.HasPrefix(err.Error(), want), "%s\n%s", text, err)
		if strings.Contains(want, "not ") || strings.Contains(want, "nothing there") {
			assert.True(t, strings.HasSuffix(err.Error(), "; "+wanted), err)
		}
		assert.Nil(t, reports)
	}
}

// Whatever is in a report, it is drawn or there is an error.
func FuzzParse(f *testing.F) {
	f.Add(fullReport)
	f.Add(line("a.go:1", "05", "-1s"))
	f.Fuzz(func(t *testing.T, text string) {
		if reports, err := Parse([]byte(text)); err == nil {
			requireDrawn(t, reports)
		}
	})
}

// Clocks are set, and a report may be made by something else than zmqsafe: the
// times needn't be in order.
func TestReportsOfStrangeTimesAreDrawn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	at := func() time.Time {
		switch random.IntN(6) {
		case 0:
			return time.Time{}
		case 1:
			return time.Unix(random.Int64N(1<<40)-1<<39, random.Int64N(1e9))
		}
		return start.Add(time.Duration(random.Int64N(1<<(1+random.IntN(62))) - random.Int64N(1<<(1+random.IntN(50)))))
	}
	for range 100 {
		r := Report{Began: at(), Deadline: at(), Took: duration(random.Int64N(1<<(1+random.IntN(62))) - 1e9)}
		for range random.IntN(12) {
			r.Steps = append(r.Steps, Step{"zmq_close", at(), duration(random.Int64N(1e9) - 1e8)})
		}
		for range random.IntN(2 * maxRows) {
			r.Sockets = append(r.Sockets, Socket{
				Created: at(), Woken: at(), Closed: at(), Released: at(), Waiting: waiting{Polls: random.IntN(2)},
				Outcome: []string{gone, holding, ranOut, "something new"}[random.IntN(4)],
			})
		}
		requireDrawn(t, []Report{r})
	}
}

func requireDrawn(t *testing.T, reports []Report) {
	t.Helper()
	c := Chart{Reports: reports}
	require.NoError(t, c.WriteText(new(strings.Builder), 0, true))
	assert.NotRegexp(t, `="[^"]*(NaN|Inf)`, pictureOf(t, c))
}
