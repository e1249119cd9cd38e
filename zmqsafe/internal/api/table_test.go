package api

import (
	"go/types"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A new release of raw fails the tests, and so does one that has lost
// something.
func TestNewMethodIsFound(t *testing.T) {
	raw, err := Load(RawPath)
	require.NoError(t, err)
	unclassified, stale := checkTable(raw)
	assert.Empty(t, unclassified)
	assert.Empty(t, stale)

	next := checked(t, RawPath, fakeRaw+"func (s *Socket) SetNews(value int) error { return nil }\n", nil)
	unclassified, stale = checkTable(next)
	assert.Equal(t, []string{"SetNews"}, unclassified)
	assert.Contains(t, stale, "SetSndhwm")
	_, err = generate(next)
	assert.ErrorContains(t, err, "no such method")

	guarded, err := Load(guardedPath)
	require.NoError(t, err)
	assert.Contains(t, names(compare(next, guarded)), "Socket.SetNews")
}

func names(differences []difference) (names []string) {
	for _, d := range differences {
		names = append(names, d.Name)
	}
	return names
}

// Each option has what documentation and errors need.
func TestTableIsWhole(t *testing.T) {
	raw, err := Load(RawPath)
	require.NoError(t, err)
	g := generator{raw: raw}
	for file, options := range files {
		assert.NotEmpty(t, options, file)
		for _, o := range options {
			assert.NotEmpty(t, o.What, o.Set+o.Get)
			assert.NotEmpty(t, o.Name, o.Set+o.Get)
			if o.Set == "" {
				assert.Empty(t, o.Want, o.Get)
				continue
			}
			isDuration := g.name(g.method(o.Set).Params().At(0).Type()) == "time.Duration"
			assert.Equal(t, isDuration, o.Want == "", "%s: Want is for all but durations", o.Set)
		}
	}
}

// checkTable returns the methods of raw's Socket that aren't exactly once in
// byHand or files, and the names there that raw's Socket doesn't have.
func checkTable(raw *types.Package) (unclassified, stale []string) {
	times := make(map[string]int)
	for _, name := range byHand {
		times[name]++
	}
	for _, options := range files {
		for _, o := range options {
			times[o.Set]++
			times[o.Get]++
		}
	}
	delete(times, "")
	for method := range types.NewMethodSet(types.NewPointer(raw.Scope().Lookup("Socket").Type())).Methods() {
		if name := method.Obj().Name(); method.Obj().Exported() {
			if times[name] != 1 {
				unclassified = append(unclassified, name)
			}
			delete(times, name)
		}
	}
	return unclassified, slices.Sorted(maps.Keys(times))
}
