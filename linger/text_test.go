package linger

import (
	"encoding/json"
	"flag"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want Policy
	}{
		{"drop", Drop},
		{"DROP", Drop},
		{" \tdrop\r\n", Drop},
		{"0", Drop},
		{" 0 ", Drop},
		{"0s", Drop},
		{"forever", Forever},
		{"Forever", Forever},
		{"1s", Default},
		{"250ms", MustFor(250 * time.Millisecond)},
		{"250MS", MustFor(250 * time.Millisecond)},
		{"1.5s", MustFor(1500 * time.Millisecond)},
		{"1h2m3s", MustFor(time.Hour + 2*time.Minute + 3*time.Second)},
		{"10µs", MustFor(10 * time.Microsecond)},
	}
	for _, tt := range tests {
		got, err := Parse(tt.text)
		require.NoError(t, err, "%q", tt.text)
		assert.Equal(t, tt.want, got, "%q", tt.text)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ text, reason string }{
		{"", "empty value"},
		{"  \t", "empty value"},
		{"-1", `number "-1" without a unit`},
		{"5", `number "5" without a unit`},
		{"1.5", `number "1.5" without a unit`},
		{"1e3", `number "1e3" without a unit`},
		{"-250ms", `negative duration "-250ms"`},
		{"-1ns", `negative duration "-1ns"`},
		{"never", `can't read "never"`},
		{"250 ms", `can't read "250 ms"`},
		{"drop it", `can't read "drop it"`},
		{"10000000h", `can't read "10000000h"`},
		{"\xff\xfe", `can't read`},
	}
	for _, tt := range tests {
		p, err := Parse(tt.text)
		require.Error(t, err, "%q", tt.text)
		assert.ErrorContains(t, err, "linger: "+tt.reason)
		assert.ErrorContains(t, err, allowed)
		assert.Equal(t, Default, p)
	}
}

func TestParseErrorStaysShort(t *testing.T) {
	_, err := Parse(strings.Repeat("x", 1<<20))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 250)
}

func TestTextRoundTrip(t *testing.T) {
	policies := []Policy{Default, Drop, Forever, MustFor(1), MustFor(250 * time.Millisecond), MustFor(math.MaxInt64)}
	for range 1000 {
		policies = append(policies, MustFor(anyDuration()))
	}
	for _, p := range policies {
		text, err := p.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, p.String(), string(text))

		got := MustFor(42)
		require.NoError(t, got.UnmarshalText(text), "%s", text)
		assert.Equal(t, p, got)
	}
}

func TestUnmarshalTextKeepsThePolicyOnError(t *testing.T) {
	p := Forever
	require.Error(t, p.UnmarshalText([]byte("5")))
	assert.Equal(t, Forever, p)
}

func TestJSON(t *testing.T) {
	type config struct {
		Linger Policy `json:"linger,omitzero"`
	}
	for text, want := range map[string]Policy{
		`{}`:                   Default,
		`{"linger":"drop"}`:    Drop,
		`{"linger":"forever"}`: Forever,
		`{"linger":"2.5s"}`:    MustFor(2500 * time.Millisecond),
	} {
		var c config
		require.NoError(t, json.Unmarshal([]byte(text), &c), text)
		assert.Equal(t, want, c.Linger)
		back, err := json.Marshal(c)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(back))
	}
}

func TestFlag(t *testing.T) {
	var p Policy
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.TextVar(&p, "linger", Default, "")

	require.NoError(t, flags.Parse([]string{"-linger", "250ms"}))
	assert.Equal(t, MustFor(250*time.Millisecond), p)
	assert.ErrorContains(t, flags.Parse([]string{"-linger", "5"}), "without a unit")
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"drop", "forever", "0", "250ms", " 1.5S ", "-1", "-250ms", "5", "", "10µs", "9999999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			assert.Equal(t, Default, p)
			return
		}
		again, err := Parse(p.String())
		require.NoError(t, err)
		assert.Equal(t, p, again)
		if d, finite := p.Duration(); finite {
			assert.GreaterOrEqual(t, d, time.Duration(0))
		} else {
			assert.Equal(t, Forever, p)
		}
	})
}
