package zap

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	r, err := Parse([]string{"1.0", "77", "d", "1.2.3.4", "identity", Plain, "u", "p"})
	require.NoError(t, err)
	assert.Equal(t, Request{"1.0", "77", "d", "1.2.3.4", "identity", Plain, []string{"u", "p"}}, r)

	_, err = Parse([]string{"1.0", "77", "d", "1.2.3.4", "", "GSSAPI", "any", "number", "of", "credentials"})
	assert.NoError(t, err)
}

func TestMalformedRequests(t *testing.T) {
	for want, requests := range map[string][][]string{
		"not of version 1.0":                   {nil, {""}, {"QUIT"}, {"2.0", "1", "d", "1.2.3.4", "", Null}},
		"1 frames, want 6 and the credentials": {{"1.0"}},
		"5 frames, want 6 and the credentials": {{"1.0", "1", "d", "1.2.3.4", ""}},
		"NULL with 1 credentials, want 0":      {{"1.0", "1", "d", "1.2.3.4", "", Null, "extra"}},
		"PLAIN with 0 credentials, want 2":     {{"1.0", "1", "d", "1.2.3.4", "", Plain}},
		"PLAIN with 1 credentials, want 2":     {{"1.0", "1", "d", "1.2.3.4", "", Plain, "u"}},
		"PLAIN with 3 credentials, want 2":     {{"1.0", "1", "d", "1.2.3.4", "", Plain, "u", "p", "extra"}},
		"CURVE with 0 credentials, want 1":     {{"1.0", "1", "d", "1.2.3.4", "", Curve}},
	} {
		for _, request := range requests {
			_, err := Parse(request)
			assert.EqualError(t, err, want, "%q", request)
		}
	}
}

// A request that is parsed without an error is safe to check and to log.
func FuzzParse(f *testing.F) {
	for _, request := range []string{"", "1.0", "1.0|1|d|1.2.3.4||NULL", "1.0|1|d|1.2.3.4||PLAIN|u|p", "1.0|1|d|::1%x||CURVE|k", "1.0|||||GSSAPI|||"} {
		f.Add(request)
	}
	p := rules{deny("d", "10.0.0.0/8"), user("d", "u", "p"), key("d", "*")}.policy()
	f.Fuzz(func(t *testing.T, frames string) {
		request := strings.Split(frames, "|")
		for n := range len(request) + 1 {
			if r, err := Parse(request[:n]); err == nil {
				_ = p.Check(r)
				_ = r.Attributes()
			}
			assert.Len(t, Malformed.Frames(request[:n]), 6)
		}
	})
}

func TestAttributes(t *testing.T) {
	for _, c := range []struct {
		mechanism []string
		want      []any
	}{
		{[]string{Null}, nil},
		{[]string{Plain, "somebody", "secret"}, []any{"username", "somebody"}},
		{[]string{Curve, alice.binary}, []any{"client_key", alice.text}},
		{[]string{Curve, "short"}, []any{"client_key", ""}},
		{[]string{"GSSAPI", "secret"}, nil},
	} {
		r, err := Parse(append([]string{"1.0", "77", "d", "1.2.3.4", "identity"}, c.mechanism...))
		require.NoError(t, err)
		want := append([]any{"mechanism", c.mechanism[0], "domain", "d", "address", "1.2.3.4"}, c.want...)
		assert.Equal(t, want, r.Attributes())
	}
}

func TestAnswers(t *testing.T) {
	request := []string{"1.0", "77", "d"}
	assert.Equal(t, []string{"1.0", "77", "300", "TRY AGAIN", "", ""}, TryAgain.Frames(request))
	assert.Equal(t, []string{"1.0", "77", "400", "NO ACCESS", "", ""}, NoAccess.Frames(request))
	assert.Equal(t, []string{"1.0", "77", "500", "MALFORMED REQUEST", "", ""}, Malformed.Frames(request))
	for _, request := range [][]string{nil, {""}, {"QUIT"}} {
		assert.Equal(t, []string{"1.0", "", "500", "MALFORMED REQUEST", "", ""}, Malformed.Frames(request))
	}
}

func TestOK(t *testing.T) {
	for name, c := range map[string]struct {
		properties       map[string]string
		userID, metadata string
	}{
		"none":     {nil, "", ""},
		"user id":  {map[string]string{"User-Id": "u"}, "u", ""},
		"property": {map[string]string{"User-Id": "u", "Role": "reader"}, "u", "\x04Role\x00\x00\x00\x06reader"},
		"empty":    {map[string]string{"": ""}, "", "\x00\x00\x00\x00\x00"},
	} {
		a, err := OK(c.properties)
		require.NoError(t, err, name)
		assert.Equal(t, []string{"1.0", "77", "200", "OK", c.userID, c.metadata}, a.Frames([]string{"1.0", "77"}), name)
	}

	// What cannot be encoded is left out, and named; the caller's map stays.
	properties := map[string]string{"User-Id": "u", strings.Repeat("k", 256): "v", strings.Repeat("k", 300): "v", "Role": "reader"}
	a, err := OK(properties)
	assert.Equal(t, Answer{"200", "OK", "u", "\x04Role\x00\x00\x00\x06reader"}, a)
	assert.ErrorContains(t, err, "Key too long: 256 bytes, want 255 at most")
	assert.ErrorContains(t, err, "Key too long: 300 bytes, want 255 at most")
	assert.Len(t, properties, 4)
}

func TestMetaBlob(t *testing.T) {
	for _, key := range []string{"", "k", strings.Repeat("k", 255)} {
		for _, value := range []string{"", "v", strings.Repeat("v", 70_000)} {
			got, err := MetaBlob(key, value)
			require.NoError(t, err)
			want := append([]byte{byte(len(key))}, key...)
			want = binary.BigEndian.AppendUint32(want, uint32(len(value)))
			assert.Equal(t, append(want, value...), got)
		}
	}
	_, err := MetaBlob(strings.Repeat("k", 256), "")
	assert.EqualError(t, err, "Key too long: 256 bytes, want 255 at most")
}
