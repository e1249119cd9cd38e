package world

import (
	"slices"
	"strings"
	"testing"
)

func TestIdentify(t *testing.T) {
	p := &Plan{Workers: []Worker{{Parts: 1, Size: 10}, {Parts: 5, Size: 1000}}}
	several := uint32(0)
	for partsOf(1, p.Workers[1], several) < 3 {
		several++
	}
	tests := []struct {
		name   string
		change func(parts [][]byte) [][]byte
		want   string
	}{
		{"whole", func(parts [][]byte) [][]byte { return parts }, ""},
		{"nothing", func([][]byte) [][]byte { return nil }, "without a header"},
		{"without its last part", func(parts [][]byte) [][]byte { return parts[:len(parts)-1] }, "torn"},
		{"with a part too many", func(parts [][]byte) [][]byte { return append(parts, nil) }, "torn"},
		{"with parts in another order", func(parts [][]byte) [][]byte { return append(parts[:1], parts[2], parts[1]) }, "is torn|not as it was sent"},
		{"one byte is another", func(parts [][]byte) [][]byte { parts[0][len(parts[0])-1] ^= 1; return parts }, "part 0 is not as it was sent"},
		{"of another run", func(parts [][]byte) [][]byte { parts[0][3]++; return parts }, "of run 8 in run 7"},
		{"of no stream", func(parts [][]byte) [][]byte { parts[0][4]++; return parts }, "which isn't one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stream, number, err := identify(7, p, test.change(message(7, 1, p.Workers[1], several)))
			if test.want == "" {
				if err != nil || stream != 1 || number != several {
					t.Errorf("got message %d of stream %d, %v", number, stream, err)
				}
				return
			}
			if err == nil || !slices.ContainsFunc(strings.Split(test.want, "|"), func(want string) bool { return strings.Contains(err.Error(), want) }) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
